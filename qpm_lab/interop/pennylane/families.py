"""The tapes of one call that differ only in numbers: submitted as sweeps, read as rows of one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pennylane.measurements import Shots

from qpm_lab.circuits import Bindings
from qpm_lab.interop.pennylane.reading import read
from qpm_lab.interop.pennylane.structure import Template
from qpm_lab.interop.pennylane.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qpm_lab.interop.pennylane.reading import Rows


@dataclass(slots=True)
class Family:
    """The tapes of one call that share a template and their shots."""

    template: Template
    shots: Shots
    members: list[tuple[int, slice, bool]] = field(default_factory=list)
    """Place of the tape in the call, its rows, and whether it is broadcast."""
    values: list[NDArray[np.float64]] = field(default_factory=list)
    rows: int = 0

    def add(self, place: int, values: NDArray[np.float64], points: int | None) -> None:
        """Appends a tape: its place in the call, its rows of angles, and its points if it is broadcast."""
        end = self.rows + len(values)
        self.members.append((place, slice(self.rows, end), points is not None))
        self.values.append(values)
        self.rows = end

    def sources(self) -> list[Any]:
        """What is submitted: for each circuit of the template a sweep over all rows."""
        template = self.template
        if not template.names:
            return [circuit for circuit in template.circuits for _ in range(self.rows)]
        bindings = Bindings(template.names, np.concatenate(self.values), (self.rows,))
        return [circuit.swept(bindings) for circuit in template.circuits]

    @property
    def executions(self) -> int:
        """How many histograms come back."""
        return len(self.template.circuits) * self.rows


def results(
    family: Family, histograms: Sequence[Mapping[str, int]], circuits: Sequence[Any], rng: np.random.Generator
) -> Iterator[tuple[int, Any]]:
    """Place and result of each tape of a family, in the nesting that PennyLane wants.

    Args:
        family: The tapes.
        histograms: Of each circuit of the template all rows.
        circuits: All tapes of the call.
        rng: For the order of samples and the parts of a shot vector.
    """
    starts = range(0, family.executions, family.rows)
    tallies = [Tally.of(histograms[start : start + family.rows]) for start in starts]
    shots, template = family.shots, family.template
    copies = [s for size, number in shots.shot_vector for s in [size] * number]
    if shots.has_partitioned_shots:
        tallies = [tally.parts(copies, rng) for tally in tallies]
    if template.postselected:
        tallies = [tally.keep(_passing(tally, template.postselected)) for tally in tallies]
    first = circuits[family.members[0][0]].measurements
    rows = [read(r, m, tallies, rng) for r, m in zip(template.readings, first, strict=True)]
    for place, part, broadcast in family.members:
        each = [_one_copy(rows, part, n, len(copies), broadcast=broadcast) for n in range(len(copies))]
        yield place, tuple(each) if shots.has_partitioned_shots else each[0]


def _one_copy(rows: Sequence[Rows], part: slice, copy: int, copies: int, *, broadcast: bool) -> Any:
    mine = slice(part.start * copies + copy, part.stop * copies, copies)
    measured = [_batch(row[mine]) if broadcast else row[mine.start] for row in rows]
    return measured[0] if len(measured) == 1 else tuple(measured)


def _batch(points: Rows) -> Any:
    """The points of a broadcast along a first axis, where they are arrays of one shape."""
    if isinstance(points, np.ndarray) or isinstance(points[0], dict):
        return points
    if len({np.shape(point) for point in points}) > 1:
        return list(points)
    return np.stack(points)


def _passing(tally: Tally, postselected: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    passing = np.ones(len(tally.bits), dtype=bool)
    for place, outcome in postselected:
        passing &= tally.bits[:, place] == outcome
    return passing
