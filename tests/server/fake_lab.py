"""A lab of a few rows, written by hand: what the pages need and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

from qpm_lab.errors import BundleError, InputError, LedgerError

OPEN = ("submitted", "queued", "running", "parked")


def row(job_id: str, **values: Any) -> dict[str, Any]:
    """One row of the Jobs panel."""
    return {
        "job_id": job_id,
        "name": "ghz5",
        "status": "completed",
        "backend": "aer/noisy",
        "experiment": None,
        "cost": {"currency": "USD", "amount": "0"},
        "reasons": 0,
        "error": None,
        "cancel_requested": False,
        "standing": None,
        **values,
    }


class FakeLab:
    """Rows newest first; `change` writes the ledger's file as a kernel would."""

    def __init__(self, home: Path) -> None:
        self.recoveries = 0
        self.home = home
        self.rows = [row("J3", status="running"), row("J2", experiment="bell"), row("J1", name="denied one")]
        self.entries: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.told: list[tuple[str, str | None]] = []
        self.backends: list[dict[str, Any]] = []
        self.asked_vendors = False
        self.threads: set[int] = set()
        self.broken = False
        self.bundle_broken = False

    @property
    def ledger(self) -> FakeLab:
        return self

    def open_jobs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(**job) for job in self.rows if job["status"] in OPEN]

    def __deepcopy__(self, memo: dict[int, Any]) -> FakeLab:
        """Settings are copied on their way into the server; this one has to stay the test's own."""
        return self

    def page(self, **query: Any) -> dict[str, Any]:
        self._check()
        self.asked.append(query)
        ids = [job["job_id"] for job in self.rows]
        start = ids.index(query["before"]) + 1 if query["before"] else 0
        rows = self.rows[start : start + query["limit"]]
        return {"jobs": rows, "more": start + len(rows) < len(ids)}

    def record(self, job_id: str) -> dict[str, Any]:
        self._check()
        for job in self.rows:
            if job["job_id"] == job_id:
                return {"schema": 1, **job}
        raise InputError(f"There is no job {job_id} here.", "See `qpm jobs`.")

    def cancel(self, job_id: str) -> dict[str, Any]:
        job = self.record(job_id)
        if job["status"] not in OPEN:
            raise InputError("The job has already ended.", "Nothing is left to cancel.")
        return {"job_id": job_id, "cancel_requested": True}

    def budgets(self) -> list[dict[str, Any]]:
        self._check()
        if self.bundle_broken:
            raise BundleError("The policy bundle cannot be used.", "Run `qpm policy check`.")
        return [{"quota": "shots-per-day", "limit": "100", "used": "10", "reserved": "0", "left": "90"}]

    def recover(self) -> list[str]:
        self.recoveries += 1
        return []

    def resolve(self, job_id: str, vendor_id: str | None = None) -> None:
        self._unpark(job_id, "queued" if vendor_id else "failed")
        self.told.append((job_id, vendor_id))

    def resume(self, job_id: str | None = None) -> list[str]:
        self._unpark(job_id or "", "queued")
        return [job_id or ""]

    def backend_rows(self, *, live: bool = False) -> list[dict[str, Any]]:
        self.asked_vendors = live
        return self.backends

    def _unpark(self, job_id: str, status: str) -> None:
        job = next(job for job in self.rows if job["job_id"] == job_id)
        if job["status"] != "parked":
            raise InputError(f"Job {job_id} is not parked; it is {job['status']}.", "There is nothing to resolve.")
        job["status"] = status

    def head(self) -> int:
        self._check()
        return len(self.entries)

    def changed_jobs(self, after: int) -> tuple[int, list[str]]:
        return self.head(), sorted(set(self.entries[after:]))

    def change(self, *job_ids: str) -> None:
        """Appends one entry per job and touches the file that a page watches."""
        self.entries.extend(job_ids)
        (self.home / "ledger.db-wal").write_text(str(len(self.entries)))

    def _check(self) -> None:
        self.threads.add(threading.get_ident())
        if self.broken:
            raise LedgerError("The ledger cannot be opened.", "Look at its permissions.")


async def browser_login(jp_fetch: Callable[..., Any]) -> dict[str, str]:
    """Headers of a page whose login is a cookie, as in a browser: a token would skip the checks."""
    reply = await jp_fetch("qpm-lab", "api", "health")
    cookies = "; ".join(line.split(";")[0] for line in reply.headers.get_list("Set-Cookie"))
    host = urlparse(reply.effective_url).netloc  # the cookie's name contains it
    return {"Authorization": "", "Cookie": cookies, "Host": host}
