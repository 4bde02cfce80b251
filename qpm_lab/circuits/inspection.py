"""Checks a loaded circuit: within the limits, every instruction can be run, every number is finite."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.limits import Limits
from qpm_lab.circuits.qasm_scan import too_many_operations, too_wide
from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def inspect(circuit: QuantumCircuit, limits: Limits) -> None:
    """Refuses what cannot or must not be run.

    Raises:
        CircuitError: no qubits, too large, or an instruction named with what to do about it.
    """
    if circuit.num_qubits == 0:
        raise CircuitError("The circuit has no qubits.", "Add at least one qubit and measure it.")
    if circuit.num_qubits > limits.qubits:
        raise too_wide("qubits", f"{circuit.num_qubits:,}", limits.qubits)
    if circuit.num_clbits > limits.clbits:
        raise too_wide("classical bits", f"{circuit.num_clbits:,}", limits.clbits)
    _check_variables(circuit)
    try:
        _Walk(limits).circuit(circuit, 0)
    except RecursionError as error:
        raise _too_deep(limits) from error


def _check_variables(circuit: QuantumCircuit) -> None:
    names = [v.name for v in (*circuit.iter_input_vars(), *circuit.iter_stretches())]
    if names:
        raise CircuitError(
            f"The circuit leaves {', '.join(names[:5])} open: input variables and stretches are not supported.",
            "Use a Parameter and give it a value with parameters={…}, or write the duration as a number.",
        )


def _too_deep(limits: Limits) -> CircuitError:
    return CircuitError(
        f"The circuit's blocks or gates are nested more than {limits.nesting} deep.", "Write the inner ones out."
    )


@dataclass(slots=True)
class _Walk:
    """Counts operations with loops and the user's own gates written out, and checks each on the way."""

    limits: Limits
    seen: int = 0
    """Operations looked at, which bounds the time even where nothing can be remembered."""
    sizes: dict[int, tuple[int, Any]] = field(default_factory=dict)
    """id of a definition → its size, and the definition itself to keep the id taken."""

    def circuit(self, circuit: QuantumCircuit, depth: int) -> int:
        if depth > self.limits.nesting:
            raise _too_deep(self.limits)
        total = 0
        for instruction in circuit.data:
            self._tick()
            total += self._instruction(instruction, depth)
            if total > self.limits.operations:
                raise too_many_operations(self.limits)
        return total

    def _tick(self) -> None:
        self.seen += 1
        if self.seen > 2 * self.limits.operations:
            raise too_many_operations(self.limits)

    def _instruction(self, instruction: Any, depth: int) -> int:
        if instruction.is_standard_gate():
            _check_numbers(instruction.name, instruction.params)
            return 1
        if instruction.is_control_flow():
            operation = instruction.operation
            inside = sum(1 + self.circuit(b, depth + 1) for b in operation.blocks)
            return _repeats(operation, self.limits) * inside
        return self._operation(instruction.operation, depth)

    def _operation(self, operation: Any, depth: int) -> int:
        from qiskit.circuit import AnnotatedOperation, ControlledGate

        if isinstance(operation, AnnotatedOperation):
            return self._operation(operation.base_op, depth + 1) if depth <= self.limits.nesting else 1
        _check_numbers(operation.name, getattr(operation, "params", ()))
        if _is_known(operation):
            return 1
        if isinstance(operation, ControlledGate):
            return self._operation(operation.base_gate, depth + 1)
        definition = getattr(operation, "definition", None)
        if definition is None:
            raise _not_runnable(operation)
        return self._definition(definition, depth)

    def _definition(self, definition: QuantumCircuit, depth: int) -> int:
        if id(definition) not in self.sizes:
            self.sizes[id(definition)] = (self.circuit(definition, depth + 1), definition)
        return max(1, self.sizes[id(definition)][0])


def _is_known(operation: Any) -> bool:
    from qiskit.circuit import Barrier, BreakLoopOp, ContinueLoopOp, Delay, Measure, Reset, Store
    from qiskit.quantum_info import Clifford

    if isinstance(operation, (Barrier, BreakLoopOp, ContinueLoopOp, Delay, Measure, Reset, Store, Clifford)):
        return True
    return type(operation).__module__.startswith("qiskit.circuit.library.")


def _repeats(operation: Any, limits: Limits) -> int:
    from qiskit.circuit import ForLoopOp

    if not isinstance(operation, ForLoopOp):
        return 1
    try:
        return max(1, len(operation.params[0]))
    except OverflowError:
        return limits.operations + 1


def _check_numbers(name: str, params: Iterable[Any]) -> None:
    import numpy as np

    for value in params:
        if isinstance(value, float):
            finite = math.isfinite(value)
        else:
            finite = not isinstance(value, (complex, np.ndarray, np.number)) or bool(np.isfinite(value).all())
        if not finite:
            raise CircuitError(f"The gate {name} has an angle that is not a finite number.", "Correct the angle.")


def _not_runnable(operation: Any) -> CircuitError:
    message = f"The instruction {operation.name!r} cannot be run: it has no definition."
    if type(operation).__module__.startswith("qiskit_aer"):
        return CircuitError(
            f"The instruction {operation.name!r} works in one simulator only.",
            "Remove it: a governed job returns the counts of measurements.",
        )
    return CircuitError(message, "Give the gate a definition (gate.definition = circuit), or use library gates.")
