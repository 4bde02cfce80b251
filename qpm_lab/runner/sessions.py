"""Opens a session, and tells what became of one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from qpm_lab import pricing
from qpm_lab.errors import InputError, QuotaError
from qpm_lab.experiment import CircuitFacts, Decision, Measure, Principal, Request, Shortage, from_nano
from qpm_lab.ledger import Entry, Ledger, NewSession, Owner
from qpm_lab.policy import Bundle
from qpm_lab.runner import clock
from qpm_lab.runner.envelope import Envelope
from qpm_lab.runner.order import classification, label, nano_amount, whole
from qpm_lab.runner.plan import find_backend
from qpm_lab.runner.record import hold_dict, quota_lines

LEASE = timedelta(hours=12)
"""How long another machine waits for a session that nobody uses; on this machine the lock decides."""
RENEW = timedelta(hours=1)
MOST = 2**53
ENDINGS = ("completed", "failed", "cancelled", "denied")
NOTHING: Mapping[str, Any] = {**dict.fromkeys((*ENDINGS, "shots"), 0), "cost_nano": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOrder:
    """An envelope as the user asked for it."""

    max_cost: str | None = None
    """Decimal amount in the bundle's currency."""
    max_jobs: int | None = None
    max_shots: int | None = None
    backend: str = "aer/simulator"
    """Whose quotas are reserved; jobs on other backends draw on their own."""
    experiment: str | None = None
    project: str | None = None
    cost_center: str | None = None
    classification: str | None = None
    name: str | None = None


def open_envelope(
    order: SessionOrder, *, ledger: Ledger, bundle: Bundle, principal: Principal, owner: Owner, at: datetime
) -> Envelope:
    """Reserves an envelope on every quota that its jobs would draw on.

    Raises:
        InputError: an option cannot be used, or no limit was given.
        QuotaError: the envelope does not fit; the hint says what would.
    """
    request = _expected(order, principal, bundle)
    limits = _limits(order)
    envelope = Envelope(
        session_id=secrets.token_hex(8),
        name=label(order.name, "name") or "session",
        limits=limits,
        currency=bundle.currency,
        request=request,
        lease_until=owner.lease_until,
    )
    quoted = replace(pricing.quote(request), high=limits.get("cost", 0), currency=bundle.currency)
    holds = tuple(
        replace(hold, amount=limits[hold.measure])
        for hold in bundle.holds(_largest(request, limits), quoted, at)
        if hold.measure in limits
    )
    opened = NewSession(
        session_id=envelope.session_id,
        name=envelope.name,
        user=principal.user,
        notebook_run=principal.notebook_run,
        created_at=clock.stamp(at),
    )
    envelope.covered = frozenset(hold.counter for hold in holds)
    entry = ledger.open_session(opened, _payload(envelope, bundle), holds, owner)
    if not isinstance(entry, Entry):
        raise _refused(entry, bundle, at)
    return envelope


def _expected(order: SessionOrder, principal: Principal, bundle: Bundle) -> Request:
    nothing = CircuitFacts("sha256:" + "0" * 64, 1, 1, 1, {}, 0)
    return Request(
        principal=principal,
        backend=find_backend(order.backend),
        circuits=(nothing,),
        shots=1,
        experiment=label(order.experiment, "experiment"),
        project=label(order.project, "project"),
        cost_center=label(order.cost_center, "cost centre"),
        classification=classification(order.classification) or bundle.default_classification,
    )


def _largest(request: Request, limits: Mapping[Measure, int]) -> Request:
    """A quota that a job of no shots or cost would not draw on is found by one that has some."""
    return replace(request, shots=max(1, limits.get("shots", 1)))


def _limits(order: SessionOrder) -> dict[Measure, int]:
    limits: dict[Measure, int] = {}
    if order.max_jobs is not None:
        limits["jobs"] = whole(order.max_jobs, "max_jobs", 1, MOST)
    if order.max_shots is not None:
        limits["shots"] = whole(order.max_shots, "max_shots", 1, MOST)
    if order.max_cost is not None:
        limits["cost"] = nano_amount(order.max_cost, "max_cost")
    if not limits:
        raise InputError(
            "A session needs at least one limit.",
            "Give max_cost, max_jobs or max_shots, e.g. lab.session(max_jobs=200).",
        )
    return limits


def _payload(envelope: Envelope, bundle: Bundle) -> dict[str, Any]:
    request = envelope.request
    return {
        "name": envelope.name,
        "limits": {hold.measure: hold.limit for hold in envelope.all_holds()},
        "currency": envelope.currency,
        "envelope": [hold_dict(hold) for hold in envelope.all_holds()],
        "backend": request.backend.id,
        "experiment": request.experiment,
        "project": request.project,
        "cost_center": request.cost_center,
        "classification": request.classification,
        "policy": bundle.name,
        "policy_version": bundle.version,
    }


def _refused(shortages: tuple[Shortage, ...], bundle: Bundle, at: datetime) -> QuotaError:
    return QuotaError(Decision("deny", bundle.shortage_reasons(shortages, at), bundle.name, bundle.version))


def session_record(ledger: Ledger, session_id: str) -> dict[str, Any]:
    """A session as one document: what it may use, what it used and what is left (docs/record.md).

    Raises:
        InputError: there is no such session.
    """
    row = ledger.session(session_id)
    told, last = ledger.entry(row.first_entry).payload, ledger.entry(row.last_entry)
    used = next(iter(ledger.usage(session=session_id)), NOTHING)
    names = ("experiment", "project", "cost_center", "classification")
    return {
        "session_id": row.session_id,
        "name": row.name,
        "status": row.status,
        "opened_at": row.created_at,
        "closed_at": row.closed_at,
        "backend": told["backend"],
        "labels": {name: told[name] for name in names},
        "principal": {"user": row.user, "notebook_run": row.notebook_run},
        "jobs": {name: used[name] for name in ENDINGS},
        "shots": used["shots"],
        "cost": {"currency": told["currency"], "amount": from_nano(used["cost_nano"].get(told["currency"], 0))},
        "envelope": quota_lines(ledger, told["envelope"]),
        "reserved": quota_lines(ledger, told["holds"]),
        "ledger": {"entry": last.seq, "digest": last.digest},
    }
