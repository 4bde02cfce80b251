"""Fidelity from mirror circuits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qpm_lab.errors import InputError
from qpm_lab.fidelity import mirror_fidelity
from qpm_lab.fidelity.mirror import effective_polarisation


def family(random: np.random.Generator, mean: float, qubits: int, circuits: int = 30, shots: int = 100) -> np.ndarray:
    """Shots that survive with a probability that varies between circuits, and are uniformly random otherwise."""
    survive = np.clip(mean * (1 + 0.3 * (1 - mean) * random.standard_normal(circuits)), 0, 1)
    kept = random.binomial(shots, survive)
    rows = [np.bincount(random.binomial(qubits, 0.5, shots - k), minlength=qubits + 1) for k in kept]
    histograms = np.array(rows)
    histograms[:, 0] += kept
    return histograms


def test_figures_worked_by_hand() -> None:
    """One qubit: S = (h₀ − h₁/2 − 1/4) / (3/4); γ = 0.8 / √(0.64 · 1) = 1, F = 1."""
    assert effective_polarisation([[10, 0], [5, 5], [0, 10]]) == pytest.approx([1, 0, -1])
    first, second, third = ([[90, 10]] * 10, [[82, 18]] * 10, [[100, 0]] * 10)
    estimate = mirror_fidelity(first, second, third)
    gamma = 0.8 / np.sqrt(0.64)
    assert estimate.value == pytest.approx(1 - 0.75 * (1 - gamma))
    assert estimate.shots == 3000
    assert "left out" in estimate.estimand
    assert estimate.assumption is not None


def test_the_polarisation_of_paulis_is_one_or_nothing() -> None:
    """Over random one-qubit bases an error of weight w flips each of its bits with chance 2/3: S is 0 on average."""
    from math import comb

    qubits = 6
    for weight in range(qubits + 1):
        shares = [comb(weight, k) * 2**k / 3**weight if k <= weight else 0.0 for k in range(qubits + 1)]
        truth = 1.0 if weight == 0 else -1 / (4**qubits - 1)
        assert effective_polarisation([shares])[0] == pytest.approx(truth)


@pytest.mark.parametrize(("qubits", "circuits"), [(2, 30), (20, 30), (150, 30), (20, 10)])
@pytest.mark.parametrize(("mirrored", "reference"), [(0.9, 0.97), (0.4, 0.85)])
def test_the_truth_is_covered(qubits: int, circuits: int, mirrored: float, reference: float) -> None:
    """Circuits that differ in how well they survive: at least 92.5 % of the intervals cover."""
    random = np.random.default_rng(7)
    gamma = mirrored / np.sqrt(mirrored * reference)
    truth = 1 - (1 - 4.0**-qubits) * (1 - gamma)
    covered = 0
    for _ in range(600):
        estimate = mirror_fidelity(*(family(random, s, qubits, circuits) for s in (mirrored, mirrored, reference)))
        assert estimate.low is not None
        assert estimate.high is not None
        covered += estimate.low <= truth <= estimate.high
    assert covered >= 0.925 * 600


def test_a_faint_signal_has_neither_value_nor_interval() -> None:
    """Below a polarisation of 0.03 no number of shots is named: a logarithm of noise is noise."""
    random = np.random.default_rng(8)
    estimate = mirror_fidelity(*(family(random, s, 30) for s in (0.005, 0.01, 0.9)))
    assert (estimate.value, estimate.low, estimate.high, estimate.shots_needed) == (None,) * 4
    assert "0.03" in (estimate.reason or "")


def test_a_wide_interval_is_kept_without_a_value() -> None:
    """The reason says with how many circuits there will be one, and that many do."""
    random = np.random.default_rng(9)
    estimate = mirror_fidelity(*(family(random, s, 8, 12) for s in (0.25, 0.10, 0.9)))
    assert estimate.value is None
    assert estimate.low is not None
    assert estimate.shots_needed is not None
    circuits = estimate.shots_needed // 300
    assert f"{circuits:,} in each" in (estimate.reason or "")
    again = mirror_fidelity(*(family(random, s, 8, 2 * circuits) for s in (0.25, 0.10, 0.9)))
    assert again.value is not None


def test_few_circuits_are_refused() -> None:
    """Nine in a family, however alike, give no value."""
    estimate = mirror_fidelity(*([[90, 10]] * 9 for _ in range(3)))
    assert estimate.value is None
    assert "9 circuits" in (estimate.reason or "")


def test_perfect_survival_leaves_room_for_what_was_not_seen() -> None:
    """No wrong shot at all: value 1, and an interval that is not a point."""
    estimate = mirror_fidelity(*([[100] + [0] * 150] * 30 for _ in range(3)))
    assert estimate.value == 1
    assert estimate.low is not None
    assert estimate.high is not None
    assert 0.99 < estimate.low < 1 < estimate.high < 1.01


GOOD = [[90, 10]] * 10


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [[90, 10]],
        [90, 10],
        [[90.0, 10.0]] * 10,
        [[90, -10]] * 10,
        [[0, 0]] * 10,
        [[100]] * 10,
        [[90, 5, 5]] * 10,
        [["90", "10"]] * 10,
    ],
)
@pytest.mark.parametrize("place", range(3))
def test_bad_input_is_refused(bad: Any, place: int) -> None:
    """Whole numbers, a row with shots for each of at least two circuits, equally many qubits in all families."""
    families: list[Any] = [GOOD, GOOD, GOOD]
    families[place] = bad
    with pytest.raises(InputError):
        mirror_fidelity(*families)
