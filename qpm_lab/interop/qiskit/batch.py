"""Executions gathered for one job: each circuit once, with all the values it is run with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from qpm_lab.circuits import Bindings, Prepared
from qpm_lab.counts import CountsTable

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    from qpm_lab.interop.qiskit.templates import Template
    from qpm_lab.result import Result


@dataclass(frozen=True, slots=True)
class Slot:
    """Where executions stand: the circuit's place in the job, and its rows."""

    circuit: int
    start: int
    rows: int


@dataclass(slots=True)
class _Entry:
    place: int
    template: Template
    values: list[NDArray[np.float64]] = field(default_factory=list)
    rows: int = 0

    def source(self) -> Prepared:
        prepared, names = self.template.prepared, self.template.names
        if not names and self.rows == 1:
            return prepared
        values = self.values[0] if len(self.values) == 1 else np.concatenate(self.values)
        return prepared.swept(Bindings(names, values, (self.rows,)))


class Batch:
    """Collects what one job has to execute; each template becomes one sweep."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}

    def add(self, template: Template, values: NDArray[np.float64]) -> Slot:
        """Adds executions of a circuit, one for each row of `values`, shape (rows, parameters)."""
        entry = self._entries.setdefault(id(template), _Entry(len(self._entries), template))
        slot = Slot(entry.place, entry.rows, len(values))
        entry.values.append(values)
        entry.rows += len(values)
        return slot

    def source(self) -> list[Prepared]:
        """What to submit; empty when there is nothing to execute."""
        return [entry.source() for entry in self._entries.values()]

    def tables(self, results: Sequence[Result]) -> Histograms:
        """The histograms that came back, by slot; of several jobs when one did not take all circuits."""
        ends = accumulate((entry.rows for entry in self._entries.values()), initial=0)
        return Histograms(CountsTable.join([_table(result.histograms) for result in results]), tuple(ends))


@dataclass(frozen=True, slots=True)
class Histograms:
    """The counts of a whole batch."""

    table: CountsTable
    starts: tuple[int, ...]
    """First row of each circuit."""

    def __getitem__(self, slot: Slot) -> CountsTable:
        first = self.starts[slot.circuit] + slot.start
        return self.table[first : first + slot.rows]


def _table(histograms: Sequence[Any]) -> CountsTable:
    """The histograms as a table, whichever way the job held them."""
    return histograms if isinstance(histograms, CountsTable) else CountsTable.of(histograms)


def parameter_rows(pub: SamplerPub | EstimatorPub) -> NDArray[np.float64]:
    """The values of a pub's parameters in Qiskit's order, one row for each point."""
    parameters = pub.circuit.parameters
    points = math.prod(pub.parameter_values.shape)
    if not len(parameters):
        return np.empty((points, 0))
    values: NDArray[np.float64] = pub.parameter_values.as_array(parameters).reshape(points, len(parameters))
    return values
