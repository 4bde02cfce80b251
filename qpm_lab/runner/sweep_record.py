"""A sweep in a job's record: some of its points, with the share of the outcomes that vary most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from qpm_lab import fidelity
from qpm_lab.circuits import Bindings
from qpm_lab.counts import CountsTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95
METHOD = "Clopper–Pearson, each point by itself"
MAX_POINTS = 200
MAX_SIDE = 40
"""Points of a grid that are shown along one axis."""
MAX_OUTCOMES = 6
_SIX_DIGITS = 6


def sweep_block(bindings: Bindings, counts: Sequence[Mapping[str, int]], shots: int) -> dict[str, Any]:
    """The block `sweep` of docs/record.md.

    Args:
        bindings: All points.
        counts: The histograms that there are, from the first point on.
        shots: Of each point.
    """
    indices, shape = _shown(bindings.shape, len(counts))
    values = bindings.values[indices]
    return {
        "parameters": list(bindings.names),
        "shape": list(bindings.shape),
        "points": bindings.points,
        "done": len(counts),
        "shown": {"indices": indices, "shape": shape},
        "values": {name: values[:, i].tolist() for i, name in enumerate(bindings.names)},
        "outcomes": _outcomes(counts, indices, shots),
        "level": LEVEL,
        "method": METHOD,
    }


def _shown(shape: Sequence[int], done: int) -> tuple[list[int], list[int]]:
    """Indices of the points shown that are done, row-major, and the shape that all shown points have."""
    most = [MAX_SIDE] * 2 if len(shape) == 2 else [MAX_POINTS]
    sides = shape if len(shape) == 2 else (prod(shape),)
    axes = [_spread(size, limit) for size, limit in zip(sides, most, strict=True)]
    strides = (sides[1], 1) if len(sides) == 2 else (1,)
    indices = [sum(i * stride for i, stride in zip(place, strides, strict=True)) for place in product(*axes)]
    return [i for i in indices if i < done], [len(axis) for axis in axes]


def _spread(size: int, most: int) -> list[int]:
    """At most `most` of the numbers below `size`, evenly spaced, the first and the last among them."""
    if size <= most:
        return list(range(size))
    return sorted({round(i * (size - 1) / (most - 1)) for i in range(most)})


def _outcomes(counts: Sequence[Mapping[str, int]], indices: Sequence[int], shots: int) -> list[dict[str, Any]]:
    if not indices:
        return []
    table = counts if isinstance(counts, CountsTable) else CountsTable.of(counts)
    keys, columns = _varying(table.rows(indices))
    shown = []
    for key, column in zip(keys, columns, strict=True):
        low, high = fidelity.clopper_pearson(column, shots, alpha=1 - LEVEL)
        shown.append({"key": key, "share": _round(column / shots), "low": _round(low), "high": _round(high)})
    return shown


def _varying(table: CountsTable) -> tuple[list[str], list[NDArray[np.int64]]]:
    """The outcomes whose count varies most over the points, and their counts."""
    import numpy as np

    least, most = table.spread()
    order = np.lexsort((-most, least - most))[:MAX_OUTCOMES]
    keys = [table.names[i] for i in order]
    return keys, [table.column(key) for key in keys]


def _round(values: Any) -> list[float]:
    """A chart needs no more digits, and a record is kept in a notebook."""
    return [round(float(value), _SIX_DIGITS) for value in values]
