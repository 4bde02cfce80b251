"""Parameter expressions beyond weighted sums, computed for all points at once.

Qiskit evaluates an expression one point at a time (2 µs each). Its text is ordinary infix notation, so it is
parsed here, with the parameters' names replaced by safe ones; the caller compares with Qiskit before use.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_LETTERS = 2_000
"""Longer expressions are left to Qiskit; bounds the parser's recursion."""
_BINARY: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_UNARY: Mapping[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "exp": np.exp,
    "log": np.log,
    "abs": np.abs,
    "sign": np.sign,
    "conj": np.conj,
}


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed expression."""

    tree: ast.expr
    columns: Mapping[str, int]
    """Name in the tree → column of the values."""

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Its value for values of shape (points, parameters), shape (points,); NaN where it is not real."""
        with np.errstate(all="ignore"):
            result = _evaluate(self.tree, {name: values[:, column] for name, column in self.columns.items()})
        return np.array(np.broadcast_to(result, len(values)), dtype=np.float64)


def formula_of(expression: Any, columns: Mapping[Any, int]) -> Formula | None:
    """Parses Qiskit's text of an expression; None when it holds anything unexpected.

    Args:
        expression: A Qiskit `ParameterExpression`.
        columns: Parameter → column of the values.
    """
    from qiskit.circuit import Parameter

    names = {parameter: f"x{place}" for place, parameter in enumerate(columns)}
    text = str(expression.subs({parameter: Parameter(name) for parameter, name in names.items()}))
    if len(text) > MAX_LETTERS:
        return None
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    formula = Formula(tree, {names[parameter]: column for parameter, column in columns.items()})
    return formula if _known(tree, formula.columns) else None


def _known(node: ast.expr, names: Mapping[str, int]) -> bool:
    match node:
        case ast.Name():
            return node.id in names
        case ast.Constant():
            return type(node.value) in (int, float)
        case ast.UnaryOp():
            return type(node.op) in _UNARY and _known(node.operand, names)
        case ast.BinOp():
            return type(node.op) in _BINARY and _known(node.left, names) and _known(node.right, names)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            return name in _FUNCTIONS and _known(argument, names)
    return False


def _evaluate(node: ast.expr, values: Mapping[str, NDArray[np.float64]]) -> Any:
    match node:
        case ast.Name():
            return values[node.id]
        case ast.Constant(value=int() | float() as value):
            return np.float64(value)
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_evaluate(node.operand, values))
        case ast.BinOp():
            return _BINARY[type(node.op)](_evaluate(node.left, values), _evaluate(node.right, values))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _FUNCTIONS[name](_evaluate(argument, values))
    raise AssertionError(f"{type(node).__name__} was let through")
