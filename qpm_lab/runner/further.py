"""Further attempts of a job: once more where it was, or elsewhere; each quoted, judged and reserved afresh.

Only an attempt that has certainly ended, or never began, may be followed by another.
"""

from __future__ import annotations

import logging
import random
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from qpm_lab import providers
from qpm_lab.errors import LedgerError, ProviderError, QpmError
from qpm_lab.runner import clock
from qpm_lab.runner.delivery import Delivery
from qpm_lab.runner.intent import shipping
from qpm_lab.runner.plan import judge_again
from qpm_lab.runner.shipment import packed

if TYPE_CHECKING:
    from qpm_lab.runner.attempt import LiveJob
    from qpm_lab.runner.runner import Runner

MAX_ATTEMPTS = 4
"""Of one job, over all backends."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
log = logging.getLogger("qpm_lab")


def attempted(live: LiveJob, runner: Runner, error: QpmError) -> Literal["here", "elsewhere"] | None:
    """Begins a further attempt after a failure.

    Returns:
        `here` when the caller is to run it, `elsewhere` when the job goes on by itself, None when there is none.
    """
    certain = isinstance(error, ProviderError) and error.retryable and not error.uncertain
    if not certain or live.intent is not None or live.attempt >= MAX_ATTEMPTS or live.cancel_reason is not None:
        return None
    if not _begun(live, runner, error):
        return None
    if live.delivery is None:
        return "here"
    runner.follow(live, pause(live.attempt))
    return "elsewhere"


def pause(attempt: int) -> float:
    """Seconds before an attempt: doubled each time, with chance in it so that many jobs do not come back together."""
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 2))
    return longest * random.uniform(0.5, 1.0)


def _begun(live: LiveJob, runner: Runner, error: QpmError) -> bool:
    plan = judge_again(live.plan, bundle=runner.rules.bundle(), at=clock.now(), decisions=runner.decisions)
    if plan.decision.effect != "allow":
        return False
    task = replace(live.task, token=secrets.token_hex(16))
    provider = providers.remote(task.backend.id)
    shipment = packed(plan, task, live.extras, provider) if provider else None
    told, blobs = shipping(shipment) if shipment else ({}, [])
    payload = {
        "error": error.to_dict(),
        "token": task.token,
        "quote": plan.quote.to_dict(),
        "decision": plan.decision.to_dict(),
        **told,
    }
    try:
        entry = runner.ledger.retry(live.job_id, live.epoch, payload, plan.holds, blobs=blobs)
    except LedgerError as failure:
        log.warning("job %s: no further attempt: %s", live.job_id, failure)
        return False
    if entry is None or isinstance(entry, tuple):
        return False
    live.attempt += 1
    live.plan, live.holds, live.task = plan, plan.holds, task
    live.started = live.started and provider is None
    live.delivery = Delivery(live, shipment, provider) if provider and shipment else None
    return True
