"""Clopper–Pearson intervals, one and many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from qpm_lab.errors import InputError
from qpm_lab.fidelity import clopper_pearson, outcome_intervals


@pytest.mark.parametrize("shots", [1, 2, 5, 10, 37, 100, 400, 1000, 4096])
def test_coverage_is_never_below_its_level(shots: int) -> None:
    """Exact coverage, summed over all outcomes, is at least 95 % for every p of a grid."""
    low, high = clopper_pearson(np.arange(shots + 1), shots)
    grid = np.concatenate([np.linspace(0.0005, 0.9995, 331), [1e-6, 1 - 1e-6, 1 / 3]])
    for p in grid:
        covered = (low <= p) & (p <= high)
        coverage = binom.pmf(np.arange(shots + 1), shots, p)[covered].sum()
        assert coverage >= 0.9499
        if min(p, 1 - p) * shots >= 50:
            assert coverage <= 0.965


def test_scalars_give_floats_and_arrays_arrays() -> None:
    """The shape of the answer is the broadcast shape of the question."""
    low, high = clopper_pearson(5, 10)
    assert isinstance(low, float)
    # Tabulated: 5 of 10 at 95 %.
    assert (low, high) == pytest.approx((0.18709, 0.81291), abs=1e-5)
    ends = clopper_pearson([[0], [5]], [10, 20, 30])
    assert ends[0].shape == ends[1].shape == (2, 3)


def test_the_ends_are_closed() -> None:
    """Nothing seen begins at 0 and everything seen ends at 1, exactly."""
    assert clopper_pearson(0, 50)[0] == 0
    assert clopper_pearson(50, 50)[1] == 1
    assert clopper_pearson(0, 50)[1] == pytest.approx(1 - 0.025 ** (1 / 50))


@pytest.mark.parametrize("alpha", [1e-10, 1e-40, 1e-200])
def test_tiny_alpha_stays_sane(alpha: float) -> None:
    """Where 1 − alpha rounds to 1 the upper end is still below 1, and still grows."""
    low, high = clopper_pearson(2000, 4096, alpha)
    assert 0 < low < 2000 / 4096 < high < 1
    assert high > clopper_pearson(2000, 4096, alpha * 1e5)[1]


@pytest.mark.parametrize(
    ("successes", "shots", "alpha"),
    [(-1, 5, 0.05), (6, 5, 0.05), (0, 0, 0.05), (1.5, 5, 0.05), (1, 5, 0.0), (1, 5, 1.0), (1, 5, float("nan"))],
)
def test_impossible_figures_are_refused(successes: Any, shots: Any, alpha: float) -> None:
    """Not a number, too many, too few: an error each."""
    with pytest.raises(InputError):
        clopper_pearson(successes, shots, alpha)


def test_all_outcomes_are_covered_together() -> None:
    """Of 400 histograms at least 93 % have every one of their 64 intervals right."""
    draw = np.random.default_rng(20)
    truth = draw.dirichlet(np.full(64, 0.3))
    right = 0
    for _ in range(400):
        found = outcome_intervals(draw.multinomial(500, truth), 6)
        right += bool(((found.low <= truth) & (truth <= found.high)).all())
    assert right >= 0.93 * 400


def test_outcomes_are_found_by_key_seen_or_not() -> None:
    """Spaces do not matter, and what was not seen has an upper end too."""
    found = outcome_intervals({"1 01": 600, "0 00": 400}, 3)
    low, high = found["1 01"]
    assert found["101"] == (low, high)
    assert low < 0.6 < high
    assert found["111"][0] == 0
    assert 0 < found["111"][1] < 0.02


def test_a_hundred_and_twenty_seven_qubits_are_sane() -> None:
    """At alpha / 2¹²⁷ the intervals are wide but neither empty nor everything."""
    found = outcome_intervals({"0" * 127: 2000, "1" * 127: 2096}, 127)
    low, high = found["0" * 127]
    assert 0.35 < low < 2000 / 4096 < high < 0.65
    assert found["01" * 63 + "0"][1] < 0.05


def test_many_outcomes_are_one_vectorised_call() -> None:
    """65,536 outcomes as an array or as a dictionary give the same intervals."""
    counts = np.random.default_rng(1).integers(0, 5, 2**16)
    dense = outcome_intervals(counts, 16)
    sparse = outcome_intervals({format(i, "016b"): int(c) for i, c in enumerate(counts)}, 16)
    assert np.array_equal(dense.low, sparse.low)
    assert np.array_equal(dense.high, sparse.high)
    assert dense.keys == sparse.keys


@pytest.mark.parametrize(("counts", "qubits"), [({"00": 5, "01": 5, "10": 1}, 1), ({"0": 1}, 0), ({}, 1)])
def test_more_outcomes_than_possible_are_refused(counts: dict[str, int], qubits: int) -> None:
    """The number of qubits must go with the counts."""
    with pytest.raises(InputError):
        outcome_intervals(counts, qubits)


@pytest.mark.parametrize(("counts", "qubits"), [({"000": 5}, 2), (np.arange(8), 4), ({"0": 5}, 2), ({"00": 5}, None)])
def test_the_keys_are_as_long_as_there_are_qubits(counts: Any, qubits: Any) -> None:
    """Shorter or longer ones belong to another number of outcomes."""
    with pytest.raises(InputError, match="bits"):
        outcome_intervals(counts, qubits)


@pytest.mark.parametrize("key", ["0101", "zz", "", 5, None, ["01"]])
def test_an_unknown_bit_string_has_no_interval(key: Any) -> None:
    """Of another length, of other letters, no text: refused, not answered with the interval of an unseen outcome."""
    with pytest.raises(InputError, match="bit string"):
        outcome_intervals({"00": 5, "11": 6}, 2)[key]


def test_intervals_are_gone_through_like_a_dictionary() -> None:
    """The outcomes seen, each with its interval; the arrays behind it cannot be changed."""
    found = outcome_intervals({"00": 50, "11": 60}, 2)
    assert (list(found), len(found)) == (["00", "11"], 2)
    assert "0 0" in found
    assert "01" not in found
    assert 5 not in found
    assert dict(found.items()) == {"00": found["00"], "11": found["11"]}
    for array in (found.value, found.low, found.high):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.5
