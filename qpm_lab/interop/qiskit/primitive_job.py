"""The handle of one run of a primitive: a governed job, or one for each number of shots asked for."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qiskit.primitives import BasePrimitiveJob, PrimitiveResult
from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from qpm_lab.errors import QpmError
from qpm_lab.experiment import Status
from qpm_lab.interop.qiskit.batch import Batch, Histograms
from qpm_lab.interop.qiskit.statuses import together
from qpm_lab.job import Job
from qpm_lab.runner.naming import own_name

if TYPE_CHECKING:
    from qpm_lab.lab import Lab

Collect = Callable[[Mapping[int, Histograms]], PrimitiveResult]
"""Makes the primitive's result of the histograms, by number of shots."""


class LabPrimitiveJob(BasePrimitiveJob):
    """One run of a sampler or estimator; `jobs` are the governed jobs behind it.

    A run whose pubs ask for different numbers of shots is one job for each of these numbers, and more of them only
    when it has more circuits than one job takes; `job_id` is the first one's. A run with nothing to execute has no
    job, an id of its own, and is done.
    """

    def __init__(self, jobs: Mapping[int, Sequence[Job]], batches: Mapping[int, Batch], collect: Collect) -> None:
        self.jobs: tuple[Job, ...] = tuple(job for each in jobs.values() for job in each)
        super().__init__(self.jobs[0].id if self.jobs else str(uuid.uuid4()))
        self._by_shots = jobs
        self._batches = batches
        self._collect = collect
        self._result: PrimitiveResult | None = None
        self._lock = threading.Lock()

    def result(self, timeout: float | None = None) -> PrimitiveResult:
        """Waits for the result.

        Args:
            timeout: Seconds to wait for each job; None waits as long as it takes.

        Raises:
            TimeoutError: it still runs; the job goes on.
            CancelledError: it was cancelled.
            ProviderError: it failed.
        """
        with self._lock:
            if self._result is None:
                results = {shots: [job.result(timeout) for job in jobs] for shots, jobs in self._by_shots.items()}
                self._result = self._collect({n: self._batches[n].tables(each) for n, each in results.items()})
            return self._result

    def status(self) -> JobStatus:
        """Qiskit's word for where it stands."""
        return together(job.status for job in self.jobs)

    def done(self) -> bool:
        """True when the result is there."""
        return bool(self.status() == JobStatus.DONE)

    def running(self) -> bool:
        """True while it computes."""
        return bool(self.status() == JobStatus.RUNNING)

    def cancelled(self) -> bool:
        """True when it was cancelled."""
        return bool(self.status() == JobStatus.CANCELLED)

    def in_final_state(self) -> bool:
        """True when nothing will change any more."""
        return self.status() in JOB_FINAL_STATES

    def cancel(self) -> None:
        """Stops what still runs; a job that has ended is left as it is."""
        for job in self.jobs:
            job.cancel()

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: the result, without the Lab that made it."""
        result = self.result()
        return {"_job_id": self._job_id, "metadata": self.metadata, "_result": result}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.jobs, self._lock = (), threading.Lock()


def submit_all(
    lab: Lab, batches: Mapping[int, Batch], collect: Collect, seed: int, options: Mapping[str, Any], kind: str
) -> LabPrimitiveJob:
    """Submits each batch as a job of its number of shots; when one is refused, those before it are cancelled.

    A job that nobody named is called after its circuit or else by `kind`. A further job has the next seed, so that
    its shots do not repeat those of the one before.

    Raises:
        QpmError: whatever `Lab.submit` says about the first that is refused.
    """
    from qpm_lab.runner.plan import MAX_CIRCUITS

    jobs: dict[int, list[Job]] = defaultdict(list)
    submitted: list[Job] = []
    try:
        for shots, batch in batches.items():
            source = batch.source()
            for first in range(0, len(source), MAX_CIRCUITS):
                part = source[first : first + MAX_CIRCUITS]
                named = {**options, "name": options["name"] or own_name(part[0].facts.name) or kind}
                job = lab.submit(part, shots=shots, seed=seed + len(submitted), **named)
                submitted.append(job)
                jobs[shots].append(job)
    except QpmError as error:
        _withdraw(submitted)
        if done := [job.id for job in submitted if job.status == Status.COMPLETED]:
            error.hint = f"{error.hint} Of this run {', '.join(done)} had ended before: lab.job(id).result()."
        raise
    return LabPrimitiveJob(jobs, batches, collect)


def _withdraw(jobs: Sequence[Job]) -> None:
    for job in jobs:
        with contextlib.suppress(QpmError):  # the refusal is what the caller has to see
            job.cancel()
