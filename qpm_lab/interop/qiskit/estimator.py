"""`lab.estimator(id)`: Qiskit's V2 estimator, governed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives import BaseEstimatorV2, DataBin, EstimatorPubLike, PrimitiveResult, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qpm_lab.errors import InputError
from qpm_lab.interop.qiskit.batch import Batch, Histograms, Slot, parameter_rows
from qpm_lab.interop.qiskit.labels import known_labels, one_seed
from qpm_lab.interop.qiskit.observables import Group, ObservableSet, measurement_plan
from qpm_lab.interop.qiskit.primitive_job import LabPrimitiveJob, submit_all
from qpm_lab.interop.qiskit.samples import outcome_bits, used_outcomes
from qpm_lab.interop.qiskit.templates import OneCircuit, Templates, turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qpm_lab.counts import CountsTable
    from qpm_lab.lab import Lab

MAX_CELLS = 1 << 22
"""Numbers held at once while histograms are averaged."""


@dataclass
class EstimatorOptions:
    """What a run uses when it does not say otherwise."""

    default_precision: float = 0.015625
    """Standard error aimed at, for an observable of variance 1: 4,096 shots."""
    seed: int | None = None
    """Of every run; without one each run draws and records its own."""
    labels: dict[str, Any] = field(default_factory=dict)


class LabEstimator(BaseEstimatorV2):
    """A V2 estimator whose runs are governed jobs of one backend.

    All pubs of a run with the same precision are one job. Terms that commute qubit by qubit are measured together;
    each pair of parameter values and basis is executed once per pub, with ⌈1/precision²⌉ shots as in Qiskit's
    `BackendEstimatorV2`. Terms of the identity cost nothing. The circuits of a run are sweeps, so a hundred parameter
    values of one circuit are as many circuits as there are bases. What is made of a circuit is kept and used again
    while its content stays the same.

    `evs` are the means of the observable over the shots. `stds` are the standard errors of these means: for the
    terms of one basis from the variance of their *sum* over the shots, covariances included, added in quadrature
    over the bases, which are measured independently. Qiskit's own adds the terms' deviations, an upper bound.

    Args:
        lab: Whose rules, quotas and ledger the runs go through.
        backend_id: `provider/backend`.
        default_precision: Of a pub that names none.
        seed: Makes every run repeatable.
        **labels: `experiment`, `project`, `cost_center`, `classification`, `max_cost`, `name`, `fidelity`.

    Raises:
        InputError: there is no such backend or option.
    """

    def __init__(
        self, lab: Lab, backend_id: str, *, default_precision: float = 0.015625, seed: int | None = None, **labels: Any
    ) -> None:
        from qpm_lab import providers

        self._lab = lab
        backend = providers.backend(backend_id)
        self._backend_id, self._ideal = backend.id, backend.kind == "simulator" and not backend.noisy
        own = ("default_precision", "seed")
        self.options = EstimatorOptions(default_precision, seed, known_labels(labels, own))
        self._templates = Templates()

    def run(self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None) -> LabPrimitiveJob:
        """Submits the pubs and returns at once.

        Args:
            pubs: Tuples of circuit, observables, parameter values and precision, as Qiskit's estimator takes them.
            precision: Standard error aimed at by the pubs that name none.

        Raises:
            DeniedError: a rule refused the job (QuotaError: only quotas did).
            InputError: a precision, circuit or option cannot be used.
            ValueError: a pub is malformed, or its observable not Hermitian, in Qiskit's words.
        """
        default = self.options.default_precision if precision is None else precision
        coerced = [EstimatorPub.coerce(pub, default) for pub in pubs]
        batches: dict[int, Batch] = defaultdict(Batch)
        templates = self._templates.of_all(pub.circuit for pub in coerced)
        asked = [_Asked.of(pub, batches, templates[id(pub.circuit)], ideal=self._ideal) for pub in coerced]

        def collect(found: Mapping[int, Histograms]) -> PrimitiveResult:
            return PrimitiveResult([each.read(found) for each in asked], metadata={"version": 2})

        options = {"backend": self._backend_id, **known_labels(self.options.labels)}
        return submit_all(self._lab, batches, collect, one_seed(self.options.seed, None), options, "estimator")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A pub and where its executions stand."""

    pub: EstimatorPub
    shots: int
    parts: tuple[tuple[ObservableSet, tuple[_Place, ...]], ...]
    """Each set of observables, with the place of each of its groups."""

    @classmethod
    def of(cls, pub: EstimatorPub, batches: Mapping[int, Batch], templates: OneCircuit, *, ideal: bool) -> _Asked:
        """Puts what the pub needs into the batch of its number of shots."""
        shots = shots_for(pub.precision)
        terms = tuple([tuple(each.items()) for each in pub.observables.ravel().tolist()])
        sets = measurement_plan(terms, pub.observables.shape, pub.parameter_values.shape)
        values = parameter_rows(pub)
        parts = []
        for part in sets:
            place = _together if ideal and len(part.groups) > 1 else _apart
            parts.append((part, place(part.groups, values[part.points], batches[shots], templates)))
        return cls(pub, shots, tuple(parts))

    def read(self, found: Mapping[int, Histograms]) -> PubResult:
        """Expectation values and standard errors in the pub's shape."""
        evs, variances = np.empty(math.prod(self.pub.shape)), np.zeros(math.prod(self.pub.shape))
        for part, places in self.parts:
            evs[part.elements] = part.constants
            for group, place in zip(part.groups, places, strict=True):
                means, spreads = _averages(found[self.shots][place.slot], place.columns, group, self.shots)
                evs[part.elements] += means
                variances[part.elements] += spreads / self.shots
        shape = self.pub.shape
        data = DataBin(evs=evs.reshape(shape), stds=np.sqrt(variances).reshape(shape), shape=shape)
        metadata = {
            "target_precision": self.pub.precision,
            "shots": self.shots,
            "circuit_metadata": self.pub.circuit.metadata,
        }
        return PubResult(data, metadata=metadata)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the executions of a group stand, and which bits of their outcomes are its own, highest qubit first."""

    slot: Slot
    columns: tuple[int, ...]


def _apart(
    groups: Sequence[Group], values: NDArray[np.float64], batch: Batch, templates: OneCircuit
) -> tuple[_Place, ...]:
    """A circuit for each basis, with nothing in it that the basis does not need."""
    return tuple([_Place(batch.add(templates[each.basis], values), tuple(range(len(each.basis)))) for each in groups])


def _together(
    groups: Sequence[Group], values: NDArray[np.float64], batch: Batch, templates: OneCircuit
) -> tuple[_Place, ...]:
    """All bases as points of one sweep."""
    qubits = tuple(sorted({qubit for group in groups for qubit, _ in group.basis}))
    template, column = templates.turned(qubits), {q: len(qubits) - 1 - place for place, q in enumerate(qubits)}
    places = []
    for group in groups:
        basis = np.tile(turns(qubits, group.basis), (len(values), 1))
        slot = batch.add(template, np.hstack([values, basis]))
        places.append(_Place(slot, tuple([column[qubit] for qubit, _ in reversed(group.basis)])))
    return tuple(places)


def shots_for(precision: float) -> int:
    """⌈1/precision²⌉.

    Raises:
        InputError: the precision is not a positive number.
    """
    if not 0 < precision < math.inf:
        raise InputError(f"The precision {precision!r} is not a positive number.", "Give, for example, 0.01.")
    return math.ceil(1.0 / precision**2)


def _averages(
    table: CountsTable, columns: Sequence[int], group: Group, shots: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance over the shots of each histogram, each of shape (histograms, observables)."""
    used, places = used_outcomes(table)
    contributions = group.contributions(outcome_bits(table, used)[:, list(columns)])
    means, squares = [], []
    for rows in _pieces(table, contributions.shape[1]):
        first, last = table.offsets[rows.start], table.offsets[rows.stop]
        values = contributions[places[first:last]]
        weighted = values * table.values[first:last, None]
        starts = table.offsets[rows.start : rows.stop] - first
        means.append(np.add.reduceat(weighted, starts) / shots)
        squares.append(np.add.reduceat(weighted * values, starts) / shots)
    mean = np.concatenate(means)
    return mean, np.maximum(np.concatenate(squares) - mean**2, 0)


def _pieces(table: CountsTable, columns: int) -> Iterator[slice]:
    """Ranges of histograms, each with at most `MAX_CELLS` numbers where one histogram alone has not more."""
    start = 0
    while start < len(table):
        most = table.offsets[start] + MAX_CELLS // columns
        stop = max(start + 1, int(np.searchsorted(table.offsets, most, side="right")) - 1)
        yield slice(start, stop)
        start = stop
