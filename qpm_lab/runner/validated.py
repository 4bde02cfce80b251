"""A validation as the ledger keeps it: the verdict, whose it is, and how often the same was tried before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab.experiment import Estimate
from qpm_lab.ledger import Entry, JobRow, Ledger
from qpm_lab.runner.validation import judge

if TYPE_CHECKING:
    from qpm_lab.runner.attempt import LiveJob

PASSED, FAILED = "validation.passed", "validation.failed"
Told = Mapping[str, Any]


def validated(
    live: LiveJob, ledger: Ledger, counts: Sequence[Mapping[str, int]], estimates: Sequence[Estimate]
) -> dict[str, Any] | None:
    """The payload of the event that says whether a result meets its conditions; None when it has none.

    It names whom and what the verdict is about, so that events can be counted without the jobs.
    """
    plan = live.plan
    if not plan.conditions:
        return None
    request, fingerprint = plan.request, plan.request.circuits[0].fingerprint
    # A job that is recorded as a whole is not there yet: all the others came before it.
    submitted = None if live.intent is not None else ledger.job(live.job_id).first_entry
    earlier = ledger.attempts(request.principal.user, fingerprint, request.backend.id, submitted)
    return {
        **judge(plan.conditions, counts, estimates, request.shots).to_dict(),
        "attempts": 1 + sum(earlier.values()),
        "earlier": earlier,
        "user": request.principal.user,
        "notebook_run": request.principal.notebook_run,
        "provider": request.backend.provider,
        "backend": request.backend.id,
        "fingerprint": fingerprint,
        "experiment": request.experiment,
        "project": request.project,
        "cost_center": request.cost_center,
    }


def validation_block(ledger: Ledger, row: JobRow, entries: Sequence[Entry]) -> dict[str, Any] | None:
    """The block `validation` of docs/record.md; None for a job that was not validated.

    Attempts are counted anew: a job submitted earlier may have ended later.
    """
    if row.validation is None:
        return None
    told = next(entry.payload for entry in entries if entry.event in (PASSED, FAILED))
    earlier = ledger.attempts(row.user, row.fingerprint, row.backend, row.first_entry)
    return {
        "passed": row.validation == "passed",
        "conditions": told["conditions"],
        "attempts": 1 + sum(earlier.values()),
        "earlier": earlier,
    }
