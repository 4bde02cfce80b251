"""A few threads that run jobs in the background and never keep the interpreter alive.

`concurrent.futures` joins its threads when the interpreter exits, so a kernel asked to stop would hang
until its simulations end; these are daemons, and `Runner.close` records what they were doing.
Threads are kept because each holds a database connection.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

COUNT = 4


class Workers:
    """Runs callables one after another on at most so many threads, first come first served."""

    def __init__(self, count: int = COUNT) -> None:
        self._count = count
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._pending = 0

    @property
    def idle(self) -> bool:
        """True when work given now starts at once."""
        return self._pending < self._count

    def run(self, work: Callable[[], None]) -> None:
        """Queues `work`; it must handle its own errors.

        Raises:
            RuntimeError: no thread can be started; nothing was queued.
        """
        with self._lock:
            if self._pending >= len(self._threads) and len(self._threads) < self._count:
                thread = threading.Thread(target=self._loop, name="qpm-job", daemon=True)
                thread.start()
                self._threads.append(thread)
            self._pending += 1
            self._work.put(work)

    def close(self, timeout_seconds: float) -> None:
        """Waits up to the time given until all queued work has ended, and lets the threads go."""
        until = time.monotonic() + timeout_seconds
        while self._pending and time.monotonic() < until:
            time.sleep(0.01)
        with self._lock:
            for _ in self._threads:
                self._work.put(None)
            self._threads.clear()

    def _loop(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            finally:
                # The thread keeps no circuit or result alive while it waits for the next job.
                del work
                with self._lock:
                    self._pending -= 1
