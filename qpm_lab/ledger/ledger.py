"""The ledger: what happened, append-only and hash-chained, with the quota counters that depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from qpm_lab.errors import LedgerError
from qpm_lab.experiment import Hold, Shortage, Status
from qpm_lab.ledger import proof, reading, writing
from qpm_lab.ledger import usage as sums
from qpm_lab.ledger.chain import Chain
from qpm_lab.ledger.database import Database
from qpm_lab.ledger.opening import open_database, record_key
from qpm_lab.ledger.projection import OUTCOMES, REFUSALS, RESERVED_EVENTS
from qpm_lab.ledger.rows import Blob, Counter, Entry, JobRow, NewJob, Owner
from qpm_lab.ledger.verify import Report, verify

T = TypeVar("T")


class Ledger:
    """One ledger, opened with `Ledger.open`; safe to use from several threads and after a fork.

    Each writing method is one transaction: it appends its entries and moves the projections with them, or
    changes nothing. Reading methods see a snapshot and wait for no writer.
    """

    def __init__(self, home: Path, database: Database) -> None:
        self.home = home
        self._database = database

    @classmethod
    def open(cls, home: Path, url: str | None = None) -> Ledger:
        """Opens the ledger of a home, making or migrating it when needed.

        Args:
            home: Folder of the ledger, its signing key and its locks; made with mode 0700 when missing.
            url: A PostgreSQL URL; None means SQLite, in `home/ledger.db`.

        Raises:
            LedgerError: the place cannot be used, lies on a network file system, or holds a newer ledger.
            IntegrityError: the file is damaged or no database.
        """
        home = home.expanduser().absolute()
        return cls(home, open_database(home, url))

    def close(self) -> None:
        """Closes the connections; the ledger opens new ones if it is used again."""
        self._database.close()

    def submit(
        self,
        job: NewJob,
        payload: Mapping[str, Any],
        holds: Sequence[Hold],
        owner: Owner,
        *,
        blobs: Sequence[Blob] = (),
        started: bool = False,
    ) -> Entry | tuple[Shortage, ...]:
        """Reserves all holds and records the intent, or returns every hold that does not fit.

        Appends `job.submitted`, whose payload gets `holds`; with `started` also `job.started`, whose entry is
        then the one returned. The job begins at attempt 1 and epoch 1.

        Raises:
            LedgerError: a value cannot be recorded, or the job id is taken.
        """
        return self._reserving(lambda t: t.submit(job, payload, holds, owner, blobs, started))

    def refuse(
        self,
        job: NewJob,
        payload: Mapping[str, Any],
        *,
        status: Status = Status.DENIED,
        blobs: Sequence[Blob] = (),
    ) -> Entry:
        """Records a job that may not run: `job.denied` or `job.awaiting_approval`."""
        events = [event for event, meaning in REFUSALS.items() if meaning == status]
        if not events:
            raise LedgerError(f"A job cannot be refused as {status!r}.", "Use denied or awaiting_approval.")
        return self._write(lambda t: t.refuse(job, payload, events[0], blobs))

    def start(
        self, job_id: str, epoch: int, payload: Mapping[str, Any], *, vendor_id: str | None = None
    ) -> Entry | None:
        """Appends `job.started`; None when the job runs already, is closed, or has another epoch."""
        return self._conditional(lambda t: t.start(job_id, epoch, payload, vendor_id))

    def finish(
        self,
        job_id: str,
        epoch: int,
        event: str,
        payload: Mapping[str, Any],
        *,
        settled: Mapping[str, int] | None,
        summary: Mapping[str, Any] | None = None,
        blobs: Sequence[Blob] = (),
    ) -> Entry | None:
        """Closes a job and settles its holds, each in the window in which it was made.

        Args:
            job_id: The job.
            epoch: The epoch the caller works in.
            event: `job.completed`, `job.failed` or `job.cancelled`.
            payload: What the entry says.
            settled: Actual amount for every counter held; None releases everything. An amount above its hold
                is recorded, with an entry `cost.overrun` before the outcome's.
            summary: Columns for lists: cost_nano, currency, fidelity_low, fidelity_high, run_seconds, error.
            blobs: Kept with the entry.

        Returns:
            The outcome's entry; None, with nothing changed, when the job is closed or has another epoch.
        """
        if event not in OUTCOMES:
            raise LedgerError(f"A job cannot end with {event[:80]!r}.", f"Use one of {', '.join(OUTCOMES)}.")
        return self._conditional(lambda t: t.finish(job_id, epoch, event, payload, settled, summary or {}, blobs))

    def retry(
        self, job_id: str, epoch: int, payload: Mapping[str, Any], holds: Sequence[Hold]
    ) -> Entry | tuple[Shortage, ...] | None:
        """Begins the next attempt: releases the earlier holds and reserves these, or changes nothing."""
        return self._reserving(lambda t: t.retry(job_id, epoch, payload, holds)) or None

    def request_cancel(self, job_id: str, by: str) -> Entry | None:
        """Asks the owner to cancel; None when the job is closed. Asking again returns the first request."""
        return self._conditional(lambda t: t.request_cancel(job_id, by))

    def renew(self, job_id: str, epoch: int, lease_until: datetime) -> bool:
        """Prolongs the lease of an open job; appends nothing."""
        with self._database.write() as connection:
            return writing.renew(connection, job_id, epoch, lease_until)

    def take_over(self, job_id: str, epoch: int, owner: Owner) -> int | None:
        """Gives an open job to a new owner and returns the raised epoch; None when someone else was faster.

        The caller has made sure, with `owner_gone`, that the present owner no longer lives.
        """
        return self._conditional(lambda t: t.take_over(job_id, epoch, owner))

    def note(self, event: str, payload: Mapping[str, Any], *, job_id: str | None = None) -> Entry:
        """Appends any other event, for example `validation.passed`."""
        if event in RESERVED_EVENTS:
            raise LedgerError(f"{event!r} cannot be noted.", "The method that changes the job appends it.")
        return self._write(lambda t: t.note(event, payload, job_id))

    def job(self, job_id: str) -> JobRow:
        """A job by its id or an unambiguous beginning of at least six characters; InputError otherwise."""
        with self._database.read() as connection:
            return reading.job(connection, job_id)

    def jobs(
        self,
        *,
        status: str | None = None,
        experiment: str | None = None,
        text: str | None = None,
        user: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[JobRow]:
        """A page of jobs, newest first.

        Args:
            status: Only jobs of this status.
            experiment: Only jobs of this experiment.
            text: Only jobs with this text in name, backend, experiment, status or user; case is ignored.
            user: Only jobs of this user.
            before: Id of the last job of the page before.
            limit: At most so many, up to 1000.
        """
        with self._database.read() as connection:
            return reading.page(
                connection,
                status=status,
                experiment=experiment,
                text=text,
                user=user,
                before=before,
                limit=limit,
            )

    def open_jobs(self) -> list[JobRow]:
        """All jobs that may still change, newest first."""
        with self._database.read() as connection:
            return reading.open_jobs(connection)

    def cancel_requested(self, job_id: str) -> bool:
        """Whether someone asked to cancel; cheap enough to ask several times a second."""
        with self._database.read() as connection:
            return reading.cancel_requested(connection, job_id)

    def entries(self, job_id: str) -> list[Entry]:
        """All entries of a job, oldest first."""
        with self._database.read() as connection:
            return reading.entries_of(connection, job_id)

    def entry(self, seq: int) -> Entry:
        """One entry by its number; InputError when there is none."""
        with self._database.read() as connection:
            return reading.entry(connection, seq)

    def tail(self, after: int, limit: int = 500) -> list[Entry]:
        """The entries that follow entry `after`, oldest first, at most 1000 at a time."""
        with self._database.read() as connection:
            return reading.tail(connection, after, limit)

    def head(self) -> tuple[int, str]:
        """Number and digest of the last entry."""
        with self._database.read() as connection:
            return reading.end(connection)

    def counters(self, keys: Sequence[str]) -> dict[str, Counter]:
        """Counters by key; those that nothing was ever held on are absent."""
        with self._database.read() as connection:
            return reading.counters_named(connection, keys)

    def all_counters(self, *, at: datetime) -> list[Counter]:
        """The counters whose window contains a moment, and those without a calendar window."""
        with self._database.read() as connection:
            return reading.counters_at(connection, at)

    def blob(self, digest: str) -> bytes:
        """Bytes by their digest.

        Raises:
            InputError: there is no such blob.
            IntegrityError: the bytes do not match the digest.
        """
        with self._database.read() as connection:
            return reading.blob(connection, digest)

    def usage(self, *, since: datetime | None = None, by: str = "user") -> list[dict[str, Any]]:
        """Jobs, shots, cost and run time per user, team, cost_center, project, experiment, backend or day.

        `shots` are those of completed jobs; `cost_nano` maps currency to nano-units.
        """
        with self._database.read() as connection:
            return sums.usage(connection, since, by)

    def verify(self, checkpoint: str | None = None, public_key: bytes | None = None) -> Report:
        """Replays everything: chain, digests, blobs, counters, reservations and jobs, in one snapshot.

        Args:
            checkpoint: A signed note kept elsewhere; detects that the end was cut off or the past rewritten.
            public_key: The key that must have signed it; None means any key the ledger records.
        """
        with self._database.read() as connection:
            return verify(connection, checkpoint, public_key)

    def checkpoint(self) -> str:
        """A signed note over all entries (C2SP tlog-checkpoint), to be kept out of the owner's reach."""
        self._record_key()
        with self._database.read() as connection:
            return proof.checkpoint(connection, self.home)

    def prove(self, seq: int) -> proof.InclusionProof:
        """The proof that an entry is under a checkpoint of this moment; see `verify_inclusion`."""
        self._record_key()
        with self._database.read() as connection:
            return proof.prove(connection, self.home, seq)

    def _record_key(self) -> None:
        with self._database.read() as connection:
            if proof.key_recorded(connection, self.home):
                return
        with self._database.write() as connection:
            record_key(Chain(connection), self.home)

    def _write(self, action: Callable[[writing.Transaction], T]) -> T:
        with self._database.write() as connection:
            return action(writing.Transaction(connection))

    def _conditional(self, action: Callable[[writing.Transaction], T]) -> T | None:
        try:
            return self._write(action)
        except writing.Abandoned:
            return None

    def _reserving(self, action: Callable[[writing.Transaction], T]) -> T | tuple[Shortage, ...]:
        try:
            return self._write(action)
        except writing.Abandoned as abandoned:
            return abandoned.shortages
