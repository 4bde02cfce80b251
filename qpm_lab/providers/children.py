"""Child processes kept warm between jobs, and the crew that computes in them.

A child needs two seconds to import the simulators. After a job it waits some minutes for the next one; it
ends with its parent, and after a cancelled job it is never used again.
"""

from __future__ import annotations

import atexit
import os
import queue
import sys
import threading
import time
from concurrent.futures import Future

from qpm_lab.errors import ProviderError
from qpm_lab.providers.capacity import HEADROOM, UNCHECKED_BYTES, free_bytes, processors
from qpm_lab.providers.child import Child, ChildDied
from qpm_lab.providers.crew import Todo, in_threads
from qpm_lab.providers.gathering import Gathering
from qpm_lab.providers.simulator import Prepared

IDLE_SECONDS = 180.0
"""How long a child waits for the next job."""
SAME_PIECE = 3
"""How many children one piece may cost before the run fails."""


class Children:
    """The children of this process that have nothing to do, and the one thread that starts all of them."""

    def __init__(self) -> None:
        self._idle: list[tuple[Child, float]] = []
        self._lock = threading.Lock()
        self._orders: queue.SimpleQueue[Future[Child]] = queue.SimpleQueue()
        # A child lives no longer than the thread that forked it; this one lives as long as the process.
        threading.Thread(target=self._serve, name="qpm-children", daemon=True).start()
        atexit.register(self.close)

    @property
    def idle(self) -> int:
        return len(self._idle)

    def take(self) -> Child:
        """A warm child, or a new one."""
        with self._lock:
            while self._idle:
                child, _ = self._idle.pop()
                if child.is_alive:
                    return child
                child.close()
        made: Future[Child] = Future()
        self._orders.put(made)
        try:
            return made.result()
        except OSError as error:
            said = f"No simulation process can be started: {error}"
            raise ProviderError(said, "Close other programs.", retryable=True, cause=error) from error

    def give_back(self, child: Child) -> None:
        """Keeps a child that has answered for the next job, but no more of them than there are processors."""
        with self._lock:
            if child.is_alive and len(self._idle) < processors():
                self._idle.append((child, time.monotonic()))
                return
        child.close()

    def close(self, idle_seconds: float = 0.0) -> None:
        """Ends the children that have waited as long."""
        with self._lock:
            now = time.monotonic()
            old = [child for child, since in self._idle if now - since >= idle_seconds]
            self._idle = [(child, since) for child, since in self._idle if child not in old]
        for child in old:
            child.close()

    def _serve(self) -> None:
        while True:
            try:
                made = self._orders.get(timeout=IDLE_SECONDS / 6)
            except queue.Empty:
                self.close(IDLE_SECONDS)
                continue
            try:
                made.set_result(Child())
            except Exception as error:
                made.set_exception(error)


_children: tuple[int, Children] | None = None
_making = threading.Lock()


def children() -> Children:
    """Those of this process; after a fork the parent's are left alone."""
    global _children
    with _making:
        if _children is None or _children[0] != os.getpid():
            _children = (os.getpid(), Children())
        return _children[1]


class Processes:
    """Computes in child processes, as many as there are processors and memory for their states."""

    where = "processes"

    def __init__(self) -> None:
        self._todo = Todo()
        self._busy: set[Child] = set()
        self._lock = threading.Lock()

    @property
    def pids(self) -> list[int]:
        """Of the children at work."""
        with self._lock:
            return [child.pid for child in self._busy]

    def work(self, prepared: Prepared, gathering: Gathering) -> None:
        number = min(processors(), len(gathering.pieces), _most_by_memory(prepared))
        share = max(1, processors() // number)

        def hand() -> None:
            child = None
            try:
                while (place := self._todo.take(len(gathering.pieces))) is not None:
                    child = self._piece(place, child, prepared, gathering, share)
            except ChildDied:
                # A run that was stopped has no error of its own.
                if not self._todo.stopped.is_set():
                    raise
            finally:
                if sys.exc_info()[0] is not None:
                    self.stop()
                self._part_with(child)

        in_threads(number, hand, self._todo)

    def stop(self) -> None:
        with self._lock:
            self._todo.stopped.set()
            for child in self._busy:
                child.kill()

    def _piece(
        self, place: int, child: Child | None, prepared: Prepared, gathering: Gathering, share: int
    ) -> Child | None:
        """Computes one piece, in a further child if one dies; returns the child that has answered."""
        task = gathering.pieces[place].of(prepared.task)
        for more in reversed(range(SAME_PIECE)):
            child = child or self._taken()
            if child is None:
                return None
            gathering.begin()
            try:
                result = child.run(task, share)
            except ChildDied:
                self._part_with(child)
                child = None
                if self._todo.stopped.is_set() or not more:
                    raise
            else:
                gathering.used(result.cpu_seconds, result.peak_memory_bytes)
                gathering.put(place, result.counts)
                return child
        return child

    def _taken(self) -> Child | None:
        """A child; None when the run was stopped meanwhile."""
        child = children().take()
        with self._lock:
            if not self._todo.stopped.is_set():
                self._busy.add(child)
                return child
        child.close()
        return None

    def _part_with(self, child: Child | None) -> None:
        """Keeps a child for the next job, unless this run was stopped: then it may be in the middle of something."""
        if child is None:
            return
        with self._lock:
            self._busy.discard(child)
            reusable = not self._todo.stopped.is_set()
        if reusable:
            children().give_back(child)
        else:
            child.close()


def _most_by_memory(prepared: Prepared) -> int:
    need = max(cost.memory_bytes for cost in prepared.costs)
    return max(1, int(HEADROOM * free_bytes() / need)) if need > UNCHECKED_BYTES else processors()
