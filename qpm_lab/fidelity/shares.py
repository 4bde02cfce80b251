"""Whether two observed shares differ, valid for every pair of true shares.

The difference k/N − m/M misses the true one by more than `margin` with probability at most alpha. The widest case,
shares of one half, is taken for all, because the share that matters is often itself picked by the data and its own
spread would flatter it: with all shots on one outcome the usual standard error is zero.
"""

from __future__ import annotations

import math

EXACT_SHOTS = 10**5
"""Up to so many shots a hypergeometric tail is summed; beyond, it is the normal one to all digits that matter."""


def margin(first: int, second: int, alpha: float) -> float:
    """How far a difference of two observed shares may be above the true one, missed with at most alpha.

    z·½·√(1/N + 1/M) + 1/(2·min(N, M)): the normal approximation at its widest, with half a step of the coarser
    share for continuity. Computed exactly over all pairs of shares it keeps alpha from ten shots on.
    """
    from scipy.special import ndtri

    return -float(ndtri(alpha)) * math.sqrt(1 / first + 1 / second) / 2 + 0.5 / min(first, second)


def ordered_apart(one: tuple[int, int], two: tuple[int, int], alpha: float, looks: int) -> tuple[float, float]:
    """`apart` with the larger share first, which is one more look."""
    larger = one[0] * two[1] >= two[0] * one[1]
    return apart(one, two, alpha, looks) if larger else apart(two, one, alpha, looks)


def apart(one: tuple[int, int], two: tuple[int, int], alpha: float, looks: int) -> tuple[float, float]:
    """By how much one share exceeds the other at least, and Fisher's p-value that they are equal.

    Fisher's exact test is the permutation test of which run each shot belongs to, in closed form. Both are
    corrected for having picked this difference among `looks`; the first is negative when nothing is shown.
    """
    (k, n), (m, o) = one, two
    if not n or not o:
        return -1.0, 1.0
    lower = k / n - m / o - margin(n, o, alpha / looks)
    return lower, min(1.0, looks * _fisher(one, two))


def _fisher(one: tuple[int, int], two: tuple[int, int]) -> float:
    """The hypergeometric probability of so many successes or more in the first run."""
    from scipy.special import ndtr
    from scipy.stats import hypergeom

    (k, n), (m, o) = one, two
    if n + o <= EXACT_SHOTS:
        return float(hypergeom.sf(k - 1, n + o, k + m, n))
    share = (k + m) / (n + o)
    spread = math.sqrt(n * share * (1 - share) * o / (n + o - 1))
    return float(ndtr((n * share - k + 0.5) / spread)) if spread else 1.0
