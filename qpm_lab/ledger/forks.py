"""A forked child must not inherit an open database: SQLite's locks and a server's sockets do not survive it.

Before a fork, transactions of other threads are waited for and idle connections are closed, so that the child
starts with none; parent and child open new ones when they next need them.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_PATIENCE_SECONDS = 10.0
"""How long a fork waits for transactions; a longer one keeps its connection, unused by the child."""


class Disposable(Protocol):
    def dispose(self, close: bool = True) -> None:
        """Forgets idle connections, closing them or not."""


class _Forks:
    def __init__(self) -> None:
        self._idle = threading.Condition(threading.Lock())
        self._busy = 0
        self._forking = False
        self._pools: weakref.WeakSet[Disposable] = weakref.WeakSet()

    def watch(self, pool: Disposable) -> None:
        """Has a pool's connections closed before each fork, for as long as the pool lives."""
        with self._idle:
            self._pools.add(pool)

    @contextmanager
    def held_off(self) -> Iterator[None]:
        """Keeps forks waiting for the block."""
        with self._idle:
            # New transactions let a waiting fork go first, or it would wait for ever.
            self._idle.wait_for(lambda: not self._forking, _PATIENCE_SECONDS)
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def before(self) -> None:
        self._idle.acquire()
        self._forking = True
        self._idle.wait_for(lambda: self._busy == 0, _PATIENCE_SECONDS)
        for pool in list(self._pools):
            pool.dispose()

    def after_in_parent(self) -> None:
        self._forking = False
        self._idle.notify_all()
        self._idle.release()

    def after_in_child(self) -> None:
        # Connections still in use belong to threads that do not exist here.
        self._busy = 0
        self._forking = False
        for pool in list(self._pools):
            pool.dispose(close=False)
        self._idle.release()


FORKS = _Forks()
os.register_at_fork(before=FORKS.before, after_in_parent=FORKS.after_in_parent, after_in_child=FORKS.after_in_child)
