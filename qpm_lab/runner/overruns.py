"""A bill above its reservation blocks what it was reserved from, until somebody has looked at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from qpm_lab.errors import InputError
from qpm_lab.experiment import Hold, Reason, from_nano

if TYPE_CHECKING:
    from qpm_lab.ledger import Entry, Ledger
    from qpm_lab.runner.plan import Plan

_COSTLY = ("cost", "qpu_seconds")


def unless_overrun(plan: Plan, ledger: Ledger) -> Plan:
    """The plan, denied when it draws on a scope in which a job has cost more than was reserved for it.

    What costs nothing goes on. A scope is blocked beyond the window of the overrun: a new day repairs nothing.
    """
    holds = {_scope(hold.counter): hold for hold in plan.holds if hold.amount and hold.measure in _COSTLY}
    found = [entry for entry in ledger.open_overruns() if _scope(entry.payload["counter"]) in holds] if holds else []
    if not found:
        return plan
    jobs = {entry.job_id: entry for entry in found}
    reasons = tuple(_reason(entry, holds[_scope(entry.payload["counter"])]) for entry in jobs.values())
    decision = replace(plan.decision, effect="deny", reasons=(*plan.decision.reasons, *reasons))
    return replace(plan, decision=decision)


def acknowledge(ledger: Ledger, job_id: str, by: str) -> None:
    """Records that a person has looked at what a job cost above its reservation; the scope is open again.

    Raises:
        InputError: the job has no overrun that nobody has acknowledged.
    """
    row = ledger.job(job_id)
    found: Sequence[Entry] = [entry for entry in ledger.open_overruns() if entry.job_id == row.job_id]
    if not found:
        raise InputError(f"Job {row.job_id} has no overrun that waits for anybody.", "See `qpm show` for its cost.")
    ledger.acknowledge_overruns(row.job_id, {"by": by, "counters": [entry.payload["counter"] for entry in found]})


def _scope(counter: str) -> str:
    """A counter without the beginning of its window."""
    return counter.rpartition("|")[0]


def _reason(entry: Entry, hold: Hold) -> Reason:
    held, settled = from_nano(entry.payload["held"]), from_nano(entry.payload["settled"])
    unit = "s of QPU time" if hold.measure == "qpu_seconds" else hold.unit
    return Reason(
        rule="cost.overrun",
        kind="rule",
        message=(
            f"Job {entry.job_id} was charged {settled} {unit}, and only {held} were reserved for it: "
            f"{hold.quota} takes nothing that costs until somebody has looked at it."
        ),
        fix=f"See what happened (qpm show {entry.job_id}), then say so: qpm jobs acknowledge {entry.job_id}.",
        owner=hold.owner,
        details={"job_id": entry.job_id, "held": held, "settled": settled, "unit": hold.unit},
    )
