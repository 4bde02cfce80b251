"""Heavy-set fidelity: its coverage, summed over every possible count."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from acceptance.cases import ghz, phase_estimation, porter_thomas, product, white
from acceptance.table import Row
from qpm_lab.fidelity import clopper_pearson, heavy_fidelity

TITLE = "Heavy-set fidelity: exact coverage (nominal 0.95)"
SHOTS = (10, 37, 100, 400, 1_000, 4_096, 20_000, 100_000, 1_000_000)
FEW = (10, 400, 20_000)
RARE = 50
"""Counts on the rarer side from which the interval must not be needlessly wide either."""


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """Smallest and largest coverage over a grid of proportions, for each number of shots; no randomness."""
    for shots in FEW if fast else SHOTS:
        cell = f"{shots:,} shots, all proportions"
        grid = proportions(shots, 40 if fast else 400)
        found = np.array([coverage(shots, q) for q in grid])
        yield Row("F_H coverage, least", cell, float(found.min()), 0, 0.9499, None, 0)
        common = np.minimum(grid, 1 - grid) * shots >= RARE
        if common.any():
            cell = f"{shots:,} shots, ≥ {RARE} counts on the rarer side"
            yield Row("F_H coverage, most", cell, float(found[common].max()), 0, None, 0.965, 0)
    # Just within the ends of intervals coverage is greatest; with few shots it exceeds the threshold there.
    for shots in (128, 1_000):
        cell = f"{shots:,} shots, just within the ends of intervals"
        yield Row("F_H coverage, most", cell, peak(shots), 0, None, None, 0)
    yield from _through_the_estimator(50 if fast else 400)


def _through_the_estimator(shots: int) -> Iterator[Row]:
    ideals = {
        "Porter–Thomas 3 qubits": porter_thomas(3, 1),
        "GHZ-3": ghz(3),
        "QPE-4": phase_estimation(4, 0.3),
        "product of 3 qubits": product(3, 0.2),
    }
    for name, ideal in ideals.items():
        for strength in (0.0, 0.05, 0.4, 1.0):
            found = estimator_coverage(ideal, strength, shots)
            yield Row("F_H coverage", f"{name}, white noise {strength}, {shots} shots", found, 0, 0.9499, None, 0)


def proportions(shots: int, size: int) -> NDArray[np.float64]:
    """From one expected count to half of them, and the mirror image."""
    low = np.concatenate([np.geomspace(0.5 / shots, 0.5, size), np.linspace(0.013, 0.497, size // 4)])
    return np.concatenate([low, 1 - low])


def coverage(shots: int, share: float) -> float:
    """Probability that Clopper and Pearson's interval covers a proportion, less 10⁻¹² at either end."""
    first, last = int(binom.ppf(1e-12, shots, share)), int(binom.isf(1e-12, shots, share))
    counts = np.arange(max(first, 0), min(last, shots) + 1)
    low, high = clopper_pearson(counts, shots)
    return float(binom.pmf(counts, shots, share)[(low <= share) & (share <= high)].sum())


def peak(shots: int) -> float:
    """The greatest coverage of any proportion with `RARE` counts on the rarer side."""
    low, high = clopper_pearson(np.arange(shots + 1), shots)
    ends = np.concatenate([low + 1e-12, high - 1e-12])
    common = np.minimum(ends, 1 - ends) * shots >= RARE
    return max(coverage(shots, float(end)) for end in ends[common])


def estimator_coverage(ideal: NDArray[np.float64], strength: float, shots: int) -> float:
    """Probability that `heavy_fidelity` covers 1 − strength under white noise, over every number of heavy shots."""
    likely, unlikely = int(ideal.argmax()), int(ideal.argmin())
    # Rounding puts 1/D on either side of an outcome that is uniform.
    heavy = ideal > (1 + 1e-9) / len(ideal)
    share = float(white(strength)(ideal)[heavy].sum())
    total = 0.0
    for inside in range(shots + 1):
        counts = np.zeros(len(ideal), dtype=int)
        counts[likely], counts[unlikely] = inside, shots - inside
        found = heavy_fidelity(counts, ideal)
        assert found.low is not None
        assert found.high is not None
        if found.low - 1e-12 <= 1 - strength <= found.high + 1e-12:
            total += float(binom.pmf(inside, shots, share))
    return total
