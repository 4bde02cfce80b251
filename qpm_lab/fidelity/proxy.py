"""Process fidelity from Clifford proxies: direct fidelity estimation with an interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity.arguments import as_truths, as_whole_array
from qpm_lab.fidelity.histogram import MAX_SHOTS
from qpm_lab.fidelity.intervals import clopper_pearson, require_level

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

FEWEST_INSTANCES = 100
"""With fewer, several shots of each leave too few independent pieces to know how much they differ."""
LARGEST_HALF_WIDTH = 0.1
"""A wider interval is shown without a value."""
ESTIMAND = "process (entanglement) fidelity of the circuit, state preparation and measurement included"
SINGLE = "direct fidelity estimation, one shot per instance, exact (Clopper–Pearson)"
CLUSTERED = "direct fidelity estimation, instances as clusters (Student t on the Clopper–Pearson scale)"
BOUNDED = "direct fidelity estimation, few instances, bound of Hoeffding"
ASSUMPTION = (
    "The proxies err like the circuit: their Clifford gates like its own one-qubit gates, with no coherent error that "
    "adds up in the circuit alone. True of twirled jobs; a Clifford circuit is measured itself."
)


def clifford_proxy_fidelity(successes: ArrayLike, shots: ArrayLike, level: float = 0.95) -> Estimate:
    """The fidelity of a circuit of any size, from the successes of its Clifford proxies.

    Estimand: the process (entanglement) fidelity F = Σ_P tr(U P U† E(P)) / 8^n of what the machine does, E, to the
    circuit U, over all 4^n Paulis P on its n qubits, preparation and measurement included. An instance with a
    uniformly random P and a random eigenstate of it succeeds with a probability whose mean over instances is
    (1 + F) / 2 (Flammia and Liu, arXiv:1104.4695; da Silva et al., arXiv:1104.3835).

    With one shot of each instance the number of successes is exactly binomial, and Clopper–Pearson covers with at
    least the level at any size. With several, the shots of an instance go together: the effective number of shots
    p(1 − p) / se² is worked out from the spread between instances, each of equal weight, reduced by the ratio of
    normal and t quantiles, never above the number of shots, and put into Clopper–Pearson (Korn and Graubard, Survey
    Methodology 24 (1998) 193), which stays honest when successes are almost certain. That needs 100 instances.

    Args:
        successes: Successful shots of each instance, shape (instances,), truth values where each has one shot; or
            one number, the successful ones of instances of one shot each.
        shots: Shots of each instance, a number or shape (instances,), at least 1; beside one number of successes
            how many instances of one shot there were.
        level: Confidence level of the interval.

    Returns:
        The estimate; `shots` and `shots_needed` are those of all instances together. No value when half the
        interval's width exceeds 0.1, or with several shots of fewer than 100 instances; the interval is then a bound
        of Hoeffding.

    Raises:
        InputError: Not whole numbers, no instance, more than 2⁵³ shots, or successes outside 0 … shots.
    """
    level = require_level(level)
    k, n = _read(successes, shots)
    total = int(n.sum())
    if k.ndim == 0 or bool((n == 1).all()):
        hits = int(k.sum())
        low, high = clopper_pearson(hits, total, 1 - level)
        return _estimate(hits / total, low, high, level, SINGLE, total, total)
    shares = k / n
    if len(shares) < FEWEST_INSTANCES:
        return _few(shares, total, level)
    low, high = _korn_graubard(shares, total, 1 - level)
    return _estimate(float(shares.mean()), low, high, level, CLUSTERED, total, len(shares))


def _read(successes: ArrayLike, shots: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both without axes, or one of each for every instance."""
    import numpy as np

    truths = as_truths(successes)
    k, n = as_whole_array(successes) if truths is None else truths, as_whole_array(shots)
    if k is None or n is None or k.ndim > 1 or not k.size or n.shape not in ((), k.shape):
        raise InputError(
            "Successes and shots of the proxies cannot be used.",
            "Give whole numbers: successes of each instance, and shots of each or for all; or two totals of one shot.",
        )
    n = np.broadcast_to(n, k.shape)
    if not bool(((k >= 0) & (k <= n) & (n >= 1)).all()):
        raise InputError("Successes must lie between 0 and the number of shots, which is at least 1.")
    if truths is not None and bool((n > 1).any()):
        raise InputError("Truth values are successes of one shot each.", "Give whole numbers where there are several.")
    # As floats, since whole numbers of 64 bits wrap around.
    if n.sum(dtype=float) > MAX_SHOTS:
        raise InputError(f"The proxies have more than {MAX_SHOTS:,} shots.")
    return k.astype(np.int64), n.astype(np.int64)


def _korn_graubard(shares: NDArray[np.float64], total: int, alpha: float) -> tuple[float, float]:
    from scipy.special import betainccinv, betaincinv, ndtri, stdtrit

    m, center = len(shares), float(shares.mean())
    squared_error = float(shares.var(ddof=1)) / m
    # Without any spread the instances are all that is known to be independent.
    effective = center * (1 - center) / squared_error if squared_error > 0 else float(m)
    effective *= float(ndtri(1 - alpha / 2) / stdtrit(m - 1, 1 - alpha / 2)) ** 2
    effective = min(effective, float(total))
    hits = center * effective
    low = float(betaincinv(hits, effective - hits + 1, alpha / 2)) if hits > 0 else 0.0
    high = float(betainccinv(hits + 1, effective - hits, alpha / 2)) if hits < effective else 1.0
    return low, high


def _estimate(center: float, low: float, high: float, level: float, method: str, total: int, pieces: int) -> Estimate:
    """Success probabilities as fidelities, F = 2p − 1."""
    value, ends = 2 * center - 1, (2 * low - 1, 2 * high - 1)
    half = (ends[1] - ends[0]) / 2
    if half <= LARGEST_HALF_WIDTH:
        return Estimate(value, *ends, level, ESTIMAND, method, total, assumption=ASSUMPTION)
    more = _instances_needed(level) if method == SINGLE else math.ceil(pieces * (half / LARGEST_HALF_WIDTH) ** 2 * 1.1)
    reason = (
        f"{pieces:,} instances leave the interval wider than ± {LARGEST_HALF_WIDTH}, too wide for a single value. "
        f"With {more:,} instances it will be narrow enough."
    )
    needed = more * math.ceil(total / pieces)
    return Estimate(None, *ends, level, ESTIMAND, method, total, reason, needed, ASSUMPTION)


def _instances_needed(level: float) -> int:
    """Instances of one shot after which the interval is narrow enough whatever F is: (z/h)² + 2/h."""
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    return math.ceil((z / LARGEST_HALF_WIDTH) ** 2 + 2 / LARGEST_HALF_WIDTH)


def _few(shares: NDArray[Any], total: int, level: float) -> Estimate:
    import numpy as np

    m, center = len(shares), float(np.mean(shares))
    margin = math.sqrt(math.log(2 / (1 - level)) / (2 * m))
    low, high = (2 * min(max(end, 0.0), 1.0) - 1 for end in (center - margin, center + margin))
    needed = _instances_needed(level)
    reason = (
        f"{m} instances with several shots of each: pooling few instances is refused, because the shots of an "
        "instance go together, and one bad qubit, which only some of them feel, would make the interval too narrow. "
        f"With {needed:,} instances of one shot each, or at least {FEWEST_INSTANCES} of several, there will be a value."
    )
    return Estimate(None, low, high, level, ESTIMAND, BOUNDED, total, reason, needed, ASSUMPTION)
