"""One job from its reservation to its recorded outcome, with the attempts in between."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from qpm_lab import providers
from qpm_lab.errors import CancelledError, LedgerError, ProviderError, QpmError
from qpm_lab.experiment import Estimate, Shortage
from qpm_lab.pricing import Prices, load_prices
from qpm_lab.providers.interface import Progress, Running, RunResult, Task
from qpm_lab.runner import clock
from qpm_lab.runner.course import Gathered
from qpm_lab.runner.delivery import Delivery
from qpm_lab.runner.ending import completed, ended_without_result
from qpm_lab.runner.estimating import Ideals, estimated
from qpm_lab.runner.extras import Extras, Reading
from qpm_lab.runner.further import Where, attempted, rerun
from qpm_lab.runner.intent import Intent
from qpm_lab.runner.interleaved import Interleaved
from qpm_lab.runner.outcome import Outcome, validate
from qpm_lab.runner.plan import Plan
from qpm_lab.runner.validated import validated

if TYPE_CHECKING:
    from qpm_lab.runner.runner import Runner

POLL_SECONDS = 0.25
RENEW_SECONDS = 15.0
log = logging.getLogger("qpm_lab")


class LiveJob:
    """A job that this process runs; `ended` is set once its outcome is recorded."""

    def __init__(
        self, job_id: str, plan: Plan, task: Task, at: datetime, *, started: bool, extras: Extras | None = None
    ) -> None:
        self.job_id = job_id
        self.plan = plan
        self.task = task
        """The user's circuits and all their shots."""
        self.extras = extras
        """What is run besides, or instead of the circuits as they are."""
        self.gathered: Gathered | None = None
        """What came back of a job with extras."""
        self.read: Reading | None = None
        """How its companions are read."""
        self.submitted_at = at
        self.stages_ms = dict(plan.stages_ms)
        self.started = started
        """True once the ledger says that it runs."""
        self.epoch = 1
        self.attempt = 1
        self.holds = plan.holds
        self.created = time.monotonic()
        self.queue_seconds = 0.0
        """How long it waited in this process for the jobs before it."""
        self.outcome: Outcome | None = None
        self.error: QpmError | None = None
        self.ended = threading.Event()
        self.cancel_reason: str | None = None
        self.running: Running | None = None
        self.delivery: Delivery | None = None
        """The attempt that is at a vendor; None for one that runs on this machine."""
        self.prices: Prices = load_prices()
        """By which it is settled."""
        self.spent: list[tuple[str, int]] = []
        """Currency and nano-units of each earlier attempt that cost something."""
        self.lost = False
        """True when another process has taken it over: only the ledger knows more."""
        self.tried = [task.backend.id]
        """The backend of each attempt so far, the present one last."""
        self.passed_over: list[dict[str, str]] = []
        """`backend` and `why` of those that could not follow this attempt."""
        self.is_fallback = plan.route is not None and plan.route.fell_back
        """True when it runs elsewhere than it was first sent to."""
        self.intent: Intent | None = None
        """The submission that is recorded together with its outcome; None once the ledger has it."""
        self.short: tuple[Shortage, ...] = ()
        """Holds that did not fit when such a job was to be recorded."""
        self.queued = True
        """True while no worker has begun with it."""
        self._guard = threading.Lock()

    def claim(self) -> bool:
        """True for the first who asks: a worker that drives the job, or whoever cancels it while it queues."""
        with self._guard:
            first, self.queued = self.queued, False
            return first

    def queue_again(self) -> None:
        """It waits for a worker of this machine: whoever asks first drives or cancels it."""
        with self._guard:
            self.queued = True

    def progress(self) -> Progress | None:
        """How far the run is; None before it starts."""
        if self.delivery is not None:
            return self.delivery.progress()
        return self.running.progress() if self.running else None

    def finished(self) -> Sequence[Mapping[str, int]]:
        """The histograms that are complete so far."""
        return self.running.finished() if self.running else ()


def drive(live: LiveJob, runner: Runner) -> bool:
    """Runs the job on this machine to an outcome that is in the ledger; never raises.

    A result that cannot be recorded becomes a failure; if that cannot be recorded either, the job stays
    open without a driver, and the next `recover` in this process or another closes it.

    Returns:
        True when it has ended; False when a further attempt of it goes on elsewhere.
    """
    with runner.site.in_force():
        outcome = _until_outcome(live, runner)
    if outcome is not None:
        conclude(live, runner, outcome)
    return outcome is not None


def conclude(live: LiveJob, runner: Runner, outcome: Callable[[], None]) -> None:
    """Records how the job ended; never raises."""
    try:
        runner.boundary("before-outcome")
        _record(outcome, live, runner)
        runner.boundary("after-outcome")
    except Exception as error:
        live.error = error if isinstance(error, QpmError) else unexpected(error)
        log.exception("job %s: outcome not recorded", live.job_id)


