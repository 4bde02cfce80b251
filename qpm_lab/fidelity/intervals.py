"""Exact intervals for proportions: one, or all outcomes of a histogram at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.fidelity.arguments import as_number, is_whole, shown
from qpm_lab.fidelity.histogram import read_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from qpm_lab.fidelity.histogram import Counts


def clopper_pearson(successes: ArrayLike, shots: ArrayLike, alpha: float = 0.05) -> tuple[Any, Any]:
    """Two-sided intervals that cover a proportion with probability at least 1 − alpha, exactly.

    Clopper and Pearson, Biometrika 26 (1934). The upper end uses the complementary inverse of the
    incomplete beta function: 1 − alpha/2 rounds to 1 for the small alpha of many outcomes.

    Args:
        successes: Counts of success, any shape.
        shots: Number of trials, at least 1; broadcast against `successes`.
        alpha: Probability of missing, over both sides together, between 0 and 1.

    Returns:
        The lower and upper ends, in the broadcast shape; floats when both arguments are scalars.

    Raises:
        InputError: Not whole numbers, or successes outside 0 … shots, or alpha outside (0, 1).
    """
    import numpy as np
    from scipy.special import betainccinv, betaincinv

    k, n = paired_trials(successes, shots)
    alpha = _share(alpha, "alpha must lie between 0 and 1")
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(k == 0, 0.0, betaincinv(np.maximum(k, 1), n - k + 1, alpha / 2))
        high = np.where(k == n, 1.0, betainccinv(k + 1, np.maximum(n - k, 1), alpha / 2))
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def paired_trials(successes: ArrayLike, shots: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Counts of success and numbers of trials, in one shape.

    Raises:
        InputError: Shapes that do not go together, not whole numbers, successes outside 0 … shots, or no shots.
    """
    import numpy as np

    try:
        k, n = np.broadcast_arrays(successes, shots)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError("Successes and shots must be whole numbers, or arrays of them that go together.") from error
    if k.dtype.kind not in "iu" or n.dtype.kind not in "iu":
        raise InputError("Successes and shots must be whole numbers.")
    if k.size and not bool(((k >= 0) & (k <= n) & (n >= 1)).all()):
        raise InputError("Successes must lie between 0 and the number of shots, which is at least 1.")
    return k, n


def _share(value: object, rule: str, hint: str = "") -> float:
    number = as_number(value)
    if number is None or not 0 < number < 1:
        raise InputError(f"{rule}; it is {shown(value)}.", hint)
    return number


def require_level(level: object) -> float:
    """A confidence level as a float.

    Raises:
        InputError: It is not within (0, 1), or so near to an end that a float does not tell it from there.
    """
    rule, hint = "A confidence level lies between 0 and 1", "Use 0.95."
    number = _share(level, rule, hint)
    if 1 - number == 1 or (1 + number) / 2 == 1:
        raise InputError(f"{rule}; it is {shown(level)}.", hint)
    return number


def bounded_mean(
    values: NDArray[np.float64], counts: NDArray[Any], ends: tuple[float, float], misses: tuple[float, float]
) -> tuple[float, float, float]:
    """The mean of a variable that lies between two ends, and an interval for it.

    For a variable of two values, which are its ends, this is Clopper and Pearson's interval. For any other the
    same beta distributions are matched to mean and variance, after Fay and Feuer, Statistics in Medicine 16
    (1997): each side is computed as if one more observation had fallen on the end of that side, so that the
    interval stays wide where rare large values may have gone unseen. It is approximate, with any number of shots.

    Args:
        values: What was observed, shape (k,).
        counts: How often each value was, shape (k,); at least 1 together.
        ends: Smallest and largest value possible.
        misses: Probabilities of missing below the lower and above the upper end of the interval.

    Returns:
        Mean, lower end, upper end.
    """
    start, stop = ends
    reach = stop - start
    shots = float(counts.sum())
    if reach <= 0:
        return start, start, start
    unit = ((values - start) / reach).clip(0, 1)
    mean = float((counts * unit).sum()) / shots
    low = _beta_end(unit, counts, shots, misses[0])
    high = 1 - _beta_end(1 - unit, counts, shots, misses[1])
    return start + reach * mean, start + reach * min(low, mean), start + reach * max(high, mean)


def _beta_end(unit: NDArray[np.float64], counts: NDArray[Any], shots: float, miss: float) -> float:
    """A lower end for the mean of values between 0 and 1, one more observed 0 counted in."""
    from scipy.special import betaincinv

    mean = float((counts * unit).sum()) / (shots + 1)
    if mean <= 0:
        return 0.0
    variance = float((counts * (unit - mean) ** 2).sum() + mean**2) / (shots + 1)
    size = mean * (1 - mean) * (shots + 2) / variance - 1
    return float(betaincinv(mean * size, (1 - mean) * size, miss))


