"""Who computes the pieces of a task: threads of this process, and what every crew has in common."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from qpm_lab.providers.capacity import Meter, peak_memory_bytes
from qpm_lab.providers.gathering import Gathering
from qpm_lab.providers.simulator import Prepared


class Crew(Protocol):
    """Computes the pieces of one task."""

    where: str
    """For the record: `this process`, `processes` or `dask`."""

    def work(self, prepared: Prepared, gathering: Gathering) -> None:
        """Computes all pieces and puts them into the gathering; returns early after `stop`.

        Raises:
            ProviderError: the first failure; by then nothing computes any more.
        """

    def stop(self) -> None:
        """Asks to stop; `work` returns as soon as nothing computes any more."""


class Todo:
    """The numbers of the pieces that are still to do, for several threads to take in order."""

    def __init__(self) -> None:
        self._next = 0
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        self.error: BaseException | None = None

    def take(self, count: int) -> int | None:
        """The next of `count` pieces; None when none is left or the work was stopped."""
        with self._lock:
            if self.stopped.is_set() or self._next >= count:
                return None
            self._next += 1
            return self._next - 1

    def fail(self, error: BaseException) -> None:
        """Stops the work; the first error is kept."""
        with self._lock:
            self.error = self.error or error
            self.stopped.set()


def in_threads(number: int, hand: Callable[[], None], todo: Todo) -> None:
    """Runs `hand` in this thread and in others beside it, until all have returned.

    Raises:
        Exception: the first that was raised in any of them.
    """

    def guarded() -> None:
        try:
            hand()
        except BaseException as error:
            todo.fail(error)

    others = [threading.Thread(target=guarded, name="qpm-piece", daemon=True) for _ in range(number - 1)]
    for thread in others:
        thread.start()
    guarded()
    for thread in others:
        thread.join()
    if todo.error is not None:
        raise todo.error


class Threads:
    """Computes in threads of this process.

    Args:
        number: Of threads; more than one helps only where the simulator lets others run.
    """

    where = "this process"

    def __init__(self, number: int) -> None:
        self._number = number
        self._todo = Todo()

    def work(self, prepared: Prepared, gathering: Gathering) -> None:
        meter = Meter.start()

        def hand() -> None:
            while (number := self._todo.take(len(gathering.pieces))) is not None:
                gathering.begin()
                gathering.put(number, prepared.run(gathering.pieces[number]))

        in_threads(min(self._number, len(gathering.pieces)), hand, self._todo)
        gathering.used(meter.cpu_seconds(), peak_memory_bytes())

    def stop(self) -> None:
        self._todo.stopped.set()
