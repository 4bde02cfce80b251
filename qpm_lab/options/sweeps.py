"""`--sweep 'theta=linspace(0, 6.283, 1000)'`: the values that a parameter of a circuit runs through."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.options.numbers import Unreadable, number, parse, plain_name, shortened, written

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    """Shape (points,), or as reshaped for a grid."""

MAX_POINTS = 1_000_000
"""Points of one job, over all its sweeps."""
EXAMPLE = "Write --sweep 'theta=linspace(0, 2*pi, 100)' or --sweep 'theta=[0.1, 0.2, 0.5]'."


def sweeps(pairs: Sequence[str], names: Mapping[str, Any] | None = None) -> dict[str, Values]:
    """The values of each swept parameter, shaped so that several sweeps make a grid in the order given.

    Args:
        pairs: Each `name=values`, as typed.
        names: The variables that values may be given by; none on the command line.

    Returns:
        Name → array; the k-th of m sweeps has its values along axis k of m.

    Raises:
        InputError: a sweep cannot be read, a parameter is swept twice, or there are too many points.
    """
    found: dict[str, Values] = {}
    for pair in pairs:
        name, values = _swept(pair, names or {})
        if name in found:
            raise InputError(f"{name} is swept twice.", "Give each parameter one --sweep; two parameters make a grid.")
        found[name] = values
    points = math.prod(len(values) for values in found.values())
    if points > MAX_POINTS:
        sizes = " × ".join(f"{len(values):,}" for values in found.values())
        raise InputError(f"The grid has {sizes} = {points:,} points.", f"One job takes at most {MAX_POINTS:,}.")
    shapes = [tuple(-1 if axis == k else 1 for axis in range(len(found))) for k in range(len(found))]
    return {name: values.reshape(shape) for (name, values), shape in zip(found.items(), shapes, strict=True)}


def _swept(pair: str, names: Mapping[str, Any]) -> tuple[str, Values]:
    name, sign, text = (part.strip() for part in pair.partition("="))
    if not sign or not name or not text:
        raise InputError(f"--sweep {shortened(pair)!r} is not name=values.", EXAMPLE)
    try:
        return name, _finite(_named(text, names) if text in names else _values(parse(text)))
    except Unreadable as fault:
        raise InputError(f"--sweep {name}: {shortened(text)!r} cannot be read: {fault}.", EXAMPLE) from None


def _named(text: str, names: Mapping[str, Any]) -> Values:
    """The user's own variable."""
    import numpy as np

    try:
        values = np.asarray(names[text])
        real = values.dtype.kind in "iuf" and values.ndim == 1
        array: Values = values.astype(np.float64) if real else np.empty(0)
    except Exception:
        real = False
    if not real:
        raise Unreadable(f"your variable {text} is not a list of numbers in one dimension")
    if not 1 <= len(array) <= MAX_POINTS:
        raise Unreadable(f"your variable {text} has {len(array):,} values; a sweep has 1 to {MAX_POINTS:,}")
    return array


def _values(node: ast.expr) -> Values:
    import numpy as np

    if isinstance(node, (ast.List, ast.Tuple)):
        _points(len(node.elts))
        return np.array([number(element) for element in node.elts], dtype=np.float64)
    if isinstance(node, ast.Call) and (make := SPACES.get(plain_name(node.func))):
        return make([number(argument) for argument in node.args], _keywords(node))
    raise Unreadable(_why(node))


def _why(node: ast.expr) -> str:
    """What stands there instead of values to run through."""
    known = ", ".join(SPACES)
    if isinstance(node, ast.Call):
        return f"{written(node.func)} is not one of {known}"
    if isinstance(node, ast.Name):
        return f"there is no variable {node.id}; give a list, or one of {known}"
    try:
        number(node)
    except Unreadable:
        return f"{written(node)} is neither a list of numbers nor one of {known}"
    return f"{written(node)} is one number; a fixed value is given with --parameter"


def _keywords(call: ast.Call) -> dict[str, float]:
    """Keyword arguments; True and False count as 1 and 0."""
    found: dict[str, float] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise Unreadable("** has no meaning here")
        match keyword.value:
            case ast.Constant(value=bool() as truth):
                found[keyword.arg] = float(truth)
            case node:
                found[keyword.arg] = number(node)
    return found


def _spaced(name: str) -> Callable[[list[float], dict[str, float]], Values]:
    """`linspace`, `geomspace` or `logspace` of NumPy: start, stop and how many points."""

    def make(arguments: list[float], keywords: dict[str, float]) -> Values:
        import numpy as np

        endpoint = bool(keywords.pop("endpoint", 1.0))
        arguments = [*arguments, *([keywords.pop("num")] if "num" in keywords else [])]
        if keywords or len(arguments) != 3:
            raise Unreadable(f"{name} takes a start, a stop and how many points")
        start, stop, count = arguments
        if name == "geomspace" and start * stop <= 0:
            raise Unreadable("geomspace takes a start and a stop of the same sign, neither of them 0")
        with np.errstate(all="ignore"):
            return np.asarray(getattr(np, name)(start, stop, _points(count), endpoint=endpoint), np.float64)

    return make


def _arange(arguments: list[float], keywords: dict[str, float]) -> Values:
    """Start (0), stop, which is left out, and step (1)."""
    import numpy as np

    if keywords or not 1 <= len(arguments) <= 3:
        raise Unreadable("arange and range take a stop, or a start, a stop and a step")
    start, stop = arguments[:2] if len(arguments) > 1 else (0.0, arguments[0])
    step = arguments[2] if len(arguments) > 2 else 1.0
    if not step:
        raise Unreadable("the step is 0")
    # The count is bounded before anything is made.
    count = max(0.0, (stop - start) / step)
    points = _points(math.ceil(count) if count <= MAX_POINTS else count)
    return np.asarray(start + step * np.arange(points), np.float64)


def _range(arguments: list[float], keywords: dict[str, float]) -> Values:
    if any(not argument.is_integer() for argument in arguments):
        raise Unreadable("range takes whole numbers; use arange or linspace")
    return _arange(arguments, keywords)


SPACES: Mapping[str, Callable[[list[float], dict[str, float]], Values]] = {
    "linspace": _spaced("linspace"),
    "arange": _arange,
    "geomspace": _spaced("geomspace"),
    "logspace": _spaced("logspace"),
    "range": _range,
}
"""What a sweep may be written with, besides a list: name → maker of its values."""


def _points(count: float) -> int:
    if not 1 <= count <= MAX_POINTS or count != int(count):
        raise Unreadable(f"a sweep has 1 to {MAX_POINTS:,} points, not {count:,.10g}")
    return int(count)


def _finite(values: Values) -> Values:
    import numpy as np

    if not np.all(np.isfinite(values)):
        raise Unreadable("it holds a value that is not finite")
    return values
