"""Jobs, holds and owners for the tests."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from qpm_lab.experiment import Hold
from qpm_lab.ledger import NewJob, NewSession, Owner, timestamp

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_NUMBERS = itertools.count(1)


def new_job(job_id: str | None = None, **labels: Any) -> NewJob:
    facts: dict[str, Any] = {
        "job_id": job_id or f"JOB{next(_NUMBERS):08d}",
        "name": "bell",
        "user": "ada",
        "backend": "aer/simulator",
        "shots": 100,
        "circuits": 2,
        "fingerprint": "sha256:f",
        "policy_version": "sha256:p",
        "token": "t",
        "created_at": timestamp(NOON),
    }
    return NewJob(**facts | labels)


def hold(counter: str = "shots", amount: int = 10, limit: int = 100, **labels: Any) -> Hold:
    facts: dict[str, Any] = {
        "quota": f"{counter}-per-day",
        "measure": "shots",
        "scope": "user",
        "key": "ada",
        "window": "day",
        "window_start": "2026-11-22T00:00:00Z",
        "window_end": "2026-11-23T00:00:00Z",
        "unit": "shots",
        "owner": "lab",
    }
    return Hold(counter=counter, amount=amount, limit=limit, **facts | labels)


def owner(token: str = "me", host: str = "here", pid: int = 1) -> Owner:
    return Owner(token, host, pid, NOON + timedelta(seconds=30))


def new_session(session_id: str | None = None, **labels: str) -> NewSession:
    facts = {
        "session_id": session_id or f"SESSION{next(_NUMBERS):06d}",
        "name": "vqe",
        "user": "ada",
        "notebook_run": "nb",
        "created_at": timestamp(NOON),
    }
    return NewSession(**facts | labels)
