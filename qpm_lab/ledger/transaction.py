"""One writing transaction: the end of the chain, the blobs and holds that entries name, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from qpm_lab.errors import LedgerError
from qpm_lab.experiment import Hold, Shortage
from qpm_lab.ledger import counters
from qpm_lab.ledger.chain import Chain
from qpm_lab.ledger.direct import execute, rows
from qpm_lab.ledger.rows import Blob, Entry
from qpm_lab.ledger.schema import blobs, jobs, sessions

MAX_BLOB_BYTES = 1 << 26
_INSERT_BLOB = {
    "sqlite": sqlite.insert(blobs).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(blobs).on_conflict_do_nothing(),
}
_HOLDER: sa.BindParameter[str] = sa.bindparam("p_holder")
_SESSION = sa.select(sessions.c.status).where(sessions.c.session_id == sa.bindparam("p_session"))
_KNOWN = sa.select(
    sa.exists().where(jobs.c.job_id == _HOLDER).label("job"),
    sa.exists().where(sessions.c.session_id == _HOLDER).label("session"),
    _SESSION.scalar_subquery().label("standing"),
)


class Abandoned(Exception):
    """Ends a transaction without effect; `shortages` is what did not fit."""

    def __init__(self, shortages: tuple[Shortage, ...] = ()) -> None:
        super().__init__()
        self.shortages = shortages


class Transaction:
    """What every kind of entry needs; the subclasses say what a job and a session do."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._chain = Chain(connection)
        self._kept: list[dict[str, Any]] = []

    def note(self, event: str, payload: Mapping[str, Any]) -> Entry:
        entry = self._append(event, payload)
        self._close()
        return entry

    def _require_new(self, holder: str, session_id: str | None = None) -> str | None:
        """Makes sure that no job or session has this id; returns how the session named stands, if there is one."""
        ((job, session, standing),) = rows(self._connection, _KNOWN, {"p_holder": holder, "p_session": session_id})
        if job or session:
            what = "job" if job else "session"
            hint = "Give each job and each session an id of its own."
            raise LedgerError(f"The ledger already has a {what} {holder[:80]!r}.", hint)
        return None if standing is None else str(standing)

    def _reserve(
        self, holder: str, facts: Sequence[dict[str, Any]], holds: Sequence[Hold], session_id: str | None = None
    ) -> None:
        shortages = counters.reserve(self._connection, holder, facts, holds, session_id)
        if shortages:
            raise Abandoned(shortages)

    def _append(
        self,
        event: str,
        payload: Mapping[str, Any],
        told: Mapping[str, Any] | None = None,
        *,
        kept: Sequence[Blob] = (),
        facts: Sequence[dict[str, Any]] | None = None,
        job_id: str | None = None,
        place: tuple[int, int] = (0, 0),
    ) -> Entry:
        """Adds an entry to the chain; `_close` writes it.

        Args:
            event: What happened.
            payload: What the caller says.
            told: What the ledger says, under the key `ledger`.
            kept: Blobs the entry names.
            facts: Holds as `counters.hold_facts` gives them.
            job_id: The job it belongs to.
            place: Attempt and epoch of the job.
        """
        full = _unreserved(payload)
        if facts is not None:
            full["holds"] = facts
        if told or kept:
            full["ledger"] = dict(told or {})
        if kept:
            full["ledger"]["blobs"] = self._keep(kept)
        return self._chain.append(event, full, job_id=job_id, attempt=place[0], epoch=place[1])

    def _keep(self, kept: Sequence[Blob]) -> list[dict[str, Any]]:
        for blob in kept:
            if len(blob.data) > MAX_BLOB_BYTES:
                raise LedgerError(
                    f"The {blob.kind} has {len(blob.data):,} bytes; the most is {MAX_BLOB_BYTES:,}.",
                    "Split the job into smaller ones.",
                )
        named = [{"kind": blob.kind, "digest": blob.digest, "bytes": len(blob.data)} for blob in kept]
        self._kept += [{"digest": name["digest"], "data": blob.data} for name, blob in zip(named, kept, strict=True)]
        return named

    def _close(self) -> None:
        """Writes the entries and the blobs they name."""
        if self._kept:
            execute(self._connection, _INSERT_BLOB[self._connection.dialect.name], self._kept)
        self._chain.close()


def _unreserved(payload: Mapping[str, Any]) -> dict[str, Any]:
    taken = {"ledger", "holds"} & set(payload)
    if taken:
        raise LedgerError(
            f"A payload cannot have the key {min(taken)!r}.",
            "`ledger` and `holds` are written by the ledger itself.",
        )
    return dict(payload)
