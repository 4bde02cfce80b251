"""Who looks after a job, and whether they still live.

A process that owns jobs holds an exclusive open-file lock on `home/owners/<token>.lock`. The operating system
drops it at death, however that comes, and a forked child does not have it: on one machine a lease therefore
ends with its process, without waiting. Other machines cannot see the lock and wait for `lease_until`.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from qpm_lab.errors import LedgerError
from qpm_lab.ledger.lock import try_exclusive
from qpm_lab.ledger.rows import Owner

_HELD: dict[str, int] = {}
"""Token → descriptor of the locks of this very process."""
_GUARD = threading.RLock()
_HOSTS: dict[Path, str] = {}


def _forget_parent() -> None:
    """The child shares the parent's locks until it closes them; they must end with the parent."""
    for descriptor in _HELD.values():
        os.close(descriptor)
    _HELD.clear()
    _GUARD.release()


os.register_at_fork(before=_GUARD.acquire, after_in_parent=_GUARD.release, after_in_child=_forget_parent)


class OwnerLock:
    """This process's proof of life within one home; a fork makes the child a new owner.

    Args:
        home: The ledger's home; the locks are in its folder `owners`.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._pid = 0
        self._token = ""
        self._descriptor = -1

    @property
    def token(self) -> str:
        """The token of the process that asks, with its lock held."""
        with _GUARD:
            if self._pid != os.getpid():
                self._take()
            return self._token

    def owner(self, lease_until: datetime) -> Owner:
        """What a job of this process records."""
        return Owner(self.token, host_id(self._home), os.getpid(), lease_until)

    def release(self) -> None:
        """Gives the lock up; jobs that are still open count as abandoned."""
        with _GUARD:
            if self._pid == os.getpid():
                (self._home / "owners" / f"{self._token}.lock").unlink(missing_ok=True)
                _HELD.pop(self._token, None)
                os.close(self._descriptor)
            self._pid = 0

    def _take(self) -> None:
        token = secrets.token_hex(16)
        folder = self._home / "owners"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = folder / f"{token}.new"
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        if not try_exclusive(descriptor):
            raise LedgerError(f"The lock file {fresh} cannot be locked.", "Move QPM_HOME to a local disk.")
        # Only now does it get the name by which others judge it.
        fresh.rename(folder / f"{token}.lock")
        _HELD[token] = descriptor
        self._pid, self._token, self._descriptor = os.getpid(), token, descriptor


class Owned(Protocol):
    """The part of a job that says who looks after it."""

    @property
    def owner(self) -> str | None: ...
    @property
    def host(self) -> str | None: ...
    @property
    def lease_until(self) -> datetime | None: ...


def owner_gone(home: Path, row: Owned, now: datetime) -> bool:
    """True when the owner of a job no longer lives, so that the job may be taken over.

    Args:
        home: The ledger's home.
        row: The job.
        now: The present, with a time zone; only used for owners on other hosts.
    """
    if row.owner is None:
        return True
    if row.host == host_id(home):
        return _released(home / "owners" / f"{row.owner}.lock")
    return row.lease_until is None or row.lease_until < now


def _released(path: Path) -> bool:
    with _GUARD:
        if path.stem in _HELD:
            return False
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            return try_exclusive(descriptor)
        finally:
            os.close(descriptor)


def remove_dead(home: Path) -> int:
    """Removes the lock files of dead owners; returns how many."""
    dead = [path for path in (home / "owners").glob("*.lock") if _released(path)]
    for path in dead:
        path.unlink(missing_ok=True)
    return len(dead)


def host_id(home: Path) -> str:
    """This machine as owners name it: host name and a mark of the home.

    Two containers may share a host name; they share the mark only when they share the folder and its locks.
    """
    if home not in _HOSTS:
        _HOSTS[home] = f"{socket.gethostname()}#{_mark(home / 'owners')}"
    return _HOSTS[home]


def _mark(folder: Path) -> str:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, fresh = folder / "host", folder / f"{secrets.token_hex(8)}.new"
    if not path.exists():
        fresh.write_text(secrets.token_hex(4))
        # A link, not a rename: the first of several racing processes wins and all read its mark.
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text()
