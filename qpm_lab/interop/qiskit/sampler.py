"""`lab.sampler(id)`: Qiskit's V2 sampler, governed."""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qiskit.primitives import BaseSamplerV2, DataBin, PrimitiveResult, SamplerPubLike, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qpm_lab.circuits.measuring import has_measurement
from qpm_lab.interop.qiskit.batch import Batch, Histograms, Slot, parameter_rows
from qpm_lab.interop.qiskit.labels import known_labels, one_seed
from qpm_lab.interop.qiskit.primitive_job import LabPrimitiveJob, submit_all
from qpm_lab.interop.qiskit.samples import CountedBitArray, Shots, register_columns, silent
from qpm_lab.interop.qiskit.templates import OneCircuit, Templates

if TYPE_CHECKING:
    from qpm_lab.lab import Lab


@dataclass
class SamplerOptions:
    """What a run uses when it does not say otherwise."""

    default_shots: int = 1024
    seed: int | None = None
    """Of every run; without one each run draws and records its own."""
    labels: dict[str, Any] = field(default_factory=dict)


class LabSampler(BaseSamplerV2):
    """A V2 sampler whose runs are governed jobs of one backend.

    All pubs of a run that ask for the same number of shots are one job: one decision, one reservation, one entry.
    Pubs of the same circuit are one sweep of it, and what is prepared of it is kept while its content stays the same.

    The outcomes of several registers stay joint, shot by shot. The order of the shots within a point is random (see
    `samples`); counts are read without writing them out.

    As in Qiskit, a circuit without classical registers gives a warning and an empty `DataBin`, and one that measures
    nothing gives zeros; neither is executed.

    Args:
        lab: Whose rules, quotas and ledger the runs go through.
        backend_id: `provider/backend`.
        default_shots: Shots of a pub that names none.
        seed: Makes every run repeatable.
        **labels: `experiment`, `project`, `cost_center`, `classification`, `max_cost`, `name`, `fidelity`.

    Raises:
        InputError: there is no such backend or option.
    """

    def __init__(
        self, lab: Lab, backend_id: str, *, default_shots: int = 1024, seed: int | None = None, **labels: Any
    ) -> None:
        from qpm_lab import providers

        self._lab = lab
        self._backend_id = providers.backend(backend_id).id
        self.options = SamplerOptions(default_shots, seed, known_labels(labels, ("default_shots", "seed")))
        self._templates = Templates()

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> LabPrimitiveJob:
        """Submits the pubs and returns at once.

        Args:
            pubs: Circuits, or tuples of circuit, parameter values and shots, as Qiskit's sampler takes them.
            shots: Of the pubs that name none.

        Raises:
            DeniedError: a rule refused the job (QuotaError: only quotas did).
            InputError: a circuit or option cannot be used.
            ValueError: a pub is malformed, in Qiskit's words.
        """
        default = self.options.default_shots if shots is None else shots
        coerced = [SamplerPub.coerce(pub, default) for pub in pubs]
        _warn_of_silence(coerced)
        seed = one_seed(self.options.seed, None)
        batches: dict[int, Batch] = defaultdict(Batch)
        templates = self._templates.of_all(pub.circuit for pub in coerced)
        asked = [_Asked.of(pub, batches, templates[id(pub.circuit)]) for pub in coerced]

        def collect(found: Mapping[int, Histograms]) -> PrimitiveResult:
            read = [each.read(found, (seed, number)) for number, each in enumerate(asked)]
            return PrimitiveResult(read, metadata={"version": 2})

        options = {"backend": self._backend_id, **known_labels(self.options.labels)}
        return submit_all(self._lab, batches, collect, seed, options, "sampler")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A pub as it was when it was submitted, and where its executions stand."""

    shape: tuple[int, ...]
    shots: int
    columns: Mapping[str, list[int]]
    metadata: Mapping[str, Any]
    slot: Slot | None
    """None when nothing is executed for it."""

    @classmethod
    def of(cls, pub: SamplerPub, batches: Mapping[int, Batch], templates: OneCircuit) -> _Asked:
        """Puts what the pub needs into the batch of its number of shots."""
        points, slot = math.prod(pub.shape), None
        if points and has_measurement(pub.circuit):
            slot = batches[pub.shots].add(templates[None], parameter_rows(pub))
        metadata = {"shots": pub.shots, "circuit_metadata": pub.circuit.metadata}
        return cls(pub.shape, pub.shots, register_columns(pub.circuit), metadata, slot)

    def read(self, found: Mapping[int, Histograms], seed: tuple[int, ...]) -> SamplerPubResult:
        """A `BitArray` of the pub's shape for each register."""
        if self.slot is None:
            data = {name: silent(self.shape, self.shots, len(bits)) for name, bits in self.columns.items()}
        else:
            shots = Shots(found[self.shots][self.slot], self.shape, self.shots, seed)
            data = {name: CountedBitArray(shots, bits) for name, bits in self.columns.items()}
        return SamplerPubResult(DataBin(**data, shape=self.shape), metadata=dict(self.metadata))


def _warn_of_silence(pubs: Iterable[SamplerPub]) -> None:
    for number, pub in enumerate(pubs):
        if not pub.circuit.cregs:
            warnings.warn(
                f"Pub {number} has no classical register, so its result is empty. Add measurements: measure_all().",
                stacklevel=3,
            )
