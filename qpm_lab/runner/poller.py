"""Asks after all jobs at vendors: one per process, each job at its own pace.

The schedule is kept in monotonic time, so that a changed clock changes nothing. Monotonic time stands still while a
laptop sleeps: when the clock has run on much further, every job is asked after at once.

A vendor that hangs keeps at most `MOST_EACH` threads; what is due at it waits, and what is due at others does not.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from qpm_lab.runner.workers import Workers

LONGEST_WAIT_SECONDS = 5.0
ASLEEP_SECONDS = 30.0
"""By how much the clock may run ahead of monotonic time before it counts as sleep."""
MOST_EACH = 2
"""Threads that one provider keeps busy; it has no more processes apart either."""
THREADS = 24
"""Of all providers: more than hang together. One is started only when it has work."""
Step = Callable[[], float | None]
"""One look; returns seconds until the next, None when there is none."""
log = logging.getLogger("qpm_lab")


class _Due(NamedTuple):
    """A step and when it is due; in order of time, then of asking."""

    at: float
    number: int
    key: str
    provider: str
    step: Step


class Poller:
    """Runs steps when they are due, each by one thread at a time."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._due: list[_Due] = []
        self._number = 0
        self._guard = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._taken: set[str] = set()
        """Keys of steps that are being done."""
        self._hurried: set[str] = set()
        """Those of them whose next step is due at once."""
        self._busy: Counter[str] = Counter()
        """Steps that are being done, by provider."""

    def watch(self, key: str, step: Step, seconds: float = 0.0, provider: str = "") -> None:
        """Runs `step` after so many seconds, and again as it says; one that is due already is not run twice."""
        with self._guard:
            if self._closed or any(each.key == key for each in self._due):
                return
            self._number += 1
            heapq.heappush(self._due, _Due(time.monotonic() + seconds, self._number, key, provider, step))
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="qpm-poller", daemon=True)
                self._thread.start()
            self._guard.notify()

    def watches(self, key: str) -> bool:
        """True while a step of that key is due or being done."""
        with self._guard:
            return key in self._taken or any(each.key == key for each in self._due)

    def hurry(self, key: str) -> None:
        """Makes a step due now; one that is being done is followed by another at once."""
        with self._guard:
            if key in self._taken:
                self._hurried.add(key)
            self._due = [each._replace(at=0.0) if each.key == key else each for each in self._due]
            heapq.heapify(self._due)
            self._guard.notify()

    def close(self) -> None:
        """Lets go of all jobs; what is at a vendor goes on there."""
        with self._guard:
            self._closed = True
            self._due.clear()
            self._guard.notify()

    def _loop(self) -> None:
        ahead = time.time() - time.monotonic()
        while True:
            with self._guard:
                if self._closed:
                    return
                slept = time.time() - time.monotonic() - ahead
                ahead += slept
                if slept > ASLEEP_SECONDS:
                    self._due = [each._replace(at=0.0) for each in self._due]
                self._guard.wait(self._begin())

    def _begin(self) -> float:
        """Hands on what is due and whose provider has a thread free; seconds until more is due."""
        now, held = time.monotonic(), []
        while self._due and self._due[0].at <= now:
            due = heapq.heappop(self._due)
            if not self._handed_on(due):
                held.append(due)
        wait = min(LONGEST_WAIT_SECONDS, self._due[0].at - now) if self._due else LONGEST_WAIT_SECONDS
        for each in held:
            heapq.heappush(self._due, each)
        return wait

    def _handed_on(self, due: _Due) -> bool:
        if self._busy[due.provider] >= MOST_EACH:
            return False
        try:
            self._workers.run(partial(self._take, due))
        except RuntimeError as error:
            log.warning("job %s is asked after later: %s", due.key, error)
            return False
        self._busy[due.provider] += 1
        self._taken.add(due.key)
        return True

    def _take(self, due: _Due) -> None:
        seconds = None
        try:
            seconds = due.step()
        except Exception:
            log.exception("job %s: nobody follows it any more; the next start does", due.key)
        with self._guard:
            self._busy[due.provider] -= 1
            self._taken.discard(due.key)
            hurried = due.key in self._hurried
            self._hurried.discard(due.key)
            self._guard.notify()
        if seconds is not None:
            self.watch(due.key, due.step, 0.0 if hurried else seconds, due.provider)
