"""State vectors of many points at once.

A state has one axis of length 2 for each qubit and the points last, so that every operation runs over long
contiguous stretches. A qubit gets its axis with its first gate; until the first gate that differs between
points there is one point only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qpm_lab.providers.vectorised.matrices import Entry, Rows, is_diagonal


class States:
    """The states of `points` circuits that differ in their angles only, from |0…0⟩ on."""

    def __init__(self, points: int) -> None:
        self._points = points
        self._qubits: list[int] = []
        self._amplitudes: NDArray[np.complex128] = np.ones(1, dtype=complex)
        self._scratch: NDArray[np.complex128] = np.empty(0, dtype=complex)

    def apply(self, rows: Rows, qubits: Sequence[int]) -> None:
        """Applies a gate given by its rows; the first qubit is the lowest bit of a row's number."""
        if len(qubits) == 1 and qubits[0] not in self._qubits:
            first, second = (rows.get(r, {r: 1}).get(0, 0) for r in (0, 1))
            return self._open(qubits[0], first, second)
        self._open_all(qubits)
        if any(_varies(entry) for row in rows.values() for entry in row.values()):
            self._spread()
        if is_diagonal(rows):
            for r, row in rows.items():
                part = self._part(r, qubits)
                np.multiply(part, row[r], out=part)
        else:
            self._mix(rows, qubits)
        return None

    def apply_dense(self, matrix: NDArray[np.complex128], qubits: Sequence[int]) -> None:
        """Applies one full matrix, shape (2^k, 2^k), to all points."""
        self._open_all(qubits)
        width = len(qubits)
        axes = [self._qubits.index(q) for q in reversed(qubits)]
        moved = np.moveaxis(self._amplitudes, axes, range(width))
        result = (matrix @ moved.reshape(1 << width, -1)).reshape(moved.shape)
        self._amplitudes = np.ascontiguousarray(np.moveaxis(result, range(width), axes))

    def probabilities(self, order: Sequence[int]) -> NDArray[np.float64]:
        """Distributions of the qubits in `order`, shape (points, 2^len(order)); bit i is qubit `order[i]`."""
        self._open_all(order)
        weights = self._amplitudes.real**2
        weights += self._amplitudes.imag**2
        unread = tuple(axis for axis, qubit in enumerate(self._qubits) if qubit not in order)
        weights = weights.sum(axis=unread)
        kept = [qubit for qubit in self._qubits if qubit in order]
        # Points first, then the highest bit.
        weights = weights.transpose([len(kept), *(kept.index(qubit) for qubit in reversed(order))])
        flat = weights.reshape(weights.shape[0], -1)
        return np.ascontiguousarray(np.broadcast_to(flat, (self._points, flat.shape[1])))

    def _open_all(self, qubits: Sequence[int]) -> None:
        for qubit in qubits:
            if qubit not in self._qubits:
                self._open(qubit, 1, 0)

    def _open(self, qubit: int, first: Entry, second: Entry) -> None:
        """Adds a qubit in the state `first` |0⟩ + `second` |1⟩."""
        if _varies(first) or _varies(second):
            self._spread()
        old = self._amplitudes
        new = np.empty((2, *old.shape), dtype=complex)
        np.multiply(old, first, out=new[0])
        np.multiply(old, second, out=new[1])
        self._amplitudes = new
        self._qubits.insert(0, qubit)

    def _spread(self) -> None:
        """Gives every point its own amplitudes."""
        if self._amplitudes.shape[-1] != self._points:
            self._amplitudes = np.repeat(self._amplitudes, self._points, axis=-1)

    def _part(self, row: int, qubits: Sequence[int]) -> NDArray[np.complex128]:
        """The amplitudes in which the gate's qubits read `row`; a view."""
        index: list[Any] = [slice(None)] * len(self._qubits)
        for bit, qubit in enumerate(qubits):
            index[self._qubits.index(qubit)] = row >> bit & 1
        part: NDArray[np.complex128] = self._amplitudes[(*index, slice(None))]
        return part

    def _mix(self, rows: Rows, qubits: Sequence[int]) -> None:
        parts = {k: self._part(k, qubits) for k in rows.keys() | {c for row in rows.values() for c in row}}
        some = next(iter(parts.values()))
        # Fresh arrays of this size cost more than the arithmetic: the system hands out zeroed pages.
        if self._scratch.size < (len(rows) + 1) * some.size:
            self._scratch = np.empty((len(rows) + 1) * some.size, dtype=complex)
        blocks = self._scratch[: (len(rows) + 1) * some.size].reshape(len(rows) + 1, *some.shape)
        for (_, row), total in zip(rows.items(), blocks, strict=False):
            _weigh(row, parts, total, blocks[-1])
        for r, total in zip(rows, blocks, strict=False):
            np.copyto(parts[r], total)


def _weigh(row: Any, parts: Any, total: NDArray[np.complex128], term: NDArray[np.complex128]) -> None:
    """Writes Σ entry · part into `total`; `term` is overwritten."""
    (column, entry), *others = row.items()
    if _varies(entry) or entry != 1:
        np.multiply(parts[column], entry, out=total)
    else:
        np.copyto(total, parts[column])
    for column, entry in others:
        np.multiply(parts[column], entry, out=term)
        total += term


def _varies(entry: Entry) -> bool:
    return isinstance(entry, np.ndarray) and entry.ndim > 0
