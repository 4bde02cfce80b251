"""What can be asked of a ledger: every method sees one snapshot, changes nothing and waits for no writer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from qpm_lab.ledger import counters, reading, sessions
from qpm_lab.ledger import usage as sums
from qpm_lab.ledger.database import Database
from qpm_lab.ledger.rows import Counter, Entry, JobRow, SessionRow


class Queries:
    """The reading half of `Ledger`."""

    def __init__(self, home: Path, database: Database) -> None:
        self.home = home
        self._database = database

    def job(self, job_id: str) -> JobRow:
        """A job by its id or an unambiguous beginning of at least six characters; InputError otherwise."""
        with self._database.read() as connection:
            return reading.job(connection, job_id)

    def open_overruns(self) -> list[Entry]:
        """Every `cost.overrun` that nobody has acknowledged since, oldest first."""
        with self._database.read() as connection:
            return reading.open_overruns(connection)

    def jobs(
        self,
        *,
        status: str | None = None,
        experiment: str | None = None,
        text: str | None = None,
        user: str | None = None,
        session: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[JobRow]:
        """A page of jobs, newest first.

        Args:
            status: Only jobs of this status.
            experiment: Only jobs of this experiment.
            text: Only jobs with this text in name, backend, experiment, status or user; case is ignored.
            user: Only jobs of this user.
            session: Only jobs submitted in this session.
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
                session=session,
                before=before,
                limit=limit,
            )

    def attempts(
        self, user: str, fingerprint: str, backend: str, before_entry: int | None = None
    ) -> dict[Literal["passed", "failed"], int]:
        """How many validated jobs of a user with this circuit (their first) on this backend passed and failed.

        Args:
            user: Who submitted them.
            fingerprint: Of the first circuit.
            backend: Where they ran.
            before_entry: Only jobs submitted before this entry; None means all.
        """
        with self._database.read() as connection:
            return reading.attempts(connection, user, fingerprint, backend, before_entry)

    def canaries(self, series: str, limit: int = 10_000) -> list[dict[str, Any]]:
        """The latest completed canaries of a series, at most `limit` (up to 100,000), oldest first.

        Keys of each: job_id, created_at, backend, canary_successes, shots.
        """
        with self._database.read() as connection:
            return reading.canaries(connection, series, limit)

    def open_jobs(self) -> list[JobRow]:
        """All jobs that may still change, newest first."""
        with self._database.read() as connection:
            return reading.open_jobs(connection)

    def session(self, session_id: str) -> SessionRow:
        """A session by its id, or the latest one of that name; InputError when there is none."""
        with self._database.read() as connection:
            return sessions.read(connection, session_id)

    def open_sessions(self) -> list[SessionRow]:
        """All sessions that jobs may draw from, newest first; `owner_gone` says which of them are abandoned."""
        with self._database.read() as connection:
            return sessions.read_open(connection)

    def held(self, holder: str) -> dict[str, int]:
        """What a job or session holds now: counter → amount in the unit of the counter; empty when it has ended."""
        with self._database.read() as connection:
            return {key: held.amount for key, held in counters.held(connection, holder).items()}

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

    def usage(
        self, *, since: datetime | None = None, by: str = "user", session: str | None = None
    ) -> list[dict[str, Any]]:
        """Jobs, shots, cost and run time per user, team, cost_center, project, experiment, backend or day.

        `shots` are those of completed jobs; `cost_nano` maps currency to nano-units; `succeeded` over `jobs` is
        the success rate (M1), `passed` over `validated` the pass rate (M3).

        Args:
            since: Only jobs submitted at this moment or later.
            by: What the rows are grouped by.
            session: Only jobs submitted in this session.
        """
        with self._database.read() as connection:
            return sums.usage(connection, since, by, session)
