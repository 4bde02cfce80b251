"""Are shots independent? Blocks of shots in the order they were taken should differ as chance makes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.fidelity.intervals import paired_trials, require_level

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

BLOCKS = 20
"""More blocks than these are joined with their neighbours: drift is slow, and few shots tell nothing alone."""


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How much blocks of shots differ, beside how much independent shots would."""

    blocks: int
    """Blocks compared, at most 20."""
    ratio: float
    """Observed variance between blocks over the binomial one; 1 when shots are independent."""
    p_value: float
    """Probability of a ratio at least this large when shots are independent."""
    warning: str | None = None
    """What it means, when the ratio is too large for chance."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def dispersion(successes: ArrayLike, shots: ArrayLike, level: float = 0.99) -> Dispersion:
    """Tests whether blocks of shots share one probability of success.

    The statistic is X² = Σ (k − n p̂)² / (n p̂ (1 − p̂)) over the blocks in the order they were taken (binomial
    homogeneity). Its distribution is matched by a shifted gamma with the mean, variance and skewness that
    binomial blocks have, the mean given the total; with large counts that is χ² with one degree of freedom less than
    blocks, with small ones it is wider. Only a variance that is too large is warned of.

    Args:
        successes: Successes of each block, shape (blocks,).
        shots: Shots of each block, shape (blocks,), or one number for all.
        level: One minus the probability of a false warning.

    Raises:
        InputError: Fewer than two blocks, not whole numbers, or more successes than shots.
    """
    level = require_level(level)
    k, n = paired_trials(successes, shots)
    if k.ndim != 1 or len(k) < 2:
        raise InputError("Dispersion compares blocks of shots, at least two.", "Give one number for each block.")
    k, n = _joined(k), _joined(n)
    total, hits = float(n.sum()), float(k.sum())
    share = hits / total
    if hits in (0, total):
        return Dispersion(len(k), 1.0, 1.0)
    statistic = float(((k - n * share) ** 2 / (n * share * (1 - share))).sum())
    p_value = _tail(statistic, n, share)
    ratio = statistic / (len(k) - 1)
    return Dispersion(len(k), ratio, p_value, _warning(ratio, len(k)) if p_value < 1 - level else None)


def _joined(values: NDArray[Any]) -> NDArray[np.float64]:
    import numpy as np

    parts = np.array_split(values.astype(np.float64), min(len(values), BLOCKS))
    return np.array([part.sum() for part in parts])


def _tail(statistic: float, shots: NDArray[np.float64], share: float) -> float:
    """Probability of at least this statistic: a shifted gamma with the blocks' own moments.

    Each moment is χ²'s at least: blocks of few shots have a longer tail, or one that their moments make too short.
    """
    from scipy.special import gammaincc

    total, degrees = float(shots.sum()), len(shots) - 1
    mean = degrees * total / (total - 1)
    variance, third = (degrees / len(shots) * moment for moment in _moments(shots, share))
    shape = 4 * max(variance, 2.0 * degrees) ** 3 / max(third, 8.0 * degrees) ** 2
    scale = (shape / max(variance, 2.0 * degrees)) ** 0.5
    return float(gammaincc(shape, max(shape + (statistic - mean) * scale, 0.0)))


def _moments(shots: NDArray[np.float64], share: float) -> tuple[float, float]:
    """Second and third central moment of Σ (k − n p)² / (n p (1 − p)) over binomial k, from their cumulants."""
    v = share * (1 - share)
    unit = shots * v
    fourth = unit * (1 - 6 * v)
    sixth = unit * (1 - 30 * v * (1 - 4 * v))
    kurtosis = (fourth + 3 * unit**2) / unit**2
    highest = (sixth + 15 * fourth * unit + 10 * unit**2 * (1 - 4 * v) + 15 * unit**3) / unit**3
    return float((kurtosis - 1).sum()), float((highest - 3 * kurtosis + 2).sum())


def _warning(ratio: float, blocks: int) -> str:
    return (
        f"shots not independent: {blocks} blocks of them, in the order they were taken, differ {ratio:.1f} times as "
        "much as independent shots do, so every interval here is too narrow"
    )
