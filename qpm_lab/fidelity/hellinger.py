"""Hellinger fidelity with an interval: a bound from either side by a reference, instead of the biased plug-in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qpm_lab.experiment import Estimate
from qpm_lab.fidelity.heavy import NORMAL, SMALLEST_CONTRAST
from qpm_lab.fidelity.histogram import compare
from qpm_lab.fidelity.intervals import bounded_mean, require_level
from qpm_lab.fidelity.reference import concentration, white_noise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qpm_lab.fidelity.histogram import Comparison, Counts, Distribution
    from qpm_lab.fidelity.reference import WhiteNoise

LARGEST_WIDTH = 0.1
"""A wider interval is shown without a value."""
MISFIT = 3.0
"""Standard deviations beyond which white noise is not what the histogram shows."""
NARROW = 0.08
"""So far down from U² an interval takes nothing for granted; where white noise fits, it may end there."""
UPPER_SHARE = 0.2
"""The part of the error probability spent on the upper end, which depends on few numbers and is cheap to keep."""
MARGIN = 1.4
"""By how much more shots are asked for than would do in the middle case."""
ESTIMAND = "Hellinger outcome fidelity F = (Σ √(p(x) q(x)))², p the ideal and q the machine's distribution of outcomes"
WHITE = "model-assisted bounds, white-noise reference"
CORRECTED = "model-assisted bounds, reference corrected by the other shots (empirical Bayes)"
_LEVEL = "The interval's level is approximate. It bounds the state's fidelity from above only."
ASSUMPTION = f"{_LEVEL} It holds for any errors, white noise or not."
NARROWED = (
    f"{_LEVEL} It was narrowed: that takes for granted that the errors change probabilities, and do not silence a "
    "tenth of the likely outcomes entirely."
)


def hellinger_fidelity(
    counts: Counts, ideal: Distribution, level: float = 0.95, *, bits: int | None = None
) -> Estimate:
    """How far the machine's distribution overlaps the ideal one, over all outcomes.

    With p the ideal and q the machine's distribution the estimand is F = (Σ √(p q))², Qiskit's
    `hellinger_fidelity` of the true distributions. For any positive reference m and r = q/m,
    1 + (r − 1)/2 − (r − 1)²/2 ≤ √r ≤ 1 + (r − 1)/2, so that U − Q/2 ≤ Σ √(p q) ≤ U with
    U = ½ (Σ √(p m) + E_q √(p/m)) and Q = Σ √p m^(−3/2) (q − m)². U is a mean over shots and Q has an unbiased
    estimate from pairs of shots, so neither carries the plug-in's bias, about −S/(4N) for S outcomes and N shots.
    m is white noise λp + (1 − λ)u of greatest likelihood; where that does not fit (z > 3) it is corrected by
    empirical Bayes, each shot and each pair measured against the reference of all *other* shots. That is
    cross-fitting without a random split: equal counts give equal answers. The value is (U − Q/8)², its
    interval the squared bounds with the sampling errors of U and Q.

    Moderate errors take Q/8 of Σ √(p q); only errors that silence likely outcomes entirely take Q/2. Where white noise
    fits (z ≤ 3) and Q/2 puts the lower end further than 0.08 below U², the end is put at 0.08, or where Q/8 puts it
    if that is lower, provided that the interval is then at most 0.1 wide; `assumption` says so. This concerns about
    25 to 70 √S shots, where nothing can be both that narrow and right for errors that silence a tenth of the outcomes
    of a random circuit: so few shots seldom show them. For those errors alone it then covers less often than it says.

    Valid for independent shots, any noise but that and any number of outcomes. The level is approximate, and with a
    reference that does not fit the interval covers more often than it says. Narrow only when shots exceed the
    square root of the number of outcomes many times over: the width is about 2.8 √S / N, or what N shots
    of a coin would leave when that is more.

    Args:
        counts: Bit string → count, spaces allowed, or an integer array of shape (2^n,).
        ideal: Bit string → probability, or an array of shape (2^n,); sums to 1.
        level: Confidence level of the interval.
        bits: Number of different qubits measured, when that is less than the length of the keys.

    Returns:
        The estimate, between 0 and 1 and without unit. Its value is None when the interval is wider than 0.1, or when
        the contrast p(H) − u(H) is below 0.05: every machine overlaps a nearly uniform ideal.

    Raises:
        InputError: Counts or ideal cannot be used, or do not belong together.
    """
    level = require_level(level)
    return overlap(compare(counts, ideal, bits), level)[0]


def overlap(data: Comparison, level: float) -> tuple[Estimate, float]:
    """The Hellinger estimate, and how many standard deviations the histogram is from white noise."""
    base = white_noise(data)
    plain = _against_white_noise(data, base)
    misfit = plain.score()
    if misfit <= MISFIT:
        return _estimate(data, plain, level, WHITE), misfit
    return _estimate(data, _against_corrected(data, base), level, CORRECTED), misfit


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a reference says of Σ √(p q): estimates of U's and Q's parts."""

    fixed: float
    """Σ √(p m), the part of 2U that is no mean over shots."""
    values: NDArray[np.float64]
    """√(p/m) of the outcomes seen, shape (k,); a last entry of 0 stands for outcomes the ideal does not allow."""
    counts: NDArray[np.int64]
    largest: float
    """The most that √(p/m) of an outcome can be."""
    quadratic: float
    """The unbiased estimate of Q, which may be negative."""
    variance: float
    """Of that estimate when m fits."""
    third: float = 0.0
    """Its third central moment when m fits."""

    def score(self) -> float:
        """Q's estimate as a standard normal score: its distribution when m fits is matched by a shifted gamma."""
        from scipy.special import gammaincc, ndtri

        z = self.quadratic / math.sqrt(self.variance)
        if z <= 0:
            return z
        skewness = max(self.third / self.variance**1.5, 1e-3)
        shape = 4 / skewness**2
        tail = float(gammaincc(shape, max(shape + z * math.sqrt(shape), 0.0)))
        return -float(ndtri(max(tail, 1e-300)))


