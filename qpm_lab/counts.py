"""Many histograms in little memory: what a sweep brings back.

A dictionary per point costs a hundred bytes for each outcome; here an outcome's name is kept once for all
points, and each count takes a few bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, starmap
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"PK"
"""How the bytes of a table begin; JSON and zlib begin otherwise."""
MAX_PLAIN_BYTES = 1 << 20


class CountsTable(Sequence[Mapping[str, int]]):
    """Histograms one after another, as compressed sparse rows; `table[i]` is a dictionary.

    Args:
        keys: Names of the outcomes in ascending order, shape (k,), bytes.
        indices: Place in `keys` of each count, ascending within a histogram.
        values: The counts, all positive, in step with `indices`.
        offsets: Where each histogram begins and the last one ends, shape (histograms + 1,), from 0.

    >>> table = CountsTable.of([{"00": 3, "11": 1}, {"01": 4}])
    >>> table[1], len(table)
    ({'01': 4}, 2)
    """

    def __init__(
        self,
        keys: NDArray[np.bytes_],
        indices: NDArray[np.integer[Any]],
        values: NDArray[np.integer[Any]],
        offsets: NDArray[np.int64],
    ) -> None:
        self.keys = keys
        self.indices = indices
        self.values = values
        self.offsets = offsets
        self._names: list[str] | None = None

    @classmethod
    def of(cls, histograms: Iterable[Mapping[str, int]]) -> CountsTable:
        """A table of dictionaries; one of them at a time is looked at."""
        import numpy as np

        place: dict[str, int] = {}
        indices: list[int] = []
        values: list[int] = []
        offsets = [0]
        for histogram in histograms:
            indices.extend(place.setdefault(key, len(place)) for key in histogram)
            values.extend(histogram.values())
            offsets.append(len(indices))
        names = np.array([key.encode() for key in place], dtype="S")
        order = np.argsort(names)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        places = rank[np.array(indices, dtype=np.int64)] if indices else np.array([], dtype=np.int64)
        table = cls(names[order], places, np.array(values, dtype=np.int64), np.array(offsets, dtype=np.int64))
        return table._sorted()._small()

    @classmethod
    def of_matrix(cls, keys: NDArray[np.bytes_], counts: NDArray[np.integer[Any]]) -> CountsTable:
        """A table from a matrix of counts, shape (histograms, k), column j for `keys[j]`."""
        import numpy as np

        order = np.argsort(keys)
        counts = counts[:, order]
        rows, columns = np.nonzero(counts)
        offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(counts)))]).astype(np.int64)
        return cls(keys[order], columns, counts[rows, columns], offsets)._small()

    @classmethod
    def join(cls, tables: Sequence[CountsTable]) -> CountsTable:
        """The histograms of several tables, in order."""
        import numpy as np

        if len(tables) == 1:
            return tables[0]
        keys = np.unique(np.concatenate([t.keys for t in tables])) if tables else np.array([], dtype="S1")
        # Small at once: in whole words these places would be the largest thing in memory.
        indices = [_smallest(np.searchsorted(keys, t.keys), len(keys))[t.indices] for t in tables]
        values, start = [t.values for t in tables], np.zeros(1, dtype=np.int64)
        ends = np.cumsum([0, *(len(each) for each in values)])
        offsets = [t.offsets[1:] + end for t, end in zip(tables, ends[:-1], strict=True)]
        return cls(
            keys,
            np.concatenate(indices) if indices else start[:0],
            np.concatenate(values) if values else start[:0],
            np.concatenate([start, *offsets]),
        )._small()

    @classmethod
    def from_bytes(cls, data: bytes) -> CountsTable:
        """The inverse of `to_bytes`.

        Raises:
            ValueError: the bytes are no such table.
        """
        import numpy as np

        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                table = cls(arrays["keys"], arrays["indices"], arrays["values"], arrays["offsets"])
        except (OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"these bytes are no table of counts: {error}") from error
        table._require_sound()
        return table

    def to_bytes(self) -> bytes:
        """The table as a NumPy archive without pickled objects; compressed when it is large."""
        import numpy as np

        buffer = io.BytesIO()
        save = np.savez_compressed if self.values.nbytes > MAX_PLAIN_BYTES else np.savez
        save(buffer, keys=self.keys, indices=self.indices, values=self.values, offsets=self.offsets)
        return buffer.getvalue()

    @property
    def names(self) -> list[str]:
        """The outcomes' names as text."""
        if self._names is None:
            self._names = self.keys.astype(str).tolist() if len(self.keys) else []
        return self._names

    @property
    def totals(self) -> NDArray[np.int64]:
        """Sum of the counts of each histogram, shape (histograms,)."""
        import numpy as np

        totals = np.zeros(len(self), dtype=np.int64)
        filled = np.diff(self.offsets) > 0
        if len(self.values):  # row by row: in whole words all counts at once would be many times the table
            totals[filled] = np.add.reduceat(self.values, self.offsets[:-1][filled], dtype=np.int64)
        return totals

    def column(self, key: str) -> NDArray[np.int64]:
        """How often one outcome occurred in each histogram, shape (histograms,)."""
        import numpy as np

        column = np.zeros(len(self), dtype=np.int64)
        place = int(np.searchsorted(self.keys, key.encode()))
        if place < len(self.keys) and self.keys[place] == key.encode():
            hits = np.flatnonzero(self.indices == place)
            column[np.searchsorted(self.offsets, hits, side="right") - 1] = self.values[hits]
        return column

    def spread(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The least and the largest count of each outcome over all histograms, shape (k,) each."""
        import numpy as np

        least = np.full(len(self.keys), np.iinfo(np.int64).max)
        most = np.zeros(len(self.keys), dtype=np.int64)
        values = self.values.astype(np.int64)
        np.minimum.at(least, self.indices, values)
        np.maximum.at(most, self.indices, values)
        seen = np.bincount(self.indices, minlength=len(self.keys))
        return np.where(seen == len(self), least, 0), most

    def rows(self, indices: Sequence[int]) -> CountsTable:
        """Some of the histograms, in the order given."""
        import numpy as np

        starts, sizes = self.offsets[:-1][indices], np.diff(self.offsets)[indices]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], sizes)
        return CountsTable(self.keys, self.indices[places], self.values[places], offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> Mapping[str, int]: ...
    @overload
    def __getitem__(self, index: slice) -> CountsTable: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, int] | CountsTable:
        if isinstance(index, slice):
            return self._part(*index.indices(len(self)))
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} histograms")
        row = index % len(self)
        return self._row(int(self.offsets[row]), int(self.offsets[row + 1]))

    def __iter__(self) -> Iterator[Mapping[str, int]]:
        ends = self.offsets.tolist()
        yield from starmap(self._row, pairwise(ends))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(mine == its for mine, its in zip(self, other, strict=True))
        )

    def _row(self, start: int, end: int) -> dict[str, int]:
        names = self.names
        places, values = self.indices[start:end].tolist(), self.values[start:end].tolist()
        return {names[place]: value for place, value in zip(places, values, strict=True)}

    def _part(self, start: int, stop: int, step: int) -> CountsTable:
        if step != 1:
            return self.rows(list(range(start, stop, step)))
        stop = max(start, stop)
        first, last = self.offsets[start], self.offsets[stop]
        return CountsTable(
            self.keys, self.indices[first:last], self.values[first:last], self.offsets[start : stop + 1] - first
        )

    def _sorted(self) -> CountsTable:
        """The same rows, each in ascending order of its outcomes."""
        import numpy as np

        rows = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        order = np.lexsort((self.indices, rows))
        return CountsTable(self.keys, self.indices[order], self.values[order], self.offsets)

    def _small(self) -> CountsTable:
        """The same numbers in the smallest integers that hold them."""

        self.indices = _smallest(self.indices, len(self.keys))
        self.values = _smallest(self.values, int(self.values.max(initial=0)) + 1)
        return self

    def _require_sound(self) -> None:
        """Raises ValueError unless every row lies within the arrays."""
        import numpy as np

        parts = (self.keys, self.indices, self.values, self.offsets)
        kinds = [part.dtype.kind for part in parts]
        if any(part.ndim != 1 for part in parts) or kinds[0] != "S" or not set(kinds[1:]) <= {"i", "u"}:
            raise ValueError("these arrays are no table of counts")
        ends = self.offsets.astype(np.int64)
        whole = len(ends) > 0 and ends[0] == 0 and ends[-1] == len(self.indices) == len(self.values)
        inside = not len(self.indices) or (self.indices.min() >= 0 and self.indices.max() < len(self.keys))
        if not whole or not inside or np.any(np.diff(ends) < 0):
            raise ValueError("the rows of this table of counts do not fit its arrays")


def _smallest(numbers: NDArray[np.integer[Any]], end: int) -> NDArray[np.integer[Any]]:
    """The same numbers, all below `end`, in the smallest unsigned integers that hold them."""
    import numpy as np

    return numbers.astype(np.min_scalar_type(max(end - 1, 0)), copy=False)
