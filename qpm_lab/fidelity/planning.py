"""How many shots before any is spent: enough for an interval of a given width, whatever the machine does."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from qpm_lab.errors import InputError
from qpm_lab.fidelity.arguments import as_number, shown
from qpm_lab.fidelity.heavy import SMALLEST_CONTRAST, shots_for
from qpm_lab.fidelity.histogram import heavy_limit, measured_bits, read_ideal
from qpm_lab.fidelity.intervals import clopper_pearson, require_level

if TYPE_CHECKING:
    from qpm_lab.fidelity.histogram import Distribution

Method = Literal["heavy", "proxy"]
SMALLEST_HALF_WIDTH = 1e-6
"""Below it the shots asked for are beyond any machine."""
OFTEN = 0.9
"""In how many runs the half-width is met with the shots expected to do, if the fidelity is as expected."""
LARGEST_ADDITION = 0.009
"""Share of the formula up to which a proxy's shots are raised to what the exact interval needs."""
FORMULAS = {
    "heavy": "N = (z/2)²/(h·c)² + 1/(h·c), Clopper–Pearson at its widest",
    "proxy": "N = z²(1 − F²)/h², direct fidelity estimation with one shot per instance",
}
UNIFORM = (
    "The ideal outcomes are (nearly) uniform: no number of shots measures a fidelity from this histogram. "
    "Mirror circuits or Clifford proxies can."
)


@dataclass(frozen=True, slots=True)
class ShotPlan:
    """Shots for a half-width: in the worst case, and if the fidelity is as expected."""

    value: int | None
    """The same as `shots`: what to ask for to be sure."""
    low: int | None
    """The same as `shots_expected`."""
    high: int | None
    """The same as `shots`."""
    level: float
    """Confidence level of the interval planned for."""
    estimand: str
    method: str
    shots: int | None
    """In the worst case, whatever the fidelity turns out to be; None when no number of shots would do."""
    shots_expected: int | None
    """If the fidelity is `fidelity`; None without one. A prediction such as ESP is optimistic: show both."""
    half_width: float
    """Of the interval for the fidelity, without unit."""
    fidelity: float | None
    """The one expected."""
    contrast: float | None
    """p(H) − u(H) of the ideal distribution; None for a proxy, which needs none."""
    reason: str | None = None
    """Why there is no plan."""

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return asdict(self)


def plan_shots(
    ideal: Distribution | None,
    half_width: float,
    level: float = 0.95,
    *,
    method: Method = "heavy",
    fidelity: float | None = None,
    bits: int | None = None,
) -> ShotPlan:
    """How many shots give a fidelity to within ± `half_width`.

    By `method`, with z the normal quantile of the level and h the half-width:
        heavy: heavy-set fidelity F_H. N = (z/2)²/(h·c)² + 1/(h·c), c the contrast of the ideal distribution: the
            Clopper–Pearson interval of a share of one half, the widest there is, so the half-width is met at any
            fidelity. At 95 % it is 0.9604/(h·c)² + 1/(h·c). `shots_expected` is the least number at which the
            exact interval is narrow enough in nine runs of ten at the fidelity expected.
        proxy: direct fidelity estimation with Clifford proxies (Flammia and Liu, arXiv 1104.4695), one shot per
            instance. N = z²(1 − F²)/h² by the normal approximation, at 95 % 3.84(1 − F²)/h²; the worst case is
            F = 0, `shots_expected` takes F = `fidelity`, and at least the ln(2/α)/h that a perfect score needs. The
            exact interval needs 2/h more. They are included where that is less than 1 % (h up to 0.017 in the worst
            case); for larger h the interval at fidelities near 0 is wider than ± h, by up to 1/N.

    Args:
        ideal: Bit string → probability, or an array of shape (2^n,); not read for a proxy, where it may be None.
        half_width: Of the interval for the fidelity, from 10⁻⁶ to 1.
        level: Confidence level.
        method: Which estimator the shots are for.
        fidelity: The fidelity expected, from 0 to 1, for example an ESP; never lowers `shots`.
        bits: Number of different qubits measured, when that is less than the length of the keys.

    Returns:
        The plan; `shots` is None, and `reason` says why, when the contrast is below 0.05.

    Raises:
        InputError: An argument cannot be used.
    """
    level = require_level(level)
    half_width = _required("half-width", half_width, SMALLEST_HALF_WIDTH, 1.0)
    if fidelity is not None:
        fidelity = _required("fidelity expected", fidelity, 0.0, 1.0)
    if method == "proxy":
        return _proxy(half_width, level, fidelity)
    if method != "heavy":
        raise InputError(f"There is no method {shown(method)}.", "Use heavy or proxy.")
    if ideal is None:
        raise InputError("Shots for F_H need the ideal distribution.", "Give it, or plan for method='proxy'.")
    return _heavy(ideal, half_width, level, fidelity, bits)


