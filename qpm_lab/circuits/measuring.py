"""A circuit without measurements is measured in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def measured(circuit: QuantumCircuit) -> tuple[QuantumCircuit, str | None]:
    """A copy with measurements, and a sentence when they had to be added.

    Classical bits that nothing writes or reads are dropped then: they would only add zeros to every outcome.
    Of a transpiled circuit the qubits of the original are measured, in their order, and not the device's idle ones.
    """
    if has_measurement(circuit):
        return circuit.copy(), None
    copy = circuit.copy() if _uses_clbits(circuit) else _without_clbits(circuit)
    own = _own_qubits(circuit)
    register = _register(copy, len(own))
    copy.add_register(register)
    copy.barrier()
    copy.measure(own, register)
    return copy, f"The circuit has no measurement, so {_which(len(own), copy.num_qubits)} measured."


def _own_qubits(circuit: QuantumCircuit) -> list[int]:
    """Where the qubits of the circuit that was transpiled are now; all qubits of any other."""
    layout = circuit.layout
    return list(range(circuit.num_qubits)) if layout is None else layout.final_index_layout()


def _which(count: int, qubits: int) -> str:
    if count < qubits:
        return f"the {count} qubit{'s' if count > 1 else ''} it had before it was transpiled are"
    return "its only qubit is" if count == 1 else f"all {count} qubits are"


def has_measurement(circuit: QuantumCircuit) -> bool:
    """True when some operation, control flow and its blocks included, writes a measured value."""
    for instruction in circuit.data:
        if instruction.is_control_flow():
            if any(has_measurement(block) for block in instruction.operation.blocks):
                return True
        elif instruction.clbits and instruction.name not in {"break_loop", "continue_loop"}:
            return True
    return False


def _uses_clbits(circuit: QuantumCircuit) -> bool:
    return circuit.num_vars > 0 or any(i.clbits or i.is_control_flow() for i in circuit.data)


def _without_clbits(circuit: QuantumCircuit) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    bare = QuantumCircuit(circuit.qubits, *circuit.qregs, name=circuit.name, global_phase=circuit.global_phase)
    bare.metadata = circuit.metadata
    for instruction in circuit.data:
        bare.append(instruction)
    return bare


def _register(circuit: QuantumCircuit, size: int) -> Any:
    """A register for the qubits measured, called `meas` as Qiskit's `measure_all` does unless that name is taken."""
    from qiskit.circuit import ClassicalRegister

    taken = {register.name for register in (*circuit.qregs, *circuit.cregs)}
    name = next(n for n in ("meas", *(f"meas{k}" for k in range(len(taken) + 1))) if n not in taken)
    return ClassicalRegister(size, name)
