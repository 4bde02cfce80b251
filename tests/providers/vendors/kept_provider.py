"""A Qiskit provider as a vendor ships one, for the tests: simulated, its jobs fetched by their id."""

from __future__ import annotations

import os
import socket
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import JobStatus
from qiskit.providers.basic_provider import BasicSimulator

KEY = "kept-key-0123456789"
JOBS: dict[str, KeptJob] = {}
"""All that were taken, as the vendor keeps them."""


class KeptJob:
    """Waits until it is asked how it stands; then it is done, unless told otherwise."""

    def __init__(self, job: Any) -> None:
        self._job = job
        self.state: Any = JobStatus.QUEUED
        self.message = ""

    def job_id(self) -> str:
        return str(self._job.job_id())

    def status(self) -> Any:
        now = self.state
        if now is JobStatus.QUEUED:
            self.state = JobStatus.DONE
        return now

    def queue_position(self) -> int:
        return 4

    def error_message(self) -> str:
        return self.message

    def cancel(self) -> None:
        self.state = JobStatus.CANCELLED

    def result(self) -> Any:
        return self._job.result()


class KeptBackend(BasicSimulator):
    """Runs at once and keeps the job."""

    failure: Exception | None = None

    def run(self, run_input: QuantumCircuit, **options: Any) -> Any:
        job = KeptJob(super().run(run_input, **options))
        JOBS[job.job_id()] = job
        if KeptBackend.failure is not None:
            raise KeptBackend.failure
        return job

    def retrieve_job(self, job_id: str) -> KeptJob:
        return JOBS[job_id]


class CloudBackend(BasicSimulator):
    """Sends what it gets to another machine."""

    def run(self, run_input: QuantumCircuit, **options: Any) -> Any:
        with socket.create_connection(("192.0.2.1", 443), 5) as line:
            line.sendall(run_input.name.encode())
        return super().run(run_input, **options)


class KeptProvider:
    """Takes a key, as most do."""

    def __init__(self, token: str, region: str = "") -> None:
        if token != KEY:
            raise ValueError(f"the key {token} is wrong")
        self.region = region or os.environ.get("KEPT_REGION", "")

    def get_backend(self, name: str) -> KeptBackend:
        if name != "kept_20":
            raise LookupError(f"there is no {name} in {self.region}")
        return KeptBackend()
