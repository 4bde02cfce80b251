"""PennyLane QNodes and tapes become Qiskit circuits, operation by operation.

Not by way of OpenQASM: PennyLane's exporter keeps only the first measurement basis, loses wire labels and writes
conditions that no loader reads. The wire that PennyLane puts first becomes qubit 0, the rightmost bit of an outcome.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.pennylane_gates import put, unsupported
from qpm_lab.circuits.pennylane_measurements import Basis, bases
from qpm_lab.errors import CircuitError, QpmError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

Translated = tuple["QuantumCircuit", tuple[str, ...]]


def translate(source: Any, args: Sequence[Any]) -> list[Translated]:
    """A QNode or tape as one circuit per measurement basis, each with its notes.

    Raises:
        CircuitError: arguments missing, a batch of arguments, or an operation or measurement named.
    """
    import pennylane as qml

    try:
        tape, device_wires = _tape(source, args) if isinstance(source, qml.QNode) else (source, None)
        if args and tape is source:
            raise CircuitError("A tape takes no arguments.", "Leave out --args, or give the QNode.")
        return _circuits(tape, device_wires)
    except QpmError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise CircuitError(
            f"The PennyLane circuit could not be built: {type(error).__name__}: {said}",
            "Call the QNode on default.qubit once to see where it fails.",
            cause=error,
        ) from error


def _tape(qnode: Any, args: Sequence[Any]) -> tuple[Any, Any]:
    import pennylane as qml

    _check_arguments(qnode.func, args)
    return qml.workflow.construct_tape(qnode)(*args), qnode.device.wires


def _check_arguments(function: Any, args: Sequence[Any]) -> None:
    signature = inspect.signature(function)
    name = getattr(function, "__name__", "the QNode")
    try:
        signature.bind(*args)
    except TypeError:
        required = [p.name for p in signature.parameters.values() if p.default is p.empty and p.kind not in (2, 4)]
        if missing := required[len(args) :]:
            example = ", ".join(f"{p}=…" for p in missing)
            raise CircuitError(
                f"The QNode {name} needs arguments: {', '.join(missing)}.",
                f"Give their values in order with --args (args=(…) in Python): {example}.",
            ) from None
        raise CircuitError(
            f"The QNode {name} takes {len(required)} arguments, {len(args)} were given.",
            f"Call it as {name}{signature}.",
        ) from None


def _circuits(tape: Any, device_wires: Any) -> list[Translated]:
    if tape.batch_size is not None:
        raise CircuitError(
            f"The circuit has a batch of {tape.batch_size} values in one angle: sweeps are not supported.",
            "Call the QNode with single numbers, or submit a list of circuits.",
        )
    order = _wire_order(tape, device_wires)
    groups = bases(tape, order)
    shared = _wire_note(order)
    return [
        (circuit_of(group.operations, group.wires, order), (*shared, *_basis_note(group, order, number, len(groups))))
        for number, group in enumerate(groups, 1)
    ]


def _wire_order(tape: Any, device_wires: Any) -> list[Any]:
    """Wires by qubit: the device's order where it has one, else 0, 1, 2, … or the order of appearance."""
    used = list(tape.wires)
    if device_wires is not None and set(used) <= set(device_wires):
        everything = any(not m.wires and m.obs is None and m.mv is None for m in tape.measurements)
        return [w for w in device_wires if everything or w in set(used)]
    if set(used) == set(range(len(used))):
        return sorted(used)
    return used


def _wire_note(order: Sequence[Any]) -> tuple[str, ...]:
    if list(order) == list(range(len(order))):
        return ()
    mapping = ", ".join(f"{wire!r} → {qubit}" for qubit, wire in enumerate(order[:16]))
    more = ", …" if len(order) > 16 else ""
    return (f"PennyLane's wires became qubits {mapping}{more}; qubit 0 is the rightmost bit.",)


