"""What came back from one job."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, SupportsIndex

from qpm_lab.counts import CountsTable
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity import estimate_from_dict

if TYPE_CHECKING:
    import pandas as pd
    from qiskit import QuantumCircuit

    from qpm_lab.circuits import Bindings

COLUMNS = frozenset({"circuit", "point", "outcome", "count", "share"})
"""Of a table of results; a parameter of such a name is called `parameter.<name>` there."""
NO_ESTIMATE = Estimate(None, None, None, 0.95, "outcome fidelity", "", 0, "the job has not ended")


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """Counts, fidelity and cost of a job. Several circuits, or the points of a sweep, are indexed: `result[1]`."""

    counts: Mapping[str, int]
    """Bit string in Qiskit's order → shots; of the first circuit or point."""
    fidelity: Estimate
    """Outcome fidelity with its interval; a refused one has value None and a reason."""
    cost: Mapping[str, str]
    """`currency`, `amount` (decimal string, of the whole job) and `basis` (`quoted` or `billed`)."""
    circuit: QuantumCircuit
    """Exactly what was run, measurements included; of a sweep the circuit with its parameters open."""
    backend: str
    shots: int
    """Of each circuit or point."""
    parts: tuple[Result, ...] = ()
    """One result per circuit when the job has several."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    """Values of the swept parameters at this point."""
    histograms: Sequence[Mapping[str, int]] = ()
    """All histograms: circuit after circuit, the points of a sweep in order. A `CountsTable` for a sweep."""
    bindings: Bindings | None = None
    """All points of a sweep."""

    @classmethod
    def build(
        cls,
        histograms: Sequence[Mapping[str, int]],
        estimates: Sequence[Estimate],
        circuits: Sequence[Any],
        bindings: Sequence[Bindings | None],
        common: Mapping[str, Any],
    ) -> Result:
        """The result of a job from its parts, one of each per circuit; histograms one per execution.

        Of a sweep that was stopped there are the first histograms only, and circuits without any are left out.
        """
        if any(bindings) and not isinstance(histograms, CountsTable):
            histograms = CountsTable.of(histograms)
        parts, first = [], 0
        for circuit, swept, estimate in zip(circuits, bindings, estimates, strict=True):
            points = swept.points if swept else 1
            mine = histograms[first : first + points]
            first += points
            if len(mine):
                whole = swept if swept is None or len(mine) == points else swept[: len(mine)]
                parts.append(cls(mine[0], estimate, circuit=circuit, histograms=mine, bindings=whole, **common))
        if len(parts) == 1:
            return parts[0]
        return replace(parts[0], parts=tuple(parts), histograms=histograms, bindings=None)

    @classmethod
    def from_record(
        cls,
        record: Mapping[str, Any],
        circuits: Sequence[Any],
        bindings: Sequence[Bindings | None],
        histograms: Sequence[Mapping[str, int]],
    ) -> Result:
        """Builds the result from a job's record, its circuits, their values and its histograms."""
        blocks = record["results"] or [record]
        told = [block["fidelity"] for block in blocks]
        told += [None] * (len(circuits) - len(told))
        cost = record["cost"] or {"currency": record["quote"]["currency"], "amount": "0", "basis": "quoted"}
        common = {"cost": cost, "backend": record["backend"], "shots": record["shots"]}
        estimates = [estimate_from_dict(each) if each else NO_ESTIMATE for each in told]
        return cls.build(histograms, estimates, circuits, bindings, common)

    def probabilities(self) -> dict[str, float]:
        """Observed share of each outcome; the shares sum to one."""
        return {key: count / self.shots for key, count in self.counts.items()}

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome that occurred, with its count and share.

        The columns before are `circuit` (its number), or for a sweep `point` and the swept parameters.
        """
        import pandas as pd

        numbered = bool(self.parts) or self.bindings is None
        frames = [part._frame(index if numbered else None) for index, part in enumerate(self.parts or (self,))]
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def _frame(self, index: int | None) -> pd.DataFrame:
        import numpy as np
        import pandas as pd

        table = self.histograms if isinstance(self.histograms, CountsTable) else CountsTable.of(self._rows())
        point = np.repeat(np.arange(len(table)), np.diff(table.offsets))
        columns: dict[str, Any] = {} if index is None else {"circuit": np.full(len(point), index)}
        if self.bindings is not None:
            columns["point"] = point
            for i, name in enumerate(self.bindings.names):
                columns[f"parameter.{name}" if name in COLUMNS else name] = self.bindings.values[point, i]
        outcome = np.array(table.names, dtype=object)[table.indices]
        count = table.values.astype(np.int64)
        return pd.DataFrame(columns | {"outcome": outcome, "count": count, "share": count / self.shots})

    def _rows(self) -> Sequence[Mapping[str, int]]:
        return self.histograms or (self.counts,)

    def __repr__(self) -> str:
        number = len(self)
        what = "circuits" if self.parts else "points"
        many = f"{number:,} {what} × " if number > 1 else ""
        return f"<Result {many}{self.shots:,} shots on {self.backend}; fidelity: {self.fidelity}>"

    def __len__(self) -> int:
        return len(self.parts) or len(self._rows())

    def __getitem__(self, index: SupportsIndex) -> Result:
        index = operator.index(index)
        if self.parts:
            return self.parts[index]
        rows = self._rows()
        if not -len(rows) <= index < len(rows):
            raise IndexError(f"the job has {len(rows)} results")
        if self.bindings is None:
            return self
        values = self.bindings.values[index].tolist()
        here = dict(zip(self.bindings.names, values, strict=True))
        counts = rows[index]
        return replace(self, counts=counts, parameters=here, histograms=(counts,), bindings=None)

    def __iter__(self) -> Iterator[Result]:
        return (self[index] for index in range(len(self)))
