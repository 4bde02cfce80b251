"""Angles of gates as functions of a sweep's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qpm_lab.errors import CircuitError
from qpm_lab.providers.vectorised.formulas import Formula, formula_of

PROBES = 3
_TOLERANCE = 1e-9


class Angle(Protocol):
    """One angle at every point."""

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The angle in radians for values of shape (points, parameters), shape (points,).

        Raises:
            CircuitError: it is not a finite real number at some point.
        """


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same angle everywhere; shape () instead of (points,)."""

    value: float

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.value)


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum of parameters and a constant."""

    gate: str
    text: str
    constant: float
    terms: tuple[tuple[int, float], ...]
    """Column of the values and its factor; never empty."""

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.full(len(values), self.constant)
        for column, factor in self.terms:
            total += factor * values[:, column]
        if not np.isfinite(total).all():
            raise not_a_number(self.gate, self.text)
        return total


@dataclass(frozen=True, slots=True)
class General:
    """Anything else: by its formula where that gives a number, by Qiskit where it does not."""

    gate: str
    expression: Any
    columns: Mapping[Any, int]
    """Parameter → column of the values."""
    formula: Formula | None
    """None when Qiskit has to evaluate every point."""

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.formula is None:
            return self._one_by_one(values)
        total = self.formula.at(values)
        odd = ~np.isfinite(total)
        if odd.any():
            total[odd] = self._one_by_one(values[odd])
        return total

    def _one_by_one(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        used, inverse = np.unique(values[:, list(self.columns.values())], axis=0, return_inverse=True)
        numbers = [number(self.expression, dict(zip(self.columns, row, strict=True))) for row in used.tolist()]
        if not np.isfinite(numbers).all():
            raise not_a_number(self.gate, str(self.expression))
        return np.array(numbers)[inverse.reshape(-1)]


def angle_of(gate: str, expression: Any, columns: Mapping[str, int]) -> Angle:
    """Prepares one parameter of a gate.

    Args:
        gate: Name of the gate, for the error.
        expression: A number or Qiskit `ParameterExpression`.
        columns: Name of a parameter → column of the values.

    Raises:
        CircuitError: a number that is complex or not finite, or a parameter that has no column.
    """
    own = {q: _column(q.name, columns) for q in sorted(getattr(expression, "parameters", ()), key=lambda q: q.name)}
    if not own:
        value = number(expression, {})
        if not np.isfinite(value):
            raise not_a_number(gate, str(expression))
        return Fixed(value)
    probes = np.random.default_rng(1).uniform(-3, 3, (PROBES, max(own.values()) + 1))
    truth = [number(expression, {q: float(row[column]) for q, column in own.items()}) for row in probes]
    linear = _linear(gate, expression, own)
    if linear is not None and np.allclose(linear.at(probes), truth, rtol=_TOLERANCE, atol=_TOLERANCE):
        return linear
    return General(gate, expression, own, _checked(formula_of(expression, own), probes, truth))


def number(expression: Any, values: Mapping[Any, float]) -> float:
    """An expression's value as Qiskit computes it; NaN when that is no real number."""
    try:
        value = expression.bind(values).numeric() if hasattr(expression, "bind") else expression
    except (ArithmeticError, RuntimeError):  # how Qiskit 2 says infinite and NaN
        return float("nan")
    if isinstance(value, (complex, np.complexfloating)) and value.imag != 0:
        return float("nan")
    return float(value.real)


def not_a_number(gate: str, text: str) -> CircuitError:
    """The error of an angle that is complex, infinite or NaN."""
    shown = text if len(text) <= 200 else text[:200] + "…"
    return CircuitError(
        f"An angle of gate {gate} is not a finite real number for all values: {shown}.",
        "Leave out the points where the expression has no real value.",
    )


def _column(name: str, columns: Mapping[str, int]) -> int:
    if name not in columns:
        raise CircuitError(f"The circuit's parameter {name} has no values.", "Give values for every parameter.")
    return columns[name]


def _linear(gate: str, expression: Any, own: Mapping[Any, int]) -> Linear | None:
    """The expression as a weighted sum, if all its derivatives are numbers."""
    try:
        slopes = {column: expression.gradient(q) for q, column in own.items()}
    except RuntimeError:  # no derivative, for example of sign()
        return None
    constant = number(expression, dict.fromkeys(own, 0.0))
    if not all(isinstance(slope, (int, float)) for slope in slopes.values()) or not np.isfinite(constant):
        return None
    return Linear(gate, str(expression), constant, tuple((column, float(s)) for column, s in slopes.items()))


def _checked(formula: Formula | None, probes: NDArray[np.float64], truth: list[float]) -> Formula | None:
    """The formula if it agrees with Qiskit wherever both give a number, and both do somewhere."""
    if formula is None:
        return None
    mine, its = formula.at(probes), np.array(truth)
    both = np.isfinite(mine) & np.isfinite(its)
    agrees = both.any() and np.allclose(mine[both], its[both], rtol=_TOLERANCE, atol=_TOLERANCE)
    return formula if agrees else None
