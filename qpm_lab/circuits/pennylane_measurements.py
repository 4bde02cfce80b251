"""Which qubits a PennyLane tape measures, and in which basis; all end up in the computational one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qpm_lab.errors import CircuitError

_READ_OUT = frozenset({"CountsMP", "SampleMP", "ProbabilityMP", "ExpectationMP", "VarianceMP"})
_INSTEAD = "Return qml.counts(), qml.sample(), qml.probs() or qml.expval(…) of Pauli words."


@dataclass(frozen=True, slots=True)
class Basis:
    """One circuit's worth of measurements."""

    operations: tuple[Any, ...]
    """The tape's operations followed by the rotations into this basis."""
    wires: tuple[Any, ...]
    """Wires to measure at the end; empty when only mid-circuit values are wanted."""
    observables: tuple[str, ...]
    """What was asked for, with the wires that carry it."""


def bases(tape: Any, order: Sequence[Any]) -> list[Basis]:
    """Splits a tape into groups that can be measured together.

    A measurement without wires is one of all wires in `order`. Observables are grouped by qubit-wise commutation,
    and sums are taken apart into their Pauli words.

    Raises:
        CircuitError: a measurement that counts cannot answer, by name.
    """
    for measurement in tape.measurements:
        _check(measurement)
    if not any(m.obs is not None for m in tape.measurements):
        return [Basis(tuple(tape.operations), _wires(tape.measurements, order), ())]
    return [_diagonal(part, order) for part in _split(tape)]


def _check(measurement: Any) -> None:
    kind = type(measurement).__name__
    if kind not in _READ_OUT:
        raise CircuitError(f"The measurement {_said(measurement)} cannot be read off counts.", _INSTEAD)
    if measurement.obs is None:
        return
    words = measurement.obs.pauli_rep
    if not words:
        raise CircuitError(
            f"The observable {_said(measurement)} is not made of Pauli words.",
            "Write it with qml.X, qml.Y, qml.Z and products; qml.pauli_decompose(matrix) does it for a matrix.",
        )
    if len(words) > 1 and kind != "ExpectationMP":
        raise CircuitError(
            f"{_said(measurement)} is of a sum of observables, which has no common basis.",
            "Ask for one Pauli word at a time, or for the expectation value.",
        )


def _split(tape: Any) -> Sequence[Any]:
    import pennylane as qml

    parts, _ = qml.transforms.split_non_commuting(tape, grouping_strategy="qwc")
    return list(parts)


def _diagonal(part: Any, order: Sequence[Any]) -> Basis:
    import pennylane as qml

    try:
        (rotated,), _ = qml.transforms.diagonalize_measurements(part)
    except Exception as error:
        names = ", ".join(_said(m) for m in part.measurements)
        raise CircuitError(f"{names} cannot be measured together: {error}", _INSTEAD, cause=error) from error
    observables = tuple(f"{_said(m)} on wires {list(m.wires)}" for m in part.measurements if m.obs is not None)
    return Basis(tuple(rotated.operations), _wires(rotated.measurements, order), observables)


def _wires(measurements: Sequence[Any], order: Sequence[Any]) -> tuple[Any, ...]:
    at_the_end = [m for m in measurements if m.mv is None]
    if any(m.obs is None and not m.wires for m in at_the_end):
        return tuple(order)
    return tuple(dict.fromkeys(wire for m in at_the_end for wire in m.wires))


def _said(measurement: Any) -> str:
    return " ".join(str(measurement).split())[:120]
