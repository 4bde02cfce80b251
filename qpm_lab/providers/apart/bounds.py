"""Bounds on what any answer from the network may bring and take, whatever client reads it.

Every vendor's client reads through a socket: `requests`, `urllib3` and `botocore` through its file, `httpx` through
`recv`. Both are counted, because no client offers a bound of its own. Only the process apart calls `install`.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

MOST_BYTES = 32 * 2**20
"""Of all answers to one call; ten million shots of a hundred qubits come in several files."""


class TooLargeError(OSError):
    """The vendor sent more than is read."""


class TooSlowError(OSError):
    """The vendor did not finish its answer in time."""


class _Budget:
    """What is left for the call under way."""

    def __init__(self) -> None:
        self.bytes = MOST_BYTES
        self.until = float("inf")

    def take(self, number: int) -> None:
        self.bytes -= number
        if self.bytes < 0:
            raise TooLargeError(f"its answer is larger than {MOST_BYTES // 2**20} MiB")
        if time.monotonic() > self.until:
            raise TooSlowError("its answer did not arrive in time")


_BUDGET = _Budget()


def begin(seconds: float) -> None:
    """Gives the next call its bytes and its time."""
    _BUDGET.bytes = MOST_BYTES
    _BUDGET.until = time.monotonic() + seconds


def install() -> None:
    """Counts all that is read from sockets in this process from now on."""
    for owner, name in ((socket.SocketIO, "readinto"), (socket.socket, "recv"), (ssl.SSLSocket, "recv")):
        _count(owner, name)


def _count(owner: Any, name: str) -> None:
    original = getattr(owner, name)

    def counted(self: Any, *arguments: Any, **named: Any) -> Any:
        got = original(self, *arguments, **named)
        _BUDGET.take(len(got) if isinstance(got, bytes) else got or 0)
        return got

    setattr(owner, name, counted)
