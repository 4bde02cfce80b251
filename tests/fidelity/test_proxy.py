"""Fidelity from Clifford proxies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity import clifford_proxy_fidelity, clopper_pearson


def ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


def single(successes: int, instances: int) -> np.ndarray:
    return (np.arange(instances) < successes).astype(int)


def test_figures_worked_by_hand() -> None:
    """1,900 of 2,000 succeed: p = 0.95, F = 0.9, ends 2p − 1 of Clopper–Pearson's."""
    estimate = clifford_proxy_fidelity(single(1900, 2000), 1)
    low, high = clopper_pearson(1900, 2000)
    assert estimate.value == pytest.approx(0.9)
    assert ends(estimate) == pytest.approx((2 * low - 1, 2 * high - 1))
    assert (estimate.shots, estimate.reason, estimate.level) == (2000, None, 0.95)
    assert "process" in estimate.estimand
    assert estimate.assumption is not None


@pytest.mark.parametrize("fidelity", [0.02, 0.3, 0.77, 0.95])
@pytest.mark.parametrize("instances", [300, 2000])
def test_coverage_with_one_shot_each_is_exact(fidelity: float, instances: int) -> None:
    """Summed over every number of successes the truth is covered with 95 to 97 %."""
    k = np.arange(instances + 1)
    low, high = clopper_pearson(k, np.full_like(k, instances))
    covered = (2 * low - 1 <= fidelity) & (fidelity <= 2 * high - 1)
    coverage = binom.pmf(k, instances, (1 + fidelity) / 2)[covered].sum()
    assert 0.95 <= coverage <= 0.97


@pytest.mark.parametrize("successes", [1000, 1100, 1500, 1900, 2000])
def test_two_thousand_shots_are_narrow_at_any_fidelity(successes: int) -> None:
    """The interval is at most 0.09 wide, whatever comes out."""
    low, high = ends(clifford_proxy_fidelity(single(successes, 2000), 1))
    assert high - low <= 0.09


@pytest.mark.parametrize(("fidelity", "bad"), [(0.9, 0.0), (0.9, 1.0), (0.5, 1.0), (0.3, 0.6)])
def test_clusters_cover_also_under_one_bad_qubit(fidelity: float, bad: float) -> None:
    """100 instances × 20 shots: three quarters of the Paulis feel the bad qubit, and the truth is still covered."""
    random = np.random.default_rng(5)
    rest = fidelity / (0.25 + 0.75 * (1 - bad))
    rest = min(rest, 1.0)
    truth = rest * (0.25 + 0.75 * (1 - bad))
    covered = 0
    for _ in range(1000):
        felt = random.random(100) < 0.75
        successes = random.binomial(20, (1 + rest * np.where(felt, 1 - bad, 1)) / 2)
        low, high = ends(clifford_proxy_fidelity(successes, 20))
        covered += low <= truth <= high
    assert covered >= 930


def test_pooling_few_instances_is_refused_with_a_bound() -> None:
    """20 × 100: no value, the shots needed, and an interval that holds even if each instance is all or nothing."""
    random = np.random.default_rng(6)
    covered = 0
    for _ in range(300):
        estimate = clifford_proxy_fidelity(100 * random.integers(2, size=20), 100)
        low, high = ends(estimate)
        covered += low <= 0 <= high
        assert estimate.value is None
        assert estimate.shots_needed is not None
        assert "pooling few instances" in (estimate.reason or "")
    assert covered >= 285


def test_all_successes_leave_room_for_what_was_not_seen() -> None:
    """The upper end is 1 and the lower one is not, with one shot each and with several."""
    for successes, shots in ((np.ones(2000, dtype=int), 1), (np.full(100, 20), 20)):
        estimate = clifford_proxy_fidelity(successes, shots)
        low, high = ends(estimate)
        assert estimate.value == 1
        assert high == pytest.approx(1)
        assert 0.9 < low < 0.999


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_a_refusal_says_what_would_do(level: float) -> None:
    """Too few shots: no value, the interval, and a number that suffices whatever then comes out."""
    estimate = clifford_proxy_fidelity(single(100, 200), 1, level)
    assert estimate.value is None
    assert ends(estimate)[0] < 0 < ends(estimate)[1]
    needed = estimate.shots_needed
    assert needed is not None
    assert f"{needed:,}" in (estimate.reason or "")
    for successes in (needed // 2, needed // 3, needed):
        assert clifford_proxy_fidelity(single(successes, needed), 1, level).value is not None


def test_as_many_clusters_as_asked_for_will_do() -> None:
    """A refusal of clusters names a number of shots with which the same spread is narrow enough."""
    successes = np.tile([20, 4, 12, 14], 25)
    estimate = clifford_proxy_fidelity(successes, 20)
    assert estimate.value is None
    assert estimate.shots_needed is not None
    instances = estimate.shots_needed // 20
    assert clifford_proxy_fidelity(np.resize(successes, instances), 20).value is not None


def test_instances_weigh_equally_whatever_their_shots() -> None:
    """Each has a Pauli of its own; one with more shots tells no more about the others."""
    successes = np.r_[np.full(100, 10), np.full(100, 80)]
    estimate = clifford_proxy_fidelity(successes, np.r_[np.full(100, 10), np.full(100, 100)])
    assert estimate.value == pytest.approx(2 * 0.9 - 1)
    assert estimate.shots == 11_000


@pytest.mark.parametrize(
    ("successes", "shots"),
    [
        ([], 1),
        ([1.0, 0.0], 1),
        ([2, 0], 1),
        ([-1, 0], 1),
        ([0, 1], 0),
        ([0, 1], [1, 1, 1]),
        ([[0, 1]], 1),
        (1, 0),
        (1, [1, 1]),
        ([True, False], 2),
        (["1", "0"], 1),
        ([0, float("nan")], 1),
    ],
)
def test_bad_input_is_refused(successes: Any, shots: Any) -> None:
    """Whole numbers between 0 and the shots, one for each instance; nothing else."""
    with pytest.raises(InputError):
        clifford_proxy_fidelity(successes, shots)


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1])
def test_a_level_outside_0_and_1_is_refused(level: float) -> None:
    """As everywhere."""
    with pytest.raises(InputError):
        clifford_proxy_fidelity([1, 1], 1, level)
