"""PennyLane's operations as Qiskit gates: a table first, then their own decomposition, then their matrix.

PennyLane counts wires from the left of a matrix, Qiskit qubits from the right; that is turned round here, nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

Qubits = Sequence[int]
Put = Callable[["QuantumCircuit", Sequence[float], Qubits], object]

_MOST_DECOMPOSITIONS = 64
_WIDEST_MATRIX = 8
"""Wires up to which a matrix may stand in for a missing decomposition."""


def _plain(method: str) -> Put:
    """A Qiskit method that takes the same angles and the same wires in the same order."""
    return lambda circuit, angles, qubits: getattr(circuit, method)(*angles, *qubits)


def _rot(circuit: QuantumCircuit, angles: Sequence[float], qubits: Qubits) -> None:
    phi, theta, omega = angles
    circuit.rz(phi, qubits[0])
    circuit.ry(theta, qubits[0])
    circuit.rz(omega, qubits[0])


def _global_phase(circuit: QuantumCircuit, angles: Sequence[float], _: Qubits) -> None:
    circuit.global_phase -= angles[0]


def _identity(circuit: QuantumCircuit, _: Sequence[float], qubits: Qubits) -> None:
    for qubit in qubits:
        circuit.id(qubit)


_SAME = {
    **{"PauliX": "x", "PauliY": "y", "PauliZ": "z", "Hadamard": "h", "S": "s", "T": "t", "SX": "sx"},
    **{"Adjoint(S)": "sdg", "Adjoint(T)": "tdg", "Adjoint(SX)": "sxdg"},
    **{"RX": "rx", "RY": "ry", "RZ": "rz", "PhaseShift": "p", "U1": "p", "U3": "u"},
    **{"CNOT": "cx", "CY": "cy", "CZ": "cz", "CH": "ch", "SWAP": "swap", "ISWAP": "iswap", "ECR": "ecr"},
    **{"CSWAP": "cswap", "Toffoli": "ccx", "CCZ": "ccz", "CRX": "crx", "CRY": "cry", "CRZ": "crz"},
    **{"ControlledPhaseShift": "cp", "IsingXX": "rxx", "IsingYY": "ryy", "IsingZZ": "rzz"},
}
GATES: Mapping[str, Put] = {
    **{name: _plain(method) for name, method in _SAME.items()},
    "U2": lambda c, angles, q: c.u(math.pi / 2, *angles, q[0]),
    "Rot": _rot,
    "GlobalPhase": _global_phase,
    "Identity": _identity,
    "Barrier": lambda c, _, q: c.barrier(*q),
}
"""PennyLane's name of an operation → what it adds to a Qiskit circuit."""


def put(circuit: QuantumCircuit, operation: Any, qubit_of: Mapping[Any, int], depth: int = 0) -> None:
    """Appends one unitary operation.

    Raises:
        CircuitError: it has neither a table entry nor a decomposition nor a matrix, or an angle is not one number.
    """
    qubits = [qubit_of[wire] for wire in operation.wires]
    if (gate := GATES.get(operation.name)) is not None:
        gate(circuit, [_angle(operation, p) for p in operation.data], qubits)
    elif operation.name == "QubitUnitary":
        _put_matrix(circuit, operation, qubits)
    elif operation.has_decomposition and depth < _MOST_DECOMPOSITIONS:
        for part in operation.decomposition():
            put(circuit, part, qubit_of, depth + 1)
    elif operation.has_matrix and len(qubits) <= _WIDEST_MATRIX:
        _put_matrix(circuit, operation, qubits)
    else:
        raise unsupported(operation)


def unsupported(operation: Any) -> CircuitError:
    """Names an operation that Qiskit cannot express."""
    import pennylane as qml

    hint = "Write it with gates, or give its matrix with qml.QubitUnitary."
    if isinstance(operation, qml.operation.Channel):
        hint = "Leave noise out of the circuit and choose a noisy backend, for example aer/noisy."
    return CircuitError(f"The PennyLane operation {operation.name} cannot be translated.", hint)


def _put_matrix(circuit: QuantumCircuit, operation: Any, qubits: Qubits) -> None:
    import numpy as np
    import pennylane as qml
    from qiskit.circuit.library import UnitaryGate

    try:
        matrix = np.asarray(qml.math.unwrap([operation.matrix()])[0], dtype=complex)
        circuit.append(UnitaryGate(matrix), list(reversed(qubits)))
    except (ValueError, TypeError) as error:
        raise CircuitError(
            f"The matrix of {operation.name} cannot be used: {error}", "Give a unitary matrix."
        ) from error
    except Exception as error:
        raise CircuitError(
            f"The matrix of {operation.name} is not a unitary matrix.", "Give a unitary matrix.", cause=error
        ) from error


def _angle(operation: Any, value: Any) -> Any:
    if hasattr(value, "parameters"):  # Qiskit's own symbol: the circuit becomes a template
        return value
    try:
        angle = float(value)
    except (TypeError, ValueError) as error:
        raise CircuitError(
            f"An angle of {operation.name} is not one number.", "Call the QNode with single numbers.", cause=error
        ) from error
    if not math.isfinite(angle):
        raise CircuitError(f"An angle of {operation.name} is {angle}.", "Give finite numbers.")
    return angle
