"""Companion circuits written in a backend's gates on the qubits of the circuit they belong to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.companions.paulis import cliffords
from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.circuits.companions.layers import Layered, Pair
    from qpm_lab.circuits.companions.paulis import Matrix

_BASES = {
    "ZSXX": {"rz", "sx", "x"},
    "ZSX": {"rz", "sx"},
    "RR": {"r"},
    "ZXZ": {"rz", "rx"},
    "ZYZ": {"rz", "ry"},
    "XYX": {"rx", "ry"},
    "PSX": {"p", "sx"},
    "U": {"u"},
    "U3": {"u3"},
}
"""Qiskit's name of a decomposition → the gates it needs; the first that fits is taken."""


class Writer:
    """Makes the instructions of companions of one circuit; those for the same gate on the same qubit only once."""

    def __init__(self, layers: Layered, gates: Collection[str] | None) -> None:
        from qiskit.circuit import CircuitInstruction
        from qiskit.circuit.library import Barrier

        self._make = CircuitInstruction
        self._layers = layers
        self._bits = layers.circuit.qubits
        self._words = words(gates)
        self._turns: dict[tuple[int, bytes], list[Any]] = {}
        self._cliffords: dict[tuple[int, int], list[Any]] = {}
        used = tuple(self._bits[qubit] for qubit in layers.qubits)
        self.barrier = [CircuitInstruction(Barrier(len(used)), used)]
        """Across all used qubits, so that nothing on one side of it cancels with the other."""

    def turn(self, qubit: int, matrix: Matrix) -> list[Any]:
        """One one-qubit gate, given as its unitary."""
        key = (qubit, matrix.round(12).tobytes())
        if key not in self._turns:
            bit = (self._bits[qubit],)
            self._turns[key] = [self._make(gate, bit) for gate in self._words(matrix)]
        return self._turns[key]

    def clifford(self, qubit: int, number: int) -> list[Any]:
        """One of the 24 one-qubit Clifford gates."""
        key = (qubit, number)
        if key not in self._cliffords:
            self._cliffords[key] = self.turn(qubit, cliffords().matrices[number])
        return self._cliffords[key]

    def pairs(self, layer: Iterable[Pair]) -> list[Any]:
        """The two-qubit gates of a layer."""
        return [self._make(pair.operation, [self._bits[qubit] for qubit in pair.qubits]) for pair in layer]

    def template(self) -> QuantumCircuit:
        """An empty circuit on the same qubits, with one classical bit for each used qubit, in their order."""
        from qiskit import QuantumCircuit
        from qiskit.circuit import ClassicalRegister

        circuit = self._layers.circuit
        taken = {register.name for register in circuit.qregs}
        name = next(n for n in ("meas", *(f"meas{k}" for k in range(len(taken)))) if n not in taken)
        register = ClassicalRegister(len(self._layers.qubits), name)
        return QuantumCircuit(circuit.qubits, *circuit.qregs, register)

    def readout(self, template: QuantumCircuit) -> list[Any]:
        """A barrier, and the measurement of every used qubit into the template's bits."""
        from qiskit.circuit import Measure

        bits = zip(self._layers.qubits, template.clbits, strict=True)
        return self.barrier + [self._make(Measure(), (self._bits[qubit],), (bit,)) for qubit, bit in bits]


def filled(template: QuantumCircuit, instructions: Iterable[Any], name: str) -> QuantumCircuit:
    """A copy of an empty circuit with these instructions, which are on its bits already."""
    circuit = template.copy_empty_like(name)
    add = circuit._append  # `append` checks and copies: ten times slower, for instructions that are known to fit
    for instruction in instructions:
        add(instruction)
    return circuit


def words(gates: Collection[str] | None) -> Any:
    """A function that writes a one-qubit unitary in the gates a backend takes, as a sequence of Qiskit gates.

    Args:
        gates: Names of the backend's gates; None for Qiskit's general `u`.

    Raises:
        CircuitError: They cannot make every one-qubit gate.
    """
    from qiskit.synthesis import OneQubitEulerDecomposer

    names = {"u"} if gates is None else set(gates)
    basis = next((basis for basis, needed in _BASES.items() if needed <= names), None)
    if basis is None:
        raise CircuitError(
            f"The gates {', '.join(sorted(names))} cannot be combined to every one-qubit gate in a way known here.",
            "Known are rz with sx, rx or ry; rx with ry; r; p with sx; u; and u3.",
        )
    decompose = OneQubitEulerDecomposer(basis)
    return lambda matrix: [each.operation for each in decompose(matrix).data]
