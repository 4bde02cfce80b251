"""Bounds on what any answer from the network may bring and take, whatever client reads it.

Every vendor's client reads through a socket: `requests`, `urllib3` and `botocore` through its file, `httpx` through
`recv`. Both are counted, because no client offers a bound of its own, and so is what they unpack: a few kilobytes can
hold gigabytes. Only the process apart calls `install`.
"""

from __future__ import annotations

import socket
import ssl
import time
import zlib
from collections.abc import Callable
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
        self.unpacked = MOST_BYTES
        self.until = float("inf")

    def unpack(self, number: int) -> None:
        self.unpacked -= number
        if self.unpacked < 0:
            raise TooLargeError(f"its unpacked answer is larger than {MOST_BYTES // 2**20} MiB")

    def take(self, number: int) -> None:
        self.bytes -= number
        if self.bytes < 0:
            raise TooLargeError(f"its answer is larger than {MOST_BYTES // 2**20} MiB")
        if time.monotonic() > self.until:
            raise TooSlowError("its answer did not arrive in time")


_BUDGET = _Budget()


def begin(seconds: float) -> None:
    """Gives the next call its bytes and its time."""
    _BUDGET.bytes = _BUDGET.unpacked = MOST_BYTES
    _BUDGET.until = time.monotonic() + seconds


def install() -> None:
    """Counts all that is read from sockets in this process from now on."""
    for owner, name in ((socket.SocketIO, "readinto"), (socket.socket, "recv"), (ssl.SSLSocket, "recv")):
        _replace(owner, name, _counted(getattr(owner, name)))
    _replace(zlib, "decompressobj", _Unpacking)


class _Unpacking:
    """What `zlib.decompressobj` makes, with all that comes out of it counted."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._inner = _DECOMPRESSOBJ(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decompress(self, data: bytes, max_length: int = 0) -> bytes:
        # Never more at a time than there is room for: what a client does not bound would be in memory already.
        room = _BUDGET.unpacked + 1
        out: bytes = self._inner.decompress(data, min(max_length, room) if max_length else room)
        _BUDGET.unpack(len(out))
        return out


_DECOMPRESSOBJ = zlib.decompressobj


def _replace(owner: Any, name: str, made: Any) -> None:
    setattr(owner, name, made)


def _counted(original: Callable[..., Any]) -> Callable[..., Any]:
    def counted(self: Any, *arguments: Any, **named: Any) -> Any:
        got = original(self, *arguments, **named)
        _BUDGET.take(len(got) if isinstance(got, bytes) else got or 0)
        return got

    return counted
