"""Who owns a job, and whether they live: real processes, real locks, real deaths."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from qpm_lab.ledger import OwnerLock, host_id, owner_gone, remove_dead
from tests.ledger.making import NOON

LATER = NOON + timedelta(days=1)
HOLDER = """
import sys, time
from pathlib import Path
from qpm_lab.ledger import OwnerLock
print(OwnerLock(Path(sys.argv[1])).token, flush=True)
time.sleep(60)
"""


@dataclass
class Row:
    """The part of a job that names its owner."""

    owner: str | None
    host: str | None
    lease_until: datetime | None


def row_of(home: Path, token: str | None) -> Row:
    return Row(token, host_id(home), NOON)


def test_the_own_process_lives(home: Path) -> None:
    """Asking about oneself, even through a second lock of the process, drops no lock."""
    first, second = OwnerLock(home), OwnerLock(home)
    row = row_of(home, first.token)
    assert second.token != first.token
    assert not owner_gone(home, row, LATER)
    assert remove_dead(home) == 0
    script = "import sys; from pathlib import Path; from qpm_lab.ledger.owner import _released; "
    script += "sys.exit(_released(Path(sys.argv[1])))"
    path = home / "owners" / f"{first.token}.lock"
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 0
    first.release()
    assert owner_gone(home, row, LATER)
    second.release()


def test_a_killed_process_is_gone_at_once(home: Path) -> None:
    """The operating system drops the lock of a process killed with -9, whatever its lease says."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(home)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        row = row_of(home, child.stdout.readline().strip())
        assert not owner_gone(home, row, LATER)
        assert remove_dead(home) == 0
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert owner_gone(home, row, NOON - timedelta(days=1))
    assert remove_dead(home) == 1
    assert owner_gone(home, row, NOON)


def test_another_host_is_believed_until_its_lease_ends(home: Path) -> None:
    """Locks of other machines cannot be seen, so their time counts."""
    row = Row("token", "elsewhere", NOON)
    assert not owner_gone(home, row, NOON)
    assert owner_gone(home, row, NOON + timedelta(microseconds=1))


def test_a_job_without_an_owner_has_none(home: Path) -> None:
    """No token, nobody to wait for."""
    assert owner_gone(home, row_of(home, None), NOON)


def test_a_forked_child_is_an_owner_of_its_own(home: Path) -> None:
    """The child does not inherit the lock: it gets a new token and sees that the parent lives."""
    lock = OwnerLock(home)
    mine = lock.token
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            alive = not owner_gone(home, row_of(home, mine), LATER)
            os.write(write, f"{lock.token} {alive}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    token, alive = os.read(read, 200).decode().split()
    os.close(read), os.close(write)
    assert token != mine
    assert alive == "True"
    assert lock.token == mine
    assert not owner_gone(home, row_of(home, mine), LATER)
    assert owner_gone(home, row_of(home, token), NOON)
    lock.release()


def test_a_home_has_one_mark(home: Path, tmp_path: Path) -> None:
    """All processes of a home name this machine alike; two homes differ even under one host name."""
    script = (
        "import sys; from pathlib import Path; from qpm_lab.ledger import host_id; print(host_id(Path(sys.argv[1])))"
    )
    told = subprocess.run([sys.executable, "-c", script, str(home)], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == host_id(home)
    assert host_id(home) != host_id(tmp_path / "other")
