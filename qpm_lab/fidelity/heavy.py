"""Heavy-set fidelity: one binomial proportion, hence an exact interval at any number of shots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qpm_lab.experiment import Estimate
from qpm_lab.fidelity.histogram import heavy_limit, measured_bits, read_counts, read_ideal
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
    "measure fidelity here, with any number of shots. That is normal."
)


@dataclass(frozen=True, slots=True)
class HeavySet:
    """How often the likely outcomes came, and how often they ideally and randomly come."""

    heavy: int
    """Shots in H."""
    shots: int
    uniform: float
    """u(H), their share under uniform outcomes."""
    ideal: float
    """p(H), their share on a perfect machine."""

    @property
    def contrast(self) -> float:
        return self.ideal - self.uniform

    def fidelity(self, share: float) -> float:
        """F_H for a share of heavy shots."""
        return (share - self.uniform) / self.contrast


def heavy_set(counts: Counts, ideal: Distribution, bits: int | None = None) -> HeavySet:
    """The shots in H = {x : p(x) > 1/D}, D = 2^bits; see `heavy_fidelity` for the arguments.

    An outcome whose probability is 1/D to within rounding is not in H.

    Raises:
        InputError: Counts or ideal cannot be used, or do not belong together.
    """
    observed, shots = read_counts(counts)
    perfect = read_ideal(ideal)
    width = measured_bits(observed, perfect, bits)
    limit = heavy_limit(width)
    uniform = math.ldexp(perfect.number_above(limit), -width)
    return HeavySet(
        int(observed.items_where(perfect, limit)), shots, uniform, float(perfect.items_where(perfect, limit))
    )


def heavy_fidelity(counts: Counts, ideal: Distribution, level: float = 0.95, *, bits: int | None = None) -> Estimate:
    """How much of the ideal preference for the likely outcomes a histogram shows.

    With p the ideal, q the machine's and u the uniform distribution over D = 2^bits outcomes, and
    H = {x : p(x) > 1/D}, the estimand is F_H = (q(H) − u(H)) / (p(H) − u(H)), without unit. It is 1 when
    q = p, 0 when q is uniform and 1 − ε under white noise of strength ε; it is never clipped, so a value may
    exceed 1 or fall below 0. The number of shots in H is binomial when shots are independent; its
    interval (Clopper and Pearson 1934) maps linearly to one that covers F_H with at least the level,
    exactly, for any number of shots. When the errors are not white noise F_H may flatter the circuit; see
    `outcome_fidelity`. It is an *outcome* fidelity: a state's fidelity may be lower.

    Args:
        counts: Bit string → count, spaces allowed, or an integer array of shape (2^n,).
        ideal: Bit string → probability, or an array of shape (2^n,); sums to 1.
        level: Confidence level of the interval.
        bits: Number of different qubits measured, when that is less than the length of the keys.

    Returns:
        The estimate. Its value is None when the contrast p(H) − u(H) is below 0.05 (then there is no
        interval either) or when half the interval's width exceeds 0.1; `reason` says why, `shots_needed`
        how many shots would do.

    Raises:
        InputError: Counts or ideal cannot be used, or do not belong together.
    """
    level = require_level(level)
    return heavy_estimate(heavy_set(counts, ideal, bits), level)


def heavy_estimate(found: HeavySet, level: float) -> Estimate:
    """F_H of a heavy set that was counted."""
    shots = found.shots
    if found.contrast < SMALLEST_CONTRAST:
        return Estimate(None, None, None, level, ESTIMAND, METHOD, shots, NORMAL)
    low, high = (found.fidelity(end) for end in clopper_pearson(found.heavy, shots, 1 - level))
    if (high - low) / 2 > LARGEST_HALF_WIDTH:
        needed = shots_for(LARGEST_HALF_WIDTH, found.contrast, level)
        return Estimate(None, low, high, level, ESTIMAND, METHOD, shots, too_few(shots, needed), needed)
    return Estimate(found.fidelity(found.heavy / shots), low, high, level, ESTIMAND, METHOD, shots)


def shots_for(half_width: float, contrast: float, level: float) -> int:
    """Shots after which the interval is at most that wide, whatever the machine does.

    N = (z/2)² / (h·c)² + 1 / (h·c), the normal approximation of Clopper–Pearson at its widest.
    """
    from scipy.special import ndtri

    z, unit = float(ndtri((1 + level) / 2)), half_width * contrast
    return math.ceil((z / 2 / unit) ** 2 + 1 / unit)


def too_few(shots: int, needed: int) -> str:
    """The reason of an estimate whose interval is wider than `LARGEST_HALF_WIDTH` on either side."""
    return (
        f"{shots:,} shots leave the interval wider than ± {LARGEST_HALF_WIDTH}, too wide for a single value. "
        f"With {needed:,} shots it will be narrow enough."
    )
