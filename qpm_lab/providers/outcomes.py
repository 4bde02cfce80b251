"""Which classical bit holds which qubit at the end of a circuit, and how its outcomes are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.providers.gates import CONTROL_FLOW

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

Gates = tuple[tuple[Any, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Terminal:
    """A circuit that applies gates first and measures last."""

    gates: Gates
    """Operation and qubit indices, in order; barriers, delays and resets of fresh qubits left out."""
    measured: Mapping[int, int]
    """Classical bit → qubit whose value it holds at the end."""

    @property
    def qubits(self) -> tuple[int, ...]:
        """The qubits that matter, ascending: acted upon or measured."""
        used = {q for _, qubits in self.gates for q in qubits}
        return tuple(sorted(used | set(self.measured.values())))


@dataclass(frozen=True, slots=True)
class NotTerminal:
    """Why a circuit is not of that form."""

    instruction: str
    reason: str


def terminal(circuit: QuantumCircuit) -> Terminal | NotTerminal:
    """Splits a circuit into its gates and its final measurements.

    A circuit that measures and goes on, resets a used qubit or decides on a result is NotTerminal.
    """
    qubit_index = {bit: i for i, bit in enumerate(circuit.qubits)}
    clbit_index = {bit: i for i, bit in enumerate(circuit.clbits)}
    gates: list[tuple[Any, tuple[int, ...]]] = []
    measured: dict[int, int] = {}
    touched: set[int] = set()
    read: set[int] = set()
    for instruction in circuit.data:
        name = instruction.operation.name
        qubits = tuple([qubit_index[bit] for bit in instruction.qubits])
        if name in ("barrier", "delay") or (name == "reset" and touched.isdisjoint(qubits)):
            continue
        if name == "measure":
            measured[clbit_index[instruction.clbits[0]]] = qubits[0]
            read.add(qubits[0])
        else:
            if reason := _obstacle(instruction, qubits, touched, read):
                return NotTerminal(name, reason)
            gates.append((instruction.operation, qubits))
        touched.update(qubits)
    return Terminal(tuple(gates), measured)


def _obstacle(instruction: Any, qubits: tuple[int, ...], touched: set[int], read: set[int]) -> str:
    name = instruction.operation.name
    if instruction.clbits or name in CONTROL_FLOW:
        return f"it has control flow ({name})"
    if name in ("reset", "initialize") and not touched.isdisjoint(qubits):
        return f"it resets a qubit in use ({name} on qubit {qubits[0]})"
    used_again = read.intersection(qubits)
    return f"it measures qubit {min(used_again)} before its end ({name} follows)" if used_again else ""


def group_sizes(circuit: QuantumCircuit) -> tuple[int, ...]:
    """Sizes of the groups of bits in an outcome's key, first register first.

    As in Qiskit each classical register is a group. Loose or shared bits have no such order; then
    all bits are one group.
    """
    in_registers = [bit for register in circuit.cregs for bit in register]
    if len(circuit.cregs) > 1 and in_registers == circuit.clbits:
        return tuple(register.size for register in circuit.cregs)
    return (circuit.num_clbits,)


def write_key(bits: str, sizes: Sequence[int]) -> str:
    """Puts the spaces between registers into a bit string.

    >>> write_key("00111", (2, 3))
    '001 11'
    """
    if len(sizes) == 1:
        return bits
    parts, end = [], len(bits)
    for size in sizes:
        parts.append(bits[end - size : end])
        end -= size
    return " ".join(reversed(parts))


def keys_of(
    indices: NDArray[np.int64], measured: Mapping[int, int], order: Sequence[int], sizes: Sequence[int]
) -> list[str]:
    """The keys of many outcomes at once.

    Args:
        indices: Outcomes as integers, shape (k,); bit i is the value of qubit `order[i]`.
        measured: Classical bit → qubit.
        order: The qubits behind the bits of `indices`.
        sizes: Group sizes of the key, see `group_sizes`.
    """
    import numpy as np

    place = {qubit: i for i, qubit in enumerate(order)}
    bits = np.zeros((len(indices), sum(sizes)), dtype=np.uint8)
    for clbit, qubit in measured.items():
        bits[:, clbit] = (indices >> place[qubit]) & 1
    return keys_of_bits(bits, sizes)


def keys_of_bits(bits: NDArray[np.uint8], sizes: Sequence[int]) -> list[str]:
    """The keys of many outcomes at once.

    Args:
        bits: Shape (k, clbits), column i is classical bit i.
        sizes: Group sizes of the key, see `group_sizes`.
    """
    import numpy as np

    template = np.frombuffer(write_key("0" * sum(sizes), sizes).encode(), dtype=np.uint8)
    text = np.tile(template, (len(bits), 1))
    columns = [i for i in range(len(template) - 1, -1, -1) if template[i] == ord("0")]
    text[:, columns] += bits
    keys: list[str] = text.view(f"S{len(template)}").ravel().astype(str).tolist()
    return keys
