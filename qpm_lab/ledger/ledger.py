"""The ledger: what happened, append-only and hash-chained, with the quota counters that depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from qpm_lab.errors import LedgerError
from qpm_lab.experiment import Hold, Shortage, Status
from qpm_lab.ledger import proof, sessions, writing
from qpm_lab.ledger.chain import Chain
from qpm_lab.ledger.opening import open_database, record_key
from qpm_lab.ledger.projection import OUTCOMES, REFUSALS, require_free
from qpm_lab.ledger.queries import Queries
from qpm_lab.ledger.reading import ACKNOWLEDGED
from qpm_lab.ledger.rows import Blob, Ending, Entry, NewJob, NewSession, Owner, Retried
from qpm_lab.ledger.sessions import SessionTransaction
from qpm_lab.ledger.transaction import Abandoned, Transaction
from qpm_lab.ledger.verify import Report, verify
from qpm_lab.ledger.writing import JobTransaction

T = TypeVar("T")


class Ledger(Queries):
    """One ledger, opened with `Ledger.open`; safe to use from several threads and after a fork.

    Each writing method is one transaction: it appends its entries and moves the projections with them, or
    changes nothing. Reading methods see a snapshot and wait for no writer.
    """

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

        A job with a `session_id` draws each hold that the session's envelope covers as a whole from there,
        whatever the counter's limit is now, and the entry's hold then has `"drawn": true`; any other hold is
        taken from its counter.

        Raises:
            LedgerError: a value cannot be recorded, the job id is taken, or the session has ended.
            InputError: there is no such session.
        """
        return self._reserving(lambda c: JobTransaction(c).submit(job, payload, holds, owner, blobs, started))

    def submit_ended(
        self,
        job: NewJob,
        payload: Mapping[str, Any],
        holds: Sequence[Hold],
        owner: Owner,
        ending: Ending,
        *,
        blobs: Sequence[Blob] = (),
    ) -> Entry | tuple[Shortage, ...]:
        """Records a job that has already run, for quick local ones: `submit` and `finish` in one transaction.

        Appends `job.submitted`, `job.started` and the outcome, and returns the latter; or returns every hold
        that does not fit, with nothing recorded. A job that is killed before has left no trace.

        Raises:
            LedgerError: as `submit` and `finish`.
            InputError: there is no such session.
        """
        _outcome(ending.event)
        return self._reserving(lambda c: JobTransaction(c).submit_ended(job, payload, holds, owner, ending, blobs))

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
        return self._write(lambda c: JobTransaction(c).refuse(job, payload, events[0], blobs))

    def start(
        self, job_id: str, epoch: int, payload: Mapping[str, Any], *, vendor_id: str | None = None
    ) -> Entry | None:
        """Appends `job.started`; None when the job runs already, is closed, or has another epoch."""
        return self._conditional(lambda c: JobTransaction(c).start(job_id, epoch, payload, vendor_id))

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
        further: Sequence[tuple[str, Mapping[str, Any]]] = (),
    ) -> Entry | None:
        """Closes a job and settles its holds, each in the window in which it was made.

        Args:
            job_id: The job.
            epoch: The epoch the caller works in.
            event: `job.completed`, `job.failed` or `job.cancelled`.
            payload: What the entry says.
            settled: Actual amount for every counter held; None releases everything. An amount above its hold
                is recorded, with an entry `cost.overrun` before the outcome's.
            summary: Columns for lists: cost_nano, currency, fidelity_low, fidelity_high, run_seconds, error,
                validation (`passed` or `failed`), canary_successes.
            blobs: Kept with the entry.
            further: Event and payload of entries that follow the outcome's at once, none of them a job's or the
                ledger's own.

        Returns:
            The outcome's entry; None, with nothing changed, when the job is closed or has another epoch.
        """
        ending = Ending(_outcome(event), payload, settled, summary or {}, blobs, further=further)
        return self._conditional(lambda c: JobTransaction(c).finish(job_id, epoch, ending))

    def accepted(self, job_id: str, epoch: int, payload: Mapping[str, Any], vendor_id: str) -> Entry | None:
        """Appends `job.accepted`: the vendor took a part of the job; None when it is closed or has another epoch.

        Args:
            job_id: The job.
            epoch: The epoch the caller works in.
            payload: `part`, `token` and `vendor_id` of the part.
            vendor_id: What lists show: the id of the first part.
        """
        return self._conditional(lambda c: JobTransaction(c).accepted(job_id, epoch, payload, vendor_id))

    def park(self, job_id: str, epoch: int, payload: Mapping[str, Any]) -> Entry | None:
        """Appends `job.parked`: it keeps what it holds until a person says what became of it."""
        return self._conditional(lambda c: JobTransaction(c).park(job_id, epoch, payload))

    def unpark(self, job_id: str, payload: Mapping[str, Any], owner: Owner) -> Entry | None:
        """Appends `job.unparked` and gives the job to `owner` in a new epoch; None when it is not parked."""
        return self._conditional(lambda c: JobTransaction(c).unpark(job_id, payload, owner))

    def retry(
        self,
        job_id: str,
        epoch: int,
        payload: Mapping[str, Any],
        holds: Sequence[Hold],
        *,
        settled: Mapping[str, int] | None = None,
        backend: str = "",
        blobs: Sequence[Blob] = (),
    ) -> Entry | tuple[Shortage, ...] | None:
        """Begins the next attempt: settles the earlier holds and reserves these, or changes nothing.

        A job of a session draws afresh; when the session has ended, its counters are what remains.

        Args:
            job_id: The job.
            epoch: The epoch the caller works in.
            payload: What the entry says.
            holds: Of the attempt that begins.
            settled: What the attempt that ended has used, for every counter it held; None releases everything.
            backend: Where the new attempt runs, when that is another backend.
            blobs: Kept with the entry.
        """
        retried = Retried(payload, holds, settled, backend, blobs)
        return self._reserving(lambda c: JobTransaction(c).retry(job_id, epoch, retried)) or None

    def open_session(
        self, session: NewSession, payload: Mapping[str, Any], holds: Sequence[Hold], owner: Owner
    ) -> Entry | tuple[Shortage, ...]:
        """Reserves an envelope for the jobs to come, or returns every hold that does not fit.

        Appends `session.opened`, whose payload gets `holds`. The session holds them until jobs draw them or it
        is closed, by its owner or, when that is gone, by whoever finds it.

        Raises:
            LedgerError: a value cannot be recorded, or a job or session has this id.
        """
        return self._reserving(lambda c: SessionTransaction(c).open(session, payload, holds, owner))

    def close_session(self, session_id: str, payload: Mapping[str, Any]) -> Entry | None:
        """Releases what the session still holds; None when it is closed already.

        Appends `session.closed`, whose payload says under `ledger` how much of which counter was `released`.
        What its open jobs drew stays theirs and is released when they end.

        Raises:
            InputError: there is no such session.
        """
        return self._conditional(lambda c: SessionTransaction(c).close(session_id, payload))

    def renew_session(self, session_id: str, lease_until: datetime) -> bool:
        """Prolongs the lease of an open session; appends nothing."""
        with self._database.write() as connection:
            return sessions.renew(connection, session_id, lease_until)

    def request_cancel(self, job_id: str, by: str) -> Entry | None:
        """Asks the owner to cancel; None when the job is closed. Asking again returns the first request."""
        return self._conditional(lambda c: JobTransaction(c).request_cancel(job_id, by))

    def renew(self, job_id: str, epoch: int, lease_until: datetime, standing: str | None = None) -> bool:
        """Prolongs the lease of an open job, and says how it stands at its vendor; appends nothing."""
        with self._database.write() as connection:
            return writing.renew(connection, job_id, epoch, lease_until, standing)

    def take_over(self, job_id: str, epoch: int, owner: Owner) -> int | None:
        """Gives an open job to a new owner and returns the raised epoch; None when someone else was faster.

        The caller has made sure, with `owner_gone`, that the present owner no longer lives.
        """
        return self._conditional(lambda c: JobTransaction(c).take_over(job_id, epoch, owner))

    def note(self, event: str, payload: Mapping[str, Any], *, job_id: str | None = None) -> Entry:
        """Appends any other event, for example `validation.passed`."""
        require_free(event)
        if job_id is None:
            return self._write(lambda c: Transaction(c).note(event, payload))
        return self._write(lambda c: JobTransaction(c).note_on(job_id, event, payload))

    def acknowledge_overruns(self, job_id: str, payload: Mapping[str, Any]) -> Entry:
        """Appends `cost.overrun_acknowledged`: somebody has looked at what the job cost above its reservation."""
        return self._write(lambda c: JobTransaction(c).note_on(job_id, ACKNOWLEDGED, payload))

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

    def _write(self, action: Callable[[sa.Connection], T]) -> T:
        with self._database.write() as connection:
            return action(connection)

    def _conditional(self, action: Callable[[sa.Connection], T]) -> T | None:
        try:
            return self._write(action)
        except Abandoned:
            return None

    def _reserving(self, action: Callable[[sa.Connection], T]) -> T | tuple[Shortage, ...]:
        try:
            return self._write(action)
        except Abandoned as abandoned:
            return abandoned.shortages


def _outcome(event: str) -> str:
    if event not in OUTCOMES:
        raise LedgerError(f"A job cannot end with {event[:80]!r}.", f"Use one of {', '.join(OUTCOMES)}.")
    return event
