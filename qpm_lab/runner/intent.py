"""What the ledger keeps of a submission: the request, what exactly is sent, and the circuits beside it."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qpm_lab import circuits, providers
from qpm_lab.circuits import Bindings
from qpm_lab.experiment import Request, from_nano
from qpm_lab.ledger import Blob, NewJob, Owner
from qpm_lab.providers.interface import Task
from qpm_lab.runner import clock
from qpm_lab.runner.plan import Plan
from qpm_lab.runner.shipment import Shipment

MAX_STORED = 10_000
"""Fingerprints of circuits known to be in the ledger."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A submission ready to be recorded."""

    job: NewJob
    payload: Mapping[str, Any]
    owner: Owner | None
    """None for a refusal, which nobody looks after."""
    blobs: tuple[Blob, ...]
    digests: Mapping[str, str] = field(default_factory=dict)
    """What tells a circuit from others → digest of the blob that holds it."""


class Stored:
    """Which circuits this process has put into the ledger, so that each is written once."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    def blobs(self, plan: Plan) -> tuple[tuple[Blob, ...], dict[str, str], list[str]]:
        """Circuits not stored yet, what to remember once they are, and the blob digest of each circuit."""
        blobs: list[Blob] = []
        named: list[str] = []
        digests: dict[str, str] = {}
        for prepared in plan.prepared:
            key = _key(prepared)
            known = self._known.get(key) or digests.get(key) if key else None
            if known is None:
                blob = Blob("circuit.qpy", circuits.write_qpy(prepared.circuit))
                blobs.append(blob)
                known = blob.digest
            digests[key or known] = known
            named.append(known)
        return tuple(blobs), digests, named

    def has(self, key: str) -> bool:
        """True when what the key stands for was written by this process."""
        return key in self._known

    def add(self, digests: Mapping[str, str]) -> None:
        """Remembers what a transaction has written."""
        self._known.update(digests)
        while len(self._known) > MAX_STORED:
            self._known.popitem(last=False)


def _key(prepared: circuits.Prepared) -> str:
    """What a blob holds beyond the circuit's form: names and registers, which no fingerprint has; empty if unknown."""
    circuit = prepared.circuit
    place = {bit: n for bits in (circuit.qubits, circuit.clbits) for n, bit in enumerate(bits)}
    registers = [(r.name, [place[bit] for bit in r]) for r in (*circuit.qregs, *circuit.cregs)]
    return f"{prepared.form}|{registers}|{circuit.name}|{circuit.metadata}" if prepared.form else ""


def new_job(plan: Plan, token: str, at: datetime) -> NewJob:
    """The ledger's row for a plan."""
    request = plan.request
    return NewJob(
        job_id=secrets.token_hex(8),
        name=request.name,
        user=request.principal.user,
        team=plan.bundle.members(request.principal.user).team,
        project=request.project,
        cost_center=request.cost_center,
        experiment=request.experiment,
        classification=request.classification,
        notebook_run=request.principal.notebook_run,
        session_id=request.session,
        backend=request.backend.id,
        shots=request.shots,
        circuits=request.points,
        total_shots=request.total_shots,
        fingerprint=request.circuits[0].fingerprint,
        policy_version=plan.decision.policy_version,
        token=token,
        created_at=clock.stamp(at),
        canary=plan.canary,
    )


def intent(
    plan: Plan,
    task: Task | None,
    at: datetime,
    owner: Owner | None,
    stored: Stored,
    shipment: Shipment | None = None,
) -> Intent:
    """The submission of a plan, or its refusal when there is no task; for a vendor with exactly what is sent."""
    kept, digests, named = stored.blobs(plan)
    swept, values = _sweeps(plan)
    payload: dict[str, Any] = {
        "request": _request_facts(plan.request) | {"fidelity": plan.fidelity, "max_cost": _max_cost(plan)},
        "circuit_blobs": named,
        "quote": plan.quote.to_dict(),
        "decision": plan.decision.to_dict(),
        "notes": list(plan.notes),
        "stages_ms": {k: round(v, 3) for k, v in plan.stages_ms.items()},
    }
    if swept:
        payload["sweeps"] = swept
    if plan.route is not None:
        payload["route"] = plan.route.told()
    asked, further = _asked(plan, stored, digests if task else None)
    payload |= asked
    if shipment is not None:
        told, sent = shipping(shipment)
        payload |= told
        further += sent
    if task is not None:
        payload |= {"seed": task.seed, "token": task.token, "payload_digest": _payload_digest(task, payload)}
    blobs = (*kept, *values, *further)
    return Intent(new_job(plan, task.token if task else "", at), payload, owner, blobs, digests)


