"""What a backend offers, as Qiskit's `Target`, and the digest by which a change of it is noticed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.providers.calibrations import of_target, read_calibration

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


def device_target(content: bytes | None, gates: Collection[str], qubits: int) -> Target:
    """A vendor's machine as Qiskit's transpiler reads it.

    Args:
        content: Its calibration (`calibrations.read_calibration`); None when nothing is known but its gates.
        gates: By Qiskit's names, used when there is no calibration.
        qubits: Their number, used when there is no calibration.

    Raises:
        InputError: it is no calibration, or names a gate that Qiskit does not know.
    """
    if content is None:
        return gate_target(gates, qubits)
    known = read_calibration(content)
    target = _empty(known)
    for name, places in known["gates"].items():
        target.add_instruction(_operation(name), _properties(places), name=name)
    if "barrier" not in target:
        target.add_instruction(_operation("barrier"), name="barrier")
    return target


def _empty(known: Mapping[str, Any]) -> Target:
    from qiskit.transpiler import QubitProperties, Target

    qubits = [
        QubitProperties(t1=each["t1_seconds"], t2=each["t2_seconds"], frequency=each["frequency_hz"])
        for each in known["qubit_properties"]
    ]
    return Target(num_qubits=known["qubits"], dt=known["dt_seconds"], qubit_properties=qubits or None)


def _properties(places: Collection[Mapping[str, Any]]) -> Any:
    from qiskit.transpiler import InstructionProperties

    where = {
        tuple(each["qubits"]): InstructionProperties(error=each["error"], duration=each["duration_seconds"])
        for each in places
        if each["qubits"] is not None
    }
    return where or None


def _operation(name: str) -> Any:
    from qiskit.circuit import Delay, Measure, Parameter
    from qiskit.circuit.library import Barrier, get_standard_gate_name_mapping

    if name in _control_flow():
        return _control_flow()[name]
    further = {"measure": Measure(), "delay": Delay(Parameter("duration")), "barrier": Barrier}
    operation = further.get(name) or get_standard_gate_name_mapping().get(name)
    if operation is None:
        raise InputError(f"The calibration names a gate {name[:80]!r}, which Qiskit does not know.", "Report it.")
    return operation


def add_control_flow(target: Target) -> None:
    """Loops and decisions on measured bits."""
    for name, operation in _control_flow().items():
        target.add_instruction(operation, name=name)


def _control_flow() -> dict[str, Any]:
    from qiskit.circuit import controlflow
    from qiskit.circuit.store import Store

    return {
        "if_else": controlflow.IfElseOp,
        "for_loop": controlflow.ForLoopOp,
        "while_loop": controlflow.WhileLoopOp,
        "switch_case": controlflow.SwitchCaseOp,
        "break_loop": controlflow.BreakLoopOp,
        "continue_loop": controlflow.ContinueLoopOp,
        "store": Store,
    }


def digest(target: Target) -> str:
    """Of all that routing and noise depend on: gates, where they act, their errors and durations."""
    return of_target(target).digest
