"""What the entries add up to: quota counters and open reservations, computed from the chain alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qpm_lab.ledger.counters import DESCRIPTION, LATEST
from qpm_lab.ledger.projection import OUTCOMES
from qpm_lab.ledger.rows import Entry


class Replay:
    """Counters and reservations as they must stand after the entries applied so far.

    Memory grows with the number of counters and of open jobs, not with the number of entries.
    """

    def __init__(self) -> None:
        self.counters: dict[str, dict[str, Any]] = {}
        self.held: dict[str, dict[str, int]] = {}
        """Open jobs: job → counter → amount."""
        self.touched: dict[str, int] = {}
        """Counter → the entry that last changed it."""

    def apply(self, entry: Entry) -> None:
        """Takes one more entry; KeyError or ValueError when it contradicts those before."""
        job_id, payload = entry.job_id or "", entry.payload
        if entry.event == "job.submitted":
            self._reserve(entry.seq, job_id, payload["holds"])
        elif entry.event == "job.retried":
            self._settle(entry.seq, job_id, {})
            self._reserve(entry.seq, job_id, payload["holds"])
        elif entry.event in OUTCOMES:
            self._settle(entry.seq, job_id, payload["ledger"]["settled"])

    def _reserve(self, seq: int, job_id: str, holds: Iterable[Mapping[str, Any]]) -> None:
        if job_id in self.held:
            raise ValueError(f"the job {job_id!r} already holds its quotas")
        self.held[job_id] = {}
        for hold in holds:
            key = hold["counter"]
            counter = self.counters.setdefault(
                key,
                {"counter": key, "settled": 0, "reserved": 0, **{name: hold[name] for name in DESCRIPTION}},
            )
            counter |= {name: hold[name] for name in LATEST}
            counter["reserved"] += hold["amount"]
            self.held[job_id][key] = hold["amount"]
            self.touched[key] = seq

    def _settle(self, seq: int, job_id: str, amounts: Mapping[str, int]) -> None:
        for key, amount in self.held.pop(job_id).items():
            self.counters[key]["reserved"] -= amount
            self.counters[key]["settled"] += amounts.get(key, 0)
            self.touched[key] = seq
