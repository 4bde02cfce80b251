"""Shots drawn from many distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from qpm_lab.counts import CountsTable
from qpm_lab.providers.outcomes import keys_of

NEVER = 1e-15
"""Rounding leaves such probabilities where the exact one is zero, different ones on different machines."""
_OUTCOMES_PER_SHOT = 8
"""From here on drawing shot by shot is faster than outcome by outcome."""


def sample(probabilities: NDArray[np.float64], shots: int, seed: int) -> NDArray[np.int64]:
    """Draws every point's counts from its multinomial distribution.

    The same seed gives the same counts on every machine with this version of NumPy. One stream serves all
    points in turn, so that a sweep cut into chunks needs a seed for each.

    Args:
        probabilities: Shape (points, outcomes); rows that sum to 1 within rounding.
        shots: Shots of each point.
        seed: Seed of the chunk.

    Returns:
        Counts, shape (points, outcomes); every row sums to `shots`.
    """
    clean = np.where(probabilities < NEVER, 0.0, probabilities)
    clean /= clean.sum(axis=1, keepdims=True)
    draw = np.random.default_rng(seed)
    if shots * _OUTCOMES_PER_SHOT >= clean.shape[1]:
        return _kept_possible(draw.multinomial(shots, clean), clean)
    return _shot_by_shot(clean, shots, draw)


def counts_table(
    counts: NDArray[np.int64], measured: Mapping[int, int], order: Sequence[int], sizes: Sequence[int]
) -> CountsTable:
    """The counts under the keys that Qiskit writes.

    Args:
        counts: Shape (points, 2^len(order)); bit i of an outcome is the value of qubit `order[i]`.
        measured: Classical bit → qubit.
        order: The measured qubits.
        sizes: Group sizes of the key, see `outcomes.group_sizes`.
    """
    seen = np.flatnonzero(counts.any(axis=0))
    keys = np.array([key.encode() for key in keys_of(seen, measured, order, sizes)], dtype="S")
    return CountsTable.of_matrix(keys, counts[:, seen])


def _kept_possible(counts: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """NumPy leaves what rounding takes away to the last outcome; if impossible, the likeliest gets it."""
    stray = np.flatnonzero((probabilities[:, -1] == 0) & (counts[:, -1] > 0))
    counts[stray, probabilities[stray].argmax(axis=1)] += counts[stray, -1]
    counts[stray, -1] = 0
    return counts


def _shot_by_shot(probabilities: NDArray[np.float64], shots: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """By inversion of the cumulated probabilities, for many more outcomes than shots."""
    counts = np.empty(probabilities.shape, dtype=np.int64)
    for point, row in enumerate(probabilities):
        edges = np.cumsum(row)
        hits = np.searchsorted(edges / edges[-1], draw.random(shots), side="right")
        counts[point] = np.bincount(hits, minlength=len(row))
    return counts
