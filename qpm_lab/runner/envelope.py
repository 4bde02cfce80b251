"""A session's envelope: what of the quotas was reserved once, and is drawn down by the jobs of a loop (F4).

Its own limits are counters like any quota's, of the scope `session`, so that every draw is a conditional update
and a loop is refused before the step that would exceed them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from qpm_lab.errors import InputError
from qpm_lab.experiment import Hold, Measure, Quote, Request, Shortage

ROOM_SECONDS = 5.0
"""How long the room under a quota that the session did not reserve is believed."""
CLOSE_SECONDS = 10.0
_OPEN: dict[tuple[str, str], Envelope] = {}
"""Home and user → the session of this process: a device or magic may use another Lab than the one that opened it."""
os.register_at_fork(after_in_child=_OPEN.clear)


@lru_cache(maxsize=64)
def _place(home: Path) -> str:
    return os.path.realpath(home)


def current(home: Path, user: str) -> Envelope | None:
    """The session that is open in this process on the ledger of a home."""
    return _OPEN.get((_place(home), user)) if _OPEN else None


def put(home: Path, user: str, envelope: Envelope | None) -> None:
    """Sets or removes the open session."""
    if envelope is None:
        _OPEN.pop((_place(home), user), None)
    else:
        _OPEN[_place(home), user] = envelope


@dataclass(slots=True)
class Envelope:
    """An open session of this process.

    Only this process draws from its session, so what is left is known here and the ledger need not be asked before
    each step; it asks again when the step is recorded.
    """

    session_id: str
    name: str
    limits: Mapping[Measure, int]
    """In the measure's smallest units."""
    currency: str
    request: Request
    """What its jobs are expected to look like: backend and labels, which jobs take over where they say nothing."""
    lease_until: datetime
    covered: frozenset[str] = frozenset()
    """Counters of the policy's quotas on which it holds an amount."""
    done: int = 0
    """Jobs of it that were completed."""
    _recorded: dict[str, int] = field(default_factory=dict)
    """Counter → what the ledger has settled or reserved for its jobs."""
    _running: dict[str, int] = field(default_factory=dict)
    """Counter → what steps may still take that run now and are not recorded yet."""
    _steps: int = 0
    _closing: bool = False
    _room: dict[str, tuple[int, float]] = field(default_factory=dict)
    _guard: threading.Condition = field(default_factory=threading.Condition)

    def begin(self, holds: Sequence[Hold]) -> bool:
        """Notes a step that is about to run; False, with nothing noted, when the envelope seems too small.

        Raises:
            InputError: the session is being closed.
        """
        own = _own(holds)
        with self._guard:
            if self._closing:
                raise InputError("This session has ended.", "Open another one: with lab.session(max_jobs=200):")
            if any(self._taken(hold) + hold.amount > hold.limit for hold in own):
                return False
            _add(self._running, {hold.counter: hold.amount for hold in own})
            self._steps += 1
            return True

    def end(self, holds: Sequence[Hold], settled: Mapping[str, int] | None, *, completed: bool = False) -> None:
        """Ends a step; `settled` is None when it was not recorded."""
        own = _own(holds)
        with self._guard:
            _add(self._running, {hold.counter: -hold.amount for hold in own})
            _add(self._recorded, {hold.counter: (settled or {}).get(hold.counter, 0) for hold in own})
            self.done += completed
            self._steps -= 1
            self._guard.notify_all()

    def reserved(self, holds: Sequence[Hold]) -> None:
        """Notes a job that the ledger has reserved for before its run."""
        with self._guard:
            _add(self._recorded, {hold.counter: hold.amount for hold in _own(holds)})

    def settled(self, holds: Sequence[Hold], settled: Mapping[str, int], *, completed: bool) -> None:
        """Replaces what such a job might take by what it took."""
        with self._guard:
            _add(self._recorded, {h.counter: settled.get(h.counter, 0) - h.amount for h in _own(holds)})
            self.done += completed

    def correct(self, recorded: Callable[[Sequence[Hold]], Mapping[str, int]], holds: Sequence[Hold]) -> None:
        """Takes the ledger's word for what is recorded."""
        with self._guard:
            self._recorded.update(recorded(_own(holds)))

    def shortages(self, holds: Sequence[Hold]) -> tuple[Shortage, ...]:
        """The limits of the session that a step would exceed, with what is recorded and what runs now."""
        with self._guard:
            short = [hold for hold in _own(holds) if self._taken(hold) + hold.amount > hold.limit]
            return tuple(Shortage(h, self._recorded.get(h.counter, 0), self._running.get(h.counter, 0)) for h in short)

    def has_room(self, holds: Sequence[Hold], now: float) -> bool:
        """True while the quotas it did not reserve had ample room when the ledger was last asked."""
        open_ones = self.uncovered(holds)
        with self._guard:
            known = [self._room.get(hold.counter, (0, 0.0)) for hold in open_ones]
            pairs = list(zip(open_ones, known, strict=True))
            if any(left < hold.amount or now - at >= ROOM_SECONDS for hold, (left, at) in pairs):
                return False
            for hold, (left, at) in pairs:
                self._room[hold.counter] = (left - hold.amount, at)
            return True

    def learn_room(self, holds: Sequence[Hold], taken: Mapping[str, int], now: float) -> None:
        """Remembers how much room the ledger saw; half of it is left to others."""
        with self._guard:
            for hold in self.uncovered(holds):
                self._room[hold.counter] = ((hold.limit - taken.get(hold.counter, 0)) // 2, now)

    def uncovered(self, holds: Sequence[Hold]) -> list[Hold]:
        """The quotas that a step takes from directly."""
        return [hold for hold in holds if hold.scope != "session" and hold.counter not in self.covered]

    def close(self) -> None:
        """Lets no further step begin and waits for those that run."""
        with self._guard:
            self._closing = True
            self._guard.wait_for(lambda: self._steps <= 0, CLOSE_SECONDS)

    def holds(self, request: Request, quote: Quote) -> tuple[Hold, ...]:
        """What a job takes from this envelope."""
        amounts: Mapping[Measure, int] = {"jobs": 1, "shots": request.total_shots, "cost": quote.high or 0}
        return tuple(self._hold(measure, amounts[measure]) for measure in self.limits if amounts[measure])

    def all_holds(self) -> tuple[Hold, ...]:
        """One for each limit, of no amount."""
        return tuple(self._hold(measure, 0) for measure in self.limits)

    def _taken(self, hold: Hold) -> int:
        return self._recorded.get(hold.counter, 0) + self._running.get(hold.counter, 0)

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


def _own(holds: Sequence[Hold]) -> list[Hold]:
    return [hold for hold in holds if hold.scope == "session"]


def _add(amounts: dict[str, int], more: Mapping[str, int]) -> None:
    for counter, amount in more.items():
        amounts[counter] = amounts.get(counter, 0) + amount
