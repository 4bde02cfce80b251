"""Process fidelity from mirror circuits, with an interval on the logarithmic scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity.arguments import as_whole_array, is_whole
from qpm_lab.fidelity.histogram import MAX_SHOTS
from qpm_lab.fidelity.intervals import require_level

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

SMALLEST_SIGNAL = 0.03
"""Below it the survival of a family is so near to nothing that its logarithm is noise."""
LARGEST_HALF_WIDTH = 0.1
"""A wider interval is shown without a value."""
FEWEST_CIRCUITS = 10
"""Of a family, for a value: with fewer the spread between circuits is hardly known."""
ESTIMAND = "process (entanglement) fidelity of the circuit, state preparation and measurement left out"
METHOD = "mirror circuit fidelity estimation, logarithmic t interval"
ASSUMPTION = (
    "Errors of the circuit and of its inverse multiply, as they do when the inverse is randomised; the circuit itself "
    "is measured as it is."
)


def mirror_fidelity(circuit: ArrayLike, inverse: ArrayLike, reference: ArrayLike, level: float = 0.95) -> Estimate:
    """The fidelity of a circuit of any size, from its mirror circuits.

    Estimand: the process (entanglement) fidelity F = 1 − (1 − 4^−n)(1 − γ) of the circuit's error map, where γ is its
    polarisation, estimated as γ = S₁ / √(S₂ S₃) from the mean effective polarisations of three families (Proctor et
    al., arXiv:2204.07568). That of one circuit with shares h_k of its shots k bits away from its target is
    S = (Σ_k (−1/2)^k h_k − 4^−n) / (1 − 4^−n).

    The interval is that of log γ by the delta method, from the spread between the circuits of a family, with Student's
    t and Welch and Satterthwaite's degrees of freedom. No family's error is taken to be below 1.5 / shots, what a
    single wrong shot would change.

    Args:
        circuit: M1, the bare circuit with a randomised inverse: for each circuit how many shots came k = 0 … n bits
            away from its target, shape (circuits, n + 1).
        inverse: M2, the randomised circuit with a randomised inverse, likewise.
        reference: M3, preparation and measurement alone, likewise.
        level: Confidence level of the interval.

    Returns:
        The estimate; `shots` and `shots_needed` are those of all circuits together. No value when half the interval's
        width exceeds 0.1, with fewer than 10 circuits in a family, or when the mean polarisation of a family is below
        0.03: there is no interval then either.

    Raises:
        InputError: Not whole numbers of that shape, negative, a circuit without shots, fewer than two circuits in a
            family, too many shots, or families of different numbers of qubits.
    """
    if is_whole(level):
        raise InputError(
            "The fourth argument of mirror circuits is the confidence level, such as 0.95.",
            "The number of qubits is read from the length of the rows.",
        )
    level = require_level(level)
    histograms = [_read(each, name) for each, name in ((circuit, "M1"), (inverse, "M2"), (reference, "M3"))]
    if len({each.shape[1] for each in histograms}) > 1:
        raise InputError("The mirror circuits do not all have the same number of qubits.")
    shots = sum(int(each.sum()) for each in histograms)
    families = [_family(each) for each in histograms]
    if min(family.mean for family in families) < SMALLEST_SIGNAL:
        return Estimate(None, None, None, level, ESTIMAND, METHOD, shots, _faint(families), None, ASSUMPTION)
    low, center, high = _polarisation(families, level)
    return _estimate(low, center, high, level, shots, histograms)


@dataclass(frozen=True, slots=True)
class _Family:
    mean: float
    """Effective polarisation, over the circuits."""
    variance: float
    """Of the mean."""
    freedom: int


def effective_polarisation(distances: ArrayLike) -> NDArray[np.float64]:
    """S of each circuit, from how many of its shots came k = 0 … n bits away from its target.

    Args:
        distances: Shape (circuits, n + 1), each row with at least one shot.

    Returns:
        Shape (circuits,); 1 when all shots hit the target, 0 on average when they are uniformly random.
    """
    import numpy as np

    counts = np.asarray(distances, dtype=float)
    shares = counts / counts.sum(axis=1, keepdims=True)
    uniform = math.ldexp(1.0, -2 * (counts.shape[1] - 1))
    polarisation: NDArray[np.float64] = (shares @ (-0.5) ** np.arange(counts.shape[1]) - uniform) / (1 - uniform)
    return polarisation


def _read(histograms: ArrayLike, name: str) -> NDArray[np.int64]:
    import numpy as np

    array = as_whole_array(histograms)
    if array is None or array.ndim != 2 or array.shape[0] < 2 or array.shape[1] < 2:
        raise InputError(
            f"The distances of family {name} cannot be used.",
            "Give whole numbers, a row for each of at least two circuits: shots that came 0 … n bits from the target.",
        )
    # As floats, since whole numbers of 64 bits wrap around.
    shots = array.sum(axis=1, dtype=float)
    if array.min() < 0 or not bool(shots.all()):
        raise InputError(f"In family {name} a number of shots is negative, or a circuit has none.")
    if shots.sum() > MAX_SHOTS:
        raise InputError(f"Family {name} has more than {MAX_SHOTS:,} shots.")
    return array.astype(np.int64)


def _family(histograms: NDArray[np.int64]) -> _Family:
    values = effective_polarisation(histograms)
    floor = 1.5 / int(histograms.sum())
    return _Family(float(values.mean()), max(float(values.var(ddof=1)) / len(values), floor**2), len(values) - 1)


def _polarisation(families: list[_Family], level: float) -> tuple[float, float, float]:
    """γ with its interval."""
    from scipy.special import stdtrit

    powers = (1.0, -0.5, -0.5)
    center = math.exp(sum(a * math.log(f.mean) for a, f in zip(powers, families, strict=True)))
    parts = [(a / f.mean) ** 2 * f.variance for a, f in zip(powers, families, strict=True)]
    freedom = sum(parts) ** 2 / sum(part**2 / f.freedom for part, f in zip(parts, families, strict=True))
    margin = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(sum(parts))
    return center * math.exp(-margin), center, center * math.exp(margin)


def _estimate(
    low: float, center: float, high: float, level: float, shots: int, histograms: list[NDArray[np.int64]]
) -> Estimate:
    uniform = math.ldexp(1.0, -2 * (histograms[0].shape[1] - 1))
    value, *ends = (1 - (1 - uniform) * (1 - each) for each in (center, low, high))
    circuits = min(len(each) for each in histograms)
    half = (ends[1] - ends[0]) / 2
    if half <= LARGEST_HALF_WIDTH and circuits >= FEWEST_CIRCUITS:
        return Estimate(value, ends[0], ends[1], level, ESTIMAND, METHOD, shots, assumption=ASSUMPTION)
    more = max(FEWEST_CIRCUITS, math.ceil(circuits * (half / LARGEST_HALF_WIDTH) ** 2 * 1.1))
    why = (
        f"leave the interval wider than ± {LARGEST_HALF_WIDTH}, too wide for a single value"
        if half > LARGEST_HALF_WIDTH
        else "are too few to know how much they differ"
    )
    reason = f"{circuits} circuits in a family {why}. With {more:,} in each there will be a value."
    needed = math.ceil(shots / circuits) * more
    return Estimate(None, ends[0], ends[1], level, ESTIMAND, METHOD, shots, reason, needed, ASSUMPTION)


def _faint(families: list[_Family]) -> str:
    names = ("the circuit and its inverse", "the randomised circuit and its inverse", "preparation and measurement")
    name, family = min(zip(names, families, strict=True), key=lambda pair: pair[1].mean)
    return (
        f"The survival signal of {name} is {family.mean:.3f}, below {SMALLEST_SIGNAL}: too faint to divide by. "
        "No number of shots helps; mirror a shallower circuit, or use Clifford proxies."
    )
