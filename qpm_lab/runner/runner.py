"""Submission: the decision, the reservations and the intent in one transaction, then the run.

The order of effects makes it safe to pull the plug anywhere; each step is a named boundary:

    plan → [reserve] one transaction → [submitted] → run → [returned] → one transaction → [recorded]
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from qpm_lab import circuits, providers
from qpm_lab.errors import ApprovalNeededError, CancelledError, DeniedError, ProviderError, QuotaError
from qpm_lab.experiment import Decision, Principal, Request, Status
from qpm_lab.ledger import Blob, Ledger, NewJob, Owner, OwnerLock
from qpm_lab.providers.interface import Progress, Task
from qpm_lab.runner import clock
from qpm_lab.runner.attempt import LiveJob, drive, end_without_result
from qpm_lab.runner.interrupts import held_back
from qpm_lab.runner.outcome import Ideals
from qpm_lab.runner.plan import Order, Plan, judge, make_plan, with_shortages
from qpm_lab.runner.recovery import recover
from qpm_lab.runner.rules import Rules
from qpm_lab.runner.workers import Workers

CLOSE_SECONDS = 3.0
"""Less than the five seconds that Jupyter gives a kernel to end."""
QUICK_SECONDS = 0.05
QUICK_QUBITS = 12
"""A job that should take no longer runs in the caller's thread; wider circuits may need long for their fidelity."""
ASKED = "it was asked to stop"
LEASE = timedelta(seconds=60)
"""How long another machine waits before it may take over; on this machine the lock decides."""

Boundary = Callable[[str], None]


class Runner:
    """Takes orders through policy, ledger and provider.

    Args:
        ledger: Where everything is recorded.
        rules: Gives the policy bundle in force.
        principal: On whose behalf.
        boundary: Called with the name of each effect boundary; tests pull the plug there.
    """

    def __init__(
        self,
        ledger: Ledger,
        rules: Rules,
        principal: Principal,
        *,
        boundary: Boundary = lambda name: None,
    ) -> None:
        self.ledger = ledger
        self.rules = rules
        self.principal = principal
        self.boundary = boundary
        self.ideals = Ideals()
        self.live: dict[str, LiveJob] = {}
        self._lock = OwnerLock(ledger.home)
        self._workers = Workers()
        self._stored: dict[str, str] = {}

    def plan(self, order: Order) -> Plan:
        """Prepares, quotes and judges by the rules; writes nothing."""
        return make_plan(order, bundle=self.rules.bundle(), principal=self.principal, at=clock.now())

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
        plan = make_plan(order, bundle=self.rules.bundle(), principal=self.principal, at=at)
        if plan.decision.effect != "allow":
            raise self._refuse(plan, judge(plan, ledger=self.ledger, at=at), at)
        task = self._task(plan)
        providers.provider_of(plan.request.backend.id).check(task)
        return self._reserve(plan, task, at)

    def cancel(self, live: LiveJob, why: str) -> None:
        """Stops a job of this process: at once while it queues, else as soon as its driver looks."""
        live.cancel_reason = live.cancel_reason or why
        if live.claim():
            error = CancelledError(f"The job was cancelled: {why}.", "Nothing was spent.")
            try:
                end_without_result(live, self, "job.cancelled", error)
            finally:
                self._end(live)

    def cancel_asked(self, live: LiveJob) -> str | None:
        """Why a running job should stop; also stops queued jobs that somebody asked to cancel."""
        for other in list(self.live.values()):
            if other.queued and self.ledger.cancel_requested(other.job_id):
                self.cancel(other, ASKED)
        return ASKED if self.ledger.cancel_requested(live.job_id) else None

    def progress(self, job_id: str) -> Progress | None:
        """How far a job of this process is; None for jobs of others."""
        live = self.live.get(job_id)
        if live is None or not live.queued:
            return live.progress() if live else None
        before = sum(1 for other in list(self.live.values()) if other.submitted_at < live.submitted_at)
        return Progress(message=f"waiting for {before} of your jobs before it")

    def recover(self) -> list[str]:
        """Closes the jobs of processes that are gone, and those of this one that nobody drives."""
        return recover(self.ledger, self.owner(clock.now()), self.live.__contains__)

    def close(self) -> None:
        """Cancels what still runs here, records it, and lets the lease go."""
        for live in list(self.live.values()):
            self.cancel(live, "the process that ran it ended")
        self._workers.close(CLOSE_SECONDS)
        self._lock.release()

    def owner(self, at: datetime) -> Owner:
        """This process as the owner of a job."""
        return self._lock.owner(at + LEASE)

    def _reserve(self, plan: Plan, task: Task, at: datetime) -> LiveJob:
        began = time.perf_counter()
        quick = self._workers.idle and _is_quick(task)
        blobs, digests = self._circuit_blobs(plan)
        job = self._new_job(plan, task.token, at)
        live = LiveJob(job.job_id, plan, task, at, started=self._workers.idle)
        payload = _submission(plan, task, digests)
        self.boundary("before-reserve")
        self.live[job.job_id] = live
        try:
            with held_back() if quick else nullcontext():
                entry = self.ledger.submit(job, payload, plan.holds, self.owner(at), blobs=blobs, started=live.started)
                self.boundary("after-reserve")
                if not isinstance(entry, tuple):
                    self._stored.update(digests)
                    live.stages_ms["reserve"] = (time.perf_counter() - began) * 1e3
                    self._begin(live, at_once=quick)
                    return live
        except BaseException:
            # An interrupt may fall after the commit: what stands in the ledger is closed before it goes on.
            self.cancel(live, "it was interrupted")
            raise
        self._end(live)
        raise self._refuse(plan, with_shortages(plan, entry, at=at), at)

    def _begin(self, live: LiveJob, *, at_once: bool) -> None:
        """Drives quick jobs here: handing one to a thread can cost as much as the job itself."""
        if at_once:
            self._drive(live)
        else:
            self._workers.run(partial(self._drive, live))

    def _drive(self, live: LiveJob) -> None:
        if not live.claim():
            return
        try:
            drive(live, self)
        finally:
            self._end(live)

    def _end(self, live: LiveJob) -> None:
        self.live.pop(live.job_id, None)
        live.ended.set()

    def _refuse(self, plan: Plan, decision: Decision, at: datetime) -> DeniedError:
        waits = decision.effect == "needs-approval"
        blobs, digests = self._circuit_blobs(plan)
        job = self._new_job(plan, "", at)
        payload = _submission(replace(plan, decision=decision), None, digests)
        status = Status.AWAITING_APPROVAL if waits else Status.DENIED
        self.ledger.refuse(job, payload, status=status, blobs=blobs)
        if waits:
            return ApprovalNeededError(decision, job.job_id)
        only_quotas = all(reason.kind == "quota" for reason in decision.reasons)
        return (QuotaError if only_quotas else DeniedError)(decision, job.job_id)

    def _task(self, plan: Plan) -> Task:
        info = plan.request.backend
        if info.state != "ready":
            raise ProviderError(f"Backend {info.id} is not ready: {info.note}", "See %qbackends.")
        return Task(
            backend=info,
            circuits=tuple(p.circuit for p in plan.prepared),
            shots=plan.request.shots,
            seed=plan.drawn_seed,
            token=secrets.token_hex(16),
        )

    def _circuit_blobs(self, plan: Plan) -> tuple[list[Blob], dict[str, str]]:
        """Circuits not stored yet, and fingerprint → blob digest of all."""
        blobs: list[Blob] = []
        digests: dict[str, str] = {}
        for prepared in plan.prepared:
            fingerprint = prepared.facts.fingerprint
            known = self._stored.get(fingerprint) or digests.get(fingerprint)
            if known is None:
                blob = Blob("circuit.qpy", circuits.write_qpy(prepared.circuit))
                blobs.append(blob)
                known = blob.digest
            digests[fingerprint] = known
        return blobs, digests

    def _new_job(self, plan: Plan, token: str, at: datetime) -> NewJob:
        request = plan.request
        return NewJob(
            job_id=secrets.token_hex(8),
            name=request.name,
            user=request.principal.user,
            team=plan.bundle.members(request.principal.user).team,
            project=request.project,
            cost_center=request.cost_center,
            experiment=request.experiment,
            classification=request.classification,
            notebook_run=request.principal.notebook_run,
            backend=request.backend.id,
            shots=request.shots,
            circuits=len(request.circuits),
            fingerprint=request.circuits[0].fingerprint,
            policy_version=plan.decision.policy_version,
            token=token,
            created_at=clock.stamp(at),
        )


