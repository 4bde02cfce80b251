"""What a backend offers, as Qiskit's `Target`, and the digest by which a change of it is noticed."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from qpm_lab.providers.calibrations import of_target

if TYPE_CHECKING:
    from qiskit.transpiler import Target


def gate_target(names: Collection[str], qubits: int) -> Target:
    """Standard gates on any qubits of an ideal machine that measures, waits and takes barriers."""
    from qiskit.circuit import Delay, Measure, Parameter
    from qiskit.circuit.library import Barrier, get_standard_gate_name_mapping
    from qiskit.transpiler import Target

    standard = get_standard_gate_name_mapping()
    target = Target(num_qubits=qubits)
    for name in sorted(standard.keys() & names):
        target.add_instruction(standard[name], name=name)
    for operation in (Measure(), Delay(Parameter("duration"))):
        if operation.name not in target:
            target.add_instruction(operation)
    target.add_instruction(Barrier, name="barrier")
    return target


def add_control_flow(target: Target) -> None:
    """Loops and decisions on measured bits."""
    from qiskit.circuit import controlflow
    from qiskit.circuit.store import Store

    operations = {
        "if_else": controlflow.IfElseOp,
        "for_loop": controlflow.ForLoopOp,
        "while_loop": controlflow.WhileLoopOp,
        "switch_case": controlflow.SwitchCaseOp,
        "break_loop": controlflow.BreakLoopOp,
        "continue_loop": controlflow.ContinueLoopOp,
        "store": Store,
    }
    for name, operation in operations.items():
        target.add_instruction(operation, name=name)


def digest(target: Target) -> str:
    """Of all that routing and noise depend on: gates, where they act, their errors and durations."""
    return of_target(target).digest
