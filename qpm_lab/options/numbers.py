"""Numbers as people type them in an option: literals, `pi`, `sqrt(2)` and arithmetic, and nothing else.

The text is parsed and walked, never evaluated, so an option from a notebook that somebody sent cannot run code.
"""

from __future__ import annotations

import argparse
import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from qpm_lab.errors import InputError

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "tau": math.tau, "e": math.e}
FUNCTIONS: Mapping[str, Callable[[float], float]] = {"sqrt": math.sqrt}
MAX_TEXT = 200_000
"""Characters of one option."""
MAX_DEPTH = 50
"""How deep brackets and operators may nest in one number."""
MODULES = frozenset({"np", "numpy", "math"})
"""Written before a name out of habit; `np.pi` is `pi`."""
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}


WHOLE = re.compile(r"[+-]?(\d+|\d{1,3}([,_]\d{3})+|\d+(\.\d+)?[eE]\+?\d{1,2})")


class Unreadable(Exception):
    """A part of the text that is no number; says which and why."""


def whole_number(text: str) -> int:
    """A whole number; `4_096`, `4,096` and `1e6` are read as people write them, `1,5` is not one.

    >>> whole_number("1.5e3")
    1500
    """
    value = Decimal(re.sub("[,_]", "", text)) if WHOLE.fullmatch(text) else None
    if value is None or value != value.to_integral_value():
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number")
    return int(value)


def read_number(text: str, what: str) -> float:
    """One finite number.

    Args:
        text: For example `0.3`, `-pi/2` or `2 * sqrt(2)`.
        what: What is read, for the message.

    Raises:
        InputError: it is not one finite number.
    """
    try:
        return number(parse(text))
    except Unreadable as fault:
        raise InputError(
            f"{what} {shortened(text)!r} cannot be read: {fault}.", "Write one number, e.g. 0.3 or pi/2."
        ) from None


def fraction(low: float, high: float, example: str) -> Callable[[str], float]:
    """A reader of one number within bounds, for options such as `--half-width 0.02`, also written `2%`.

    >>> fraction(0, 1, "0.02")("2%")
    0.02

    Args:
        low: What it must be above.
        high: What it must not be above.
        example: What can be written, for the message.
    """

    def read(text: str) -> float:
        bare = text.strip()
        share = bare.removesuffix("%")
        try:
            value = number(parse(share)) / (1 if share == bare else 100)
        except Unreadable:
            said = f"{shortened(text)!r} is not a number; write for example {_or_percent(example)}"
            raise argparse.ArgumentTypeError(said) from None
        if not low < value <= high:
            between = f"it must be above {low:g} and at most {high:g}"
            raise argparse.ArgumentTypeError(f"{between}, not {value:g}; write for example {_or_percent(example)}")
        return value

    return read


def _or_percent(example: str) -> str:
    return f"{example} or {float(example) * 100:g}%"


def parse(text: str) -> ast.expr:
    """The text as one Python expression.

    Raises:
        Unreadable: it is not one, or too long or too deep.
    """
    if len(text) > MAX_TEXT:
        raise Unreadable(f"it is longer than {MAX_TEXT:,} characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise Unreadable("it is not written as numbers are") from None


def number(node: ast.expr, depth: int = 0) -> float:
    """The finite number that an expression of literals stands for.

    Everything is reckoned in double precision, where no power can take long.

    Raises:
        Unreadable: it holds something else, divides by zero, or leaves the range of numbers.
    """
    if depth > MAX_DEPTH:
        raise Unreadable(f"it nests more than {MAX_DEPTH} deep")
    try:
        value = _value(node, depth + 1)
    except ZeroDivisionError:
        raise Unreadable(f"{written(node)} divides by zero") from None
    except (OverflowError, ValueError):
        raise Unreadable(f"{written(node)} has no finite value") from None
    if not math.isfinite(value):
        raise Unreadable(f"{written(node)} has no finite value")
    return value


def _value(node: ast.expr, depth: int) -> float:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -number(operand, depth)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return number(operand, depth)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](number(left, depth), number(right, depth))
        case ast.Call(args=[operand], keywords=[]) if (name := plain_name(node.func)) in FUNCTIONS:
            return FUNCTIONS[name](number(operand, depth))
    if (name := plain_name(node)) in CONSTANTS:
        return CONSTANTS[name]
    raise Unreadable(f"{written(node)} is not a number")


def plain_name(node: ast.expr) -> str:
    """The name that stands there, without a module before it; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES:
            return name
    return ""


def written(node: ast.AST) -> str:
    """A part of the text, for a message."""
    try:
        return shortened(ast.unparse(node))
    except RecursionError:
        return "a part of it"


def shortened(text: str) -> str:
    """The beginning of a text that may be long."""
    return text if len(text) <= 60 else f"{text[:57]}…"
