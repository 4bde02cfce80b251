"""What every double has: jobs with their states, and routes as functions from a call to a reply."""

from __future__ import annotations

import json
import random
import time
import uuid
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qpm_lab.doubles.faults import Faults

Handler = Callable[["Call"], "Reply"]
Route = tuple[str, str, Handler]
"""Method, path as a regular expression with named groups, and what answers."""

MOST_RECEIVED = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came."""

    method: str
    path: str
    parts: Mapping[str, str]
    """Named groups of the route's path."""
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        """The body; ValueError when it is no JSON, which is answered with 400."""
        return json.loads(self.body or b"null")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` is JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class DoubleJob:
    """A job that a double accepted."""

    id: str
    token: str
    """What our side put into name, tag or key."""
    asked: Mapping[str, Any]
    """The submission as it came."""
    counts: list[dict[str, int]]
    """Of its circuits, bit 0 rightmost; computed when it was accepted."""
    shots: int
    accepted_at: float = field(default_factory=time.monotonic)
    polls: int = 0
    cancelled: bool = False
    failure: str = ""
    """The vendor's own words, when it fails."""
    more: dict[str, Any] = field(default_factory=dict)
    """Whatever a double keeps besides."""


class Double(ABC):
    """One vendor's server side. A subclass has `name`, `routes` and `environment`.

    Args:
        faults: How it misbehaves from the beginning.
    """

    name = ""
    token = "double-key-0123456789"
    """The key it accepts; any other gets what the vendor answers to a wrong key."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.jobs: dict[str, DoubleJob] = {}
        self.received: deque[str] = deque(maxlen=MOST_RECEIVED)
        """The newest requests as they came: method and address, then the body."""
        self.url = ""
        """Set once it listens, without a slash at the end."""
        self.random = random.Random(self.faults.seed)

    @abstractmethod
    def routes(self) -> list[Route]:
        """What it answers."""

    def access(self) -> dict[str, Any]:
        """The settings by which our side reaches it: `url`, `secrets` by field, `options`."""
        return {"url": self.url, "secrets": {"token": self.token}, "options": {}}

    def certificate(self) -> tuple[str, str] | None:
        """Files of a certificate and its key, for a double that has to speak TLS."""
        return None

    def error(self, status: int, message: str) -> Reply:
        """An error body as this vendor writes it."""
        return Reply(status, {"error": message})

    def accept(self, token: str, asked: Mapping[str, Any], counts: list[dict[str, int]], shots: int) -> DoubleJob:
        """Takes a new job."""
        job = DoubleJob(self.new_id(), token, asked, counts, shots)
        if self.random.random() < self.faults.failing:
            job.failure = "The quantum processor lost its calibration during this job."
        self.jobs[job.id] = job
        return job

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def visible(self, job: DoubleJob) -> bool:
        """False while a new job cannot be seen yet."""
        return time.monotonic() - job.accepted_at >= self.faults.visibility_seconds

    def seen(self, job_id: str) -> DoubleJob | None:
        """A visible job by its id."""
        job = self.jobs.get(job_id)
        return job if job is not None and self.visible(job) else None

    def state(self, job: DoubleJob, *, poll: bool = True) -> str:
        """queued, running, done, failed or cancelled; each poll brings it on."""
        if job.cancelled:
            return "cancelled"
        job.polls += poll
        if self.faults.stuck or job.polls <= self.faults.queue_polls:
            return "queued"
        if job.polls <= self.faults.queue_polls + self.faults.run_polls:
            return "running"
        return "failed" if job.failure else "done"

    def queue_position(self, job: DoubleJob) -> int:
        """Jobs before it."""
        return max(1, self.faults.queue_polls - job.polls + 1)
