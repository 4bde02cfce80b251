"""What a dead process left open is closed by the next start, sessions included.

Only a job whose lease has ended may be taken over, by raising its epoch: a late outcome of the old
owner then changes nothing. A local simulation cannot go on without its process, so it is closed as
failed and everything it held is released. A job at a vendor goes on there, and is followed again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from qpm_lab.errors import QpmError
from qpm_lab.experiment import Status
from qpm_lab.ledger import Entry, JobRow, Ledger, Owner, owner_gone
from qpm_lab.runner import clock

OUTCOMES = frozenset({"job.completed", "job.failed", "job.cancelled", "job.denied", "job.awaiting_approval"})
MESSAGE = "The process that ran this job ended before it had a result."
HINT = "Nothing was spent; what it held was released. Run it again."


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
    epoch = ledger.take_over(row.job_id, row.epoch, owner)
    if epoch is not None:
        try:
            follow(row, epoch)
        except QpmError as error:
            log.warning("job %s: it cannot be followed: %s", row.job_id, error)


def _has_ended(ledger: Ledger, row: JobRow) -> bool:
    """True when the entries say that the job ended, whatever its row says: that is for `verify` to tell."""
    return any(entry.event in OUTCOMES for entry in ledger.entries(row.job_id))


def _close(ledger: Ledger, row: JobRow, epoch: int) -> bool:
    asked = row.cancel_requested
    error = {"type": "ProviderError", "message": MESSAGE, "hint": HINT}
    entry = ledger.finish(
        row.job_id,
        epoch,
        "job.cancelled" if asked else "job.failed",
        {"error": error, "recovered": True, "attempt": row.attempt, "fallback": False},
        settled=None,
        summary={"error": MESSAGE},
    )
    return entry is not None