@dataclass(frozen=True, slots=True)
class OutcomeIntervals:
    """Intervals for the probabilities of all outcomes that hold together.

    >>> low, high = outcome_intervals({"0": 50, "1": 50}, 1)["0"]
    >>> round(low, 3), round(high, 3)
    (0.385, 0.615)
    """

    keys: tuple[str, ...]
    """The outcomes seen, spaces left out, in the order of the counts; all outcomes for an array."""
    value: NDArray[np.float64]
    """Their shares of the shots, shape (len(keys),)."""
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    level: float
    """Probability that every one of the 2^qubits intervals covers, at least."""
    estimand: str
    method: str
    shots: int
    unseen_high: float
    """Upper end for any outcome that was not seen; its lower end is 0."""
    places: Mapping[str, int]
    """Key → index into the arrays."""
    qubits: int
    """Length of the keys; there are 2^qubits outcomes."""
    reason: str | None = None

    def __getitem__(self, key: str) -> tuple[float, float]:
        """The interval of one outcome, seen or not; spaces in its key do not matter.

        Raises:
            InputError: It is not a bit string of `qubits` bits.
        """
        clean = key.replace(" ", "") if isinstance(key, str) else ""
        if len(clean) != self.qubits or clean.strip("01"):
            raise InputError(f"{shown(key)} is not a bit string of {self.qubits} bits.", "Give one, such as '01'.")
        place = self.places.get(clean)
        return (0.0, self.unseen_high) if place is None else (float(self.low[place]), float(self.high[place]))

    def __contains__(self, key: object) -> bool:
        """Whether an outcome was seen, or is an entry of the array."""
        return isinstance(key, str) and key.replace(" ", "") in self.places

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    def items(self) -> Iterator[tuple[str, tuple[float, float]]]:
        """Each of `keys` with its interval."""
        return ((key, self[key]) for key in self.keys)


def outcome_intervals(counts: Counts, qubits: int, level: float = 0.95) -> OutcomeIntervals:
    """Simultaneous intervals for every outcome: Clopper–Pearson at (1 − level) / 2^qubits each.

    By Bonferroni's inequality all 2^qubits intervals cover at once with at least the level.

    Args:
        counts: Bit string → count, or an array of shape (2^n,).
        qubits: Number of measured bits, the length of the keys; it sets the number of possible outcomes.
        level: Simultaneous confidence level.

    Raises:
        InputError: The counts cannot be used, or their bit strings are not `qubits` long.
    """
    import numpy as np

    level = require_level(level)
    table, shots = read_counts(counts)
    keys, values = _listed(table.bits, table.dense, table.by_key)
    if not is_whole(qubits) or qubits != table.bits:
        raise InputError(
            f"The counts have {table.bits} bits, which is not {shown(qubits)}.",
            "The number of qubits is the length of the bit strings.",
        )
    low, high = simultaneous(values, shots, qubits, level)
    shares = np.asarray(values / shots)
    for array in (shares, low, high):
        array.setflags(write=False)
    return OutcomeIntervals(
        keys,
        shares,
        low,
        high,
        level,
        "probability of each outcome",
        f"Clopper–Pearson at alpha / 2^{qubits}, simultaneous",
        shots,
        simultaneous(0, shots, qubits, level)[1],
        MappingProxyType({key: place for place, key in enumerate(keys)}),
        int(qubits),
    )


def simultaneous(successes: ArrayLike, shots: int, qubits: int, level: float = 0.95) -> tuple[Any, Any]:
    """Ends of the intervals that hold for all 2^qubits outcomes at once, for those whose counts are given.

    Args:
        successes: Counts of some outcomes, any shape.
        shots: Shots of the whole histogram.
        qubits: Number of measured bits.
        level: Simultaneous confidence level.

    Raises:
        InputError: No number of qubits or no level, or as of `clopper_pearson`.
    """
    level = require_level(level)
    if not is_whole(qubits) or qubits < 1:
        raise InputError(f"The number of qubits is a whole number from 1 up; it is {shown(qubits)}.")
    # ldexp, since 2**qubits outgrows a float at 1,024; floats themselves end near 1e-308.
    return clopper_pearson(successes, shots, max(math.ldexp(1 - level, -int(qubits)), 1e-300))


def _listed(
    bits: int, dense: NDArray[Any] | None, by_key: Mapping[str, Any] | None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    import numpy as np

    if dense is not None:
        return tuple(format(i, f"0{bits}b") for i in range(len(dense))), dense.astype(np.int64)
    counts = by_key or {}
    return tuple(counts), np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
