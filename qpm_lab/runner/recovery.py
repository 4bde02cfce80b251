"""What a dead process left open is closed by the next start, sessions included.

Only a job whose lease has ended may be taken over, by raising its epoch: a late outcome of the old
owner then changes nothing. A local simulation cannot go on without its process, so it is closed as
failed and everything it held is released. A job at a vendor goes on there, and is followed again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from qpm_lab.errors import QpmError
from qpm_lab.experiment import Status
from qpm_lab.ledger import Entry, JobRow, Ledger, Owner, owner_gone
from qpm_lab.runner import clock

OUTCOMES = frozenset({"job.completed", "job.failed", "job.cancelled", "job.denied", "job.awaiting_approval"})
MESSAGE = "The process that ran this job ended before it had a result."
HINT = "Nothing was spent; what it held was released. Run it again."
HINT_PAID = "Only its earlier attempts were paid for; what it held was released. Run it again."


Follow = Callable[[JobRow, int], object]
"""Follows a job at a vendor in the epoch given."""
log = logging.getLogger("qpm_lab")


def recover(ledger: Ledger, owner: Owner, drives: Callable[[str], bool], follow: Follow | None = None) -> list[str]:
    """Closes the sessions of the dead, and every open local job that nobody drives any more; returns their ids.

    Args:
        ledger: Where the jobs are recorded.
        owner: The process that asks, which takes them over.
        drives: Whether this process is at work on a job. Asked after the open jobs were read: a job is known to
            its process before it can be read.
        follow: Takes over the jobs at vendors; None leaves them to others.
    """
    closed = []
    for session in ledger.open_sessions():
        if owner_gone(ledger.home, session, clock.now()):
            ledger.close_session(session.session_id, {"recovered": True})
    for row in ledger.open_jobs():
        forgotten = row.owner == owner.token and not drives(row.job_id)
        if not forgotten and not owner_gone(ledger.home, row, clock.now()):
            continue
        if row.status == Status.PARKED or _has_ended(ledger, row):
            continue
        if at_vendor(ledger, row):
            _hand_over(ledger, row, owner, follow)
            continue
        epoch = ledger.take_over(row.job_id, row.epoch, owner)
        if epoch is not None and _close(ledger, row, epoch):
            closed.append(row.job_id)
    return closed


def at_vendor(ledger: Ledger, row: JobRow) -> bool:
    """True when the present attempt of a job was sent, or is to be sent, to a vendor."""
    return "parcels" in attempt_of(ledger.entries(row.job_id)).payload


def attempt_of(entries: Sequence[Entry]) -> Entry:
    """The entry with which the present attempt began."""
    return next(entry for entry in reversed(entries) if entry.event in ("job.submitted", "job.retried"))


def _hand_over(ledger: Ledger, row: JobRow, owner: Owner, follow: Follow | None) -> None:
    if follow is None:
        return
    # What is this process's already, and could not be followed when it last tried, is not taken over again and again.
    epoch = row.epoch if row.owner == owner.token else ledger.take_over(row.job_id, row.epoch, owner)
    if epoch is None:
        return
    try:
        follow(row, epoch)
    except QpmError as error:
        log.warning("job %s: it cannot be followed: %s", row.job_id, error)
    except Exception:
        # One job that cannot be read must not keep anyone from all the others.
        log.exception("job %s: it cannot be followed", row.job_id)


def _has_ended(ledger: Ledger, row: JobRow) -> bool:
    """True when the entries say that the job ended, whatever its row says: that is for `verify` to tell."""
    return any(entry.event in OUTCOMES for entry in ledger.entries(row.job_id))


def _close(ledger: Ledger, row: JobRow, epoch: int) -> bool:
    entries = ledger.entries(row.job_id)
    costs = [entry.payload["cost"] for entry in entries if entry.event == "job.retried" and "cost" in entry.payload]
    moved = row.backend != entries[0].payload.get("request", {}).get("backend", row.backend)
    error = {"type": "ProviderError", "message": MESSAGE, "hint": HINT_PAID if costs else HINT}
    payload: dict[str, Any] = {"error": error, "recovered": True, "attempt": row.attempt, "fallback": moved}
    summary: dict[str, Any] = {"error": MESSAGE}
    if costs:
        currency = costs[0]["currency"]
        nano = sum(cost["nano"] for cost in costs if cost["currency"] == currency)
        payload["cost"] = {"currency": currency, "nano": nano, "basis": costs[0]["basis"]}
        summary |= {"cost_nano": nano, "currency": currency}
    event = "job.cancelled" if row.cancel_requested else "job.failed"
    return ledger.finish(row.job_id, epoch, event, payload, settled=None, summary=summary) is not None
