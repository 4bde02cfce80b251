"""Where a job stands, in Qiskit's words."""

from __future__ import annotations

from collections.abc import Iterable

from qiskit.providers import JobStatus

from qpm_lab.experiment import Status

JOB_STATUS = {
    Status.SUBMITTED: JobStatus.INITIALIZING,
    Status.QUEUED: JobStatus.QUEUED,
    Status.RUNNING: JobStatus.RUNNING,
    Status.PARKED: JobStatus.QUEUED,
    Status.COMPLETED: JobStatus.DONE,
    Status.FAILED: JobStatus.ERROR,
    Status.CANCELLED: JobStatus.CANCELLED,
    Status.DENIED: JobStatus.ERROR,
    Status.AWAITING_APPROVAL: JobStatus.VALIDATING,
}
"""A parked job waits for a person to say whether the vendor has it, so it is queued."""

_TELLING_FIRST = (
    JobStatus.ERROR,
    JobStatus.CANCELLED,
    JobStatus.RUNNING,
    JobStatus.VALIDATING,
    JobStatus.INITIALIZING,
    JobStatus.QUEUED,
    JobStatus.DONE,
)


def together(statuses: Iterable[Status]) -> JobStatus:
    """One status for several jobs: what went wrong first, then what is under way; done when all are."""
    return min((JOB_STATUS[status] for status in statuses), key=_TELLING_FIRST.index, default=JobStatus.DONE)
