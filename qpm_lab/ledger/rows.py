"""What goes into the ledger and what comes out of it: frozen values.

Times are RFC 3339 UTC text with microseconds (`2026-11-22T12:00:00.000000Z`), so that they sort as text;
only a lease is a `datetime`, because it is compared with a clock. Digests are `sha256:` and 64 hex digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from qpm_lab.experiment import OPEN, Hold


def timestamp(moment: datetime) -> str:
    """The one spelling of a moment in the ledger.

    >>> timestamp(datetime(2026, 11, 22, 12, tzinfo=UTC))
    '2026-11-22T12:00:00.000000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def sha256(data: bytes) -> str:
    """A digest as the ledger writes it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job at the moment of its decision; never changed afterwards."""

    job_id: str
    name: str
    user: str
    backend: str
    shots: int
    """Shots of each circuit."""
    circuits: int
    """How many circuits the job has."""
    fingerprint: str
    """Fingerprint of the first circuit."""
    policy_version: str
    token: str
    """The intent's random token, which travels to the vendor."""
    created_at: str
    total_shots: int | None = None
    """None means `shots × circuits`."""
    team: str | None = None
    project: str | None = None
    cost_center: str | None = None
    experiment: str | None = None
    classification: str | None = None
    notebook_run: str = ""
    session_id: str | None = None
    """The open session whose envelope its holds are drawn from, as far as that reaches."""
    canary: str | None = None
    """The series of canaries it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session at the moment it opens; never changed afterwards."""

    session_id: str
    """No job and no other session may have the same."""
    name: str
    user: str
    notebook_run: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that looks after a job or a session; see `qpm_lab.ledger.owner`."""

    token: str
    host: str
    pid: int
    lease_until: datetime
    """Until when processes on other hosts must believe that the owner lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as it stands: the projection of its entries that lists are read from."""

    job_id: str
    name: str
    user: str
    team: str | None
    project: str | None
    cost_center: str | None
    experiment: str | None
    classification: str | None
    notebook_run: str
    backend: str
    shots: int
    circuits: int
    total_shots: int
    fingerprint: str
    policy_version: str
    token: str
    created_at: str
    status: str
    """A value of `qpm_lab.experiment.Status`."""
    attempt: int
    """1 for the first submission of the job."""
    epoch: int
    """Raised by each take-over; appends of an earlier epoch change nothing."""
    owner: str | None
    """Token of the owning process; None for a job that was refused."""
    host: str | None
    pid: int | None
    lease_until: datetime | None
    cancel_requested: bool
    vendor_id: str | None
    started_at: str | None
    """Start of the latest attempt."""
    ended_at: str | None
    first_entry: int
    last_entry: int
    cost_nano: int | None
    currency: str | None
    fidelity_low: float | None
    fidelity_high: float | None
    run_seconds: float | None
    error: str | None
    session_id: str | None
    """The session it was submitted in."""
    validation: str | None
    """`passed` or `failed`; None for a job that had no conditions to meet or did not complete."""
    canary: str | None
    """The series of canaries it belongs to."""
    canary_successes: int | None
    """Of a completed canary: how many of its shots succeeded."""
    standing: str | None
    """How it stood at its vendor when its owner last looked, as JSON: `state`, `queue_position`, `message`, `as_of`."""

    @property
    def open(self) -> bool:
        """True while the job may still change."""
        return self.status in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session as it stands: the projection of its entries."""

    session_id: str
    name: str
    user: str
    notebook_run: str
    created_at: str
    status: str
    """`open` or `closed`."""
    owner: str
    """Token of the process that opened it."""
    host: str
    pid: int
    lease_until: datetime | None
    closed_at: str | None
    first_entry: int
    last_entry: int

    @property
    def open(self) -> bool:
        """True while jobs may draw from it."""
        return self.status == "open"


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the chain."""

    seq: int
    """1, 2, 3 …, without gaps."""
    at: str
    event: str
    job_id: str | None
    attempt: int
    """0 for entries that belong to no job."""
    epoch: int
    """0 for entries that belong to no job."""
    payload: Mapping[str, Any]
    prev: str
    """Digest of the entry before; zeros for the first."""
    digest: str
    """Over every other field; see `qpm_lab.ledger.canonical`."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes kept beside the entries under their digest: circuits, full counts."""

    kind: str
    """What it is to the entry that names it, for example `circuit.qpy`."""
    data: bytes

    @property
    def digest(self) -> str:
        return sha256(self.data)


@dataclass(frozen=True, slots=True)
class Retried:
    """A further attempt of a job; the fields are the arguments of `Ledger.retry`."""

    payload: Mapping[str, Any]
    holds: Sequence[Hold]
    settled: Mapping[str, int] | None = None
    """What the earlier attempt cost, for every counter it held; None releases everything."""
    backend: str = ""
    """Where it runs, when that is another one than before."""
    blobs: Sequence[Blob] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended that is recorded as a whole; the fields are the arguments of `Ledger.finish`."""

    event: str
    """`job.completed`, `job.failed` or `job.cancelled`."""
    payload: Mapping[str, Any]
    settled: Mapping[str, int] | None
    """Actual amount for every hold; None releases everything."""
    summary: Mapping[str, Any] = field(default_factory=dict)
    blobs: Sequence[Blob] = ()
    started_at: datetime | None = None
    """When it began to run, with a time zone; None means the moment it is recorded."""
    further: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """Event and payload of entries that follow the outcome at once, such as `validation.passed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What one scope has used of one measure in one window; the fields are those of `Hold`.

    `quota`, `limit` and `owner` are those of the latest hold: a policy may change them within a window.
    """

    counter: str
    quota: str
    measure: str
    scope: str
    key: str
    window: str
    window_start: str
    """RFC 3339 UTC in whole seconds; empty for `life`."""
    window_end: str
    unit: str
    limit: int
    owner: str
    settled: int
    reserved: int
