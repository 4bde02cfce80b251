"""What the device can do, and how PennyLane's own transforms bring a tape to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pennylane as qml
from pennylane.devices import DeviceCapabilities
from pennylane.devices.capabilities import OperatorProperties
from pennylane.devices.preprocess import decompose, validate_device_wires, validate_measurements
from pennylane.measurements import ExpectationMP, SampleMeasurement
from pennylane.ops import MidMeasure, Sum
from pennylane.transforms import broadcast_expand, defer_measurements, split_to_single_terms
from pennylane.transforms.core import CompilePipeline

from qpm_lab.circuits.pennylane_gates import GATES
from qpm_lab.errors import InputError

_WIDEST_MATRIX = 8
"""Wires up to which an operation without decomposition may be given by its matrix."""
_OBSERVABLES = (
    *("Identity", "PauliX", "PauliY", "PauliZ", "Hadamard", "Hermitian", "Projector"),
    *("Prod", "SProd", "Sum", "LinearCombination"),
)
_MEASUREMENTS = ("CountsMP", "ExpectationMP", "ProbabilityMP", "SampleMP", "VarianceMP")


def pipeline(name: str, wires: Any, *, deferred: bool) -> CompilePipeline:
    """Brings a tape to gates of the table and measurements that counts can answer.

    Sums of observables and broadcasts are left whole: the device groups and batches them once for each structure.

    Args:
        name: The device's, for messages.
        wires: The device's, None for any.
        deferred: Whether mid-circuit measurements are to be put off to the end.
    """
    program = CompilePipeline()
    program.add_transform(validate_device_wires, wires, name=name)
    if deferred:
        program.add_transform(defer_measurements, allow_postselect=False)
    program.add_transform(
        decompose,
        stopping_condition=_runs,
        skip_initial_state_prep=False,
        device_wires=wires,
        target_gates=set(GATES),
        name=name,
    )
    program.add_transform(_expand_batches_of_matrices)
    program.add_transform(_take_mixed_sums_apart)
    program.add_transform(
        validate_measurements,
        analytic_measurements=_is_read_off_counts,
        sample_measurements=_is_read_off_counts,
        name=name,
    )
    program.add_transform(_require_shots)
    return program


def capabilities(*, dynamic: bool) -> DeviceCapabilities:
    """What the device declares; written here, not in a TOML file, so that the gates have one table only.

    Args:
        dynamic: Whether the backend measures and decides in the middle of a circuit.
    """
    return DeviceCapabilities(
        operations={name: OperatorProperties() for name in (*GATES, "QubitUnitary")},
        observables={name: OperatorProperties() for name in _OBSERVABLES},
        measurement_processes={name: [] for name in _MEASUREMENTS},
        non_commuting_observables=True,
        supported_mcm_methods=["device"] if dynamic else [],
    )


def _runs(operation: Any) -> bool:
    if operation.name in GATES or isinstance(operation, (qml.QubitUnitary, MidMeasure)):
        return True
    return not operation.has_decomposition and operation.has_matrix and len(operation.wires) <= _WIDEST_MATRIX


def _is_read_off_counts(measurement: Any) -> bool:
    return isinstance(measurement, SampleMeasurement)


@qml.transform
def _require_shots(tape: Any) -> tuple[tuple[Any, ...], Any]:
    """Refuses analytic execution: a job of unknown size has no price and no quota, and none is made up for it."""
    if tape.measurements and not tape.shots:
        raise InputError(
            "The device qpm.lab measures with shots, and none are given.",
            "Write @qml.set_shots(1000) above the QNode, or qml.device(…, shots=1000).",
        )
    return (tape,), _first


@qml.transform
def _expand_batches_of_matrices(tape: Any) -> tuple[Sequence[Any], Any]:
    """Takes a broadcast apart that is not in angles, which alone can be parameters of a circuit."""
    others = [op for op in tape.operations if op.name not in GATES]
    if any(getattr(getattr(op, "base", op), "batch_size", None) is not None for op in others):
        expanded: tuple[Sequence[Any], Any] = broadcast_expand(tape)
        return expanded
    return (tape,), _first


@qml.transform
def _take_mixed_sums_apart(tape: Any) -> tuple[Sequence[Any], Any]:
    """Sums of other than Pauli words: measured term by term, not in the eigenbasis of the whole."""
    sums = [m for m in tape.measurements if isinstance(m.obs, Sum)]
    every_mean = all(isinstance(m, ExpectationMP) for m in sums)
    if every_mean and any(m.obs.pauli_rep is None for m in sums):
        terms: tuple[Sequence[Any], Any] = split_to_single_terms(tape)
        return terms
    return (tape,), _first


def _first(results: Sequence[Any]) -> Any:
    return results[0]


def qubit_order(tape: Any, device_wires: Any) -> list[Any]:
    """Wires by qubit: the device's order, then others (of deferred measurements); 0, 1, 2, … or as they appear."""
    used = list(tape.wires)
    if device_wires:
        known, seen = list(device_wires), set(used)
        return [wire for wire in known if wire in seen] + [wire for wire in used if wire not in set(known)]
    return sorted(used) if set(used) == set(range(len(used))) else used
