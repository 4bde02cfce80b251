"""Submission: the decision, the reservations and the intent in one transaction, then the run.

The order of effects makes it safe to pull the plug anywhere; each step is a named boundary:

    plan → [reserve] one transaction → [submitted] → run → [returned] → one transaction → [recorded]
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from qpm_lab import providers
from qpm_lab.errors import (
    ApprovalNeededError,
    CancelledError,
    DeniedError,
    InputError,
    LedgerError,
    QpmError,
    QuotaError,
)
from qpm_lab.experiment import Decision, Principal, Shortage, Status
from qpm_lab.ledger import Ending, Entry, Ledger, Owner, OwnerLock
from qpm_lab.providers.interface import Progress, Task
from qpm_lab.runner import broker, clock, poller
from qpm_lab.runner.attempt import LiveJob, drive
from qpm_lab.runner.breaker import Breakers
from qpm_lab.runner.decisions import Decisions
from qpm_lab.runner.delivery import Delivery
from qpm_lab.runner.ending import ended_without_result
from qpm_lab.runner.envelope import Envelope, current, put
from qpm_lab.runner.estimating import Ideals
from qpm_lab.runner.extras import Extras, extras, samples
from qpm_lab.runner.following import advance
from qpm_lab.runner.intent import Intent, Stored, intent
from qpm_lab.runner.interrupts import held_back
from qpm_lab.runner.order import Order
from qpm_lab.runner.plan import Plan, judge, shortages, taken, with_shortages
from qpm_lab.runner.planning import plan_for
from qpm_lab.runner.recovery import recover
from qpm_lab.runner.resuming import Said, resolve, resume
from qpm_lab.runner.route_taken import is_route
from qpm_lab.runner.rules import Rules
from qpm_lab.runner.sessions import LEASE as SESSION_LEASE
from qpm_lab.runner.sessions import RENEW as SESSION_RENEW
from qpm_lab.runner.sessions import SessionOrder, open_envelope
from qpm_lab.runner.shipment import packed
from qpm_lab.runner.site import Site
from qpm_lab.runner.tasks import is_quick, task_of
from qpm_lab.runner.workers import Workers

CLOSE_SECONDS = 3.0
"""Less than the five seconds that Jupyter gives a kernel to end."""
ASKED = "it was asked to stop"
RECOVERY_SECONDS = 15.0
LEASE = timedelta(seconds=60)
"""How long another machine waits before it may take over; on this machine the lock decides."""

_session_guard = threading.Lock()

Boundary = Callable[[str], None]


class Runner:
    """Takes orders through policy, ledger and provider.

    Args:
        ledger: Where everything is recorded.
        rules: Gives the policy bundle in force.
        principal: On whose behalf.
        boundary: Called with the name of each effect boundary; tests pull the plug there.
        site: Settings, prices and keys; those of the ledger's home by default.
    """

    def __init__(
        self,
        ledger: Ledger,
        rules: Rules,
        principal: Principal,
        *,
        boundary: Boundary = lambda name: None,
        site: Site | None = None,
    ) -> None:
        self.ledger = ledger
        self.rules = rules
        self.principal = principal
        self.boundary = boundary
        self.ideals = Ideals()
        self.live: dict[str, LiveJob] = {}
        self._lock = OwnerLock(ledger.home)
        self._workers = Workers()
        self.site = site or Site(ledger.home)
        self.decisions = Decisions(lambda: self.site.prices)
        self.breakers = Breakers()
        self._vendor_workers = Workers(poller.THREADS)
        self._poller = poller.Poller(self._vendor_workers)
        providers.use_access(self.site.access)
        self._recovering = threading.Lock()
        self._opened = ""
        """The session that was opened here, which ends with this runner at the latest."""
        self._stored = Stored()

    def plan(self, order: Order) -> Plan:
        """Prepares, quotes and judges by the rules; writes nothing."""
        at = clock.now()
        with self.site.in_force():
            return broker.planned(self, order, at) if is_route(order.backend) else plan_for(self, order, at)

    def explain(self, order: Order) -> tuple[Plan, Decision]:
        """The verdict as it would be now, quotas included; writes and holds nothing."""
        plan = self.plan(order)
        return plan, judge(plan, ledger=self.ledger, at=clock.now())

    def submit(self, order: Order) -> LiveJob:
        """Authorises, reserves and starts; the run goes on in the background.

        Raises:
            DeniedError: refused by a rule (QuotaError: by quotas only); the refusal is recorded.
            ProviderError: the backend cannot hold or run it; nothing was reserved.
        """
        at = clock.now()
        self._renew_envelope(at)
        with self.site.in_force():
            by_route = is_route(order.backend)
            return broker.submit(self, order, at) if by_route else self.send(plan_for(self, order, at), at)

    def send(self, plan: Plan, at: datetime) -> LiveJob:
        """Authorises, reserves and starts what is planned for one backend; raises as `submit` does."""
        if plan.decision.effect != "allow":
            raise self.refuse(plan, judge(plan, ledger=self.ledger, at=at), at)
        task = task_of(plan)
        provider = providers.provider_of(plan.request.backend.id)
        further = extras(plan, task)
        kinds = partial(samples, task, further)
        for each in self.breakers.ask(task.backend.id, kinds) if providers.remote(task.backend.id) else kinds():
            provider.check(each)
        return self._reserve(plan, task, further, at)

    def cancel(self, live: LiveJob, why: str) -> None:
        """Stops a job of this process: at once while it queues, else as soon as its driver looks."""
        live.cancel_reason = live.cancel_reason or why
        if live.delivery is not None:
            self._poller.hurry(live.job_id)
        elif live.claim():
            error = CancelledError(f"The job was cancelled: {why}.", "Nothing was spent.")
            try:
                ended_without_result(live, self, "job.cancelled", error)
            finally:
                self.let_go(live)

    def cancel_asked(self, live: LiveJob) -> str | None:
        """Why a running job should stop; also stops queued jobs that somebody asked to cancel."""
        for other in list(self.live.values()):
            if other.queued and self.ledger.cancel_requested(other.job_id):
                self.cancel(other, ASKED)
        return ASKED if self.ledger.cancel_requested(live.job_id) else None

    def progress(self, job_id: str) -> Progress | None:
        """How far a job of this process is; None for jobs of others."""
        live = self.live.get(job_id)
        if live is None or not live.queued or live.delivery is not None:
            return live.progress() if live else None
        before = sum(1 for other in list(self.live.values()) if other.submitted_at < live.submitted_at)
        return Progress(message=f"waiting for {before} of your jobs before it")

    @property
    def envelope(self) -> Envelope | None:
        """The open session of this process, from which every job draws."""
        return current(self.ledger.home, self.principal.user)

    def open_session(self, order: SessionOrder) -> Envelope:
        """Reserves an envelope; jobs draw from it until it is closed.

        Raises:
            InputError: one is open already, or an option cannot be used.
            QuotaError: the envelope does not fit.
        """
        with _session_guard:
            if self.envelope is not None:
                raise InputError(
                    f"The session {self.envelope.name!r} is open already.", "Close it first: %qsession --close."
                )
            at = clock.now()
            owner = replace(self.owner(at), lease_until=at + SESSION_LEASE)
            opened = open_envelope(
                order, ledger=self.ledger, bundle=self.rules.bundle(), principal=self.principal, owner=owner, at=at
            )
            put(self.ledger.home, self.principal.user, opened)
            self._opened = opened.session_id
            return opened

    def close_session(self, session_id: str) -> None:
        """Releases what a session of this process did not use; one that has ended is left as it is."""
        with _session_guard:
            envelope = self.envelope
            if envelope is None or envelope.session_id != session_id:
                return  # it has ended, or belongs to the process that this one was forked from
            envelope.close()
            put(self.ledger.home, self.principal.user, None)
            self.ledger.close_session(session_id, {})

    def recover(self, *, follow: bool = True) -> list[str]:
        """Closes local jobs and sessions of processes that are gone, and jobs of this one that nobody drives.

        Args:
            follow: Whether jobs at vendors that nobody follows are followed by this process from now on.

        Returns:
            The ids of the jobs that were closed.
        """
        with self._recovering, self.site.in_force():
            known, owner = self.live.__contains__, self.owner(clock.now())
            return recover(self.ledger, owner, known, partial(resume, self) if follow else None)

    def resolve(self, job_id: str, said: Said, vendor_id: str | None = None) -> LiveJob | None:
        """What a person knows of a parked job; see `resuming.resolve`."""
        return resolve(self, self.ledger.job(job_id), said, vendor_id)

    def keep_following(self) -> None:
        """From now on this process also follows jobs whose process ends."""
        self._poller.watch("recovery", self._recover_again, RECOVERY_SECONDS)

    def _recover_again(self) -> float:
        with suppress(QpmError):
            self.recover()
        return RECOVERY_SECONDS

    def close(self) -> None:
        """Cancels what still runs on this machine, records it, and lets go of what is at vendors."""
        self._poller.close()
        for live in list(self.live.values()):
            if live.delivery is None:  # what is at a vendor goes on there, and the next process follows it
                self.cancel(live, "the process that ran it ended")
        self._workers.close(CLOSE_SECONDS)
        self._vendor_workers.close(CLOSE_SECONDS)
        for live in list(self.live.values()):
            if live.delivery is not None:
                live.lost = True
                self.let_go(live)
        self.close_session(self._opened)
        self._lock.release()

    def _renew_envelope(self, at: datetime) -> None:
        envelope = self.envelope
        if envelope is not None and envelope.lease_until - at < SESSION_LEASE - SESSION_RENEW:
            envelope.lease_until = at + SESSION_LEASE
            if not self.ledger.renew_session(envelope.session_id, envelope.lease_until):
                put(self.ledger.home, self.principal.user, None)
                raise InputError(
                    f"The session {envelope.name!r} has ended: nobody used it for a long time.", "Open another one."
                )

    def owner(self, at: datetime) -> Owner:
        """This process as the owner of a job."""
        return self._lock.owner(at + LEASE)

    def _reserve(self, plan: Plan, task: Task, further: Extras | None, at: datetime) -> LiveJob:
        began = time.perf_counter()
        remote = providers.remote(task.backend.id)
        shipment = self.breakers.ask(task.backend.id, partial(packed, plan, task, further, remote)) if remote else None
        quick = remote is None and self._workers.idle and further is None and is_quick(task)
        asked = intent(plan, task, at, self.owner(at), self._stored, shipment)
        started = remote is None and self._workers.idle
        live = LiveJob(asked.job.job_id, plan, task, at, started=started, extras=further)
        live.prices = self.decisions.prices_for(task.backend)
        if remote and shipment:
            live.delivery = Delivery(live, shipment, remote)
        self.boundary("before-reserve")
        self.live[live.job_id] = live
        try:
            with held_back() if quick else nullcontext():
                if quick and plan.envelope is not None and plan.request.backend.local and plan.route is None:
                    short = self._run_whole(live, asked, plan.envelope)
                else:
                    short = self._record_intent(live, asked)
                    live.stages_ms["reserve"] = (time.perf_counter() - began) * 1e3
                    if not short:
                        self._begin(live, at_once=quick)
        except BaseException:
            # An interrupt may fall after the commit: what stands in the ledger is closed before it goes on.
            if not self._poller.watches(live.job_id) and not live.ended.is_set():
                live.delivery = None  # nobody follows it yet, so nothing was sent, and nobody else would ever close it
            with suppress(QpmError):  # what happened is what has to be told, and the job may not stand there at all
                self.cancel(live, "it was interrupted")
            raise
        if not short:
            return live
        self.let_go(live)
        raise self.refuse(plan, with_shortages(plan, short, at=at), at)

    def _record_intent(self, live: LiveJob, asked: Intent) -> tuple[Shortage, ...]:
        holds, owner = live.holds, self.owner(live.submitted_at)
        entry = self.ledger.submit(asked.job, asked.payload, holds, owner, blobs=asked.blobs, started=live.started)
        self.boundary("after-reserve")
        if isinstance(entry, tuple):
            return entry
        if live.plan.envelope is not None:
            live.plan.envelope.reserved(live.holds)
        self._stored.add(asked.digests)
        return ()

    def _run_whole(self, live: LiveJob, asked: Intent, envelope: Envelope) -> tuple[Shortage, ...]:
        """A quick local job of a session: its envelope is reserved already, so intent and outcome are recorded
        together after the run, and a process that dies in between leaves nothing held and nothing spent.
        """
        short = self._short_of(live, envelope)
        if short:
            return short
        live.intent = asked
        self._drive(live)
        if live.intent is not None and not live.short:
            # It could not be recorded, not even as failed: there is no such job.
            envelope.end(live.holds, None)
            raise live.error or LedgerError("The step could not be recorded.", "Run it again.")
        return live.short

    def _short_of(self, live: LiveJob, envelope: Envelope) -> tuple[Shortage, ...]:
        """What does not suffice for a step that has not run yet: of the envelope, or of a quota beside it."""
        now = time.monotonic()
        if not envelope.has_room(live.holds, now):
            beside = envelope.uncovered(live.holds)
            short = shortages(beside, self.ledger)
            if short:
                return short
            envelope.learn_room(beside, taken(beside, self.ledger), now)
        if envelope.begin(live.holds):
            return ()
        # A step that failed to be recorded may have left its mark here; the ledger knows better.
        envelope.correct(partial(taken, ledger=self.ledger), live.holds)
        return () if envelope.begin(live.holds) else envelope.shortages(live.holds)

    def record_whole(self, live: LiveJob, ending: Ending) -> Entry | None:
        """Records submission and outcome of a job that has run; None when its holds did not fit after all."""
        asked = live.intent
        assert asked is not None
        owner = self.owner(live.submitted_at)
        ending = replace(ending, started_at=live.submitted_at)  # it runs where it is submitted, at once
        entry = self.ledger.submit_ended(asked.job, asked.payload, live.holds, owner, ending, blobs=asked.blobs)
        envelope = live.plan.envelope
        if envelope is not None:
            done = not isinstance(entry, tuple)
            settled = ending.settled if done else None
            envelope.end(live.holds, settled, completed=done and ending.event == "job.completed")
        if isinstance(entry, tuple):
            live.short = entry
            return None
        self._stored.add(asked.digests)
        live.intent = None
        return entry

    def _begin(self, live: LiveJob, *, at_once: bool) -> None:
        """Drives quick jobs here: handing one to a thread can cost as much as the job itself."""
        if live.delivery is not None:
            self.follow(live)
        elif at_once:
            self._drive(live)
        else:
            self._workers.run(partial(self._drive, live))

    def _drive(self, live: LiveJob) -> None:
        if not live.claim():
            return
        ended = True
        try:
            ended = drive(live, self)
        finally:
            if ended:
                self.let_go(live)

    def follow(self, live: LiveJob, seconds: float = 0.0) -> None:
        """Asks after a job at a vendor from now on."""
        self._poller.watch(live.job_id, partial(advance, live, self), seconds, live.task.backend.provider)

    def drive_here(self, live: LiveJob) -> None:
        """Runs a job on this machine from now on that was at a vendor before."""
        self._workers.run(partial(self._drive, live))

    def let_go(self, live: LiveJob) -> None:
        """This process has nothing more to do with the job."""
        self.live.pop(live.job_id, None)
        live.ended.set()

    def refuse(self, plan: Plan, decision: Decision, at: datetime) -> DeniedError:
        """Records a refusal and returns it as the error to raise."""
        waits = decision.effect == "needs-approval"
        asked = intent(replace(plan, decision=decision), None, at, None, self._stored)
        status = Status.AWAITING_APPROVAL if waits else Status.DENIED
        self.ledger.refuse(asked.job, asked.payload, status=status, blobs=asked.blobs)
        self._stored.add(asked.digests)
        if waits:
            return ApprovalNeededError(decision, asked.job.job_id)
        only_quotas = all(reason.kind == "quota" for reason in decision.reasons)
        return (QuotaError if only_quotas else DeniedError)(decision, asked.job.job_id)