def judged(live: LiveJob, runner: Runner, result: RunResult) -> Callable[[], None] | Where:
    """A result that has come back, as what is to be recorded; or where the job goes on when the result will not do.

    Raises:
        ProviderError: it cannot be the result of this job.
    """
    validate(result, live.task)
    estimates = _estimates(live, result, runner.ideals)
    verdict = validated(live, runner.ledger, result.counts, estimates)
    return rerun(live, runner, result, verdict) or partial(completed, live, runner, result, estimates, verdict)


def _record(outcome: Callable[[], None], live: LiveJob, runner: Runner) -> None:
    try:
        outcome()
    except Exception as error:
        log.exception("job %s: its result could not be recorded", live.job_id)
        failure = error if isinstance(error, QpmError) else unexpected(error)
        ended_without_result(live, runner, "job.failed", failure)


def unexpected(error: Exception) -> ProviderError:
    """A fault of ours, as a user is told of it."""
    return ProviderError(
        f"The run failed unexpectedly: {type(error).__name__}: {str(error)[:500]}",
        "If it happens again, run `qpm doctor` and report it.",
        cause=error,
    )


def _until_outcome(live: LiveJob, runner: Runner) -> Callable[[], None] | None:
    """How it ends; None when a further attempt goes on elsewhere."""
    while True:
        try:
            found = judged(live, runner, _run(live, runner))
            if callable(found):
                return found
            again: Where | None = found
        except CancelledError as error:
            return partial(ended_without_result, live, runner, "job.cancelled", error)
        except QpmError as error:
            again = attempted(live, runner, error)
            if again is None:
                return partial(ended_without_result, live, runner, "job.failed", error)
        except Exception as error:
            log.exception("job %s failed inside qpm_lab", live.job_id)
            return partial(ended_without_result, live, runner, "job.failed", unexpected(error))
        if again == "elsewhere":
            return None


def _run(live: LiveJob, runner: Runner) -> RunResult:
    provider = providers.provider_of(live.task.backend.id)
    if live.cancel_reason or (not live.started and _asked_to_stop(live, runner)):
        raise CancelledError("The job was cancelled before it started.", "Nothing was spent.")
    if not live.started:
        # It queued: what fitted into memory then may not fit now.
        provider.check(live.task)
        if runner.ledger.start(live.job_id, live.epoch, {"attempt": live.attempt}) is None:
            raise CancelledError("The job was closed before it started.", "See `qpm show` for what was recorded.")
        live.started = True
        live.queue_seconds = time.monotonic() - live.created if live.attempt == 1 else live.queue_seconds
    began = time.perf_counter()
    runner.boundary("before-run")
    extras = live.extras
    running: Running = Interleaved(extras, live.task, provider) if extras else provider.submit(live.task)
    live.running = running
    runner.boundary("after-submit")
    try:
        _wait(live, running, runner)
    except BaseException:
        running.cancel()
        raise
    result = running.result()
    if isinstance(running, Interleaved):
        live.gathered, live.read = running.gathered(), running.built.read
    live.stages_ms["run"] = (time.perf_counter() - began) * 1e3
    runner.boundary("after-run")
    return result


def _wait(live: LiveJob, running: Running, runner: Runner) -> None:
    renewed = time.monotonic()
    while not running.wait(POLL_SECONDS):
        reason = _asked_to_stop(live, runner)
        if reason is None and time.monotonic() - renewed > RENEW_SECONDS:
            renewed = time.monotonic()
            reason = _renew(live, runner)
        if reason is not None:
            raise CancelledError(f"The job was cancelled: {reason}.", "Nothing was spent.")


def _asked_to_stop(live: LiveJob, runner: Runner) -> str | None:
    """Why the run should stop. A ledger that does not answer now may do so in a moment, and the run goes on."""
    try:
        return live.cancel_reason or runner.cancel_asked(live)
    except LedgerError as error:
        log.warning("job %s: the ledger did not answer: %s", live.job_id, error)
        return None


def _renew(live: LiveJob, runner: Runner) -> str | None:
    try:
        held = runner.ledger.renew(live.job_id, live.epoch, runner.owner(clock.now()).lease_until)
    except LedgerError as error:
        log.warning("job %s: the lease was not renewed: %s", live.job_id, error)
        return None
    return None if held else "another process closed it"


def _estimates(live: LiveJob, result: RunResult, ideals: Ideals) -> tuple[Estimate, ...]:
    began = time.perf_counter()
    estimates = estimated(result, live, ideals)
    live.stages_ms["fidelity"] = (time.perf_counter() - began) * 1e3
    return estimates