def _against_white_noise(data: Comparison, base: WhiteNoise) -> Bounds:
    """U and Q with m fixed."""
    import numpy as np

    shots, n = data.shots, data.seen
    m = base.of(data.seen_ideal)
    root = np.sqrt(data.seen_ideal / m)
    values, counts = _with_outside(root, data)
    if shots < 2:
        return Bounds(base.overlap, values, counts, math.sqrt(base.largest), 0.0, math.inf)
    pairs = shots * (shots - 1.0)
    same = float((n * (n - 1.0) * root / m).sum()) / pairs
    quadratic = same - 2 * float((n * root).sum()) / shots + base.overlap
    # One degree of freedom at least: the fit of λ leaves none to an ideal with a single outcome.
    variance = 2 * max(base.spread - 2 + base.overlap**2, 1.0) / pairs
    third = 8 * base.skew / shots**3 + 4 * base.rarity / shots**4
    return Bounds(base.overlap, values, counts, math.sqrt(base.largest), quadratic, variance, third)


def _against_corrected(data: Comparison, base: WhiteNoise) -> Bounds:
    """U and Q with m the mean of a Dirichlet posterior, (n + κ m₀) / (N + κ), without the shots it is compared with."""
    import numpy as np

    kappa = concentration(data, base)
    shots, p, n = data.shots, data.seen_ideal, data.seen.astype(np.float64)
    prior = kappa * base.of(p)

    def rest(left_out: int) -> NDArray[np.float64]:
        # Where fewer were seen than are left out the weight is zero; the prior keeps the root defined.
        return np.maximum(n - left_out, 0) + prior

    def unseen_overlap(size: float) -> float:
        return (base.overlap * math.sqrt(kappa) - float(np.sqrt(p * prior).sum())) / math.sqrt(size)

    one, two = shots - 1 + kappa, shots - 2 + kappa
    roots = [np.sqrt(p * rest(k)) for k in range(3)]
    ratios = [np.sqrt(p / rest(k)) for k in range(3)]
    fixed = unseen_overlap(one) + float(((shots - n) * roots[0] + n * roots[1]).sum()) / shots / math.sqrt(one)
    pairs = shots * (shots - 1.0)
    both, either, neither = n * (n - 1), 2 * n * (shots - n), (shots - n) * (shots - n - 1)
    overlap_two = float((neither * roots[0] + either * roots[1] + both * roots[2]).sum()) / pairs / math.sqrt(two)
    same = float((both * ratios[2] / rest(2)).sum()) * two**1.5 / pairs
    crossed = float((2 * both * ratios[2] + either * ratios[1]).sum()) * math.sqrt(two) / pairs
    quadratic = same - crossed + overlap_two + unseen_overlap(two)
    posterior = base.spread - float((p / base.of(p)).sum())
    spread = posterior * (shots + kappa) / kappa + float((p * (shots + kappa) / rest(0)).sum())
    # The reference itself is off by its posterior spread, which makes the estimate of Q noisier than when it fits.
    variance = (2 + 4 * shots / (shots + kappa)) * spread / pairs
    values, counts = _with_outside(ratios[1] * math.sqrt(one), data)
    largest = math.sqrt(base.largest * (shots + kappa) / kappa)
    return Bounds(fixed, values, counts, largest, quadratic, variance)


