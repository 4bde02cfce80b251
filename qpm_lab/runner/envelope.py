"""A session's envelope: what of the quotas was reserved once, and is drawn down by the jobs of a loop (F4).

Its own limits are counters like any quota's, of the scope `session`, so that every draw is a conditional update
and a loop is refused before the step that would exceed them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from qpm_lab.experiment import Hold, Measure, Quote, Request

_OPEN: dict[tuple[Path, str], Envelope] = {}
"""Home and user → the session of this process: a device or magic may use another Lab than the one that opened it."""
os.register_at_fork(after_in_child=_OPEN.clear)


def current(home: Path, user: str) -> Envelope | None:
    """The session that is open in this process on the ledger of a home."""
    return _OPEN.get((home, user))


def put(home: Path, user: str, envelope: Envelope | None) -> None:
    """Sets or removes the open session."""
    if envelope is None:
        _OPEN.pop((home, user), None)
    else:
        _OPEN[home, user] = envelope


@dataclass(slots=True)
class Envelope:
    """An open session of this process."""

    session_id: str
    name: str
    limits: Mapping[Measure, int]
    """In the measure's smallest units."""
    currency: str
    request: Request
    """What its jobs are expected to look like: backend and labels, which jobs take over where they say nothing."""
    lease_until: datetime
    done: int = 0
    """Jobs of it that were completed."""
    _taken: dict[str, int] = field(default_factory=dict)
    """Counter → what its jobs have settled or may still settle, as far as this process knows."""
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, holds: Sequence[Hold]) -> bool:
        """Notes what a step takes; False, with nothing noted, when the envelope seems too small.

        Only this process draws from its session, so it need not ask the ledger before each step; the ledger
        asks again when the step is recorded.
        """
        own = [hold for hold in holds if hold.scope == "session"]
        with self._guard:
            if any(self._taken.get(hold.counter, 0) + hold.amount > hold.limit for hold in own):
                return False
            self._add({hold.counter: hold.amount for hold in own})
            return True

    def end(self, holds: Sequence[Hold], settled: Mapping[str, int], *, completed: bool = False) -> None:
        """Replaces what a step might take by what it took."""
        with self._guard:
            self.done += completed
            self._add({h.counter: settled.get(h.counter, 0) - h.amount for h in holds if h.scope == "session"})

    def correct(self, taken: Mapping[str, int]) -> None:
        """Takes the ledger's word for it."""
        with self._guard:
            self._taken.update(taken)

    def _add(self, amounts: Mapping[str, int]) -> None:
        for counter, amount in amounts.items():
            self._taken[counter] = self._taken.get(counter, 0) + amount

    def holds(self, request: Request, quote: Quote) -> tuple[Hold, ...]:
        """What a job takes from this envelope."""
        amounts: Mapping[Measure, int] = {"jobs": 1, "shots": request.total_shots, "cost": quote.high or 0}
        return tuple(self._hold(measure, amounts[measure]) for measure in self.limits if amounts[measure])

    def all_holds(self) -> tuple[Hold, ...]:
        """One for each limit, of no amount."""
        return tuple(self._hold(measure, 0) for measure in self.limits)

    def _hold(self, measure: Measure, amount: int) -> Hold:
        return Hold(
            counter=f"{measure}|session|{self.session_id}",
            quota=f"session.max-{measure}",
            measure=measure,
            scope="session",
            key=self.name,
            window="life",
            window_start="",
            window_end="",
            unit=self.currency if measure == "cost" else measure,
            amount=amount,
            limit=self.limits[measure],
        )
