"""Other numbers people ask for, each with an interval of its own and what it takes for granted."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity.heavy import LARGEST_HALF_WIDTH, NORMAL, SMALLEST_CONTRAST, heavy_set, too_few
from qpm_lab.fidelity.hellinger import overlap
from qpm_lab.fidelity.histogram import compare
from qpm_lab.fidelity.intervals import bounded_mean, clopper_pearson, paired_trials, require_level
from qpm_lab.fidelity.reference import white_overlap

if TYPE_CHECKING:
    from qpm_lab.fidelity.histogram import Comparison, Counts, Distribution

HALVINGS = 60
"""That find an end of the mid-P interval to the precision of a float."""


def mid_p(successes: int, shots: int, alpha: float = 0.05) -> Estimate:
    """A proportion with its mid-P interval: half the probability of the observed count is on either side.

    Narrower than Clopper and Pearson's. Its coverage is 1 − alpha on average over proportions, not for each:
    at small counts it can be two or three percentage points lower (Lancaster 1961; Agresti and Gottard 2007).

    Args:
        successes: Successes among the shots.
        shots: Number of trials, at least 1.
        alpha: Probability of missing, over both sides together.

    Raises:
        InputError: Not whole numbers, or successes outside 0 … shots, or alpha outside (0, 1).
    """
    k, n = paired_trials(successes, shots)
    if k.ndim:
        raise InputError("The mid-P interval is of one proportion.", "Give one number of successes and of shots.")
    alpha = require_level(alpha)
    hits, trials = int(k), int(n)
    low = _mid_p_end(hits, trials, alpha / 2)
    high = 1 - _mid_p_end(trials - hits, trials, alpha / 2)
    assumption = "The level holds on average over proportions, not for each."
    return Estimate(hits / trials, low, high, 1 - alpha, "proportion", "mid-P", trials, assumption=assumption)


def _mid_p_end(k: int, n: int, miss: float) -> float:
    """The proportion at which more than k successes, and half of exactly k, have this probability."""
    from scipy.special import bdtrc

    if k == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        tail = (bdtrc(k, n, middle) + bdtrc(k - 1, n, middle)) / 2
        low, high = (middle, high) if tail < miss else (low, middle)
    return low


def linear_xeb(counts: Counts, ideal: Distribution, level: float = 0.95, *, bits: int | None = None) -> Estimate:
    """Linear cross-entropy fidelity, normalised: 1 when q = p, 0 when q is uniform.

    The estimand is (Σ q p − 1/D) / (Σ p² − 1/D) (Arute et al. 2019, with the circuit's own normalisation). It is
    linear in q, so a coherent error can leave it near 1, and a machine that prefers the likeliest outcome exceeds 1.
    Its interval is `bounded_mean`'s: approximate, wide where a rare likely outcome may have gone unseen.

    Args and Raises as of `heavy_fidelity`; None value, and no interval, when D Σ p² − 1 is below 0.05; None
    value when half the interval's width exceeds 0.1.
    """
    import numpy as np

    level = require_level(level)
    data = compare(counts, ideal, bits)
    estimand = "linear cross-entropy fidelity (Σ q p − 1/D) / (Σ p² − 1/D)"
    method = "mean over shots, moment-matched beta interval"
    base = data.uniform
    contrast = float((data.ideal**2).sum()) - base
    top = float(data.ideal.max())
    if contrast < SMALLEST_CONTRAST * base:
        return Estimate(None, None, None, level, estimand, method, data.shots, NORMAL)
    values, seen = np.append(data.seen_ideal, 0.0), np.append(data.seen, data.outside)
    misses = ((1 - level) / 2, (1 - level) / 2)
    value, low, high = ((each - base) / contrast for each in bounded_mean(values, seen, (0.0, top), misses))
    assumption = "White noise: a coherent error can leave it near 1."
    return _judged(Estimate(value, low, high, level, estimand, method, data.shots, assumption=assumption))


def heavy_output_probability(
    counts: Counts, ideal: Distribution, level: float = 0.95, *, bits: int | None = None
) -> Estimate:
    """The share of shots whose ideal probability is above the median of all 2^bits.

    Quantum volume's definition (Cross et al. 2019); a perfect machine gives about 0.85 for random circuits, a random
    one 0.5 where half the outcomes are heavy. Not a fidelity, and not comparable between circuits. The interval is
    Clopper and Pearson's, exact.

    Args and Raises as of `heavy_fidelity`; None value when half the interval's width exceeds 0.1.
    """
    level = require_level(level)
    data = compare(counts, ideal, bits)
    heavy = int(data.seen[data.seen_ideal > _median(data)].sum())
    low, high = clopper_pearson(heavy, data.shots, 1 - level)
    estimand = "heavy-output probability: share of shots with p above the median of all outcomes"
    share = heavy / data.shots
    assumption = "Not a fidelity: a perfect machine's value depends on the circuit."
    return _judged(
        Estimate(share, low, high, level, estimand, "exact (Clopper–Pearson)", data.shots, assumption=assumption)
    )


def _median(data: Comparison) -> float:
    """Of the probabilities of all outcomes, those of zero included."""
    import numpy as np

    outcomes = 2**data.bits
    zeros = outcomes - len(data.ideal)
    middle = [place - zeros for place in ((outcomes - 1) // 2, outcomes // 2)]
    wanted = [place for place in middle if place >= 0]
    if not wanted:
        return 0.0
    values = np.partition(data.ideal, wanted)
    return sum(float(values[place]) for place in wanted) / 2


def tvd_lower_bound(counts: Counts, ideal: Distribution, level: float = 0.95, *, bits: int | None = None) -> Estimate:
    """What the histogram proves of the total variation distance: TVD(p, q) ≥ p(H) − q(H), H = {x : p(x) > 1/D}.

    The estimand is p(H) − q(H) = (1 − F_H)(p(H) − u(H)), not the distance itself, which may be much larger; `low`
    bounds the distance from below, `high` does not bound it from above. Below 0 it says nothing. The interval is
    Clopper and Pearson's, exact.

    Args and Raises as of `heavy_fidelity`; None value when half the interval's width exceeds 0.1.
    """
    level = require_level(level)
    found = heavy_set(counts, ideal, bits)
    low, high = clopper_pearson(found.heavy, found.shots, 1 - level)
    share = found.heavy / found.shots
    estimand = "p(H) − q(H), a lower bound of the total variation distance, H = outcomes with p > 1/2^n"
    ends = (found.ideal - share, found.ideal - high, found.ideal - low)
    assumption = "Bounds the distance from below only."
    method = "exact (Clopper–Pearson)"
    return _judged(Estimate(*ends, level, estimand, method, found.shots, assumption=assumption))


def normalised_fidelity(
    counts: Counts, ideal: Distribution, level: float = 0.95, *, bits: int | None = None
) -> Estimate:
    """QED-C's normalised Hellinger fidelity: 1 when q = p, 0 when q is uniform.

    The estimand is (F(p, q) − F(p, u)) / (1 − F(p, u)), F the Hellinger fidelity (Lubinski et al. 2110.03137), not
    clipped at 0. The interval is `hellinger_fidelity`'s on that scale, so its caveats hold, and a histogram of a
    nearly uniform ideal has none. Even under white noise of strength ε it is not 1 − ε.

    Args and Raises as of `heavy_fidelity`; None value when 1 − F(p, u) is below 0.05, or when half the interval's
    width exceeds 0.1.
    """
    level = require_level(level)
    data = compare(counts, ideal, bits)
    estimand = "QED-C normalised fidelity (F(p, q) − F(p, u)) / (1 − F(p, u)), F = (Σ √(p q))²"
    random = white_overlap(data, 0.0) ** 2
    found = overlap(data, level)[0]
    contrast = 1 - random
    if contrast < SMALLEST_CONTRAST or found.low is None or found.high is None:
        return Estimate(None, None, None, level, estimand, found.method, data.shots, NORMAL)
    low, high = ((end - random) / contrast for end in (found.low, found.high))
    if found.value is None:
        reason, needed = found.reason, found.shots_needed
        return Estimate(None, low, high, level, estimand, found.method, data.shots, reason, needed)
    value = (found.value - random) / contrast
    return _judged(Estimate(value, low, high, level, estimand, found.method, data.shots, assumption=found.assumption))


def _judged(estimate: Estimate) -> Estimate:
    """The estimate, without its value when the interval is too wide for one."""
    assert estimate.low is not None
    assert estimate.high is not None
    half = (estimate.high - estimate.low) / 2
    if half <= LARGEST_HALF_WIDTH:
        return estimate
    needed = math.ceil(estimate.shots * (half / LARGEST_HALF_WIDTH) ** 2)
    return replace(estimate, value=None, reason=too_few(estimate.shots, needed), shots_needed=needed)
