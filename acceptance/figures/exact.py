"""How often the interval of a heavy-set fidelity covers: summed over every count, beside the textbook interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from acceptance.cases import Array
from acceptance.heavy import coverage

SHOTS = (100, 1_000, 10_000)
GRID = np.linspace(0.001, 0.999, 333)
"""True shares of shots in the heavy set."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Over a grid of true shares, without any randomness."""

    shots: int
    ours: Array
    """Of Clopper and Pearson's interval, shape of `GRID`."""
    textbook: Array
    """Of k/N ± 1.96 √(k (N − k) / N³)."""


def measure(shots: int) -> Coverage:
    """Both intervals at every true share of the grid."""
    ours = np.array([coverage(shots, share) for share in GRID])
    return Coverage(shots, ours, np.array([_textbook(shots, share) for share in GRID]))


def _textbook(shots: int, share: float) -> float:
    counts = np.arange(shots + 1)
    seen = counts / shots
    margin = 1.959964 * np.sqrt(seen * (1 - seen) / shots)
    return float(binom.pmf(counts, shots, share)[abs(seen - share) <= margin].sum())
