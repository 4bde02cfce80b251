"""What of a tape is structure and what is numbers: tapes of equal structure share one parametrised circuit.

The structure is gates, wires, matrices, measurements and the order of all these; the numbers are the angles of the
gates in the table of `qpm_lab.circuits`. A parameter-shift gradient or a step of an optimiser changes only numbers,
so its circuits are translated, fingerprinted and grouped once.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pennylane as qml
from pennylane.ops import Conditional, MidMeasure

from qpm_lab.circuits import Prepared, prepare_template
from qpm_lab.circuits.pennylane import circuit_of
from qpm_lab.circuits.pennylane_gates import GATES
from qpm_lab.errors import CircuitError
from qpm_lab.interop.pennylane.bases import Group, grouped
from qpm_lab.interop.pennylane.reading import READ, Reading, readings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

Key = Hashable


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Everything that tapes of one structure share."""

    circuits: tuple[Prepared, ...]
    """One for each group of measurements that go together; the angles are open parameters."""
    names: tuple[str, ...]
    """Of the parameters, in the order of the angles that `structure` gives."""
    readings: tuple[Reading, ...]
    """How each measurement is read off the counts, in the tape's order."""
    postselected: tuple[tuple[int, int], ...]
    """Place of a mid-circuit measurement and the outcome to keep."""


def structure(tape: Any) -> tuple[Key, NDArray[np.float64], int | None]:
    """Splits a tape.

    Returns:
        The key of its structure; its angles, one row for each point of a broadcast, shape (points, angles); and the
        number of points, None when it is not broadcast.

    Raises:
        CircuitError: an angle that is not a finite number.
    """
    places: dict[Any, int] = {}
    angles: list[Any] = []
    operations = tuple([_operation_key(op, places, angles) for op in tape.operations])
    measurements = tuple([_measurement_key(m, places) for m in tape.measurements])
    values, points = _numbers(angles)
    return (operations, measurements), values, points


def make_template(tape: Any, order: Sequence[Any]) -> Template:
    """Builds what all tapes of this one's structure share.

    Args:
        tape: Any of them.
        order: Wires by qubit; all that the tape acts on or measures.

    Raises:
        CircuitError: an operation that cannot be translated, by name.
    """
    places: dict[Any, int] = {}
    parameters: list[Any] = []
    postselected: list[tuple[int, int]] = []
    operations = [_symbolic(op, places, parameters, postselected) for op in tape.operations if _seen(op)]
    wires = tuple(order) or (0,)
    groups, found = grouped(tape.measurements, wires, places)
    circuits = tuple(prepare_template(_circuit(operations, group, wires)) for group in groups)
    return Template(
        circuits,
        tuple(p.name for p in parameters),
        readings(tape.measurements, found, groups, len(places), places),
        tuple(postselected),
    )


def _circuit(operations: Sequence[Any], group: Group, wires: Sequence[Any]) -> QuantumCircuit:
    circuit = circuit_of((*operations, *group.rotations), group.wires, wires)
    circuit.name = "pennylane"
    return circuit


def _seen(operation: Any) -> bool:
    """False for what no count depends on: phases of the whole state, and conditions that never hold."""
    if isinstance(operation, Conditional):
        return _seen(operation.base) and any(operation.meas_val.branches.values())
    return bool(operation.name != "GlobalPhase")


def _operation_key(operation: Any, places: dict[Any, int], angles: list[Any]) -> Key:
    name, wires = operation.name, tuple(operation.wires.labels)
    if not _seen(operation):
        return wires  # a wire that is only named still is a qubit
    if name in GATES:
        angles.extend(operation.data)
        return name, wires
    if isinstance(operation, MidMeasure):
        inside = operation.hyperparameters
        places[inside["meas_uid"]] = len(places)
        return "measure", wires, inside["reset"], inside["postselect"]
    if isinstance(operation, Conditional):
        value = operation.meas_val
        bits = tuple([places[m.hyperparameters["meas_uid"]] for m in value.measurements])
        wanted = tuple([outcomes for outcomes, truth in value.branches.items() if truth])
        return "cond", bits, wanted, _operation_key(operation.base, places, angles)
    return name, wires, np.asarray(qml.matrix(operation), dtype=complex).tobytes()


def _symbolic(
    operation: Any, places: dict[Any, int], parameters: list[Any], postselected: list[tuple[int, int]]
) -> Any:
    """The operation with open parameters for angles, and without postselection, which the counts are read with."""
    from qiskit.circuit import Parameter

    if operation.name in GATES:
        own = [Parameter(f"p{len(parameters) + n}") for n in range(len(operation.data))]
        parameters.extend(own)
        symbolic = copy.copy(operation)
        symbolic.data = tuple(own)
        return symbolic
    if isinstance(operation, MidMeasure):
        inside = operation.hyperparameters
        place = places.setdefault(inside["meas_uid"], len(places))
        if inside["postselect"] is None:
            return operation
        postselected.append((place, int(inside["postselect"])))
        return MidMeasure(operation.wires, reset=inside["reset"], meas_uid=inside["meas_uid"])
    if isinstance(operation, Conditional):
        return Conditional(operation.meas_val, _symbolic(operation.base, places, parameters, postselected))
    return operation


def _measurement_key(measurement: Any, places: dict[Any, int]) -> Key:
    kind = type(measurement)
    extra = getattr(measurement, "all_outcomes", None), getattr(measurement, "_dtype", None)
    if kind not in READ:  # read by PennyLane itself, by rules of its own
        extra = extra, id(measurement)
    if measurement.mv is not None:
        values = measurement.mv if isinstance(measurement.mv, list) else [measurement.mv]
        every = [m for v in values for m in v.measurements]
        sources = tuple([("mid", places[m.meas_uid]) if m.meas_uid in places else m.wires[0] for m in every])
        eigvals = None if isinstance(measurement.mv, list) else np.asarray(measurement.eigvals()).tobytes()
        return kind, extra, "mid", sources, eigvals
    if measurement.obs is None:
        eigvals = measurement._eigvals
        return kind, extra, measurement.wires.labels, None if eigvals is None else np.asarray(eigvals).tobytes()
    sentence = measurement.obs.pauli_rep
    if sentence is not None:
        terms = tuple([(tuple(word.items()), complex(factor)) for word, factor in sentence.items()])
        return kind, extra, measurement.obs.wires.labels, terms
    leaves, tree = qml.pytrees.flatten(measurement.obs)
    return kind, extra, tree, tuple([np.asarray(leaf).tobytes() for leaf in leaves])


def _numbers(angles: Sequence[Any]) -> tuple[NDArray[np.float64], int | None]:
    try:
        try:
            values = np.array(angles, dtype=np.float64)
        except ValueError:  # some angles are broadcast, others are not
            values = np.stack(np.broadcast_arrays(*[np.asarray(a, dtype=np.float64) for a in angles]))
    except (ValueError, TypeError) as error:
        raise CircuitError(
            "The angles of the circuit are not real numbers of equal length.",
            "Give single numbers, or arrays of one length for a broadcast.",
            cause=error,
        ) from error
    if not np.isfinite(values).all():
        raise CircuitError("An angle of the circuit is not a finite number.", "Look for a division by zero.")
    if values.ndim == 1:
        return values[None, :], None
    return np.ascontiguousarray(values.T), values.shape[1]
