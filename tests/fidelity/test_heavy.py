"""Heavy-set fidelity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from qpm_lab.errors import InputError
from qpm_lab.fidelity import heavy_fidelity
from qpm_lab.fidelity.heavy import shots_for

BELL = {"00": 0.5, "11": 0.5}


def test_figures_worked_by_hand() -> None:
    """H = {00, 11}, u(H) = 1/2, c = 1/2: 980 of 1,000 in H give (0.98 − 0.5) / 0.5 = 0.96."""
    estimate = heavy_fidelity({"00": 480, "11": 500, "01": 20}, BELL)
    assert estimate.value == pytest.approx(0.96)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < 0.96 < estimate.high
    assert (estimate.level, estimate.shots, estimate.reason) == (0.95, 1000, None)
    assert "outcome fidelity" in estimate.estimand


@pytest.mark.parametrize("shots", [50, 400, 2000])
@pytest.mark.parametrize("strength", [0.0, 0.03, 0.2, 0.6, 1.0])
def test_coverage_is_exact_under_white_noise(shots: int, strength: float) -> None:
    """Summed over every possible number of heavy shots, 1 − ε is covered with at least 95 %."""
    ideal = np.array([0.4, 0.3, 0.05, 0.05, 0.1, 0.04, 0.03, 0.03])
    heavy = ideal > 1 / 8
    truth = (1 - strength) * ideal[heavy].sum() + strength * heavy.mean()
    coverage = 0.0
    for inside in range(shots + 1):
        counts = np.zeros(8, dtype=int)
        counts[0], counts[7] = inside, shots - inside
        estimate = heavy_fidelity(counts, ideal)
        assert estimate.low is not None
        assert estimate.high is not None
        # A thousandth of a rounding error must not decide a closed end.
        if estimate.low - 1e-12 <= 1 - strength <= estimate.high + 1e-12:
            coverage += binom.pmf(inside, shots, truth)
    assert coverage >= 0.9499


def test_the_value_is_never_clipped() -> None:
    """More heavy shots than ideal give a value above 1, fewer than uniform one below 0."""
    ideal = {"0": 0.8, "1": 0.2}
    above = heavy_fidelity({"0": 10_000}, ideal).value
    below = heavy_fidelity({"1": 10_000}, ideal).value
    assert above is not None
    assert below is not None
    assert above > 1
    assert below < 0


@pytest.mark.parametrize("ideal", [{"0": 0.5, "1": 0.5}, {"0": 0.5 + 1e-9, "1": 0.5 - 1e-9}, [0.25] * 4])
def test_a_uniform_ideal_is_explained_as_normal(ideal: Any) -> None:
    """A single h(0) gets no number and no interval, and no blame."""
    counts = {"0": 510, "1": 490} if isinstance(ideal, dict) else [250] * 4
    estimate = heavy_fidelity(counts, ideal)
    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
    assert estimate.reason is not None
    assert "That is normal." in estimate.reason


def test_too_few_shots_keep_the_interval_and_say_how_many_would_do() -> None:
    """The interval is shown, the value is not, and the shots named are enough."""
    estimate = heavy_fidelity({"00": 10, "11": 9, "01": 1}, BELL)
    assert estimate.value is None
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.reason is not None
    assert f"{shots_for(0.1, 0.5, 0.95):,} shots" in estimate.reason


@pytest.mark.parametrize("contrast", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_shots_named_are_enough_and_not_many_more(contrast: float, level: float) -> None:
    """At the worst proportion the interval then has the half-width, within one part in a hundred."""
    from qpm_lab.fidelity import clopper_pearson

    shots = shots_for(0.1, contrast, level)
    low, high = clopper_pearson(shots // 2, shots, 1 - level)
    half = (high - low) / 2 / contrast
    assert 0.095 < half < 0.101


def test_dictionaries_and_arrays_say_the_same() -> None:
    """Every pairing of the two forms gives one estimate; index i is the bit string read as a number."""
    ideal = {"000": 0.5, "110": 0.3, "011": 0.2}
    counts = {"000": 450, "110": 330, "011": 180, "101": 40}
    p, n = np.zeros(8), np.zeros(8, dtype=int)
    for key, value in ideal.items():
        p[int(key, 2)] = value
    for key, count in counts.items():
        n[int(key, 2)] = count
    results = {heavy_fidelity(c, i).to_dict()["low"] for c in (counts, n) for i in (ideal, p)}
    assert len({round(low, 12) for low in results}) == 1


def test_spaces_between_registers_do_not_matter() -> None:
    """Qiskit's keys with spaces mean the same outcomes."""
    spaced = heavy_fidelity({"0 0": 480, "1 1": 520}, {"00": 0.5, "1 1": 0.5})
    assert spaced == heavy_fidelity({"00": 480, "11": 520}, BELL)


def test_bits_that_were_never_measured_do_not_change_the_estimate() -> None:
    """With the number of measured bits given, padding the keys with constant zeros changes nothing."""
    plain = heavy_fidelity({"00": 480, "11": 500, "01": 20}, BELL)
    padded = heavy_fidelity({"000": 480, "011": 500, "001": 20}, {"000": 0.5, "011": 0.5}, bits=2)
    assert padded == plain


@given(st.integers(1, 6), st.integers(1, 5000), st.integers(0, 2**32 - 1))
def test_a_perfect_machine_is_not_accused(bits: int, shots: int, seed: int) -> None:
    """For any ideal the interval is ordered and holds its own value."""
    draw = np.random.default_rng(seed)
    ideal = draw.dirichlet(np.full(2**bits, 0.2))
    estimate = heavy_fidelity(draw.multinomial(shots, ideal), ideal)
    if estimate.low is not None and estimate.high is not None:
        assert estimate.low <= estimate.high
        assert estimate.value is None or estimate.low <= estimate.value <= estimate.high


@pytest.mark.parametrize(
    ("counts", "ideal"),
    [
        ({}, BELL),
        ({"00": 0, "11": 0}, BELL),
        ({"00": -1, "11": 5}, BELL),
        ({"00": 1.5}, BELL),
        ({"00": float("nan")}, BELL),
        ({"00": True}, BELL),
        ({"0x3": 5}, BELL),
        ({"0": 5}, BELL),
        ({"000": 5}, BELL),
        ({"00": 5, "1": 5}, BELL),
        ({0: 5}, BELL),
        ({"": 5}, BELL),
        ({"00": 5, "0 0": 5}, BELL),
        ([1, 2, 3], BELL),
        ([[1, 2], [3, 4]], BELL),
        ([0.5, 0.5, 1.0, 2.0], BELL),
        ({"00": 5}, {"00": 0.5, "11": 0.4}),
        ({"00": 5}, {"00": 1.5, "11": -0.5}),
        ({"00": 5}, {"00": float("nan"), "11": 0.5}),
        ({"00": 5}, {"00": "0.5", "11": 0.5}),
        ({"00": 5}, {"00": float("inf")}),
        ({"00": 5}, {}),
        ({"00": 5}, [0.25, 0.75]),
        ({"00": 5}, [0.5, 0.5, np.nan, 0.0]),
    ],
)
def test_bad_input_is_a_clear_error(counts: Any, ideal: Any) -> None:
    """Every malformed histogram or distribution is refused by name."""
    with pytest.raises(InputError) as refused:
        heavy_fidelity(counts, ideal)
    assert refused.value.message


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 95, float("nan")])
def test_a_level_outside_its_range_is_refused(level: float) -> None:
    """Ninety-five is not a level, 0.95 is."""
    with pytest.raises(InputError):
        heavy_fidelity({"00": 5}, BELL, level)
