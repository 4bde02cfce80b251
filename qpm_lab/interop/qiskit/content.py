"""What a circuit is, as a key that two circuits share only when they behave alike, parameters by identity.

Cheaper than the fingerprint and stricter: names of parameters count, and so does the order of operations. Read anew
each time, so that a circuit changed in place has another key.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.circuit import Barrier, ControlFlowOp, Delay, Instruction, Measure, Reset
from qiskit.circuit.library import UnitaryGate

from qpm_lab.runner.naming import own_name

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_PLAIN = (Barrier, Delay, Measure, Reset)


class _Unknown(Exception):
    """An operation that its fields do not describe in full."""


def content_key(circuit: QuantumCircuit) -> Hashable | None:
    """A hashable key; None for a circuit with an operation that cannot be described, such as control flow."""
    try:
        key: Hashable = (own_name(circuit.name), _key(circuit))
        hash(key)
    except (_Unknown, TypeError):
        return None
    return key


def has_own_gates(circuit: QuantumCircuit) -> bool:
    """True when it has operations whose definition a copy of the circuit would share with it."""
    return any(
        not one.is_standard_gate() and getattr(one.operation, "base_class", None) not in _PLAIN for one in circuit.data
    )


def _key(circuit: QuantumCircuit) -> tuple[Hashable, ...]:
    if circuit.num_vars or circuit.num_stretches:
        raise _Unknown
    operations = [
        (one.name, *one.qubits, *one.params) if one.is_standard_gate() else _other(one) for one in circuit.data
    ]
    return (*circuit.qubits, *circuit.clbits, *circuit.cregs, circuit.global_phase, *operations)


def _other(instruction: Any) -> tuple[Hashable, ...]:
    operation = instruction.operation
    wires = (*instruction.qubits, *instruction.clbits)
    if getattr(operation, "base_class", None) in _PLAIN:
        return (operation.name, *operation.params, getattr(operation, "unit", None), *wires)
    if isinstance(operation, UnitaryGate):
        return ("unitary", np.asarray(operation.params[0], dtype=complex).tobytes(), *wires)
    if isinstance(operation, Instruction) and not isinstance(operation, ControlFlowOp):
        definition = operation.definition
        if definition is not None:
            return (operation.name, _key(definition), *wires)
    raise _Unknown