def _required(name: str, value: object, low: float, high: float) -> float:
    number = as_number(value)
    if number is None or not low <= number <= high:
        raise InputError(f"The {name} must lie between {low:g} and {high:g}; it is {shown(value)}.")
    return number


def _proxy(half_width: float, level: float, fidelity: float | None) -> ShotPlan:
    from scipy.special import ndtri

    scale = (float(ndtri((1 + level) / 2)) / half_width) ** 2
    least = math.log(2 / (1 - level)) / half_width

    def shots(value: float) -> int:
        normal, exact = scale * (1 - value**2), 2 / half_width
        return math.ceil(max(normal + (exact if exact <= LARGEST_ADDITION * normal else 0.0), least))

    worst, expected = shots(0.0), None if fidelity is None else shots(fidelity)
    estimand = "process (entanglement) fidelity of the circuit, by Clifford proxies"
    return _plan("proxy", estimand, level, half_width, fidelity, None, worst, expected)


def _heavy(ideal: Distribution, half_width: float, level: float, fidelity: float | None, bits: int | None) -> ShotPlan:
    perfect = read_ideal(ideal)
    width = measured_bits(perfect, perfect, bits)
    limit = heavy_limit(width)
    uniform = math.ldexp(perfect.number_above(limit), -width)
    contrast = float(perfect.items_where(perfect, limit)) - uniform
    worst = expected = None
    if contrast >= SMALLEST_CONTRAST:
        worst = shots_for(half_width, contrast, level)
        share = None if fidelity is None else min(1.0, uniform + fidelity * contrast)
        expected = None if share is None else _expected(share, half_width * contrast, level, worst)
    return _plan("heavy", "heavy-set outcome fidelity F_H", level, half_width, fidelity, contrast, worst, expected)


def _plan(
    method: str,
    estimand: str,
    level: float,
    half_width: float,
    fidelity: float | None,
    contrast: float | None,
    worst: int | None,
    expected: int | None,
) -> ShotPlan:
    return ShotPlan(
        worst,
        expected,
        worst,
        level,
        estimand,
        FORMULAS[method],
        worst,
        expected,
        half_width,
        fidelity,
        contrast,
        UNIFORM if worst is None else None,
    )


def _expected(share: float, unit: float, level: float, worst: int) -> int:
    """The least shots that `_narrow` accepts, by halving; never more than the worst case."""
    low, high = 1, worst
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _narrow(share, middle, unit, level) else (middle + 1, high)
    return high


def _narrow(share: float, shots: int, unit: float, level: float) -> bool:
    """Whether the interval of a share is mostly within ± `unit`: nine in ten shares seen are no nearer to one half."""
    from scipy.special import bdtrik

    away = share if share >= 0.5 else 1 - share
    quantile = float(bdtrik(1 - OFTEN, shots, away)) if away < 1 else float(shots)
    low, high = clopper_pearson(max(math.floor(quantile), math.ceil(shots / 2)), shots, 1 - level)
    return bool((high - low) / 2 <= unit)
