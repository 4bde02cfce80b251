"""A vendor's processes apart: few, kept while they are of use, each busy with one call at a time."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.apart.environment import interpreter
from qpm_lab.providers.apart.line import CALL_SECONDS, Line
from qpm_lab.providers.vendor import Access, Vendor

MOST = 2
"""A slow call must not hold up the others; more would only cost memory."""


class Pool:
    """The lines to one vendor's client.

    Args:
        vendor: Whose.
        access: Gives by what they get in; asked at each start, and a line made with another access is not used again.
    """

    def __init__(self, vendor: Vendor, access: Callable[[], Access]) -> None:
        self._vendor = vendor
        self._access = access
        self._guard = threading.Condition()
        self._idle: list[tuple[Access, Line]] = []
        self._busy: list[Line] = []
        self._starting = 0
        self._pid = os.getpid()
        atexit.register(self.close)

    def call(self, name: str, arguments: dict[str, Any], seconds: float | None = CALL_SECONDS) -> Any:
        """What the client's method returns; waits for a free line."""
        with self.line() as line:
            return line.call(name, arguments, seconds)

    @contextmanager
    def line(self) -> Iterator[Line]:
        """A line for one user at a time; one whose process has ended is not kept."""
        access = self._access()
        line = self._take(access)
        try:
            yield line
        finally:
            with self._guard:
                self._busy.remove(line)
                if line.is_alive:
                    self._idle.append((access, line))
                self._guard.notify()
            if not line.is_alive:
                line.close()

    def _take(self, access: Access) -> Line:
        return self._idle_line(access) or self._new_line(access)

    def _new_line(self, access: Access) -> Line:
        # Outside the guard: an import of seconds must not hold up who gives a line back.
        line = None
        try:
            line = self._start(access)
            return line
        finally:
            with self._guard:
                self._starting -= 1
                self._busy += [] if line is None else [line]
                self._guard.notify()

    def _idle_line(self, access: Access) -> Line | None:
        """A line that is free; None once there is room to start one."""
        with self._guard:
            self._forget_parent()
            while not self._idle and len(self._busy) + self._starting >= MOST:
                self._guard.wait()
            while self._idle:
                made_with, line = self._idle.pop()
                if made_with == access and line.is_alive:
                    self._busy.append(line)
                    return line
                line.close()
            self._starting += 1
            return None

    def _start(self, access: Access) -> Line:
        python = interpreter(self._vendor)
        if python is None:
            raise ProviderError(
                f"The client of {self._vendor.title} is not installed.",
                f"Install it with: qpm provider install {self._vendor.name}",
            )
        return Line(self._vendor, access, python)

    def _forget_parent(self) -> None:
        """After a fork the lines are the parent's."""
        if self._pid != os.getpid():
            self._pid, self._idle, self._busy, self._starting = os.getpid(), [], [], 0

    def close(self) -> None:
        """Ends all processes; a call under way in another thread ends with an error."""
        with self._guard:
            self._forget_parent()
            for line in self._busy:
                line.kill()
            idle, self._idle = self._idle, []
        for _, line in idle:
            line.close()
