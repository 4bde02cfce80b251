"""Which of Aer's exact methods suits a circuit, and what it takes in memory and time.

The choice follows from the circuit alone, so that a job gives the same counts on every machine.
Aer's own `automatic` is not used: it falls back to the extended stabilizer, which is approximate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.providers.gates import STRUCTURE
from qpm_lab.providers.outcomes import Terminal, terminal

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

DENSE_QUBITS = 22
"""Up to here a state vector is at hand at once; beyond it other methods are tried first."""
BOND_LIMIT_LOG2 = 8
"""A matrix product state with bonds of up to 2⁸ is cheaper than a state vector of 23 qubits."""
STATEVECTOR_BYTES = 16.0
"""Bytes of one complex amplitude."""
_PAULI = {"id", "x", "y", "z", "pauli"}
CLIFFORD = frozenset({*_PAULI, "h", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "swap", "ecr"})
_CONTROLLED = {"cx", "cy", "cz", "ch", "cp", "crx", "cry", "crz", "cu", "csx", "cu1", "cu3"}
_RANK_TWO = frozenset({*_CONTROLLED, "rxx", "ryy", "rzz", "rzx", "ecr"})
"""Two-qubit gates that are a sum of two products."""

# Seconds, measured on two cores with Aer 0.18; they steer where a run computes, never what.
_AMPLITUDE_SECONDS = 1.1e-9
_SHOT_AMPLITUDE_SECONDS = 2.2e-9
_OPERATION_SECONDS = 4e-6
_SAMPLE_SECONDS = 5e-7
_TABLEAU_SECONDS = 1.6e-8
_BOND_SECONDS = 9e-9
_SITE_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class Method:
    """How one circuit is simulated and what that takes."""

    name: str
    qubits: int
    """Qubits that are acted upon or measured; Aer leaves idle ones out."""
    sampled: bool
    """True when the state is computed once and all shots are drawn from it."""
    bytes: float
    bytes_per_amplitude: float
    setup_seconds: float
    shot_seconds: float

    @property
    def is_large(self) -> bool:
        """Whether Aer would use several threads; for less its idle threads only spin, at five times the CPU time."""
        return self.bytes >= STATEVECTOR_BYTES * 2**14 or self.name == "matrix_product_state"

    def seconds(self, shots: int) -> float:
        return self.setup_seconds + shots * self.shot_seconds


def choose(circuit: QuantumCircuit) -> Method:
    """The method for an ideal simulation of one circuit in Aer's gates."""
    shape = terminal(circuit)
    flat = isinstance(shape, Terminal)
    qubits = len(shape.qubits) if isinstance(shape, Terminal) else circuit.num_qubits
    operations = count_operations(circuit)
    if qubits > DENSE_QUBITS:
        if is_clifford(circuit):
            return _stabilizer(qubits, operations, flat)
        bonds = bond_bound(shape) if isinstance(shape, Terminal) else None
        if bonds is not None:
            return _matrix_product_state(qubits, operations, bonds)
    return state_vector(qubits, operations, flat)


def state_vector(qubits: int, operations: int, sampled: bool) -> Method:
    """A dense state; without `sampled` it is computed anew for each shot."""
    size = 2.0**qubits
    need = STATEVECTOR_BYTES * size
    if sampled:
        setup = operations * (_OPERATION_SECONDS + _AMPLITUDE_SECONDS * size)
        shot = _SAMPLE_SECONDS * max(1.0, qubits / 2.5)
        return Method("statevector", qubits, True, need, STATEVECTOR_BYTES, setup, shot)
    shot = operations * (_OPERATION_SECONDS + _SHOT_AMPLITUDE_SECONDS * size)
    return Method("statevector", qubits, False, need, STATEVECTOR_BYTES, 0.0, shot)


