"""What is read from outside is checked, and means the same in every form."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.counts import CountsTable
from qpm_lab.errors import InputError, QpmError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity import (
    heavy_fidelity,
    heavy_output_probability,
    hellinger_fidelity,
    linear_xeb,
    normalised_fidelity,
    outcome_fidelity,
    outcome_intervals,
    tvd_lower_bound,
)

ESTIMATORS: list[Callable[..., Estimate]] = [
    heavy_fidelity,
    hellinger_fidelity,
    outcome_fidelity,
    linear_xeb,
    heavy_output_probability,
    tvd_lower_bound,
    normalised_fidelity,
]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda f: f.__name__)
BELL = {"00": 0.5, "11": 0.5}


@every_estimator
@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"00": 0},
        {"00": -1, "11": 5},
        {"00": 1.5},
        {"00": 2.0},
        {"00": float("nan")},
        {"00": True},
        {"00": np.True_},
        {"00": "5"},
        {"00": None},
        {"2": 5},
        {"0b": 5},
        {"000": 5},
        {"0": 5},
        {"00": 5, "1": 5},
        {0: 5},
        {"00": 10**30},
        {"00": 2**52, "11": 2**53},
        None,
        5,
        "0011",
        [],
        [1],
        [1, 2, 3],
        [1, 2],
        [[1, 2], [3, 4]],
        [[1, 2], [3]],
        [0, 0, 0, 0],
        [1, -1, 1, 1],
        [1.0, 2.0, 3.0, 4.0],
        [True, False, True, False],
        [10**30, 1, 1, 1],
        np.array([2**63, 2**63, 0, 0], dtype=np.uint64),
        {"00", "11"},
    ],
    ids=repr,
)
def test_counts_that_cannot_be_are_refused(estimator: Callable[..., Estimate], counts: Any) -> None:
    """Empty, negative, fractions, truth values, foreign keys, too many, too short: a clear error each."""
    with pytest.raises(InputError) as refused:
        estimator(counts, BELL)
    assert refused.value.message


@every_estimator
@pytest.mark.parametrize(
    "ideal",
    [
        {},
        {"00": 0.5, "11": 0.4},
        {"00": 1.5, "11": -0.5},
        {"00": float("nan"), "11": 0.5},
        {"00": float("inf"), "11": float("-inf")},
        {"00": "1"},
        {"00": 1j},
        {"00": True},
        {"00": 10**400},
        {"0": 1.0},
        {"000": 1.0},
        {"00": 0.5, "1": 0.5},
        [0.5, 0.5],
        [0.5, 0.25, 0.25],
        [[0.5, 0.5]],
        [0.5, 0.5, np.nan, 0.0],
        [0.5, 0.5, 0.5, -0.5],
        ["a", "b", "c", "d"],
        None,
        1.0,
    ],
    ids=repr,
)
def test_ideals_that_cannot_be_are_refused(estimator: Callable[..., Estimate], ideal: Any) -> None:
    """Negative, not numbers, not finite, not summing to one, of another length: a clear error each."""
    with pytest.raises(InputError) as refused:
        estimator({"00": 5, "11": 6}, ideal)
    assert refused.value.message


@every_estimator
@pytest.mark.parametrize("level", [0, 1, -0.5, 95, float("nan"), "0.95", None, 1e-300])
def test_a_level_that_is_none_is_refused(estimator: Callable[..., Estimate], level: Any) -> None:
    """Only what lies between 0 and 1."""
    with pytest.raises(InputError):
        estimator({"00": 5}, BELL, level)


@every_estimator
@pytest.mark.parametrize("bits", [0, -1, 3, 1.5, True, "2"])
def test_measured_bits_must_go_with_the_keys(estimator: Callable[..., Estimate], bits: Any) -> None:
    """A whole number, at most the length of the keys."""
    with pytest.raises(InputError):
        estimator({"00": 5}, BELL, bits=bits)


@every_estimator
def test_every_form_of_the_same_histogram_says_the_same(estimator: Callable[..., Estimate]) -> None:
    """Dictionary, array, row of a table, NumPy's integers, spaces; the index is the bit string read as a number."""
    ideal = {"000": 0.5, "110": 0.3, "011": 0.2}
    counts = {"000": 4500, "110": 3300, "011": 1800, "101": 400}
    p, n = np.zeros(8), np.zeros(8, dtype=np.uint32)
    for key, value in ideal.items():
        p[int(key, 2)] = value
    for key, count in counts.items():
        n[int(key, 2)] = count
    forms: list[Any] = [counts, n, n.tolist(), CountsTable.of([{"000": 1}, counts])[1]]
    forms += [
        {key: np.int32(value) for key, value in counts.items()},
        {f"{k[0]} {k[1:]}": v for k, v in counts.items()},
    ]
    found = [estimator(form, other) for form in forms for other in (ideal, p, p.tolist())]
    assert all(each.low == pytest.approx(found[0].low, abs=1e-12) for each in found)
    assert all(each.value == pytest.approx(found[0].value, abs=1e-12) for each in found)


