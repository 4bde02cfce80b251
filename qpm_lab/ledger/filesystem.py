"""On which kind of file system a folder lies: SQLite's WAL and file locks do not work across a network."""

from __future__ import annotations

import re
from pathlib import Path

from qpm_lab.errors import LedgerError

_NAMES = """
9p afs beegfs ceph cifs coda fuse.ceph fuse.glusterfs fuse.juicefs fuse.rclone fuse.s3fs fuse.sshfs
glusterfs gpfs lustre ncpfs nfs nfs3 nfs4 orangefs panfs pvfs2 smb smb2 smb3 smbfs wekafs
"""
NETWORK = frozenset(_NAMES.split())


def refuse_network_home(home: Path, mounts: Path = Path("/proc/self/mountinfo")) -> None:
    """Refuses a home on a network file system; where mounts cannot be listed, nothing is refused.

    Raises:
        LedgerError: the home lies on a network file system; the hint names the way out.
    """
    try:
        listing = mounts.read_text(errors="surrogateescape")
    except OSError:
        return
    kind = file_system_of(home.resolve(), listing)
    if kind in NETWORK:
        raise LedgerError(
            f"The ledger cannot live in {home}: SQLite loses data on a network ({kind}).",
            "Set QPM_LEDGER_URL to a PostgreSQL database (postgresql://…), or QPM_HOME to a local folder.",
        )


def file_system_of(path: Path, listing: str) -> str:
    """The type of the file system that holds an absolute path.

    Args:
        path: An absolute path without links.
        listing: The text of `/proc/self/mountinfo`; see proc_pid_mountinfo(5).
    """
    best, kind = -1, ""
    for line in listing.splitlines():
        left, _, right = line.partition(" - ")
        fields, details = left.split(" "), right.split(" ")
        if len(fields) < 5:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4]))
        # A later mount on the same point hides the earlier one.
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), details[0]
    return kind
