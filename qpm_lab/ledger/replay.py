"""What the entries add up to: quota counters, open reservations and sessions, computed from the chain alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qpm_lab.ledger.counters import DESCRIPTION, LATEST, Held
from qpm_lab.ledger.envelopes import change
from qpm_lab.ledger.projection import OUTCOMES, session_changes
from qpm_lab.ledger.rows import Entry


class Replay:
    """Counters, reservations and sessions as they must stand after the entries applied so far.

    Memory grows with the number of counters, sessions and open jobs, not with the number of entries.
    """

    def __init__(self) -> None:
        self.counters: dict[str, dict[str, Any]] = {}
        self.held: dict[str, dict[str, Held]] = {}
        """Open jobs and sessions: which → counter → what it holds."""
        self.sessions: dict[str, dict[str, Any]] = {}
        """Session → its row."""
        self.touched: dict[str, int] = {}
        """Counter → the entry that last changed it."""
        self._joined: dict[str, str] = {}
        """Open job → its session."""

    def apply(self, entry: Entry) -> None:
        """Takes one more entry; KeyError or ValueError when it contradicts those before."""
        job_id, payload = entry.job_id or "", entry.payload
        if entry.event == "job.submitted":
            self._join(job_id, payload["ledger"]["job"].get("session_id"))
            self._reserve(entry.seq, job_id, payload["holds"])
        elif entry.event == "job.retried":
            self._settle(entry.seq, job_id, payload.get("ledger", {}).get("settled", {}))
            self._reserve(entry.seq, job_id, payload["holds"])
        elif entry.event in OUTCOMES:
            self._settle(entry.seq, job_id, payload["ledger"]["settled"])
            self._joined.pop(job_id, None)
        elif entry.event == "session.opened":
            self._open(entry)
        elif entry.event == "session.closed":
            self._close(entry)

    def _open(self, entry: Entry) -> None:
        session_id = entry.payload["ledger"]["session"]["session_id"]
        if session_id in self.sessions:
            raise ValueError(f"there is a session {session_id!r} already")
        self.sessions[session_id] = session_changes(entry)
        self._reserve(entry.seq, session_id, entry.payload["holds"])

    def _close(self, entry: Entry) -> None:
        told = entry.payload["ledger"]
        session_id = told["session_id"]
        self._require_open(session_id)
        if {key: held.amount for key, held in self.held[session_id].items()} != told["released"]:
            raise ValueError(f"the session {session_id!r} held something else than was released")
        self._settle(entry.seq, session_id, {})
        self.sessions[session_id] |= session_changes(entry)

    def _is_open(self, session_id: str | None) -> bool:
        return session_id is not None and self.sessions[session_id]["status"] == "open"

    def _require_open(self, session_id: str) -> None:
        if not self._is_open(session_id):
            raise ValueError(f"the session {session_id!r} has ended")

    def _join(self, job_id: str, session_id: str | None) -> None:
        if session_id is not None:
            self._require_open(session_id)
            self._joined[job_id] = session_id

    def _reserve(self, seq: int, holder: str, holds: Iterable[Mapping[str, Any]]) -> None:
        if holder in self.held:
            raise ValueError(f"{holder!r} already holds its quotas")
        self.held[holder] = {}
        for hold in holds:
            key, amount, session_id = hold["counter"], hold["amount"], None
            if hold.get("drawn"):
                session_id = self._joined[holder]
                self._require_open(session_id)
                self._shift(session_id, key, -amount)
            else:
                self._take(hold)
            self.held[holder][key] = Held(amount, session_id)
            self.touched[key] = seq

    def _take(self, hold: Mapping[str, Any]) -> None:
        fresh = {"counter": hold["counter"], "settled": 0, "reserved": 0, **{name: hold[name] for name in DESCRIPTION}}
        counter = self.counters.setdefault(hold["counter"], fresh)
        counter |= {name: hold[name] for name in LATEST}
        counter["reserved"] += hold["amount"]

    def _settle(self, seq: int, holder: str, amounts: Mapping[str, int]) -> None:
        for key, (amount, session_id) in self.held.pop(holder).items():
            used, back = amounts.get(key, 0), 0
            if session_id is not None and self._is_open(session_id):
                back = change(amount, used, self.held[session_id][key].amount)
                self._shift(session_id, key, back)
            self.counters[key]["reserved"] -= amount - back
            self.counters[key]["settled"] += used
            self.touched[key] = seq

    def _shift(self, session_id: str, key: str, amount: int) -> None:
        left = self.held[session_id][key].amount + amount
        if left < 0:
            raise ValueError(f"the session {session_id!r} does not hold {-amount} of {key!r}")
        self.held[session_id][key] = Held(left, None)
