"""Further attempts of a job: once more where it was, or elsewhere; each quoted, judged, masked and reserved afresh.

Only an attempt that has certainly ended, or never began, may be followed by another. A job whose backend was named
stays there; one whose backend was chosen by a route goes on to the next where the route allows it.
"""

from __future__ import annotations

import logging
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from qpm_lab import providers
from qpm_lab.errors import ProviderError, QpmError
from qpm_lab.experiment import Decision
from qpm_lab.ledger import Blob
from qpm_lab.runner import clock
from qpm_lab.runner.delivery import Delivery
from qpm_lab.runner.elsewhere import moved
from qpm_lab.runner.ended import Ended, failed, unconvincing
from qpm_lab.runner.extras import Extras, extras, samples
from qpm_lab.runner.intent import measured_by, shipping
from qpm_lab.runner.live_prices import with_live_price
from qpm_lab.runner.overruns import unless_overrun
from qpm_lab.runner.plan import Plan, judge_again
from qpm_lab.runner.settling import left_of
from qpm_lab.runner.shipment import Shipment, packed
from qpm_lab.runner.tasks import task_of

if TYPE_CHECKING:
    from qpm_lab.providers.interface import RunResult, Task
    from qpm_lab.runner.attempt import LiveJob
    from qpm_lab.runner.runner import Runner

MAX_ATTEMPTS = 4
"""Of one job, over all backends."""
ATTEMPTS_EACH = 2
"""On one backend, where there is another to go to."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
PRICE_SECONDS = 3600.0
"""How long after submission a vendor's estimate holds for a further attempt, if the vendor cannot be asked again."""
COSTLY = ("cost", "qpu_seconds")
Where = Literal["here", "elsewhere"]
"""`here`: the caller is to run it on this machine; `elsewhere`: the job goes on by itself."""
log = logging.getLogger("qpm_lab")


def attempted(live: LiveJob, runner: Runner, error: QpmError) -> Where | None:
    """Begins a further attempt after a failure; None when there is none.

    Where a route has no backend left to go to, the error says why not to each.
    """
    if not isinstance(error, ProviderError) or error.uncertain or not _may_go_on(live):
        return None
    falls_back = live.plan.route is not None and live.plan.route.fallback
    if not (error.retryable or falls_back) or not _is_over(live, runner):
        return None
    ended = failed(live, error)
    if error.retryable and not (falls_back and _is_left_alone(live, runner)):
        where = _once_more(live, runner, ended)
        if where is not None:
            return where
    return _at_the_next(live, runner, ended, error) if falls_back else None


def rerun(live: LiveJob, runner: Runner, result: RunResult, verdict: Mapping[str, Any] | None) -> Where | None:
    """Runs the job on the next backend of its route, where that allows it, if a result does not meet its conditions.

    Args:
        live: The job.
        runner: Runs it.
        result: What came back.
        verdict: Of its conditions; None when it has none.
    """
    route = live.plan.route
    if verdict is None or verdict["passed"] or route is None or not route.rerun_on_failed_validation:
        return None
    return _at_the_next(live, runner, unconvincing(live, result, verdict), None) if _may_go_on(live) else None


def pause(attempt: int) -> float:
    """Seconds before an attempt: doubled each time, with chance in it so that many jobs do not come back together."""
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 2))
    return longest * random.uniform(0.5, 1.0)


def _may_go_on(live: LiveJob) -> bool:
    most = min(MAX_ATTEMPTS, live.plan.route.max_attempts) if live.plan.route else MAX_ATTEMPTS
    return live.intent is None and live.attempt < most and live.cancel_reason is None


def _is_left_alone(live: LiveJob, runner: Runner) -> bool:
    """True when the backend has had its chances, or its breaker is open."""
    here = live.tried[-1]
    return live.tried.count(here) >= ATTEMPTS_EACH or runner.breakers.seconds_left(here) > 0


def _is_over(live: LiveJob, runner: Runner) -> bool:
    """True when nothing of the attempt goes on at its vendor: what it took is asked to stop, and asked after."""
    delivery = live.delivery
    try:
        return delivery is None or delivery.is_over()
    except ProviderError as error:
        log.info("job %s: no further attempt, its vendor does not say whether it goes on: %s", live.job_id, error)
        return False


def _once_more(live: LiveJob, runner: Runner, ended: Ended) -> Where | None:
    """The same on the same backend."""
    was_here = live.delivery is None
    plan = _judged_again(live, runner, _left(live, ended))
    task = replace(live.task, token=secrets.token_hex(16))
    why_not = _begin(live, runner, plan, task, live.extras, ended)
    if why_not is not None:
        log.info("job %s: not once more: %s", live.job_id, why_not)
        return None
    if was_here:
        return "here"
    runner.follow(live, max(pause(live.attempt), runner.breakers.seconds_left(live.tried[-1])))
    return "elsewhere"


def _judged_again(live: LiveJob, runner: Runner, left: int | None) -> Plan:
    """The same, priced and judged as things stand now. Where the vendor does not answer, what it said lately holds."""
    told: dict[str, Any] = {"at": clock.now(), "decisions": runner.decisions, "max_cost": left}
    bundle = runner.rules.bundle()
    plan = judge_again(replace(live.plan, asked_vendor=False), bundle=bundle, **told)
    plan = with_live_price(plan, **told)
    lately = time.monotonic() - live.created < PRICE_SECONDS
    if live.plan.asked_vendor and not plan.quote.known and lately:
        plan = judge_again(live.plan, bundle=bundle, **told)
    return unless_overrun(plan, runner.ledger)


