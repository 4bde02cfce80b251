"""Conditions on more than 63 bits: QPY stores them only as expressions, Aer runs them only as pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_WIDE = 2**63


def as_expressions(circuit: QuantumCircuit) -> QuantumCircuit:
    """A circuit whose wide `(register, value)` conditions are expressions."""
    return _rewritten(circuit, _to_expression)


def as_pairs(circuit: QuantumCircuit) -> QuantumCircuit:
    """The inverse of `as_expressions`."""
    return _rewritten(circuit, _to_pair)


def _to_expression(condition: Any) -> Any:
    from qiskit.circuit.classical import expr

    wide = isinstance(condition, tuple) and condition[1] >= _WIDE
    return expr.lift_legacy_condition(condition) if wide else condition


def _to_pair(condition: Any) -> Any:
    from qiskit.circuit import ClassicalRegister
    from qiskit.circuit.classical import expr

    match condition:
        case expr.Binary(op=expr.Binary.Op.EQUAL, left=expr.Var(var=ClassicalRegister() as register)):
            value = condition.right.value if isinstance(condition.right, expr.Value) else 0
            return (register, value) if value >= _WIDE else condition
    return condition


def _rewritten(circuit: QuantumCircuit, change: Callable[[Any], Any]) -> QuantumCircuit:
    """The same circuit, not a copy, when nothing in it changes."""
    changed = {}
    for place, instruction in enumerate(circuit.data):
        if instruction.is_control_flow():
            operation = _operation(instruction.operation, change)
            if operation is not instruction.operation:
                changed[place] = instruction.replace(operation=operation)
    if not changed:
        return circuit
    # Assigning to circuit.data[place] panics in Qiskit when a block goes, so the circuit is built anew.
    fresh: QuantumCircuit = circuit.copy_empty_like()
    for place, instruction in enumerate(circuit.data):
        fresh.append(changed.get(place, instruction))
    return fresh


def _operation(operation: Any, change: Callable[[Any], Any]) -> Any:
    from qiskit.circuit import IfElseOp, WhileLoopOp

    blocks = [_rewritten(block, change) for block in operation.blocks]
    if any(new is not old for new, old in zip(blocks, operation.blocks, strict=True)):
        operation = operation.replace_blocks(blocks)
    if not isinstance(operation, (IfElseOp, WhileLoopOp)):
        return operation
    condition = change(operation.condition)
    if condition is operation.condition:
        return operation
    return type(operation)(condition, *operation.blocks, label=operation.label)
