"""Which bases have to be measured for a set of observables, and what each outcome contributes to them.

Terms that agree on every qubit they share are measured together. They are gathered greedily, the largest coefficients
first ("sorted insertion": O. Crawford et al., Quantum 5, 385 (2021)).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qpm_lab.interop.qiskit.templates import Basis

Observable = tuple[tuple[str, float], ...]
"""Terms as label and real coefficient. A label has a letter for each qubit, qubit 0 last: I, X, Y, Z, or a projector
0, 1 (of Z), +, - (of X), r, l (of Y)."""

_PAULI = {"X": "X", "+": "X", "-": "X", "Y": "Y", "r": "Y", "l": "Y", "Z": "Z", "0": "Z", "1": "Z"}
_WANTED = {"0": 0, "+": 0, "r": 0, "1": 1, "-": 1, "l": 1}
"""The measured bit that a projector lets through."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Terms that one basis measures."""

    basis: Basis
    signs: NDArray[np.float32]
    """1 where a term has a Pauli on a measured bit, shape (measured bits, terms); bits in the order of the outcome."""
    ones: NDArray[np.float32]
    """1 where a term projects on a 1, same shape."""
    zeros: NDArray[np.float32]
    """1 where a term projects on a 0, same shape."""
    coefficients: NDArray[np.float64]
    """Shape (terms, observables of the set)."""

    def contributions(self, bits: NDArray[np.uint8]) -> NDArray[np.float64]:
        """What each outcome adds to each observable.

        Args:
            bits: Outcomes, shape (outcomes, measured bits), the last qubit of the basis first.

        Returns:
            Shape (outcomes, observables of the set).
        """
        read = bits.astype(np.float32)
        values = 1.0 - 2.0 * np.mod(read @ self.signs, 2)
        if self.ones.any() or self.zeros.any():
            values *= (1 - read) @ self.ones + read @ self.zeros == 0
        result: NDArray[np.float64] = values @ self.coefficients
        return result


@dataclass(frozen=True, slots=True, eq=False)
class ObservableSet:
    """Observables that are wanted for the same parameter values."""

    points: NDArray[np.intp]
    """Which of the parameter values, shape (p,)."""
    elements: NDArray[np.intp]
    """Where in the flat result each value goes, shape (p, observables)."""
    constants: NDArray[np.float64]
    """Coefficients of the identity, shape (observables,)."""
    groups: tuple[Group, ...]


@lru_cache(maxsize=64)
def measurement_plan(
    observables: tuple[Observable, ...], shape: tuple[int, ...], points_shape: tuple[int, ...]
) -> tuple[ObservableSet, ...]:
    """Pairs observables of one shape with parameter values of another, as NumPy broadcasts them.

    Parameter values with the same observables make one set.
    """
    own = np.arange(len(observables)).reshape(shape)
    points, wanted = np.broadcast_arrays(np.arange(math.prod(points_shape)).reshape(points_shape), own)
    if not points.size:
        return ()
    by_point = np.argsort(points, axis=None, kind="stable").reshape(math.prod(points_shape), -1)
    rows = wanted.ravel()[by_point]
    alike: dict[bytes, list[int]] = {}
    for point, row in enumerate(rows):
        alike.setdefault(row.tobytes(), []).append(point)
    return tuple([_set([observables[i] for i in rows[m[0]]], np.array(m), by_point[m]) for m in alike.values()])


def _set(observables: Sequence[Observable], points: NDArray[np.intp], elements: NDArray[np.intp]) -> ObservableSet:
    constants = np.zeros(len(observables))
    terms: dict[str, NDArray[np.float64]] = {}
    for column, observable in enumerate(observables):
        for label, coefficient in observable:
            if label.strip("I"):
                terms.setdefault(label, np.zeros(len(observables)))[column] += coefficient
            else:
                constants[column] += coefficient
    return ObservableSet(points, elements, constants, tuple(_groups(terms)))


def _groups(terms: Mapping[str, NDArray[np.float64]]) -> Iterator[Group]:
    found: list[tuple[dict[int, str], list[str]]] = []
    for label in sorted(terms, key=lambda each: (-np.abs(terms[each]).max(), each)):
        needed = {qubit: _PAULI[letter] for qubit, letter in _support(label)}
        for basis, members in found:
            if all(basis.get(qubit, pauli) == pauli for qubit, pauli in needed.items()):
                basis.update(needed)
                members.append(label)
                break
        else:
            found.append((needed, [label]))
    return (_group(basis, members, terms) for basis, members in found)


def _group(basis: dict[int, str], labels: Sequence[str], terms: Mapping[str, Any]) -> Group:
    ascending = tuple(sorted(basis.items()))
    row = {qubit: len(basis) - 1 - place for place, (qubit, _) in enumerate(ascending)}
    masks = {kind: np.zeros((len(basis), len(labels)), dtype=np.float32) for kind in (None, 0, 1)}
    for column, label in enumerate(labels):
        for qubit, letter in _support(label):
            masks[_WANTED.get(letter)][row[qubit], column] = 1
    return Group(ascending, masks[None], masks[1], masks[0], np.array([terms[label] for label in labels]))


def _support(label: str) -> Iterator[tuple[int, str]]:
    return ((qubit, letter) for qubit, letter in enumerate(reversed(label)) if letter != "I")
