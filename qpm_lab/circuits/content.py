"""What a circuit is, as a key that two circuits share only when they behave alike, parameters by identity.

Cheaper than the fingerprint and stricter: names of parameters count, and so does the order of operations. Read anew
each time, so that a circuit changed in place has another key.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_PLAIN = frozenset({"barrier", "delay", "measure", "reset"})


class _Unknown(Exception):
    """An operation that its fields do not describe in full."""


def content_key(circuit: QuantumCircuit, *, definitions: bool = False) -> Hashable | None:
    """A hashable key; None for a circuit with an operation that cannot be described, such as control flow.

    Args:
        circuit: Any circuit.
        definitions: Whether to look into gates that only their definition describes; making one can take long.
    """
    try:
        key: Hashable = _key(circuit, definitions)
        hash(key)
    except (_Unknown, TypeError):
        return None
    return key


def has_own_gates(circuit: QuantumCircuit) -> bool:
    """True when it has operations whose definition a copy of the circuit would share with it."""
    return any(not one.is_standard_gate() and not _is_plain(one.operation) for one in circuit.data)


def _key(circuit: QuantumCircuit, definitions: bool) -> tuple[Hashable, ...]:
    if circuit.num_vars or circuit.num_stretches:
        raise _Unknown
    operations = [
        (one.name, *one.qubits, *one.params) if one.is_standard_gate() else _other(one, definitions)
        for one in circuit.data
    ]
    return (*circuit.qubits, *circuit.clbits, *circuit.cregs, circuit.global_phase, *operations)


def _is_plain(operation: Any) -> bool:
    """True for Qiskit's own instructions that their parameters describe in full."""
    base = getattr(operation, "base_class", None)
    return operation.name in _PLAIN and base is not None and base.__module__.startswith("qiskit.")


def _other(instruction: Any, definitions: bool) -> tuple[Hashable, ...]:
    import numpy as np
    from qiskit.circuit import ControlFlowOp, Instruction
    from qiskit.circuit.library import UnitaryGate

    operation = instruction.operation
    wires = (*instruction.qubits, *instruction.clbits)
    if _is_plain(operation):
        return (operation.name, *operation.params, getattr(operation, "unit", None), *wires)
    if isinstance(operation, UnitaryGate):
        return ("unitary", np.asarray(operation.params[0], dtype=complex).tobytes(), *wires)
    if definitions and isinstance(operation, Instruction) and not isinstance(operation, ControlFlowOp):
        definition = operation.definition
        if definition is not None:
            return (operation.name, _key(definition, definitions), *wires)
    raise _Unknown