@every_estimator
@given(st.integers(1, 5), st.integers(1, 10_000), st.integers(0, 2**32 - 1))
def test_permuting_outcomes_changes_nothing(
    estimator: Callable[..., Estimate], bits: int, shots: int, seed: int
) -> None:
    """Intervals are ordered, hold their value, and do not know the names of outcomes."""
    draw = np.random.default_rng(seed)
    ideal, noisy = draw.dirichlet(np.full(2**bits, 0.4)), draw.dirichlet(np.full(2**bits, 0.4))
    counts, order = draw.multinomial(shots, noisy), draw.permutation(2**bits)
    found, moved = estimator(counts, ideal), estimator(counts[order], ideal[order])
    assert (moved.low is None) == (found.low is None)
    if found.low is not None and found.high is not None:
        assert (moved.low, moved.high) == pytest.approx((found.low, found.high), abs=1e-8)
        assert found.low <= found.high
        assert found.value is None or found.low - 1e-12 <= found.value <= found.high + 1e-12
    assert (found.value is None) == (found.reason is not None)


keys = st.text("01 2x", max_size=4)
numbers = st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=2))
anything = st.one_of(
    st.dictionaries(keys, numbers, max_size=4), st.lists(numbers, max_size=5), st.lists(st.lists(numbers)), numbers
)
sound = st.one_of(st.dictionaries(st.sampled_from(["00", "01", "10", "11"]), st.integers(0, 50)), st.just([1, 2, 3, 4]))


@given(st.one_of(anything, sound), st.one_of(anything, st.just(BELL)), st.one_of(st.just(0.95), numbers))
def test_nothing_but_an_error_for_people_comes_out(counts: Any, ideal: Any, level: Any) -> None:
    """Whatever comes in, every estimator answers or says what is wrong."""
    for estimator in ESTIMATORS:
        with suppress(QpmError):
            estimator(counts, ideal, level)
    with suppress(QpmError):
        outcome_intervals(counts, 2, level)


def test_rounding_does_not_move_outcomes_into_the_heavy_set() -> None:
    """An outcome of exactly 1/D, computed with seven digits, stays where it was."""
    ideal = np.array([0.5, 0.25, 0.125, 0.125, 0, 0, 0, 0])
    counts = np.array([400, 200, 130, 90, 60, 50, 40, 30])
    exact = heavy_fidelity(counts, ideal)
    for error in (1e-17, 1e-12, 1e-8):
        shaken = ideal + error * np.array([-2, 0, 1, 1, 0, 0, 0, 0])
        assert heavy_fidelity(counts, shaken).low == pytest.approx(exact.low, abs=1e-6)


def test_outcomes_that_cannot_come_count_against_the_machine() -> None:
    """Shots outside the ideal's support lower every fidelity."""
    good, bad = {"00": 5000, "11": 5000}, {"00": 4000, "11": 4000, "01": 2000}
    for estimator in (heavy_fidelity, hellinger_fidelity, linear_xeb, normalised_fidelity):
        assert (estimator(bad, BELL).high or 1) < (estimator(good, BELL).low or 0)
