"""Counts as arrays: which bits each outcome has, and how often it occurred in each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qpm_lab.counts import CountsTable

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Histograms over common outcomes as compressed sparse rows."""

    bits: NDArray[np.uint8]
    """Shape (outcomes, bits), the first classical bit first."""
    indices: NDArray[np.intp]
    """Outcome of each count."""
    values: NDArray[np.int64]
    offsets: NDArray[np.int64]
    """Where each row begins and the last one ends, shape (rows + 1,)."""

    @classmethod
    def of(cls, histograms: Sequence[Mapping[str, int]]) -> Tally:
        """From counts whose keys all have the same length."""
        table = histograms if isinstance(histograms, CountsTable) else CountsTable.of(histograms)
        used, indices = np.unique(table.indices, return_inverse=True)
        offsets = table.offsets.astype(np.int64)
        return cls(_bits(table.keys[used]), indices, table.values.astype(np.int64), offsets)

    @property
    def rows(self) -> int:
        return len(self.offsets) - 1

    @property
    def totals(self) -> NDArray[np.int64]:
        """Shots of each row, shape (rows,)."""
        return self._sums(self.values)

    def mean(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Average over the shots of each row of a value per outcome, shape (rows,); NaN for a row without shots."""
        with np.errstate(invalid="ignore"):
            means: NDArray[np.float64] = self._sums(self.values * value[self.indices]) / self.totals
        return means

    def shares(self, place: NDArray[np.intp], size: int) -> NDArray[np.float64]:
        """Relative frequencies, shape (rows, size), of the places that the outcomes have in an array."""
        flat = self._row_of_each() * size + place[self.indices]
        table = np.bincount(flat, weights=self.values, minlength=self.rows * size).reshape(self.rows, size)
        with np.errstate(invalid="ignore"):
            shares: NDArray[np.float64] = table / self.totals[:, None]
        return shares

    def row(self, number: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Outcomes of one row and how often each occurred."""
        part = slice(self.offsets[number], self.offsets[number + 1])
        return self.indices[part], self.values[part]

    def draws(self, number: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """The outcomes of one row shot by shot, shape (shots,).

        Counts say nothing about order, and the shots of one circuit are exchangeable: a random order is a true sample.
        """
        return rng.permutation(np.repeat(*self.row(number)))

    def keep(self, wanted: NDArray[np.bool_]) -> Tally:
        """Without the shots whose outcome is not wanted."""
        kept = wanted[self.indices]
        before = np.concatenate([[0], np.cumsum(kept)])
        return replace(self, indices=self.indices[kept], values=self.values[kept], offsets=before[self.offsets])

    def parts(self, sizes: Sequence[int], rng: np.random.Generator) -> Tally:
        """Every row divided at random into rows of the given numbers of shots."""
        ends = np.cumsum(sizes)
        pieces = [p for n in range(self.rows) for p in np.split(self.draws(n, rng), ends[:-1])]
        counted = [np.unique(piece, return_counts=True) for piece in pieces]
        return replace(
            self,
            indices=np.concatenate([outcomes for outcomes, _ in counted]),
            values=np.concatenate([counts for _, counts in counted]),
            offsets=np.concatenate([[0], np.cumsum([len(outcomes) for outcomes, _ in counted])]),
        )

    def _sums(self, numbers: NDArray[Any]) -> NDArray[Any]:
        before = np.concatenate([[0], np.cumsum(numbers)])
        sums: NDArray[Any] = before[self.offsets[1:]] - before[self.offsets[:-1]]
        return sums

    def _row_of_each(self) -> NDArray[np.intp]:
        return np.repeat(np.arange(self.rows), np.diff(self.offsets))


def _bits(keys: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    """Qiskit's bit strings, rightmost bit first, without the spaces between registers."""
    text = keys[0].decode()
    places = [n for n, character in enumerate(text) if character != " "][::-1]
    characters = np.ascontiguousarray(keys.astype(f"S{len(text)}")).view(np.uint8).reshape(len(keys), len(text))
    return characters[:, places] - ord("0")
