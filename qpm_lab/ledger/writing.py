"""The transactions of a job: each changes the chain and its projections together, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from qpm_lab.errors import InputError, LedgerError
from qpm_lab.experiment import OPEN, Hold, Shortage, Status
from qpm_lab.ledger import counters, projection
from qpm_lab.ledger.chain import Chain, entry_of
from qpm_lab.ledger.rows import Blob, Entry, NewJob, Owner, timestamp
from qpm_lab.ledger.schema import blobs, entries, jobs

MAX_BLOB_BYTES = 1 << 26

_JOB = jobs.c.job_id == sa.bindparam("p_job")
_STANDING = sa.select(jobs.c.status, jobs.c.attempt, jobs.c.epoch, jobs.c.cancel_requested).where(_JOB)
_CANCEL = (
    sa.select(entries)
    .where(entries.c.job_id == sa.bindparam("p_job"), entries.c.event == "job.cancel_requested")
    .order_by(entries.c.seq)
    .limit(1)
)
_UPDATE_JOB = jobs.update().where(_JOB)
_INSERT_JOB = jobs.insert()
_RENEW = jobs.update().where(_JOB, jobs.c.epoch == sa.bindparam("p_epoch"), jobs.c.status.in_(sorted(OPEN)))
_INSERT_BLOB = {
    "sqlite": sqlite.insert(blobs).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(blobs).on_conflict_do_nothing(),
}


class Abandoned(Exception):
    """Ends a transaction without effect; `shortages` is what did not fit."""

    def __init__(self, shortages: tuple[Shortage, ...] = ()) -> None:
        super().__init__()
        self.shortages = shortages


class Transaction:
    """One writing transaction: the end of the chain, and the projections that move with it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._chain = Chain(connection)

    def submit(
        self,
        job: NewJob,
        payload: Mapping[str, Any],
        holds: Sequence[Hold],
        owner: Owner,
        kept: Sequence[Blob],
        started: bool,
    ) -> Entry:
        facts = counters.hold_facts(holds)
        told = {"job": projection.job_facts(job), "owner": projection.owner_facts(owner)}
        self._require_new(job.job_id)
        self._reserve(job.job_id, facts, holds)
        entry = self._append("job.submitted", payload, job.job_id, (1, 1), told, kept, facts)
        row = projection.job_changes(entry) | {"lease_until": timestamp(owner.lease_until)}
        if started:
            entry = self._append("job.started", {}, job.job_id, (1, 1), {"vendor_id": None})
            row |= projection.job_changes(entry)
        self._connection.execute(_INSERT_JOB, row)
        self._chain.close()
        return entry

    def refuse(self, job: NewJob, payload: Mapping[str, Any], event: str, kept: Sequence[Blob]) -> Entry:
        told = {"job": projection.job_facts(job)}
        self._require_new(job.job_id)
        entry = self._append(event, payload, job.job_id, (1, 1), told, kept)
        self._connection.execute(_INSERT_JOB, projection.job_changes(entry) | {"lease_until": None})
        self._chain.close()
        return entry

    def start(self, job_id: str, epoch: int, payload: Mapping[str, Any], vendor_id: str | None) -> Entry:
        standing = self._open(job_id, epoch)
        if standing.status == Status.RUNNING:
            raise Abandoned
        return self._move("job.started", payload, job_id, standing, {"vendor_id": vendor_id})

    def finish(
        self,
        job_id: str,
        epoch: int,
        event: str,
        payload: Mapping[str, Any],
        settled: Mapping[str, int] | None,
        summary: Mapping[str, Any],
        kept: Sequence[Blob],
    ) -> Entry:
        standing = self._open(job_id, epoch)
        holding = counters.held(self._connection, job_id)
        amounts = counters.settlement(holding, settled)
        counters.settle(self._connection, job_id, holding, amounts)
        for key in holding:
            if amounts[key] > holding[key]:
                overrun = {"counter": key, "held": holding[key], "settled": amounts[key]}
                self._append("cost.overrun", overrun, job_id, (standing.attempt, standing.epoch))
        told = {"settled": amounts, "summary": projection.summary_facts(dict(summary))}
        return self._move(event, payload, job_id, standing, told, kept)

    def retry(self, job_id: str, epoch: int, payload: Mapping[str, Any], holds: Sequence[Hold]) -> Entry:
        standing = self._open(job_id, epoch)
        facts = counters.hold_facts(holds)
        holding = counters.held(self._connection, job_id)
        counters.settle(self._connection, job_id, holding, dict.fromkeys(holding, 0))
        self._reserve(job_id, facts, holds)
        place = (standing.attempt + 1, standing.epoch)
        return self._update(self._append("job.retried", payload, job_id, place, {}, (), facts))

    def request_cancel(self, job_id: str, by: str) -> Entry:
        standing = self._standing(job_id)
        if standing.status not in OPEN:
            raise Abandoned
        if standing.cancel_requested:
            return entry_of(self._connection.execute(_CANCEL, {"p_job": job_id}).mappings().one())
        return self._move("job.cancel_requested", {"by": by}, job_id, standing)

    def take_over(self, job_id: str, epoch: int, owner: Owner) -> int:
        place = (self._open(job_id, epoch).attempt, epoch + 1)
        told = {"owner": projection.owner_facts(owner)}
        entry = self._append("job.taken_over", {}, job_id, place, told)
        self._update(entry, lease_until=timestamp(owner.lease_until))
        return entry.epoch

    def note(self, event: str, payload: Mapping[str, Any], job_id: str | None) -> Entry:
        if job_id is not None:
            return self._move(event, payload, job_id, self._standing(job_id))
        entry = self._chain.append(event, _unreserved(payload))
        self._chain.close()
        return entry

    def _standing(self, job_id: str) -> sa.Row[Any, Any, Any, Any]:
        row = self._connection.execute(_STANDING, {"p_job": job_id}).one_or_none()
        if row is None:
            raise InputError(f"There is no job {job_id[:80]!r}.", "List the jobs with `qpm jobs` or %qjobs.")
        return row

    def _open(self, job_id: str, epoch: int) -> sa.Row[Any, Any, Any, Any]:
        standing = self._standing(job_id)
        if standing.status not in OPEN or standing.epoch != epoch:
            raise Abandoned
        return standing

    def _reserve(self, job_id: str, facts: Sequence[dict[str, Any]], holds: Sequence[Hold]) -> None:
        shortages = counters.reserve(self._connection, job_id, facts, holds)
        if shortages:
            raise Abandoned(shortages)

    def _append(
        self,
        event: str,
        payload: Mapping[str, Any],
        job_id: str,
        place: tuple[int, int],
        told: Mapping[str, Any] | None = None,
        kept: Sequence[Blob] = (),
        facts: Sequence[dict[str, Any]] | None = None,
    ) -> Entry:
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
        rows = [{"digest": name["digest"], "data": blob.data} for name, blob in zip(named, kept, strict=True)]
        self._connection.execute(_INSERT_BLOB[self._connection.dialect.name], rows)
        return named

    def _move(
        self,
        event: str,
        payload: Mapping[str, Any],
        job_id: str,
        standing: sa.Row[Any, Any, Any, Any],
        told: Mapping[str, Any] | None = None,
        kept: Sequence[Blob] = (),
    ) -> Entry:
        return self._update(self._append(event, payload, job_id, (standing.attempt, standing.epoch), told, kept))

    def _update(self, entry: Entry, **more: Any) -> Entry:
        changes = projection.job_changes(entry) | more
        self._connection.execute(_UPDATE_JOB, {"p_job": entry.job_id} | changes)
        self._chain.close()
        return entry

    def _require_new(self, job_id: str) -> None:
        if self._connection.execute(_STANDING, {"p_job": job_id}).one_or_none() is not None:
            raise LedgerError(f"The ledger already has a job {job_id!r}.", "Give each job an id of its own.")


def _unreserved(payload: Mapping[str, Any]) -> dict[str, Any]:
    taken = {"ledger", "holds"} & set(payload)
    if taken:
        raise LedgerError(
            f"A payload cannot have the key {min(taken)!r}.",
            "`ledger` and `holds` are written by the ledger itself.",
        )
    return dict(payload)


def renew(connection: sa.Connection, job_id: str, epoch: int, lease_until: datetime) -> bool:
    """Moves a lease, if the job is open in this epoch; needs no entry and not the end of the chain."""
    values = {"p_job": job_id, "p_epoch": epoch, "lease_until": timestamp(lease_until)}
    return connection.execute(_RENEW, values).rowcount == 1
