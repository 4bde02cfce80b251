"""The test that shots are independent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qpm_lab.errors import InputError
from qpm_lab.fidelity import dispersion


@pytest.mark.parametrize("blocks", [2, 6, 20])
@pytest.mark.parametrize(("shots", "rate"), [(1, 0.5), (5, 0.3), (50, 0.02), (50, 0.5), (5_000, 0.9)])
def test_independent_shots_are_rarely_warned_of(shots: int, rate: float, blocks: int) -> None:
    """At most 1 % of 2,000 runs, and four Monte-Carlo errors."""
    draw = np.random.default_rng(12).binomial(shots, rate, size=(2_000, blocks))
    warned = sum(dispersion(each, shots).warning is not None for each in draw)
    assert warned <= 20 + 4 * 4.5


def test_blocks_that_differ_are_warned_of() -> None:
    """A success probability that drifts by a tenth is found, and said in words."""
    found = dispersion(np.linspace(800, 900, 20).astype(int), 1_000)
    assert found.p_value < 1e-6
    assert found.ratio > 3
    assert found.warning is not None
    assert found.warning.startswith("shots not independent: 20 blocks")


def test_the_p_value_is_that_of_chi_squared_with_many_counts() -> None:
    """Two blocks of 10,000 with 5,000 and 5,141 successes: X² = 3.976, p = 0.046."""
    found = dispersion([5_000, 5_141], [10_000, 10_000])
    assert found.ratio == pytest.approx(3.976, abs=0.001)
    assert found.p_value == pytest.approx(0.0462, abs=0.001)


def test_nothing_to_compare_is_no_warning() -> None:
    """All succeed or none does."""
    assert dispersion([0, 0, 0], 100).p_value == 1
    assert dispersion([7, 9], [7, 9]).ratio == 1


def test_many_blocks_are_joined_with_their_neighbours() -> None:
    """A thousand single shots that get worse half-way are twenty blocks, and are found."""
    found = dispersion([1] * 500 + [0, 1] * 250, 1)
    assert found.blocks == 20
    assert found.warning is not None


def test_as_a_document() -> None:
    """Every field is there."""
    assert set(dispersion([4, 5], 10).to_dict()) == {"blocks", "ratio", "p_value", "warning"}


@pytest.mark.parametrize(
    ("successes", "shots"),
    [([3], [5]), (3, 5), ([], []), ([3, 6], [5, 5]), ([1.5, 2], [5, 5]), ([1, 2], [5, 5, 5]), ([[1, 2]], 5), (None, 5)],
)
def test_blocks_that_are_none_are_refused(successes: Any, shots: Any) -> None:
    """One block, more successes than shots, fractions, lengths that differ."""
    with pytest.raises(InputError):
        dispersion(successes, shots)
