"""What an entry says about its job or session: what both writes the tables `jobs` and `sessions` and verifies them."""

from __future__ import annotations

from typing import Any

from qpm_lab.errors import LedgerError
from qpm_lab.experiment import Status
from qpm_lab.ledger.rows import Entry, NewJob, NewSession, Owner

SUMMARY: dict[str, tuple[type, ...]] = {
    "cost_nano": (int,),
    "currency": (str,),
    "fidelity_low": (float, int),
    "fidelity_high": (float, int),
    "run_seconds": (float, int),
    "error": (str,),
    "validation": (str,),
    "canary_successes": (int,),
}
VERDICTS = ("passed", "failed")
"""Of a validation."""
REFUSALS = {"job.denied": Status.DENIED, "job.awaiting_approval": Status.AWAITING_APPROVAL}
OUTCOMES = {
    "job.completed": Status.COMPLETED,
    "job.failed": Status.FAILED,
    "job.cancelled": Status.CANCELLED,
}
RESERVED_EVENTS = frozenset(
    {
        *REFUSALS,
        *OUTCOMES,
        "job.submitted",
        "job.started",
        "job.retried",
        "job.accepted",
        "job.parked",
        "job.unparked",
        "job.cancel_requested",
        "job.taken_over",
        "cost.overrun",
        "cost.overrun_acknowledged",
        "ledger.created",
        "ledger.key_added",
        "session.opened",
        "session.closed",
    }
)
"""Events that only the methods of their own may append."""
UNCOVERED = frozenset({"lease_until", "standing"})
"""Columns of `jobs` and `sessions` that no entry covers."""

_LATER = {
    "vendor_id": None,
    "started_at": None,
    "ended_at": None,
    "cancel_requested": False,
    "standing": None,
    **dict.fromkeys(SUMMARY),
}
_NOBODY = {"owner": None, "host": None, "pid": None}


def require_free(event: str) -> None:
    """LedgerError for an event that moves a job, a session or the ledger itself."""
    if event in RESERVED_EVENTS:
        raise LedgerError(f"{event!r} cannot be noted.", "The method that changes the job appends it.")


def job_facts(job: NewJob) -> dict[str, Any]:
    """The columns that a job keeps for life."""
    facts = {name: getattr(job, name) for name in NewJob.__slots__}
    if job.total_shots is None:
        facts["total_shots"] = job.shots * job.circuits
    _require_storable("job", facts)
    return facts


def session_facts(session: NewSession) -> dict[str, Any]:
    """The columns that a session keeps for life."""
    facts = {name: getattr(session, name) for name in NewSession.__slots__}
    _require_storable("session", facts)
    return facts


def owner_facts(owner: Owner) -> dict[str, Any]:
    return {"owner": owner.token, "host": owner.host, "pid": owner.pid}


def job_changes(entry: Entry) -> dict[str, Any]:
    """Columns of the job's row that this entry sets, with their values.

    The first entry of a job sets all but `lease_until`.
    """
    told = entry.payload.get("ledger", {})
    changes: dict[str, Any] = {"last_entry": entry.seq}
    if entry.event == "job.submitted":
        changes |= _born(entry, Status.SUBMITTED) | told["owner"]
    elif entry.event in REFUSALS:
        changes |= _born(entry, REFUSALS[entry.event]) | _NOBODY
    elif entry.event == "job.started":
        began = told.get("started_at", entry.at)
        changes |= {"status": Status.RUNNING.value, "started_at": began, "vendor_id": told["vendor_id"]}
    elif entry.event == "job.accepted":
        changes |= {"status": Status.QUEUED.value, "vendor_id": told["vendor_id"]}
    elif entry.event == "job.parked":
        changes["status"] = Status.PARKED.value
    elif entry.event == "job.unparked":
        changes |= {"status": Status.SUBMITTED.value, "epoch": entry.epoch} | told["owner"]
    elif entry.event in OUTCOMES:
        changes |= {"status": OUTCOMES[entry.event].value, "ended_at": entry.at} | told["summary"]
    elif entry.event == "job.retried":
        changes |= {
            "status": Status.SUBMITTED.value,
            "attempt": entry.attempt,
            "started_at": None,
            "vendor_id": None,
        }
        if "backend" in told:
            changes["backend"] = told["backend"]
    elif entry.event == "job.cancel_requested":
        changes["cancel_requested"] = True
    elif entry.event == "job.taken_over":
        changes |= {"epoch": entry.epoch} | told["owner"]
    return changes


def session_changes(entry: Entry) -> dict[str, Any]:
    """Columns of the session's row that `session.opened` or `session.closed` sets; the former all but `lease_until`."""
    if entry.event == "session.closed":
        return {"status": "closed", "closed_at": entry.at, "last_entry": entry.seq}
    told = entry.payload["ledger"]
    return {
        **told["session"],
        **told["owner"],
        "status": "open",
        "closed_at": None,
        "first_entry": entry.seq,
        "last_entry": entry.seq,
    }


def _born(entry: Entry, status: Status) -> dict[str, Any]:
    return {
        **_LATER,
        **entry.payload["ledger"]["job"],
        "status": status.value,
        "attempt": entry.attempt,
        "epoch": entry.epoch,
        "first_entry": entry.seq,
        "ended_at": entry.at if status is Status.DENIED else None,
    }


_WHOLE = frozenset({"shots", "circuits", "total_shots"})
_OPTIONAL = frozenset({"team", "project", "cost_center", "experiment", "classification", "session_id", "canary"})
MAX_TEXT = 1000
MAX_WHOLE = 1 << 60
"""Amounts stay below this, so that sums fit 64 bits."""


def _require_storable(what: str, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if value is None and what == "job" and name in _OPTIONAL:
            continue
        if name in _WHOLE:
            sound = type(value) is int and 0 <= value <= MAX_WHOLE
        else:
            sound = isinstance(value, str) and storable(value)
        if not sound:
            raise LedgerError(
                f"A {what} cannot be recorded with {name} = {str(value)[:80]!r}.",
                f"It takes a whole number up to {MAX_WHOLE:,}."
                if name in _WHOLE
                else f"It takes text of at most {MAX_TEXT:,} characters without NUL.",
            )


def storable(text: str, limit: int = MAX_TEXT) -> bool:
    """True for text that every database can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return len(text) <= limit and "\0" not in text


def summary_facts(summary: dict[str, Any]) -> dict[str, Any]:
    """The values of a finished job that lists show, checked.

    Raises:
        LedgerError: an unknown name or a value of the wrong type.
    """
    for name, value in summary.items():
        kinds = SUMMARY.get(name)
        sound = kinds is not None and not isinstance(value, bool) and isinstance(value, kinds)
        if name == "validation":
            sound = value in VERDICTS
        if kinds is None or not (value is None or sound):
            raise LedgerError(
                f"A job's summary cannot hold {name} = {str(value)[:80]!r}.",
                f"It holds {', '.join(SUMMARY)}.",
            )
    return summary
