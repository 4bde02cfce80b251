"""Exact intervals for proportions: one, or all outcomes of a histogram at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
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

    k, n = np.broadcast_arrays(successes, shots)
    _require_trials(k, n, alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(k == 0, 0.0, betaincinv(np.maximum(k, 1), n - k + 1, alpha / 2))
        high = np.where(k == n, 1.0, betainccinv(k + 1, np.maximum(n - k, 1), alpha / 2))
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def _require_trials(k: NDArray[Any], n: NDArray[Any], alpha: float) -> None:
    if k.dtype.kind not in "iu" or n.dtype.kind not in "iu":
        raise InputError("Successes and shots must be whole numbers.")
    if k.size and not bool(((k >= 0) & (k <= n) & (n >= 1)).all()):
        raise InputError("Successes must lie between 0 and the number of shots, which is at least 1.")
    if not 0 < alpha < 1:
        raise InputError(f"alpha must lie between 0 and 1; it is {alpha}.")


def require_level(level: float) -> None:
    """Refuses a confidence level outside (0, 1).

    Raises:
        InputError: It is outside.
    """
    if not 0 < level < 1:
        raise InputError(f"A confidence level lies between 0 and 1; {level} does not.", "Use 0.95.")


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
    reason: str | None = None

    def __getitem__(self, key: str) -> tuple[float, float]:
        """The interval of one outcome, seen or not; spaces in its key do not matter."""
        place = self.places.get(key.replace(" ", ""))
        return (0.0, self.unseen_high) if place is None else (float(self.low[place]), float(self.high[place]))


def outcome_intervals(counts: Counts, qubits: int, level: float = 0.95) -> OutcomeIntervals:
    """Simultaneous intervals for every outcome: Clopper–Pearson at (1 − level) / 2^qubits each.

    By Bonferroni's inequality all 2^qubits intervals cover at once with at least the level.

    Args:
        counts: Bit string → count, or an array of shape (2^n,).
        qubits: Number of measured bits, which sets the number of possible outcomes.
        level: Simultaneous confidence level.

    Raises:
        InputError: The counts cannot be used, or have more bits than `qubits` outcomes allow.
    """
    import numpy as np

    require_level(level)
    table, shots = read_counts(counts)
    keys, values = _listed(table.bits, table.dense, table.by_key)
    if qubits < 1 or len(values) > 2**qubits:
        raise InputError(f"{qubits} qubits cannot give {len(values)} different outcomes.")
    low, high = simultaneous(values, shots, qubits, level)
    return OutcomeIntervals(
        keys,
        np.asarray(values / shots),
        low,
        high,
        level,
        "probability of each outcome",
        f"Clopper–Pearson at alpha / 2^{qubits}, simultaneous",
        shots,
        simultaneous(0, shots, qubits, level)[1],
        {key: place for place, key in enumerate(keys)},
    )


def simultaneous(successes: ArrayLike, shots: int, qubits: int, level: float = 0.95) -> tuple[Any, Any]:
    """Ends of the intervals that hold for all 2^qubits outcomes at once, for those whose counts are given.

    Args:
        successes: Counts of some outcomes, any shape.
        shots: Shots of the whole histogram.
        qubits: Number of measured bits.
        level: Simultaneous confidence level.
    """
    # ldexp, since 2**qubits outgrows a float at 1,024; floats themselves end near 1e-308.
    return clopper_pearson(successes, shots, max(math.ldexp(1 - level, -qubits), 1e-300))


def _listed(
    bits: int, dense: NDArray[Any] | None, by_key: Mapping[str, Any] | None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    import numpy as np

    if dense is not None:
        return tuple(format(i, f"0{bits}b") for i in range(len(dense))), dense.astype(np.int64)
    counts = by_key or {}
    return tuple(counts), np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
