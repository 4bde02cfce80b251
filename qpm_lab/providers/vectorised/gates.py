"""One gate of a template as a function of a sweep's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qpm_lab.errors import CircuitError
from qpm_lab.providers.vectorised.angles import Angle, angle_of
from qpm_lab.providers.vectorised.matrices import BY_CLASS, Rows, controlled, is_diagonal, rows_of

MAX_MATRIX_QUBITS = 8
"""A gate that has nothing but a matrix may have this many qubits."""
_DENSE_ENTRIES = 4
"""Entries per row from which one matrix product is faster than a sum over entries."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same at every point."""

    rows: Rows

    @property
    def diagonal(self) -> bool:
        return is_diagonal(self.rows)

    def at(self, values: NDArray[np.float64]) -> Rows:
        return self.rows


@dataclass(frozen=True, slots=True)
class Full:
    """The same at every point, and hardly a zero in it."""

    matrix: NDArray[np.complex128]
    diagonal: bool = False


@dataclass(frozen=True, slots=True)
class Swept:
    """A gate whose angles follow the values."""

    function: Callable[..., Rows]
    angles: tuple[Angle, ...]
    diagonal: bool

    def at(self, values: NDArray[np.float64]) -> Rows:
        return self.function(*(angle.at(values) for angle in self.angles))


Gate = Constant | Full | Swept


def gate_of(operation: Any, columns: Mapping[str, int]) -> Gate | None:
    """The matrix of an operation by its kind; None when it has to be taken apart or asked for its matrix.

    Args:
        operation: A Qiskit gate; its parameters may be open.
        columns: Name of a parameter → column of the values.
    """
    kind = getattr(operation, "base_class", type(operation))
    if not is_open(operation):
        known = kind in _standard_classes() and operation.num_qubits <= MAX_MATRIX_QUBITS
        if known:
            return constant(operation.to_matrix())
    elif kind.__name__ in BY_CLASS and kind in _standard_classes():
        function = BY_CLASS[kind.__name__]
        angles = tuple(angle_of(operation.name, value, columns) for value in operation.params)
        return Swept(function, angles, is_diagonal(function(*[0.1] * len(angles))))
    return _controlled(operation, columns)


def by_matrix(operation: Any, columns: Mapping[str, int]) -> Gate | None:
    """The gate by its own `to_matrix`, point by point when it has open parameters; None without one."""
    if not hasattr(operation, "to_matrix") or operation.num_qubits > MAX_MATRIX_QUBITS:
        return None
    try:
        if not is_open(operation):
            return constant(_matrix(operation))
        point = PointByPoint(operation)
        point(*[np.full(1, 0.1)] * len(point.parameters))
    except CircuitError:  # every Qiskit gate has the method, not every one the matrix
        return None
    angles = tuple(angle_of(operation.name, parameter, columns) for parameter in point.parameters)
    return Swept(point, angles, diagonal=False)


def constant(matrix: Any) -> Constant | Full:
    """A gate with the same matrix at every point."""
    array = np.asarray(matrix, dtype=complex)
    if len(array) > 2 and np.count_nonzero(array) >= _DENSE_ENTRIES * len(array):
        return Full(array)
    return Constant(rows_of(array))


def is_open(operation: Any) -> bool:
    """True when a parameter has no value yet."""
    return any(getattr(value, "parameters", None) for value in operation.params)


class PointByPoint:
    """Asks a gate for its matrix at every different point."""

    def __init__(self, operation: Any) -> None:
        from qiskit import QuantumCircuit

        self._name = operation.name
        self._circuit = QuantumCircuit(operation.num_qubits)
        self._circuit.append(operation, range(operation.num_qubits))
        self.parameters = tuple(self._circuit.parameters)

    def __call__(self, *columns: NDArray[np.float64]) -> Rows:
        used, inverse = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
        matrices = np.array([self._bound(row) for row in used.tolist()])
        return rows_of(np.moveaxis(matrices[inverse.reshape(-1)], 0, 2))

    def _bound(self, row: list[float]) -> NDArray[np.complex128]:
        circuit = self._circuit.assign_parameters(dict(zip(self.parameters, row, strict=True)))
        return _matrix(circuit.data[0].operation)


def _matrix(operation: Any) -> NDArray[np.complex128]:
    try:
        return np.asarray(operation.to_matrix(), dtype=complex)
    except Exception as error:  # a user's own gate may raise anything
        raise CircuitError(
            f"Gate {operation.name} has no matrix: {error}", "Check the gate's parameters.", cause=error
        ) from error


def _controlled(operation: Any, columns: Mapping[str, int]) -> Gate | None:
    from qiskit.circuit import ControlledGate

    # Some variants of mcx count ancillas among their qubits.
    if not isinstance(operation, ControlledGate) or type(operation).__name__ == "CUGate":
        return None
    controls, state = operation.num_ctrl_qubits, operation.ctrl_state
    if operation.num_qubits != controls + operation.base_gate.num_qubits:
        return None
    inner = gate_of(operation.base_gate, columns)
    if isinstance(inner, Constant):
        return Constant(controlled(inner.rows, controls, state))
    if isinstance(inner, Swept):
        function = inner.function
        return Swept(lambda *angles: controlled(function(*angles), controls, state), inner.angles, inner.diagonal)
    return None


@cache
def _standard_classes() -> frozenset[type]:
    """Gates whose matrix is what their name says; of others the definition counts, as for Aer."""
    from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping

    gates = [gate for gate in get_standard_gate_name_mapping().values() if hasattr(gate, "to_matrix")]
    return frozenset({*(gate.base_class for gate in gates), UnitaryGate})
