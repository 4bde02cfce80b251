"""Counts drawn for whole sweeps follow their distributions and carry Qiskit's keys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from qiskit_aer import AerSimulator
from scipy.stats import chi2

from qpm_lab.counts import CountsTable
from qpm_lab.providers import ideal_probabilities
from qpm_lab.providers.outcomes import group_sizes
from qpm_lab.providers.vectorised import counts_table, sample
from tests.providers.making import crossed
from tests.providers.templates import compiled, measured, random_template, shape_of, values_for

FALSE_ALARM = 1e-6
"""How often a right sampler would fail one of these tests if its seed were drawn anew."""


def simplex(points: int, outcomes: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).dirichlet(np.ones(outcomes), size=points)


def chi_square(counts: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """P-value that counts of this distance or more arise, all points taken together."""
    expected = probabilities * counts.sum(axis=1, keepdims=True)
    possible = expected > 0
    assert not counts[~possible].any()
    distance = ((counts - expected)[possible] ** 2 / expected[possible]).sum()
    return float(chi2.sf(distance, possible.sum() - len(counts)))


@pytest.mark.parametrize(("outcomes", "shots"), [(2, 20_000), (64, 20_000), (512, 30), (512, 63), (512, 64)], ids=str)
def test_counts_follow_the_distribution(outcomes: int, shots: int) -> None:
    """Chi-square over all points, on both sides of the change from outcomes to shots."""
    rows = np.tile(simplex(1, outcomes) * 0.5 + 0.5 / outcomes, (400, 1))
    counts = sample(rows, shots, seed=11)
    pooled = counts.sum(axis=0, keepdims=True)
    assert chi_square(pooled, rows[:1]) > FALSE_ALARM
    assert (counts.sum(axis=1) == shots).all()


@pytest.mark.parametrize("outcomes", [4, 512])
def test_points_are_independent(outcomes: int) -> None:
    """The same outcome's counts at neighbouring points do not go together."""
    rows = np.tile(np.r_[0.5, np.full(outcomes - 1, 0.5 / (outcomes - 1))], (5_000, 1))
    first = sample(rows, 10, seed=3)[:, 0]
    correlation = np.corrcoef(first[:-1], first[1:])[0, 1]
    assert abs(correlation) * np.sqrt(len(first)) < 4.9  # normal quantile of FALSE_ALARM
    assert first.var() == pytest.approx(2.5, abs=0.25)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(0, 15), st.integers(0, 2**32))
def test_counts_and_keys_are_those_of_aer(qubits: int, gates: int, seed: int) -> None:
    """Any circuit, any measurement map: only keys that Aer gives too, in shares that agree."""
    draw = np.random.default_rng(seed)
    circuit = measured(random_template(draw, qubits, gates), draw)
    values = values_for(circuit, 2, draw)
    plan = compiled(circuit)
    counts = sample(plan.probabilities(values), 2**40, seed=seed)
    table = counts_table(counts, shape_of(circuit).measured, plan.order, group_sizes(circuit))
    for row, point in zip(table, values, strict=True):
        bound = circuit.assign_parameters(dict(zip(circuit.parameters, point, strict=True)))
        theirs = ideal_probabilities(bound).probabilities
        assert theirs is not None
        shares = {key: count / 2**40 for key, count in row.items()}
        assert {k: v for k, v in shares.items() if v > 1e-4} == pytest.approx(
            {k: v for k, v in theirs.items() if v > 1e-4}, abs=1e-5
        )


def test_keys_have_the_spaces_and_idle_bits_of_qiskit() -> None:
    """Crossed wires, two registers: key for key what Aer answers."""
    circuit = crossed()
    plan = compiled(circuit)
    counts = sample(plan.probabilities(np.empty((2, 0))), 7, seed=1)
    table = counts_table(counts, shape_of(circuit).measured, plan.order, group_sizes(circuit))
    aer = AerSimulator().run(circuit, shots=7).result().get_counts()
    assert isinstance(table, CountsTable)
    assert list(table) == [aer, aer]


@pytest.mark.parametrize("outcomes", [2, 64, 4096])
def test_certain_and_impossible_outcomes_are_just_that(outcomes: int) -> None:
    """Whatever rounding left: 1 up to 1e-12, and traces of squared rounding errors beside it."""
    for wobble in (0.0, 1e-12, -1e-12):
        row = np.zeros((3, outcomes))
        row[:, 1] = 1 + wobble
        row[:, 0] = 1e-33
        for shots in (1, 1000, 2**40):
            counts = sample(row, shots, seed=2)
            assert (counts[:, 1] == shots).all()
            assert counts.sum() == 3 * shots


def test_what_rounding_leaves_over_goes_to_no_impossible_outcome() -> None:
    """Not even among 2⁶⁰ shots."""
    rows = np.hstack([simplex(200, 7), np.zeros((200, 1))])
    counts = sample(rows, 2**60, seed=5)
    assert not counts[:, -1].any()
    assert (counts.sum(axis=1) == 2**60).all()


@pytest.mark.parametrize(("points", "outcomes", "shots"), [(1, 1, 5), (1, 2, 1), (5, 4096, 1), (0, 4, 10)])
def test_small_cases_give_whole_rows(points: int, outcomes: int, shots: int) -> None:
    """One outcome, one shot, one point, none."""
    counts = sample(np.full((points, outcomes), 1 / outcomes), shots, seed=1)
    assert counts.shape == (points, outcomes)
    assert counts.dtype == np.int64
    assert (counts.sum(axis=1) == shots).all()
    table = counts_table(counts, {0: 0}, (0,), (1,)) if outcomes == 2 else None
    assert table is None or len(table) == points


@pytest.mark.parametrize(("outcomes", "shots"), [(64, 1024), (4096, 50)])
def test_the_seed_alone_decides(outcomes: int, shots: int) -> None:
    """Equal seeds give equal counts, also where rounding differed; another seed gives others."""
    rows = simplex(20, outcomes)
    rows[:, ::7] = 0
    rows /= rows.sum(axis=1, keepdims=True)
    elsewhere = np.where(rows == 0, 1e-33, rows * (1 + 1e-16))
    first = sample(rows, shots, seed=9)
    assert (first == sample(elsewhere, shots, seed=9)).all()
    assert (first != sample(rows, shots, seed=10)).any()


def test_the_distributions_given_are_left_as_they_are() -> None:
    """Sampling writes into nothing of the caller's."""
    rows = simplex(3, 4)
    before = rows.copy()
    sample(rows, 10, seed=1)
    np.testing.assert_array_equal(rows, before)
