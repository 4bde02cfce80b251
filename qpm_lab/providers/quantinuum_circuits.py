"""Qiskit circuits of Quantinuum's native gates as pytket circuits, gate by gate.

pytket's angles are in half turns: `Rz(a) = exp(-i pi a Z / 2)`, `ZZPhase(a) = exp(-i pi a ZZ / 2)` and
`PhasedX(a, b) = Rz(b) Rx(a) Rz(-b)`, which are Qiskit's `rz`, `rzz` and `r` at angles of pi times those.
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import ProviderError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_NATIVE = {"rz": "Rz", "r": "PhasedX", "rzz": "ZZPhase"}
_IGNORED = ("delay", "id")


def as_pytket(circuit: QuantumCircuit) -> Any:
    """The circuit on registers `q` and `c`, whose bits are Qiskit's by index.

    Raises:
        ProviderError: An instruction is none of the native ones.
    """
    from pytket.circuit import Circuit

    made = Circuit(circuit.num_qubits)
    made.add_c_register("c", circuit.num_clbits)
    for each in circuit.data:
        qubits = [circuit.find_bit(bit).index for bit in each.qubits]
        bits = [circuit.find_bit(bit).index for bit in each.clbits]
        _append(made, each.operation, qubits, bits)
    return made


def _append(made: Any, operation: Any, qubits: list[int], bits: list[int]) -> None:
    from pytket.circuit import OpType

    if operation.name in _NATIVE:
        angles = [float(angle) / pi for angle in operation.params]
        made.add_gate(getattr(OpType, _NATIVE[operation.name]), angles, qubits)
    elif operation.name == "measure":
        made.Measure(qubits[0], bits[0])
    elif operation.name == "reset":
        made.Reset(qubits[0])
    elif operation.name == "barrier":
        made.add_barrier(qubits)
    elif operation.name not in _IGNORED:
        raise ProviderError(f"Quantinuum has no native {operation.name!r}.", "Translate the circuit before it is sent.")