def _with_outside(values: NDArray[np.float64], data: Comparison) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    import numpy as np

    return np.append(values, 0.0), np.append(data.seen, data.outside)


def _estimate(data: Comparison, bounds: Bounds, level: float, method: str) -> Estimate:
    """The bounds with their sampling errors, squared."""
    from scipy.special import ndtri

    upper = (1 - level) * UPPER_SHARE
    lower = 1 - level - upper
    mean, below, above = bounded_mean(bounds.values, bounds.counts, (0.0, bounds.largest), (lower, upper))
    top = (bounds.fixed + mean) / 2
    linear = (mean - below) / 2
    bend = max(float(-ndtri(lower)), 0.0) * math.sqrt(bounds.variance) / 2
    # Q is never negative: an estimate that is would make the interval narrower than its own error.
    excess = max(bounds.quadratic, 0.0) / 2
    error = math.hypot(linear, bend)
    low, high = _squared(top - excess - error), _squared((bounds.fixed + above) / 2)
    if data.contrast < SMALLEST_CONTRAST:
        return Estimate(None, low, high, level, ESTIMAND, method, data.shots, NORMAL)
    assumption = ASSUMPTION
    moderate = min(_squared(top - excess / 4 - error), _squared(top) - NARROW)
    if method == WHITE and low < moderate and high - moderate <= LARGEST_WIDTH:
        low, assumption = moderate, NARROWED
    if high - low > LARGEST_WIDTH:
        needed = _shots_for(data, min(top, 1.0), (above - below) / 2, excess + bend, method == WHITE)
        return Estimate(None, low, high, level, ESTIMAND, method, data.shots, _too_few(data.shots, needed), needed)
    value = min(max(_squared(top - excess / 4), low), high)
    return Estimate(value, low, high, level, ESTIMAND, method, data.shots, assumption=assumption)


def _squared(root: float) -> float:
    return min(max(root, 0.0), 1.0) ** 2


def _shots_for(data: Comparison, top: float, linear: float, bend: float, white: bool) -> int:
    """Shots after which the interval is narrow enough for a value, nine times out of ten.

    The error of U falls as 1/√N, and that of Q as 1/N while white noise fits; a corrected reference gets better only
    slowly. No histogram needs fewer than 2.8 √S / width shots, and as the estimate of Q scatters, MARGIN times that.
    """
    a, b, goal = (2 * top * MARGIN * bend, 2 * top * linear, LARGEST_WIDTH)
    if white and math.isfinite(a):
        # The root of a t² + b t = width, where t is √(N / shots needed).
        factor = ((b + math.sqrt(b * b + 4 * a * goal)) / (2 * goal)) ** 2
    else:
        factor = ((a + b) / goal) ** 2 if math.isfinite(a) else 1.0
    least = math.ceil(MARGIN * 2.8 * math.sqrt(len(data.ideal)) / goal)
    return max(math.ceil(data.shots * factor), least, data.shots + 1)


def _too_few(shots: int, needed: int) -> str:
    return (
        f"{shots:,} shots leave the interval wider than {LARGEST_WIDTH}, too wide for a single value. "
        f"About {needed:,} shots would do."
    )
