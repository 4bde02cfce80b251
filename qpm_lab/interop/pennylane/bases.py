"""Which measurements of a tape go together into one circuit: those that commute qubit by qubit.

Sums are taken apart into their Pauli words, and PennyLane's own grouping finds few groups. An observable that is no
Pauli word, say a Hermitian matrix, brings its own rotations and shares no wire with others.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import pennylane as qml
from pennylane.measurements import ExpectationMP, ProbabilityMP

from qpm_lab.errors import CircuitError


@dataclass(frozen=True, slots=True, eq=False)
class Rotated:
    """The basis of an observable that is no Pauli word."""

    observable: Any


Basis = frozenset[tuple[Any, str]] | Rotated
"""Wire and letter of each factor of a Pauli word; empty for the identity."""


@dataclass(frozen=True, slots=True)
class Group:
    """One circuit's worth of measurements."""

    rotations: tuple[Any, ...]
    """PennyLane operations that turn its bases into the computational one."""
    wires: tuple[Any, ...]
    """Read out at the end, in the order of their qubits."""


def grouped(
    measurements: Sequence[Any], order: Sequence[Any], mids: Container[Any]
) -> tuple[tuple[Group, ...], list[list[int]]]:
    """Finds the groups of a tape.

    Args:
        measurements: The tape's.
        order: Wires by qubit.
        mids: Ids of the mid-circuit measurements that the circuit makes itself.

    Returns:
        The groups, at least one; and for each measurement the group of each of its terms (see `terms`).

    Raises:
        CircuitError: an observable that has no rotations, by name.
    """
    wanted = [_bases(m, order, mids) for m in measurements]
    distinct = list(dict.fromkeys(basis for own in wanted for basis in own))
    settings, place = _settings([b for b in distinct if isinstance(b, frozenset)])
    for basis in distinct:
        if isinstance(basis, Rotated):
            place[basis] = _placed(basis, settings)
    groups = tuple(_group(setting, order) for setting in settings or [{}])
    return groups, [[place[basis] for basis in own] for own in wanted]


def terms(measurement: Any) -> list[tuple[Any, float]] | None:
    """Pauli words and their factors, where the measurement is read word by word; None where it is not."""
    sentence = None if measurement.obs is None else measurement.obs.pauli_rep
    if sentence is None or isinstance(measurement, ProbabilityMP):
        return None
    if len(sentence) > 1 and not isinstance(measurement, ExpectationMP):
        return None
    return [(word, complex(factor).real) for word, factor in sentence.items()]


def _bases(measurement: Any, order: Sequence[Any], mids: Container[Any]) -> list[Basis]:
    if measurement.mv is not None:
        values = measurement.mv if isinstance(measurement.mv, list) else [measurement.mv]
        deferred = [m.wires[0] for v in values for m in v.measurements if m.meas_uid not in mids]
        return [_computational(deferred)]
    if measurement.obs is None:
        return [_computational(measurement.wires or order)]
    words = terms(measurement)
    if words is not None:
        return [frozenset(word.items()) for word, _ in words]
    sentence = measurement.obs.pauli_rep
    if sentence is not None and len(sentence) == 1:
        (word,) = sentence
        return [frozenset((wire, word.get(wire, "Z")) for wire in measurement.wires)]
    return [Rotated(measurement.obs)]


def _computational(wires: Sequence[Any]) -> Basis:
    return frozenset((wire, "Z") for wire in wires)


def _settings(words: Sequence[frozenset[tuple[Any, str]]]) -> tuple[list[dict[Any, Any]], dict[Basis, int]]:
    """Letter by wire for each group, and the group of each word."""
    solid = [word for word in words if word]
    place: dict[Basis, int] = dict.fromkeys(words, 0)
    settings: list[dict[Any, Any]] = []
    for number, members in enumerate(_partition(solid)):
        settings.append({wire: letter for m in members for wire, letter in solid[m]})
        place.update((solid[m], number) for m in members)
    return settings, place


def _partition(words: Sequence[frozenset[tuple[Any, str]]]) -> Sequence[Sequence[int]]:
    if len(words) < 2:
        return [[n] for n in range(len(words))]
    observables = [qml.pauli.PauliWord(dict(word)).operation() for word in words]
    parts: Sequence[Sequence[int]] = qml.pauli.compute_partition_indices(observables, grouping_type="qwc")
    return parts


def _placed(basis: Rotated, settings: list[dict[Any, Any]]) -> int:
    """Enters the observable into the first group that leaves its wires alone."""
    wires = basis.observable.wires
    for number, setting in enumerate(settings):
        if not setting.keys() & set(wires):
            setting.update(dict.fromkeys(wires, basis))
            return number
    settings.append(dict.fromkeys(wires, basis))
    return len(settings) - 1


def _group(setting: dict[Any, Any], order: Sequence[Any]) -> Group:
    wires = [wire for wire in order if wire in setting]
    rotations = [gate for wire in wires for gate in _letter(setting[wire], wire)]
    for basis in dict.fromkeys(b for b in setting.values() if isinstance(b, Rotated)):
        rotations += _own_rotations(basis.observable)
    return Group(tuple(rotations), tuple(wires) or (order[0],))


def _letter(basis: Any, wire: Any) -> list[Any]:
    if basis == "X":
        return [qml.Hadamard(wire)]
    if basis == "Y":
        return [qml.adjoint(qml.S(wire)), qml.Hadamard(wire)]
    return []


def _own_rotations(observable: Any) -> list[Any]:
    try:
        return list(observable.diagonalizing_gates())
    except Exception as error:
        raise CircuitError(
            f"The observable {' '.join(str(observable).split())[:120]} cannot be measured with shots.",
            "Write it with qml.X, qml.Y, qml.Z and products; qml.pauli_decompose(matrix) does it for a matrix.",
            cause=error,
        ) from error
