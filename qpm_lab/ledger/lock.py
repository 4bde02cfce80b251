"""One writer at a time, over all processes and threads of this machine, served roughly in turn.

SQLite's own waiting is a sleep-and-try-again that starves writers. An open-file-description lock queues them
in the kernel, excludes threads too (each acquisition opens its own description) and ends with its process.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HAS_OPEN_FILE_LOCKS = hasattr(fcntl, "F_OFD_SETLKW") and sys.maxsize > 2**32
_THREADS = threading.Lock()
"""Where locks belong to the process, threads need one more."""


def _flock(kind: int) -> bytes:
    # struct flock of 64-bit Linux: type, whence, start, length (0: to the end), pid (must be 0).
    return struct.pack("hh4xqqi4x", kind, os.SEEK_SET, 0, 0, 0)


def try_exclusive(descriptor: int) -> bool:
    """Takes the whole file for this description (elsewhere than on Linux: process); False when another has it."""
    try:
        if _HAS_OPEN_FILE_LOCKS:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK))
        else:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Waits for the lock on `path` and holds it for the block.

    Raises:
        OSError: the lock file cannot be made or opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with _exclusive(descriptor):
            yield
    finally:
        os.close(descriptor)


@contextmanager
def _exclusive(descriptor: int) -> Iterator[None]:
    if _HAS_OPEN_FILE_LOCKS:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, _flock(fcntl.F_WRLCK))
        try:
            yield
        finally:
            # Closing would do, were it not for a child forked meanwhile that shares the description.
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, _flock(fcntl.F_UNLCK))
    else:
        with _THREADS:
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
            yield
