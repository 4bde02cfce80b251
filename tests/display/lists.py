"""Rows of the lists as the lab hands them over."""

from __future__ import annotations

from typing import Any

from .documents import quota

JOBS: list[dict[str, Any]] = [
    {
        "job_id": "01JD8QK2V7M3",
        "name": "ghz5",
        "status": "completed",
        "backend": "aer/noisy",
        "shots": 4096,
        "circuits": 1,
        "experiment": "bell-family",
        "user": "ada",
        "created_at": "2026-11-22T12:00:00.000000Z",
        "started_at": None,
        "ended_at": None,
        "run_seconds": 0.4,
        "cost": {"currency": "USD", "amount": "0"},
        "fidelity": {"low": 0.951, "high": 0.965},
        "reasons": 0,
        "error": None,
        "cancel_requested": False,
    },
    {
        "job_id": "01JD8QK2V7M4",
        "name": "<b>[red]x[/red]</b>",
        "status": "denied",
        "backend": "braket/ionq_forte-1",
        "shots": 100000,
        "circuits": 1,
        "experiment": None,
        "user": "ada",
        "created_at": "2026-11-22T12:01:00Z",
        "started_at": None,
        "ended_at": None,
        "run_seconds": None,
        "cost": None,
        "fidelity": None,
        "reasons": 2,
        "error": None,
        "cancel_requested": False,
    },
]
BUDGETS = [
    quota(),
    quota("46.20", limit="50", unit="USD", measure="cost", left="3.80", scope="team", key="chemistry"),
]
BACKENDS: list[dict[str, Any]] = [
    {
        "id": "aer/noisy",
        "kind": "simulator",
        "qubits": 12,
        "local": True,
        "noisy": True,
        "state": "ready",
        "description": "A seeded generic device with a noise model.",
        "note": "",
    },
    {
        "id": "braket/iqm_garnet",
        "kind": "qpu",
        "qubits": 20,
        "local": False,
        "noisy": True,
        "state": "not-installed",
        "description": "IQM Garnet through Amazon Braket.",
        "note": "The adapter for this vendor is not part of this version.",
    },
]
USAGE: list[dict[str, Any]] = [
    {
        "user": "ada",
        "jobs": 15,
        "completed": 10,
        "failed": 1,
        "cancelled": 3,
        "denied": 1,
        "shots": 121904,
        "cost": {"USD": "1.5", "EUR": "2"},
        "run_seconds": 185.0,
    }
]
ENVELOPE = [
    quota("37", limit="200", measure="jobs", unit="jobs", scope="session", key="vqe", window="life", left="163"),
    quota("1.20", "0.30", limit="5", unit="USD", measure="cost", scope="session", key="vqe", window="life", left="3.5"),
]
OWN = [
    quota("3", limit="1000000", measure="jobs", unit="jobs", scope="notebook_run", key="4f1c", window="life"),
    quota("0", limit="20", unit="USD", measure="cost", scope="notebook_run", key="4f1c", window="life"),
]
SESSION: dict[str, Any] = {
    "session_id": "01JDSESSION",
    "name": "vqe",
    "status": "open",
    "opened_at": "2026-11-22T12:00:00Z",
    "closed_at": None,
    "backend": "aer/simulator",
    "principal": {"user": "ada"},
    "jobs": {"completed": 37, "failed": 0, "cancelled": 0, "denied": 1},
    "shots": 37888,
    "cost": [{"currency": "USD", "amount": "1.2"}],
    "labels": {"experiment": "h2", "project": None},
    "envelope": ENVELOPE,
    "reserved": [quota("121904", "162112")],
    "ledger": {"entry": 7, "digest": "sha256:4be1"},
}
CLOSED = {**SESSION, "status": "closed", "closed_at": "2026-11-22T12:09:00Z", "reserved": []}
