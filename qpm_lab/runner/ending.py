"""How a job ends: its counts, cost and usage in one entry, its holds settled in the same transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CancelledError, QpmError
from qpm_lab.experiment import Estimate, from_nano
from qpm_lab.ledger import Blob, Ending, Entry
from qpm_lab.providers.interface import RunResult
from qpm_lab.runner import clock
from qpm_lab.runner.canary import successes
from qpm_lab.runner.estimating import dispersion, rerun
from qpm_lab.runner.outcome import Outcome, counts_blob, no_estimate, validate_counts
from qpm_lab.runner.settling import of_attempt, of_result, qpu_nanoseconds, spent, spent_without_result, told
from qpm_lab.runner.validated import FAILED, PASSED, Told

if TYPE_CHECKING:
    from qpm_lab.pricing import Settlement
    from qpm_lab.runner.attempt import LiveJob
    from qpm_lab.runner.course import Gathered
    from qpm_lab.runner.runner import Runner

log = logging.getLogger("qpm_lab")


def completed(
    live: LiveJob, runner: Runner, result: RunResult, estimates: tuple[Estimate, ...], verdict: Told | None
) -> None:
    """Records a result, whether it meets its conditions, and settles what was held."""
    blob = counts_blob(result.counts)
    further = [] if live.gathered is None else _further_counts(live.gathered)
    cost = spent(live, result)
    own = of_result(live, result)
    payload = {
        **_usage(live, result),
        "counts_blob": blob.digest,
        **{name: kept.digest for name, kept in further},
        "fidelity": _estimates(estimates, live),
        "rerun": rerun(live.plan, estimates),
        "cost": told(cost),
        **_of_several(live, own),
        "details": dict(result.details),
    }
    # A list has no room for a caveat, so it names only a fidelity that is claimed without one.
    head = estimates[0] if estimates[0].reason is None else no_estimate(0, "")
    summary = {
        "cost_nano": cost.nano,
        "currency": cost.currency,
        "fidelity_low": head.low,
        "fidelity_high": head.high,
        "run_seconds": result.run_seconds,
        **_further_columns(live, runner, result, verdict),
    }
    settled = _settled(live, live.plan.request.total_shots, _in_holds(live, own), qpu_nanoseconds(live))
    blobs = (blob, *(kept for _, kept in further))
    entry = _close(live, runner, Ending("job.completed", payload, settled, summary, blobs, further=_events(verdict)))
    if entry is None:
        live.error = CancelledError(
            "This result came too late: the job was already closed.", "See `qpm show` for what was recorded."
        )
    else:
        paid = {"currency": cost.currency, "amount": from_nano(cost.nano), "basis": cost.basis}
        live.outcome = Outcome(result.counts, estimates, paid)


def _of_several(live: LiveJob, own: Settlement | None) -> dict[str, Any]:
    """What only a job with a route or several attempts has to tell of its last one."""
    several: dict[str, Any] = {"passed_over": list(live.passed_over)} if live.passed_over else {}
    if live.spent and own is not None:
        several["own_cost"] = told(own)
    return several


def _estimates(estimates: tuple[Estimate, ...], live: LiveJob) -> list[dict[str, Any]]:
    """The estimates, with what the order of the shots says where it is known."""
    found = dispersion(live.gathered.blocks) if live.gathered else None
    return [each.to_dict() | ({"dispersion": found} if found else {}) for each in estimates]


def _further_counts(gathered: Gathered) -> list[tuple[str, Blob]]:
    """What the estimates were worked out from besides the counts: companions, and parts in the order of time."""
    kept = (("companions_blob", gathered.companions), ("blocks_blob", gathered.blocks))
    return [(name, counts_blob(histograms)) for name, histograms in kept if histograms]


def _further_columns(live: LiveJob, runner: Runner, result: RunResult, verdict: Told | None) -> dict[str, Any]:
    """What lists show of a job that had conditions or is a canary."""
    columns: dict[str, Any] = {}
    if verdict is not None:
        columns["validation"] = "passed" if verdict["passed"] else "failed"
    if live.plan.canary is not None:
        columns["canary_successes"] = successes(live.plan, result.counts[0], runner.ideals)
    return columns


def _events(verdict: Told | None) -> tuple[tuple[str, Told], ...]:
    if verdict is None:
        return ()
    return ((PASSED if verdict["passed"] else FAILED, verdict),)


def ended_without_result(live: LiveJob, runner: Runner, event: str, error: QpmError) -> None:
    """Keeps the points of a sweep that are done and releases the rest.

    The job itself counts as one, so that throttling sees failing loops.
    """
    live.error = error
    kept = _kept(live)
    if kept:
        error.hint = f"{len(kept):,} of {live.task.executions:,} points are kept: job.partial()."
    if live.delivery is not None:
        live.delivery.look(runner)
    own = of_attempt(live)
    payload: dict[str, Any] = {**_usage(live, None), "error": error.to_dict(), **_of_several(live, own)}
    if kept:
        blob = counts_blob(kept)
        payload |= {"counts_blob": blob.digest, "done": len(kept)}
    summary: dict[str, Any] = {"error": error.message[:300]}
    cost = spent_without_result(live)
    if cost is not None:
        payload["cost"] = told(cost)
        summary |= {"cost_nano": cost.nano, "currency": cost.currency}
    if own is None:
        settled = _settled(live, len(kept) * live.task.shots, *_share(live, len(kept)))
    else:
        settled = _settled(live, _answered_shots(live), _in_holds(live, own), qpu_nanoseconds(live))
    _close(live, runner, Ending(event, payload, settled, summary, (blob,) if kept else ()))


def _close(live: LiveJob, runner: Runner, ending: Ending) -> Entry | None:
    if live.intent is not None:
        return runner.record_whole(live, ending)
    # Who comes second with a job at a vendor has lost it: only the ledger knows how it ended.
    entry = runner.ledger.finish(
        live.job_id,
        live.epoch,
        ending.event,
        ending.payload,
        settled=ending.settled,
        summary=ending.summary,
        blobs=ending.blobs,
        further=ending.further,
    )
    live.lost = entry is None and live.delivery is not None
    if entry is not None and live.plan.envelope is not None:
        done = ending.event == "job.completed"
        live.plan.envelope.settled(live.holds, ending.settled or {}, completed=done)
    return entry


def _settled(live: LiveJob, shots: int, cost: int | None, qpu_nanoseconds: int) -> dict[str, int]:
    actual = {"jobs": 1, "shots": shots, "cost": cost, "qpu_seconds": qpu_nanoseconds}
    # A measure that nobody has counted yet, or not in this unit, settles at what was held for it.
    counted = {measure: amount for measure, amount in actual.items() if amount is not None}
    return {hold.counter: counted.get(hold.measure, hold.amount) for hold in live.holds}


def _in_holds(live: LiveJob, cost: Settlement) -> int | None:
    """A cost in the currency of what was held; None when it is in another, and there is no rate."""
    return cost.nano if cost.currency == live.plan.quote.currency else None


def _share(live: LiveJob, done: int) -> tuple[int, int]:
    """Cost and QPU time of the points that are done, as parts of the quote, rounded up."""
    quote, total = live.plan.quote, live.task.executions
    return -(-(quote.high or 0) * done // total), -(-quote.qpu_nanoseconds * done // total)


def _kept(live: LiveJob) -> Sequence[Mapping[str, int]]:
    """The complete histograms of a sweep that was stopped; nothing of what is not sound."""
    if live.running is None or not any(live.task.bindings):
        return ()
    try:
        done = live.running.finished()
        validate_counts(done, live.task)
    except Exception:
        log.exception("job %s: what was done is not kept", live.job_id)
        return ()
    return done


def _answered_shots(live: LiveJob) -> int:
    """Shots that a vendor has run of a job that ended without a result."""
    answers = live.delivery.answers if live.delivery else ()
    return sum(sum(counts.values()) for answer in answers for counts in answer.counts)


def _usage(live: LiveJob, result: RunResult | None) -> dict[str, Any]:
    """The raw figures behind M2, M5, M6, M7 and M10."""
    total = (clock.now() - live.submitted_at).total_seconds()
    return {
        "attempt": live.attempt,
        "fallback": live.is_fallback,
        "total_seconds": round(max(0.0, total), 6),
        "run_seconds": round(result.run_seconds, 6) if result else None,
        "queue_seconds": round(live.queue_seconds + (result.queue_seconds if result else 0.0), 6),
        "cpu_seconds": round(result.cpu_seconds, 6) if result else None,
        "peak_memory_bytes": result.peak_memory_bytes if result else None,
        "stages_ms": {k: round(v, 3) for k, v in live.stages_ms.items()},
    }
