"""Appending to the chain, inside one transaction that holds its end."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from qpm_lab.errors import IntegrityError, LedgerError
from qpm_lab.ledger.canonical import ZERO_DIGEST, entry_digest, recorded
from qpm_lab.ledger.direct import execute, rows
from qpm_lab.ledger.rows import Entry, timestamp
from qpm_lab.ledger.schema import entries, head

_EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_READ_HEAD = sa.select(head.c.seq, head.c.digest).where(head.c.id == 1).with_for_update()
_WRITE_HEAD = head.update().where(head.c.id == 1)
_INSERT = entries.insert()


class Chain:
    """The end of the chain. On PostgreSQL its row is locked first of all, so that writers form one queue.

    Raises:
        IntegrityError: the row that marks the end is missing.
    """

    def __init__(self, connection: sa.Connection) -> None:
        found = rows(connection, _READ_HEAD, {})
        if not found:
            raise IntegrityError("The ledger has lost the row that marks its end.", "Restore the ledger from a backup.")
        self._connection = connection
        self._seq: int = found[0][0]
        self._digest: str = found[0][1]
        self._fresh: list[dict[str, Any]] = []

    @classmethod
    def begin(cls, connection: sa.Connection) -> Chain:
        """Makes the row of a new ledger and takes it."""
        connection.execute(head.insert(), {"id": 1, "seq": 0, "digest": ZERO_DIGEST})
        return cls(connection)

    def append(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        job_id: str | None = None,
        attempt: int = 0,
        epoch: int = 0,
    ) -> Entry:
        """Adds an entry; `close` writes it.

        Raises:
            LedgerError: the event's name or the payload cannot be recorded.
        """
        if not _EVENT.fullmatch(event) or len(event) > 64:
            raise LedgerError(f"{event[:80]!r} is no event name.", "Use lower-case words joined by dots.")
        text, parsed = recorded(payload)
        row: dict[str, Any] = {
            "seq": self._seq + 1,
            "at": timestamp(datetime.now(UTC)),
            "event": event,
            "job_id": job_id,
            "attempt": attempt,
            "epoch": epoch,
            "payload": text,
            "prev": self._digest,
        }
        row["digest"] = entry_digest(**row)
        self._seq, self._digest = row["seq"], row["digest"]
        self._fresh.append(row)
        return Entry(**{**row, "payload": parsed})

    def close(self) -> None:
        """Writes what was appended and moves the end."""
        execute(self._connection, _INSERT, self._fresh)
        execute(self._connection, _WRITE_HEAD, {"seq": self._seq, "digest": self._digest})


def entry_of(row: Mapping[str, Any] | sa.RowMapping) -> Entry:
    """An entry from its columns."""
    return Entry(**{**dict(row), "payload": json.loads(row["payload"])})