def _stabilizer(qubits: int, operations: int, sampled: bool) -> Method:
    per_operation = 1e-7 * qubits
    shot = _TABLEAU_SECONDS * qubits**2 + (0 if sampled else operations * per_operation)
    # A tableau of 2n rows and 2n columns, in bits.
    return Method("stabilizer", qubits, sampled, qubits**2, 0.5, operations * per_operation, shot)


def _matrix_product_state(qubits: int, operations: int, bonds: list[float]) -> Method:
    largest = 2.0 ** max(bonds)
    size = sum(2 * 2.0 ** (left + right) for left, right in zip([0, *bonds], [*bonds, 0], strict=True))
    setup = operations * (_OPERATION_SECONDS + _BOND_SECONDS * largest**3)
    shot = _SITE_SECONDS * qubits * (1 + largest**2 / 50)
    need = 3 * STATEVECTOR_BYTES * size
    return Method("matrix_product_state", qubits, True, need, STATEVECTOR_BYTES, setup, shot)


def is_clifford(circuit: QuantumCircuit) -> bool:
    """True when every operation, also inside control flow, has a stabilizer simulation."""
    allowed = CLIFFORD | STRUCTURE - {"store"}
    return all(
        instruction.operation.name in allowed and all(is_clifford(block) for block in blocks_of(instruction))
        for instruction in circuit.data
    )


def blocks_of(instruction: Any) -> tuple[QuantumCircuit, ...]:
    """The bodies of a control-flow instruction; none for a gate."""
    blocks: tuple[QuantumCircuit, ...] = getattr(instruction.operation, "blocks", ())
    return blocks


def count_operations(circuit: QuantumCircuit) -> int:
    """Operations of a circuit, bodies of control flow included, `for` loops by their length."""
    total = len(circuit.data)
    if not circuit.has_control_flow_op():
        return total
    for instruction in circuit.data:
        times = 1
        if instruction.operation.name == "for_loop":
            times = max(1, len(instruction.operation.params[0]))
        total += times * sum(count_operations(block) for block in blocks_of(instruction))
    return total


def may_not_end(circuit: QuantumCircuit) -> bool:
    """True when a loop's end depends on what is measured: no model knows how long that takes."""
    return circuit.has_control_flow_op() and any(
        instruction.operation.name == "while_loop" or any(map(may_not_end, blocks_of(instruction)))
        for instruction in circuit.data
    )


def bond_bound(shape: Terminal) -> list[float] | None:
    """Upper bounds of log₂ of the bond dimensions of a matrix product state, cut by cut.

    Follows the qubits through the swaps that bring a gate's two qubits together. A gate of operator
    Schmidt rank r multiplies the bond it crosses by at most r, and a bond is never more than twice
    either neighbour. None when a gate has three or more qubits or a bound passes BOND_LIMIT_LOG2.
    """
    order = list(shape.qubits)
    position = {qubit: i for i, qubit in enumerate(order)}
    bonds = [0.0] * (len(order) - 1)
    for operation, qubits in shape.gates:
        if len(qubits) > 2:
            return None
        if len(qubits) == 2:
            rank = 1 if operation.name in _RANK_TWO else 2
            if not _cross(bonds, order, position, qubits, rank):
                return None
    return bonds


def _cross(bonds: list[float], order: list[int], position: dict[int, int], qubits: tuple[int, ...], rank: int) -> bool:
    first, second = position[qubits[0]], position[qubits[1]]
    step = 1 if second < first else -1
    while abs(second - first) > 1:
        other = second + step
        if not _grow(bonds, min(second, other), 2):
            return False
        order[second], order[other] = order[other], order[second]
        position[order[second]], position[order[other]] = second, other
        second = other
    return _grow(bonds, min(first, second), rank)


def _grow(bonds: list[float], cut: int, rank: int) -> bool:
    left = bonds[cut - 1] if cut else 0.0
    right = bonds[cut + 1] if cut + 1 < len(bonds) else 0.0
    bonds[cut] = min(left + 1, right + 1, bonds[cut] + rank)
    return bonds[cut] <= BOND_LIMIT_LOG2
