"""A circuit in a backend's gates as alternating layers: one-qubit gates, then two-qubit Clifford gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.companions.paulis import Conjugation, as_pauli, conjugation
from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.circuits.companions.paulis import Matrix

    Turns = dict[int, Matrix]
    """Qubit → what the one-qubit gates on it multiply to."""

_FORM = "Give a circuit as the backend runs it: one-qubit gates, cx, cz or ecr, and measurements at the end."


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One two-qubit Clifford gate of a circuit."""

    operation: Any
    """Qiskit's gate."""
    qubits: tuple[int, int]
    """Where it acts, in the gate's order."""
    conjugation: Conjugation
    square: int | None
    """The Pauli that the gate done twice is; None when it is none, so that its inverse needs another gate."""


@dataclass(frozen=True, slots=True, eq=False)
class Layered:
    """A circuit without its measurements; qubits are numbers on the device."""

    circuit: QuantumCircuit
    """As it was given, measurements included."""
    bare: tuple[Any, ...]
    """Its instructions without the measurements."""
    measurements: tuple[Any, ...]
    qubits: tuple[int, ...]
    """Those it acts on or measures, ascending."""
    acted: tuple[int, ...]
    """Those with a gate, ascending."""
    turns: tuple[Turns, ...]
    """What happens to single qubits before each layer of pairs, and after the last: one more than `pairs`."""
    pairs: tuple[tuple[Pair, ...], ...]
    """Two-qubit gates that do not touch each other, layer by layer."""


def layered(circuit: QuantumCircuit) -> Layered:
    """Reads a circuit that a backend could run as it is.

    Raises:
        CircuitError: It has a measurement before its end, a reset, control flow, an open parameter, a gate on more
            than two qubits or a two-qubit gate that is no Clifford gate; or it acts on nothing.
    """
    reading = _Reading(circuit)
    for instruction in circuit.data:
        reading.take(instruction)
    return reading.done()


class _Reading:
    def __init__(self, circuit: QuantumCircuit) -> None:
        self.circuit = circuit
        self.place = {bit: index for index, bit in enumerate(circuit.qubits)}
        self.level = [0] * circuit.num_qubits
        self.pending: Turns = {}
        self.turns: list[Turns] = []
        self.pairs: list[list[Pair]] = []
        self.bare: list[Any] = []
        self.measurements: list[Any] = []
        self.measured: set[int] = set()
        self.acted: set[int] = set()
        self.tables: dict[Any, tuple[Matrix, Conjugation | None, int | None]] = {}

    def take(self, instruction: Any) -> None:
        qubits = [self.place[bit] for bit in instruction.qubits]
        if instruction.name == "barrier":
            self.level_out(qubits)
            self.bare.append(instruction)
            return
        if self.measured.intersection(qubits):
            raise CircuitError("The circuit measures a qubit before its end.", _FORM)
        if instruction.name == "measure":
            self.measured.update(qubits)
            self.measurements.append(instruction)
            return
        matrix, table, square = self.table(instruction)
        self.bare.append(instruction)
        self.acted.update(qubits)
        if len(qubits) == 1:
            self.pending[qubits[0]] = matrix @ self.pending[qubits[0]] if qubits[0] in self.pending else matrix
        elif table is None:
            raise CircuitError(f"The two-qubit gate {instruction.name} of the circuit is no Clifford gate.", _FORM)
        else:
            self.place_pair(Pair(instruction.operation, (qubits[0], qubits[1]), table, square))

    def level_out(self, qubits: list[int]) -> None:
        highest = max((self.level[qubit] for qubit in qubits), default=0)
        for qubit in qubits:
            self.level[qubit] = highest

    def place_pair(self, pair: Pair) -> None:
        self.level_out(list(pair.qubits))
        layer = self.level[pair.qubits[0]]
        while layer >= len(self.pairs):
            self.turns.append({})
            self.pairs.append([])
        self.pairs[layer].append(pair)
        for qubit in pair.qubits:
            self.level[qubit] += 1
            if qubit in self.pending:
                self.turns[layer][qubit] = self.pending.pop(qubit)

    def table(self, instruction: Any) -> tuple[Matrix, Conjugation | None, int | None]:
        from qiskit.circuit import Gate

        operation = instruction.operation
        if len(instruction.qubits) > 2 or not isinstance(operation, Gate):
            raise CircuitError(f"The circuit has the operation {instruction.name}.", _FORM)
        key = (instruction.name, *map(str, instruction.params)) if instruction.is_standard_gate() else object()
        if key not in self.tables:
            self.tables[key] = _table(operation)
        return self.tables[key]

    def done(self) -> Layered:
        used = self.acted | self.measured
        if not used:
            raise CircuitError("The circuit acts on no qubit.", "Give one with at least a gate or a measurement.")
        return Layered(
            self.circuit,
            tuple(self.bare),
            tuple(self.measurements),
            tuple(sorted(used)),
            tuple(sorted(self.acted)),
            (*self.turns, self.pending),
            tuple(map(tuple, self.pairs)),
        )


def _table(operation: Any) -> tuple[Matrix, Conjugation | None, int | None]:
    import numpy as np
    from qiskit.circuit.exceptions import CircuitError as NoMatrix

    try:
        matrix: Matrix = np.asarray(operation.to_matrix(), dtype=complex)
    except (NoMatrix, TypeError) as error:
        raise CircuitError(f"The gate {operation.name} of the circuit has no matrix.", _FORM, cause=error) from error
    if len(matrix) == 2:
        return matrix, None, None
    return matrix, conjugation(matrix), as_pauli(matrix @ matrix)