def _at_the_next(live: LiveJob, runner: Runner, ended: Ended, error: ProviderError | None) -> Where | None:
    """The best backend of the route that has not been tried, that the rules allow, and that can be reached."""
    route = live.plan.route
    assert route is not None
    for name in route.order:
        if name in live.tried or any(each["backend"] == name for each in route.passed_over):
            continue
        why_not = _moved_to(live, runner, name, ended)
        if why_not is None:
            if live.delivery is None:
                return "here"
            runner.follow(live)
            return "elsewhere"
        live.passed_over.append({"backend": name, "why": why_not})
    if error is not None and live.passed_over:
        told = " ".join(f"{each['backend']}: {each['why']}" for each in live.passed_over)
        error.hint = f"{error.hint} No fallback. {told}".strip()
    return None


def _moved_to(live: LiveJob, runner: Runner, backend_id: str, ended: Ended) -> str | None:
    """Begins an attempt on another backend; says why not when there is none."""
    try:
        plan = unless_overrun(moved(live.plan, backend_id, runner, clock.now(), _left(live, ended)), runner.ledger)
        task = task_of(plan)
        further = extras(plan, task)
        for each in samples(task, further):
            providers.provider_of(backend_id).check(each)
        return _begin(live, runner, plan, task, further, ended)
    except QpmError as error:
        return error.message


def _left(live: LiveJob, ended: Ended) -> int | None:
    spent = [*live.spent, *([(ended.cost.currency, ended.cost.nano)] if ended.cost else [])]
    return left_of(live.plan.max_cost, spent, live.plan.quote.currency)


def _begin(live: LiveJob, runner: Runner, plan: Plan, task: Task, further: Extras | None, ended: Ended) -> str | None:
    """Settles the attempt that has ended and reserves the next in one transaction; says why not when it cannot."""
    if plan.decision.effect != "allow":
        return _refusal(plan.decision)
    if _is_overrun(live, ended) and any(hold.amount for hold in plan.holds if hold.measure in COSTLY):
        return "The attempt before it cost more than was reserved, which somebody has to look at first."
    try:
        shipment = _packed(plan, task, further)
        payload, blobs = _told(live, plan, task, shipment, ended)
        elsewhere = task.backend.id if task.backend.id != live.task.backend.id else ""
        runner.boundary("before-retry")
        entry = runner.ledger.retry(
            live.job_id, live.epoch, payload, plan.holds, settled=ended.settled, backend=elsewhere, blobs=blobs
        )
    except QpmError as error:
        return error.message
    if entry is None:
        return "The job is another process's now, or closed."
    if isinstance(entry, tuple):
        return f"It does not fit into {', '.join(dict.fromkeys(short.hold.quota for short in entry))}."
    runner.boundary("after-retry")
    _follow_up(live, runner, plan, task, further, shipment, ended)
    return None


def _is_overrun(live: LiveJob, ended: Ended) -> bool:
    used = ended.settled or {}
    return any(used.get(hold.counter, 0) > hold.amount for hold in live.holds if hold.measure in COSTLY)


def _packed(plan: Plan, task: Task, further: Extras | None) -> Shipment | None:
    remote = providers.remote(task.backend.id)
    return packed(plan, task, further, remote) if remote else None


def _told(
    live: LiveJob, plan: Plan, task: Task, shipment: Shipment | None, ended: Ended
) -> tuple[dict[str, Any], list[Blob]]:
    parcels, blobs = shipping(shipment) if shipment else ({}, [])
    payload = {
        **ended.told,
        "backend": task.backend.id,
        "token": task.token,
        "quote": plan.quote.to_dict(),
        "decision": plan.decision.to_dict(),
        **parcels,
    }
    if task.backend.id != live.task.backend.id:
        measured, more = measured_by(plan)
        payload |= {"noisy": task.backend.noisy, "notes": list(plan.notes), **measured}
        blobs = [*blobs, *more]
    if live.passed_over:
        payload["passed_over"] = list(live.passed_over)
    return payload, [*blobs, *ended.blobs]


def _follow_up(
    live: LiveJob,
    runner: Runner,
    plan: Plan,
    task: Task,
    further: Extras | None,
    shipment: Shipment | None,
    ended: Ended,
) -> None:
    """The job as it is from now on; the ledger has it so already."""
    remote = providers.remote(task.backend.id)
    if plan.envelope is not None:
        plan.envelope.settled(live.holds, ended.settled or {}, completed=False)
        plan.envelope.reserved(plan.holds)
    if ended.cost is not None:
        live.spent.append((ended.cost.currency, ended.cost.nano))
    live.attempt += 1
    live.tried.append(task.backend.id)
    live.is_fallback = live.is_fallback or task.backend.id != live.task.backend.id
    live.passed_over = []
    live.plan, live.holds, live.task, live.extras = plan, plan.holds, task, further
    live.running, live.gathered, live.read, live.started = None, None, None, False
    live.prices = runner.decisions.prices_for(live.task.backend)
    if live.delivery is not None and remote is None:
        live.queue_again()
    live.delivery = Delivery(live, shipment, remote) if remote and shipment else None


def _refusal(decision: Decision) -> str:
    needs = "It needs approval: " if decision.effect == "needs-approval" else "It is refused: "
    return needs + (" ".join(reason.message for reason in decision.reasons) or "no rule allows it.")