def _basis_note(group: Basis, order: Sequence[Any], number: int, count: int) -> tuple[str, ...]:
    if not group.observables:
        return ()
    which = f"Circuit {number} of {count}" if count > 1 else "The circuit"
    place = {wire: n for n, wire in enumerate(_read_out(group.wires, order))}
    bits = ", ".join(f"{wire!r} in bit {n}" for wire, n in place.items())
    return (f"{which} measures {'; '.join(group.observables)} in their own bases (wire {bits}).",)


def _read_out(measured: Sequence[Any], order: Sequence[Any]) -> list[Any]:
    return [wire for wire in order if wire in set(measured)]


def circuit_of(operations: Sequence[Any], measured: Sequence[Any], order: Sequence[Any]) -> QuantumCircuit:
    """A circuit of operations and a measurement at the end.

    Args:
        operations: PennyLane's; an angle of a gate of the table may be a Qiskit parameter.
        measured: Wires read out at the end into the register `meas`, in the order of their qubits. The register
            `mid` before it holds the mid-circuit measurements, in their order.
        order: Wires by qubit.

    Raises:
        CircuitError: an operation that cannot be translated, by name.
    """
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    if not order:
        raise CircuitError("The PennyLane circuit has no wires.", "Apply at least one operation.")
    wires = _read_out(measured, order)
    circuit = QuantumCircuit(QuantumRegister(len(order), "q"))
    builder = _Builder(circuit, {wire: n for n, wire in enumerate(order)}, _mid_register(circuit, operations))
    for operation in operations:
        builder.put(operation)
    if wires:
        register = ClassicalRegister(len(wires), "meas")
        circuit.add_register(register)
        circuit.measure([builder.qubit_of[w] for w in wires], register)
    return circuit


def _mid_register(circuit: QuantumCircuit, operations: Sequence[Any]) -> dict[Any, Any]:
    """One classical bit for each mid-circuit measurement, by the measurement's id."""
    from qiskit import ClassicalRegister

    ids = [_id(op) for op in operations if _is_mid_measurement(op)]
    if not ids:
        return {}
    register = ClassicalRegister(len(ids), "mid")
    circuit.add_register(register)
    return dict(zip(ids, register, strict=True))


def _is_mid_measurement(operation: Any) -> bool:
    import pennylane as qml

    return isinstance(operation, qml.ops.MidMeasure)


def _id(measurement: Any) -> Any:
    return measurement.hyperparameters["meas_uid"]


@dataclass(frozen=True, slots=True)
class _Builder:
    """Appends a tape's operations to a circuit."""

    circuit: QuantumCircuit
    qubit_of: Mapping[Any, int]
    clbit_of: Mapping[Any, Any]
    """Id of a mid-circuit measurement → the bit it writes."""

    def put(self, operation: Any) -> None:
        import pennylane as qml

        if _is_mid_measurement(operation):
            self._measure(operation)
        elif isinstance(operation, qml.ops.Conditional):
            self._conditional(operation)
        elif isinstance(operation, (qml.operation.Channel, qml.Snapshot, qml.WireCut)):
            raise unsupported(operation)
        else:
            put(self.circuit, operation, self.qubit_of)

    def _measure(self, operation: Any) -> None:
        if operation.hyperparameters["postselect"] is not None:
            raise CircuitError(
                "A mid-circuit measurement with postselect cannot be translated.",
                "Measure without postselect and keep the outcomes you want from the counts.",
            )
        qubit = self.qubit_of[operation.wires[0]]
        self.circuit.measure(qubit, self.clbit_of[_id(operation)])
        if operation.hyperparameters["reset"]:
            self.circuit.reset(qubit)

    def _conditional(self, operation: Any) -> None:
        """Once for each combination of outcomes for which the condition holds; they exclude each other."""
        value = operation.meas_val
        bits = [self.clbit_of[_id(m)] for m in value.measurements]
        wanted = [outcomes for outcomes, truth in value.branches.items() if truth]
        if len(wanted) == 2 ** len(bits):
            self.put(operation.base)
            return
        for outcomes in wanted:
            with ExitStack() as conditions:
                for bit, outcome in zip(bits, outcomes, strict=True):
                    conditions.enter_context(self.circuit.if_test((bit, outcome)))
                self.put(operation.base)
