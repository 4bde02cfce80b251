"""Asks after all jobs at vendors: one per process, each job at its own pace.

The schedule is kept in monotonic time, so that a changed clock changes nothing. Monotonic time stands still while a
laptop sleeps: when the clock has run on much further, every job is asked after at once.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from qpm_lab.runner.workers import Workers

LONGEST_WAIT_SECONDS = 5.0
ASLEEP_SECONDS = 30.0
"""By how much the clock may run ahead of monotonic time before it counts as sleep."""
Step = Callable[[], float | None]
"""One look; returns seconds until the next, None when there is none."""
log = logging.getLogger("qpm_lab")


class Poller:
    """Runs steps when they are due, each by one thread at a time."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._due: list[tuple[float, int, str, Step]] = []
        self._number = 0
        self._guard = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._taken: set[str] = set()
        """Keys of steps that are being done."""
        self._hurried: set[str] = set()
        """Those of them whose next step is due at once."""

    def watch(self, key: str, step: Step, seconds: float = 0.0) -> None:
        """Runs `step` after so many seconds, and again as it says; one that is due already is not run twice."""
        with self._guard:
            if self._closed or any(each[2] == key for each in self._due):
                return
            self._number += 1
            heapq.heappush(self._due, (time.monotonic() + seconds, self._number, key, step))
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="qpm-poller", daemon=True)
                self._thread.start()
            self._guard.notify()

    def watches(self, key: str) -> bool:
        """True while a step of that key is due or being done."""
        with self._guard:
            return key in self._taken or any(each[2] == key for each in self._due)

    def hurry(self, key: str) -> None:
        """Makes a step due now; one that is being done is followed by another at once."""
        with self._guard:
            if key in self._taken:
                self._hurried.add(key)
            self._due = [(0.0 if each[2] == key else each[0], *each[1:]) for each in self._due]
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
                    self._due = [(0.0, *each[1:]) for each in self._due]
                now = time.monotonic()
                while self._due and self._due[0][0] <= now:
                    _, _, key, step = heapq.heappop(self._due)
                    self._taken.add(key)
                    self._workers.run(partial(self._take, key, step))
                wait = min(LONGEST_WAIT_SECONDS, self._due[0][0] - now) if self._due else LONGEST_WAIT_SECONDS
                self._guard.wait(wait)

    def _take(self, key: str, step: Step) -> None:
        seconds = None
        try:
            seconds = step()
        except Exception:
            log.exception("job %s: nobody follows it any more; the next start does", key)
        with self._guard:
            self._taken.discard(key)
            hurried = key in self._hurried
            self._hurried.discard(key)
        if seconds is not None:
            self.watch(key, step, 0.0 if hurried else seconds)
