"""Heavy-set fidelity: one binomial proportion, hence an exact interval at any number of shots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity.histogram import read_counts, read_ideal
from qpm_lab.fidelity.intervals import clopper_pearson, require_level

if TYPE_CHECKING:
    from qpm_lab.fidelity.histogram import Counts, Distribution

SMALLEST_CONTRAST = 0.05
"""Below it the ideal outcomes are so nearly uniform that no histogram can tell good from bad."""
LARGEST_HALF_WIDTH = 0.1
"""A wider interval is shown without a value."""
ESTIMAND = "heavy-set outcome fidelity F_H = (q(H) − u(H)) / (p(H) − u(H)), H = outcomes with p > 1/2^n"
METHOD = "heavy-set, exact (Clopper–Pearson)"
NORMAL = (
    "The ideal outcomes are (nearly) uniform: every histogram looks like this one, so a histogram cannot "
    "measure fidelity here. That is normal."
)


def heavy_fidelity(counts: Counts, ideal: Distribution, level: float = 0.95, *, bits: int | None = None) -> Estimate:
    """How much of the ideal preference for the likely outcomes a histogram shows.

    With p the ideal, q the machine's and u the uniform distribution over D = 2^bits outcomes, and
    H = {x : p(x) > 1/D}, the estimand is F_H = (q(H) − u(H)) / (p(H) − u(H)). It is 1 when q = p, 0
    when q is uniform and 1 − ε under white noise of strength ε; it is never clipped, so a value may
    exceed 1 or fall below 0. The number of shots in H is binomial when shots are independent; its
    Clopper–Pearson interval maps linearly to one that covers F_H with at least the level, exactly,
    for any number of shots.

    Args:
        counts: Bit string → count, spaces allowed, or an integer array of shape (2^n,).
        ideal: Bit string → probability, or an array of shape (2^n,); sums to 1.
        level: Confidence level of the interval.
        bits: Number of different qubits measured, when that is less than the length of the keys.

    Returns:
        The estimate. Its value is None when the contrast p(H) − u(H) is below 0.05 (then there is no
        interval either) or when half the interval's width exceeds 0.1; `reason` says why.

    Raises:
        InputError: Counts or ideal cannot be used, or do not belong together.
    """
    require_level(level)
    observed, shots = read_counts(counts)
    perfect = read_ideal(ideal)
    if observed.bits != perfect.bits:
        raise InputError(
            f"The counts have {observed.bits} bits and the ideal distribution {perfect.bits}.",
            "Give both over the same classical bits.",
        )
    width = perfect.bits if bits is None else bits
    if not 0 < width <= perfect.bits:
        raise InputError(f"{bits} measured bits do not go with keys of {perfect.bits} bits.")
    uniform = 2.0**-width
    base = perfect.number_above(uniform) * uniform
    contrast = float(perfect.items_where(perfect, uniform)) - base
    if contrast < SMALLEST_CONTRAST:
        return Estimate(None, None, None, level, ESTIMAND, METHOD, shots, NORMAL)
    heavy = int(observed.items_where(perfect, uniform))
    low, high = ((end - base) / contrast for end in clopper_pearson(heavy, shots, 1 - level))
    if (high - low) / 2 > LARGEST_HALF_WIDTH:
        return Estimate(None, low, high, level, ESTIMAND, METHOD, shots, _too_few(contrast, level, shots))
    value = (heavy / shots - base) / contrast
    return Estimate(value, low, high, level, ESTIMAND, METHOD, shots)


def shots_for(half_width: float, contrast: float, level: float) -> int:
    """Shots after which the interval is at most that wide, whatever the machine does.

    N = (z/2)² / (h·c)² + 1 / (h·c), the normal approximation of Clopper–Pearson at its widest.
    """
    from scipy.special import ndtri

    z, unit = float(ndtri((1 + level) / 2)), half_width * contrast
    return math.ceil((z / 2 / unit) ** 2 + 1 / unit)


def _too_few(contrast: float, level: float, shots: int) -> str:
    needed = shots_for(LARGEST_HALF_WIDTH, contrast, level)
    return (
        f"{shots:,} shots leave the interval wider than ± {LARGEST_HALF_WIDTH}, too wide for a single value. "
        f"With {needed:,} shots it will be narrow enough."
    )
