"""`LabJob`: a governed job as Qiskit's `JobV1`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.providers import JobError, JobStatus, JobTimeoutError, JobV1

from qpm_lab.interop.qiskit.results import LabResult, experiment, header_of, is_silent, nothing_read
from qpm_lab.interop.qiskit.statuses import JOB_STATUS
from qpm_lab.job import Job

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.interop.qiskit.backend import LabBackend
    from qpm_lab.result import Result


@dataclass(frozen=True, slots=True)
class Submitted:
    """What has to be known of a submission to write its result; taken when it was submitted."""

    circuits: tuple[QuantumCircuit, ...]
    """One for each experiment; the user's own unless the job was found in the ledger."""
    headers: tuple[Mapping[str, Any], ...]
    """One for each experiment."""
    silent: frozenset[int]
    """Experiments whose classical bits nothing is measured into."""
    shots: int
    seed: int
    memory: bool

    @classmethod
    def of(cls, circuits: Sequence[QuantumCircuit], points: Sequence[int], **rest: Any) -> Submitted:
        """Of circuits that are executed so often each."""
        each = [(c, header_of(c), is_silent(c), n) for c, n in zip(circuits, points, strict=True)]
        silent = [quiet for _, _, quiet, n in each for _ in range(n)]
        return cls(
            circuits=tuple(c for c, _, _, n in each for _ in range(n)),
            headers=tuple(header for _, header, _, n in each for _ in range(n)),
            silent=frozenset(place for place, quiet in enumerate(silent) if quiet),
            **rest,
        )


class LabJob(JobV1):
    """A submitted job; `job` is the governed job itself, with its decision, quote and record."""

    def __init__(self, backend: LabBackend, job: Job, submitted: Submitted | None) -> None:
        super().__init__(backend, job.id)
        self.job = job
        self._submitted = submitted
        self._result: LabResult | None = None

    def submit(self) -> None:
        """A job comes into being by being submitted, so this always raises JobError, as in Qiskit."""
        raise JobError("The job has been submitted already.")

    def result(self, timeout: float | None = None) -> LabResult:
        """Waits for the result.

        Args:
            timeout: Seconds to wait; None waits as long as it takes.

        Raises:
            TimeoutError: it still runs; the job goes on.
            CancelledError: it was cancelled.
            ProviderError: it failed.
        """
        if self._result is None:
            self._result = self._read(self.job.result(timeout))
        return self._result

    def cancel(self) -> bool:
        """Asks the job to stop; False when it had ended already."""
        under_way = not self.in_final_state()
        self.job.cancel()
        return under_way

    def status(self) -> JobStatus:
        """Qiskit's word for where it stands."""
        return JOB_STATUS[self.job.status]

    def error_message(self) -> str | None:
        """What went wrong, None when nothing did."""
        error = self.job.record()["error"]
        return f"{error['message']} {error['hint']}".strip() if error else None

    def wait_for_final_state(
        self, timeout: float | None = None, wait: float = 5, callback: Callable[..., Any] | None = None
    ) -> None:
        """Waits until the job has ended, without Qiskit's pauses.

        Args:
            timeout: Seconds to wait; None waits as long as it takes.
            wait: Seconds between two calls of `callback`.
            callback: Called with job id, status and job while it goes on.

        Raises:
            JobTimeoutError: it still runs.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while not self.job.wait(wait if until is None else max(0.0, min(wait, until - time.monotonic()))):
            if until is not None and time.monotonic() >= until:
                raise JobTimeoutError(f"Job {self.job_id()} still runs.")
            if callback is not None:
                callback(self.job_id(), self.status(), self)

    def _read(self, result: Result) -> LabResult:
        of = self._submitted or self._recorded(result)
        rng = np.random.default_rng(of.seed) if of.memory else None
        experiments = []
        for number, (counts, header) in enumerate(zip(result.histograms, of.headers, strict=True)):
            seen = nothing_read(header, of.shots) if number in of.silent else counts
            experiments.append(experiment(seen, header, shots=of.shots, seed=of.seed, rng=rng))
        backend = self.backend()
        return LabResult(
            circuits=of.circuits,
            backend_name=backend.name,
            backend_version=backend.backend_version,
            job_id=self.job_id(),
            success=True,
            status="COMPLETED",
            results=experiments,
        )

    def _recorded(self, result: Result) -> Submitted:
        """What the ledger says of a job that was submitted elsewhere."""
        parts = result.parts or (result,)
        points = [part.bindings.points if part.bindings else 1 for part in parts]
        seed = self.job.record()["seed"]
        return Submitted.of([part.circuit for part in parts], points, shots=result.shots, seed=seed, memory=False)