def shipping(shipment: Shipment) -> tuple[dict[str, Any], list[Blob]]:
    """What an entry says of a shipment, and the blobs that it names."""
    parcels, blobs = shipment.told()
    items = shipment.items_told()
    return {"parcels": parcels} | ({"items": items} if items is not None else {}), blobs


def _max_cost(plan: Plan) -> str | None:
    return None if plan.max_cost is None else from_nano(plan.max_cost)


def _asked(plan: Plan, stored: Stored, digests: dict[str, str] | None) -> tuple[dict[str, Any], list[Blob]]:
    """What was asked for beyond the circuits, and the blobs that it names.

    Args:
        plan: The plan.
        stored: What the ledger is known to have.
        digests: Takes what it will have; None for a refusal, which keeps no calibration.
    """
    told: dict[str, Any] = {}
    blobs: list[Blob] = []
    if plan.conditions:
        told["conditions"] = [condition.text for condition in plan.conditions]
    if plan.canary is not None:
        told["canary"] = {"series": plan.canary}
    if plan.twirl is not None:
        told["twirl"] = {"kind": plan.twirl, "variants": plan.request.variants, "seed": plan.drawn_seed}
    recipe, kept = _recipe(plan)
    told |= recipe
    blobs += kept
    if digests is not None:
        told["calibration"] = _calibration(plan, stored, digests, blobs)
    return told, blobs


def measured_by(plan: Plan) -> tuple[dict[str, Any], list[Blob]]:
    """What depends on the backend that an attempt is moved to: its calibration, and the companions for it."""
    told, blobs = _recipe(plan)
    snapshot = providers.calibration(plan.request.backend.id)
    told["calibration"] = {"digest": snapshot.digest, "description": snapshot.description}
    return told | {"companions": told.get("companions")}, [*blobs, Blob("calibration.json", snapshot.content)]


def _recipe(plan: Plan) -> tuple[dict[str, Any], list[Blob]]:
    if plan.companions is None:
        return {}, []
    blob = Blob("circuit.qpy", circuits.write_qpy(plan.companions.routed))
    return {"companions": {**plan.companions.told(), "digest": blob.digest}}, [blob]


def _calibration(plan: Plan, stored: Stored, digests: dict[str, str], blobs: list[Blob]) -> dict[str, Any]:
    """The machine as it was: written once, named by every job."""
    snapshot = providers.calibration(plan.request.backend.id)
    if not stored.has(snapshot.digest):
        blobs.append(Blob("calibration.json", snapshot.content))
        digests[snapshot.digest] = snapshot.digest
    return {"digest": snapshot.digest, "description": snapshot.description}


def _sweeps(plan: Plan) -> tuple[list[dict[str, Any]], list[Blob]]:
    """Of each swept circuit its parameters and the blob of their values."""
    told, blobs = [], []
    for index, prepared in enumerate(plan.prepared):
        bindings = prepared.bindings
        if bindings is not None:
            blob = Blob("values.npy", _values_bytes(bindings))
            blobs.append(blob)
            names, shape = list(bindings.names), list(bindings.shape)
            told.append({"circuit": index, "parameters": names, "shape": shape, "values_blob": blob.digest})
    return told, blobs


def _values_bytes(bindings: Bindings) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, bindings.values, allow_pickle=False)
    return buffer.getvalue()


def bindings_of(told: Mapping[str, Any], blob: bytes) -> Bindings:
    """The inverse of what `intent` records of a sweep."""
    import numpy as np

    values = np.load(io.BytesIO(blob), allow_pickle=False)
    return Bindings(tuple(told["parameters"]), values, tuple(told["shape"]))


def _request_facts(request: Request) -> dict[str, Any]:
    return {
        "name": request.name,
        "user": request.principal.user,
        "notebook_run": request.principal.notebook_run,
        "session": request.session,
        "backend": request.backend.id,
        "noisy": request.backend.noisy,
        "shots": request.shots,
        "seed": request.seed,
        "experiment": request.experiment,
        "project": request.project,
        "cost_center": request.cost_center,
        "classification": request.classification,
        "circuits": [c.to_dict() for c in request.circuits],
    }


def _payload_digest(task: Task, payload: Mapping[str, Any]) -> str:
    """Over exactly what is sent."""
    exact = {"backend": task.backend.id, "circuits": payload["circuit_blobs"], "shots": task.shots, "seed": task.seed}
    for what in ("sweeps", "twirl", "companions", "parcels"):
        if what in payload:
            exact[what] = payload[what]
    return "sha256:" + hashlib.sha256(json.dumps(exact, sort_keys=True).encode()).hexdigest()
