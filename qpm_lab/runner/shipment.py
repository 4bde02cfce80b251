"""What leaves for a vendor, exactly: circuits routed and masked, in parcels, each under a token of its own.

The parcels are part of the intent, so that another process can look for them, follow them and read what comes back.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qpm_lab import egress
from qpm_lab.circuits.qpy import dump
from qpm_lab.errors import InputError, ProviderError
from qpm_lab.experiment import NANO
from qpm_lab.ledger import Blob
from qpm_lab.providers.interface import Task
from qpm_lab.providers.remote import RemoteProvider, token_of
from qpm_lab.providers.vendor import Answer, Parcel
from qpm_lab.runner.course import Course, Gathered, Histogram, Item
from qpm_lab.runner.extras import Extras, Reading

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.ledger import Ledger
    from qpm_lab.runner.plan import Plan

HQC = "HQC"
"""Quantinuum's unit, as `Quote.native` names it."""
MOST_PARCELS = 1000
"""Vendor jobs of one job."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """All that is sent for one attempt of a job."""

    parcels: tuple[Parcel, ...]
    circuits: tuple[QuantumCircuit, ...]
    """As they were before they were masked, one per histogram in order: their registers name the counts."""
    course: Course | None = None
    """What each histogram is, of a job that runs more than its circuits as they are."""
    read: Reading | None = None
    """How its companions are read; None without."""

    def told(self) -> tuple[list[dict[str, Any]], list[Blob]]:
        """What the intent says of it, and the blobs that it names."""
        blobs = [Blob("sent.qpy", dump(list(parcel.circuits))) for parcel in self.parcels]
        names = ("backend", "shots", "token", "seed", "cap_seconds", "cap_hqc")
        parcels = [
            {**{name: getattr(parcel, name) for name in names}, "digest": blob.digest, "circuits": len(parcel.circuits)}
            for parcel, blob in zip(self.parcels, blobs, strict=True)
        ]
        return parcels, blobs

    def items_told(self) -> list[list[Any]] | None:
        """What each histogram is: place, shots, whether it is a companion, bits flipped before it was read."""
        if self.course is None:
            return None
        return [[item.place, item.shots, item.is_companion, item.pad] for item in self.course.items]

    def own(self, histograms: Sequence[Histogram]) -> tuple[Sequence[Histogram], Gathered | None]:
        """The histograms of the user's circuits, and all of them as what they are."""
        if self.course is None:
            return histograms, None
        gathered = self.course.gathered(histograms)
        return gathered.own, gathered

    def unmasked(self, answers: Sequence[Answer]) -> list[Histogram]:
        """All histograms under the names of the user's registers.

        Raises:
            ProviderError: there are too few or too many, or a key is not a bit string of its circuit.
        """
        counts = [each for answer in answers for each in answer.counts]
        if len(counts) != len(self.circuits):
            message = f"The vendor's answers hold {len(counts)} histograms for {len(self.circuits)} circuits."
            raise ProviderError(message, "Report it; the answers are kept by the vendor.")
        return [egress.unmask(each, circuit) for each, circuit in zip(counts, self.circuits, strict=True)]


def packed(plan: Plan, task: Task, further: Extras | None, provider: RemoteProvider) -> Shipment:
    """What is to be sent for a plan.

    Args:
        plan: The judged request.
        task: Its circuits and shots.
        further: What it runs besides.
        provider: Who takes it.

    Raises:
        ProviderError: the vendor cannot be asked for its machine.
        CircuitError: a circuit cannot run there, or be masked.
        InputError: it takes too many vendor jobs.
    """
    course, read, tasks = None, None, [task]
    originals = [c for c, points in zip(task.circuits, task.points, strict=True) for _ in range(points)]
    if further is not None:
        built = further.shipped()
        course, read = built.course, built.read
        tasks = [each for each, _ in course.tasks(task)]
        originals = [item.circuit for item in course.items]
    made = [parcel for each in tasks for parcel in provider.parcels(each)]
    if len(made) > MOST_PARCELS:
        raise InputError(
            f"{len(originals):,} circuits are {len(made):,} vendor jobs; one job takes at most {MOST_PARCELS:,}.",
            "Submit them in parts.",
        )
    return Shipment(_capped(_addressed(made, task.token), plan), tuple(originals), course, read)


def _addressed(parcels: Sequence[Parcel], token: str) -> list[Parcel]:
    """Masked, each under its own token."""
    return [
        replace(parcel, circuits=tuple(egress.masked(c) for c in parcel.circuits), token=token_of(token, n))
        for n, parcel in enumerate(parcels)
    ]


def _capped(parcels: Sequence[Parcel], plan: Plan) -> tuple[Parcel, ...]:
    """With the vendor's own caps, shared out by shots, so that no bill exceeds what is reserved."""
    seconds, native = plan.quote.qpu_nanoseconds / NANO, plan.quote.native
    hqc = float(native[3]) if native is not None and native[0] == HQC else 0.0
    total = sum(_shots(parcel) for parcel in parcels)
    return tuple(
        replace(
            parcel,
            cap_seconds=seconds * _shots(parcel) / total or None,
            cap_hqc=hqc * _shots(parcel) / total or None,
        )
        for parcel in parcels
    )


def _shots(parcel: Parcel) -> int:
    return len(parcel.circuits) * parcel.shots


def read_shipment(
    ledger: Ledger, asked: Mapping[str, Any], circuits: Sequence[QuantumCircuit], read: Reading | None
) -> Shipment:
    """What another process sent, as the ledger knows it.

    Args:
        ledger: Where its blobs are.
        asked: The payload of the submission or of the attempt.
        circuits: The user's, one per histogram where the job runs nothing else.
        read: How its companions are read.
    """
    parcels = tuple(_parcel(told, ledger.blob(told["digest"])) for told in asked["parcels"])
    told = asked.get("items")
    if told is None:
        return Shipment(parcels, tuple(circuits))
    sent = [circuit for parcel in parcels for circuit in parcel.circuits]
    items = tuple(
        # A companion has one register, so masked it has the same keys.
        Item(sent[n] if is_companion else circuits[place], shots, place, is_companion, pad)
        for n, (place, shots, is_companion, pad) in enumerate(told)
    )
    return Shipment(parcels, tuple(item.circuit for item in items), Course(items), read)


def _parcel(told: Mapping[str, Any], blob: bytes) -> Parcel:
    from qiskit import qpy

    names = ("backend", "shots", "token", "seed", "cap_seconds", "cap_hqc")
    return Parcel(circuits=tuple(qpy.load(io.BytesIO(blob))), **{name: told[name] for name in names})
