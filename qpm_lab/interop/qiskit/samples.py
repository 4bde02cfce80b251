"""Counts as the shots of a `BitArray`.

A histogram says how often, not in which order. The shots of one execution are independent and equally distributed, so
every order is as likely as any other: putting them in a random one gives a true sample of the experiment.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives import BitArray

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qpm_lab.counts import CountsTable

MAX_CELLS = 1 << 20
"""Shots put in order at once."""
_SPACE, _ONE = ord(" "), ord("1")


def outcome_bits(table: CountsTable, used: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The bits of some outcomes, all written alike: shape (len(used), clbits), classical bit 0 last."""
    keys = table.keys[used]
    text = keys.view(np.uint8).reshape(len(keys), keys.dtype.itemsize)
    columns = [place for place, letter in enumerate(bytes(keys[0])) if letter != _SPACE]
    bits: NDArray[np.uint8] = (text[:, columns] == _ONE).view(np.uint8)
    return bits


def used_outcomes(table: CountsTable) -> tuple[NDArray[np.intp], NDArray[np.integer[Any]]]:
    """Which of the table's outcomes occur, ascending, and for each count the place among them."""
    if len(table) == 1:
        return table.indices.astype(np.intp), np.arange(len(table.indices))
    if len(table.keys) > len(table.indices):  # a few histograms of a large job
        used, places = np.unique(table.indices, return_inverse=True)
        return used.astype(np.intp), places
    used = np.flatnonzero(np.bincount(table.indices, minlength=len(table.keys)))
    place = np.zeros(len(table.keys), dtype=np.min_scalar_type(len(used)))
    place[used] = np.arange(len(used))
    return used, place[table.indices]


class Shots:
    """The outcomes of one pub: what occurred how often, and on demand in what order.

    Args:
        table: Its histograms, one per point, each of the same number of shots.
        shape: Shape of the pub.
        shots: Of each point.
        seed: Of the random order; pubs of one job need different ones.
    """

    def __init__(self, table: CountsTable, shape: tuple[int, ...], shots: int, seed: tuple[int, ...]) -> None:
        self.shape = shape
        self.shots = shots
        self.offsets = table.offsets.tolist()
        self.values = table.values
        used, self.places = used_outcomes(table)
        self.bits = outcome_bits(table, used)
        self._seed = seed

    @cached_property
    def order(self) -> NDArray[np.integer[Any]]:
        """The outcome of each shot as a row of `bits`, shape (points, shots).

        The upper bits of every number to be sorted are random, the lower ones are the outcome.
        """
        low = max(1, len(self.bits) - 1).bit_length()
        rng = np.random.default_rng(self._seed)
        points = len(self.offsets) - 1
        order = np.empty((points, self.shots), dtype=np.min_scalar_type(len(self.bits) - 1))
        step = max(1, MAX_CELLS // self.shots)
        for first in range(0, points, step):
            last = min(first + step, points)
            rows = slice(self.offsets[first], self.offsets[last])
            mixed = rng.integers(0, 1 << (63 - low), (last - first, self.shots), dtype=np.int64) << low
            mixed |= np.repeat(self.places[rows], self.values[rows]).reshape(mixed.shape)
            mixed.sort(axis=1)
            order[first:last] = mixed & ((1 << low) - 1)
        return order


class CountedBitArray(BitArray):
    """A `BitArray` that knows its counts and writes the single shots out only when they are asked for."""

    def __init__(self, shots: Shots, columns: list[int]) -> None:
        self._shots = shots
        self._columns = columns
        self._num_bits = len(columns)
        self._shape = shots.shape

    @cached_property
    def _array(self) -> NDArray[np.uint8]:
        packed = _packed(self._shots.bits[:, self._columns])
        array: NDArray[np.uint8] = packed[self._shots.order].reshape(*self._shape, self.num_shots, packed.shape[1])
        return array

    @cached_property
    def _rows(self) -> NDArray[np.intp]:
        return np.arange(math.prod(self._shape)).reshape(self._shape)

    @cached_property
    def _names(self) -> list[str]:
        bits = self._shots.bits[:, self._columns]
        text = np.ascontiguousarray(bits + ord("0"), dtype=np.uint8)
        return [row.tobytes().decode() for row in text]

    @cached_property
    def _numbers(self) -> list[int]:
        return [int(name, 2) for name in self._names]

    @property
    def num_shots(self) -> int:
        """Shots of each point."""
        return self._shots.shots

    def get_counts(self, loc: int | tuple[int, ...] | None = None) -> dict[str, int]:
        """Counts by bit string, of the point `loc` or of all points together."""
        return self._counted(self._names, loc) if self._is_known(loc) else dict(super().get_counts(loc))

    def get_int_counts(self, loc: int | tuple[int, ...] | None = None) -> dict[int, int]:
        """Counts by integer, of the point `loc` or of all points together."""
        return self._counted(self._numbers, loc) if self._is_known(loc) else dict(super().get_int_counts(loc))

    def _is_known(self, loc: Any) -> bool:
        """False once the shots are written out: whoever has the array may have changed it."""
        return "_array" not in self.__dict__ and (loc is None or np.ndim(self._rows[loc]) == 0)

    def _counted(self, names: list[Any], loc: Any) -> dict[Any, int]:
        shots = self._shots
        first, last = (0, len(shots.offsets) - 1) if loc is None else (int(self._rows[loc]), int(self._rows[loc]) + 1)
        start, end = shots.offsets[first], shots.offsets[last]
        counts: dict[Any, int] = {}
        for place, value in zip(shots.places[start:end].tolist(), shots.values[start:end].tolist(), strict=True):
            counts[names[place]] = counts.get(names[place], 0) + value
        return counts

    def __reduce__(self) -> tuple[Any, ...]:
        return BitArray, (self._array, self._num_bits)


def register_columns(circuit: QuantumCircuit) -> dict[str, list[int]]:
    """For each classical register the columns of `outcome_bits` that are its bits, highest first."""
    place = {bit: circuit.num_clbits - 1 - index for index, bit in enumerate(circuit.clbits)}
    return {register.name: [place[bit] for bit in reversed(register)] for register in circuit.cregs}


def silent(shape: tuple[int, ...], shots: int, bits: int) -> BitArray:
    """What a register holds that nothing was measured into: zeros."""
    return BitArray(np.zeros((*shape, shots, -(-bits // 8)), dtype=np.uint8), bits)


def _packed(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bits as bytes, the last bit the lowest of the last byte."""
    return np.packbits(np.pad(bits, ((0, 0), (-bits.shape[1] % 8, 0))), axis=1)