def _is_quick(task: Task) -> bool:
    if any(circuit.num_qubits > QUICK_QUBITS for circuit in task.circuits):
        return False
    return providers.provider_of(task.backend.id).expected_seconds(task) <= QUICK_SECONDS


def _submission(plan: Plan, task: Task | None, digests: dict[str, str]) -> dict[str, Any]:
    """What the ledger keeps of a request; `payload_digest` is over exactly what is sent."""
    request = plan.request
    payload: dict[str, Any] = {
        "request": _request_facts(request),
        "circuit_blobs": [digests[c.fingerprint] for c in request.circuits],
        "quote": plan.quote.to_dict(),
        "decision": plan.decision.to_dict(),
        "notes": list(plan.notes),
        "stages_ms": {k: round(v, 3) for k, v in plan.stages_ms.items()},
    }
    if task is not None:
        payload["seed"] = task.seed
        payload["token"] = task.token
        payload["payload_digest"] = _payload_digest(task, payload["circuit_blobs"])
    return payload


def _request_facts(request: Request) -> dict[str, Any]:
    return {
        "name": request.name,
        "user": request.principal.user,
        "notebook_run": request.principal.notebook_run,
        "backend": request.backend.id,
        "noisy": request.backend.noisy,
        "shots": request.shots,
        "seed": request.seed,
        "experiment": request.experiment,
        "project": request.project,
        "cost_center": request.cost_center,
        "classification": request.classification,
        "circuits": [c.to_dict() for c in request.circuits],
    }


def _payload_digest(task: Task, blobs: list[str]) -> str:
    exact = {"backend": task.backend.id, "circuits": blobs, "shots": task.shots, "seed": task.seed}
    return "sha256:" + hashlib.sha256(json.dumps(exact, sort_keys=True).encode()).hexdigest()
