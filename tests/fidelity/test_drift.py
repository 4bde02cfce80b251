"""Drift of a canary: the bound on false alarms, a loss found at once, and the same answer on replay."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from qpm_lab.errors import InputError
from qpm_lab.fidelity import DriftDetector


def e_value(detector: DriftDetector, successes: int, shots: int) -> float:
    """Of one canary, from what it makes of fresh evidence: M₁ = (0 + 1)·e₁."""
    return detector.update(successes, shots).evidence


@settings(max_examples=25)
@given(
    st.floats(0.1, 1.0),
    st.floats(0.002, 0.09),
    st.integers(1, 60),
    st.floats(0, 1),
)
def test_evidence_grows_by_no_more_than_one_on_average(
    baseline: float, tolerance: float, shots: int, above: float
) -> None:
    """Summed over every result, E[e] ≤ 1 for any success probability from the floor up: the bound on false alarms."""
    floor = baseline - tolerance
    rate = floor + above * (1 - floor)
    chances = binom.pmf(np.arange(shots + 1), shots, rate)
    values = [e_value(DriftDetector(baseline, tolerance), k, shots) for k in range(shots + 1)]
    assert float(chances @ np.array(values)) <= 1 + 1e-9


def test_a_loss_is_found_within_three_canaries() -> None:
    """0.95 → 0.90 at 1,000 shots raises the alarm within three canaries in 95 % of streams."""
    rng = np.random.default_rng(1)
    delays = []
    for _ in range(300):
        detector = DriftDetector(0.95)
        detector.replay((int(k), 1000) for k in rng.binomial(1000, 0.95, 5))
        while not detector.update(int(rng.binomial(1000, 0.9)), 1000).alarm:
            pass
        delays.append((detector.state().alarmed_at or 0) - 5)
    assert np.quantile(delays, 0.95) <= 3


def test_scatter_around_the_baseline_is_not_drift() -> None:
    """Of streams whose rate scatters by 0.0075 around 0.95, fewer than 63 % alarm within A canaries."""
    rng = np.random.default_rng(2)
    size = 0.95 * 0.05 / 0.0075**2 - 1
    alarms = 0
    for _ in range(60):
        rates = rng.beta(0.95 * size, 0.05 * size, 150)
        alarms += DriftDetector(0.95, arl=150).replay((int(rng.binomial(1000, p)), 1000) for p in rates).alarm
    assert alarms / 60 <= 0.63


def test_a_replay_gives_the_same_state() -> None:
    """A detector made anew from the history equals the one that lived through it."""
    history = [(int(k), 500) for k in np.random.default_rng(3).binomial(500, 0.94, 40)]
    lived = DriftDetector(0.95)
    states = [lived.update(*canary) for canary in history]
    assert DriftDetector(0.95).replay(history) == states[-1] == lived.state()


def test_an_alarm_stands_and_says_when_it_was_raised() -> None:
    """After the alarm good canaries do not silence it, and `alarmed_at` stays the canary that raised it."""
    detector = DriftDetector(0.95)
    for _ in range(3):
        detector.update(950, 1000)
    assert detector.update(700, 1000).alarmed_at == 4
    state = detector.replay([(960, 1000)] * 200)
    assert (state.alarm, state.alarmed_at, state.canaries) == (True, 4, 204)
    assert "canary 4" in state.text
    assert "there is evidence that the share of successes is below 0.9400" in state.text


def test_before_the_first_canary_there_is_no_rate() -> None:
    """A fresh detector has no evidence, no alarm and no rate, and states its promise."""
    state = DriftDetector(0.95, arl=500).state()
    assert (state.alarm, state.rate, state.evidence, state.canaries) == (False, None, 0.0, 0)
    assert "500 canaries" in state.text
    assert "while the success rate stays above the floor, 0.9400" in state.text


def test_the_rate_is_that_of_the_latest_canary_with_its_interval() -> None:
    """The current rate comes with an exact interval around it."""
    detector = DriftDetector(0.95)
    detector.update(100, 1000)
    rate = detector.update(930, 1000).rate
    assert rate is not None
    assert rate.value == 0.93
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < 0.93 < rate.high


def test_a_baseline_of_canaries_is_taken_at_its_lower_bound() -> None:
    """The floor lies below the pooled rate less the tolerance, the nearer the more canaries there are."""
    few = DriftDetector([(950, 1000)] * 5).state().floor
    many = DriftDetector([(950, 1000)] * 100).state().floor
    assert few < many < 0.94
    assert few == pytest.approx(0.94 - 1.645 * math.sqrt(0.95 * 0.05 / 5000), abs=5e-4)


def test_a_scattered_baseline_lowers_the_floor() -> None:
    """Canaries that scatter more than their shots do make the detector more careful."""
    steady = DriftDetector([(950, 1000)] * 6).state().floor
    assert DriftDetector([(970, 1000), (930, 1000)] * 3).state().floor < steady


def test_huge_and_hopeless_canaries_do_not_overflow() -> None:
    """A million failures after another keep the evidence finite, and so do a million successes."""
    for successes in (0, 10**6):
        detector = DriftDetector(1.0)
        state = detector.replay([(successes, 10**6)] * 300)
        assert math.isfinite(state.evidence)
        assert state.alarm == (successes == 0)


def test_a_state_goes_into_json() -> None:
    """The dictionary holds JSON values only, before and after a canary."""
    detector = DriftDetector(0.95)
    for state in (detector.state(), detector.update(949, 1000)):
        assert json.loads(json.dumps(state.to_dict())) == state.to_dict()


@pytest.mark.parametrize(
    ("baseline", "options"),
    [
        ([(950, 1000)] * 4, {}),
        ([], {}),
        ([(950, 1000, 3)] * 5, {}),
        ([(1001, 1000)] * 5, {}),
        ([(0, 0)] * 5, {}),
        ([0.95] * 5, {}),
        ("0.95", {}),
        (None, {}),
        (math.nan, {}),
        (1.2, {}),
        (0.0, {}),
        (0.005, {}),
        (0.95, {"tolerance": 0}),
        (0.95, {"tolerance": math.nan}),
        (0.95, {"tolerance": 0.96}),
        (0.95, {"arl": 1}),
        (0.95, {"arl": math.inf}),
    ],
)
def test_what_cannot_be_a_detector_is_an_input_error(baseline: object, options: dict[str, float]) -> None:
    """A bad baseline, tolerance or distance of alarms gets an error with a message."""
    with pytest.raises(InputError, match=r"\w"):
        DriftDetector(baseline, **options)


@pytest.mark.parametrize("canary", [(5, 4), (-1, 4), (0, 0), (1.5, 4), (3, "4"), (math.nan, 4)])
def test_a_bad_canary_leaves_the_detector_as_it_was(canary: tuple[object, object]) -> None:
    """A result that cannot be is refused and changes nothing."""
    detector = DriftDetector(0.95)
    before = detector.update(950, 1000)
    with pytest.raises(InputError, match="canary"):
        detector.update(*canary)
    assert detector.state() == before


def test_five_canaries_that_scatter_a_little_still_find_a_loss() -> None:
    """Baselines whose rate scatters by 0.005: 0.95 → 0.90 at 1,000 shots is found within three in 93 % of streams."""
    rng = np.random.default_rng(9)
    size = 0.95 * 0.05 / 0.005**2 - 1
    found = 0
    for _ in range(600):
        rates = rng.beta(0.95 * size, 0.05 * size, 5)
        detector = DriftDetector([(int(rng.binomial(1000, rate)), 1000) for rate in rates])
        found += detector.replay((int(rng.binomial(1000, 0.9)), 1000) for _ in range(3)).alarm
    assert found / 600 >= 0.93
