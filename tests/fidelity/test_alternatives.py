"""Other measures, each with its interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity import (
    clopper_pearson,
    heavy_output_probability,
    linear_xeb,
    mid_p,
    normalised_fidelity,
    tvd_lower_bound,
)

IDEAL = np.random.default_rng(21).exponential(size=64)
IDEAL = IDEAL / IDEAL.sum()
HEAVY = IDEAL > 1 / 64
UPPER_HALF = np.median(IDEAL) < IDEAL
MEASURES: list[tuple[Callable[..., Estimate], Callable[[Any], float]]] = [
    (linear_xeb, lambda q: (q @ IDEAL - 1 / 64) / (IDEAL @ IDEAL - 1 / 64)),
    (heavy_output_probability, lambda q: q[UPPER_HALF].sum()),
    (tvd_lower_bound, lambda q: IDEAL[HEAVY].sum() - q[HEAVY].sum()),
    (
        normalised_fidelity,
        lambda q: (
            (np.sqrt(IDEAL * q).sum() ** 2 - np.sqrt(IDEAL / 64).sum() ** 2) / (1 - np.sqrt(IDEAL / 64).sum() ** 2)
        ),
    ),
]


@pytest.mark.parametrize(("measure", "truth"), MEASURES, ids=lambda f: getattr(f, "__name__", ""))
@pytest.mark.parametrize("shots", [50, 2_000])
def test_each_covers_its_own_estimand(
    measure: Callable[..., Estimate], truth: Callable[[Any], float], shots: int
) -> None:
    """At most one miss in ten of 200, under white noise and a shift; the interval holds the value."""
    draw = np.random.default_rng(33)
    noisy = 0.6 * IDEAL + 0.3 / 64 + 0.1 * np.roll(IDEAL, 1)
    found = [measure(draw.multinomial(shots, noisy), IDEAL) for _ in range(200)]
    missed = sum(not (each.low or 0) <= truth(noisy) <= (each.high or 0) for each in found)
    assert missed <= 20
    assert all(each.value is None or (each.low or 0) <= each.value <= (each.high or 0) for each in found)


@pytest.mark.parametrize("measure", [linear_xeb, normalised_fidelity])
def test_one_is_ideal_and_zero_is_uniform(measure: Callable[..., Estimate]) -> None:
    """Both scales are normalised."""
    ideal = {"000": 0.75, "111": 0.25}
    perfect = measure({"000": 75_000, "111": 25_000}, ideal)
    random = measure(np.full(8, 20_000), ideal)
    assert perfect.value == pytest.approx(1, abs=1e-3)
    assert random.value == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("measure", [linear_xeb, normalised_fidelity])
def test_a_uniform_ideal_is_refused(measure: Callable[..., Estimate]) -> None:
    """There is nothing to normalise with."""
    found = measure({"0": 510, "1": 490}, [0.5, 0.5])
    assert (found.value, found.low, found.high) == (None, None, None)
    assert "That is normal." in (found.reason or "")


@pytest.mark.parametrize("measure", [each for each, _ in MEASURES], ids=lambda f: f.__name__)
def test_few_shots_give_no_value_but_the_shots_needed(measure: Callable[..., Estimate]) -> None:
    """Every refusal says how many shots would do."""
    found = measure(np.bincount([1, 5, 9, 9], minlength=64), IDEAL)
    assert found.value is None
    assert found.low is not None
    assert (found.shots_needed or 0) > 4


def test_the_median_counts_outcomes_that_never_come() -> None:
    """Of a sparse ideal every allowed outcome is heavy; with every outcome allowed half of them are."""
    assert heavy_output_probability({"00": 900, "01": 100}, {"00": 1.0}).value == pytest.approx(0.9)
    dense = heavy_output_probability([100, 200, 300, 400], [0.1, 0.2, 0.3, 0.4])
    assert dense.value == pytest.approx(0.7)


def test_the_distance_is_bounded_from_below() -> None:
    """p(H) = 1 and 900 of 1,000 in H: at least a tenth of the probability is elsewhere, less the error."""
    found = tvd_lower_bound({"00": 450, "11": 450, "01": 100}, {"00": 0.5, "11": 0.5})
    assert found.value == pytest.approx(0.1)
    low, high = clopper_pearson(900, 1_000)
    assert (found.low, found.high) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize("shots", [5, 20, 100])
def test_mid_p_keeps_its_level_on_average_and_is_narrower(shots: int) -> None:
    """Averaged over proportions it covers 95 %; each interval lies within Clopper and Pearson's."""
    ends = [mid_p(k, shots) for k in range(shots + 1)]
    low, high = clopper_pearson(np.arange(shots + 1), shots)
    assert all(
        (each.low or 0) >= a - 1e-12 and (each.high or 0) <= b + 1e-12
        for each, a, b in zip(ends, low, high, strict=True)
    )
    shares = np.linspace(0.005, 0.995, 199)
    covered = [
        sum(binom.pmf(k, shots, p) for k, each in enumerate(ends) if (each.low or 0) <= p <= (each.high or 0))
        for p in shares
    ]
    assert np.mean(covered) >= 0.95
    assert min(covered) >= 0.90


@pytest.mark.parametrize(
    ("successes", "shots", "alpha"),
    [(6, 5, 0.05), (-1, 5, 0.05), (1, 5, 0), (1, 5, 1), ([1, 2], 5, 0.05), (None, 5, 0.05)],
)
def test_impossible_proportions_are_refused(successes: Any, shots: Any, alpha: float) -> None:
    """As Clopper and Pearson's are."""
    with pytest.raises(InputError):
        mid_p(successes, shots, alpha)
