"""Plain reads: one job, pages of jobs, entries, counters, blobs. None waits for a writer."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from qpm_lab.errors import InputError, IntegrityError
from qpm_lab.experiment import OPEN
from qpm_lab.ledger.chain import entry_of
from qpm_lab.ledger.counters import whole_seconds
from qpm_lab.ledger.rows import Counter, Entry, JobRow, sha256
from qpm_lab.ledger.schema import blobs, counters, entries, head, jobs

MIN_PREFIX = 6
MAX_PAGE = 1000
MAX_CANARIES = 100_000
ACKNOWLEDGED = "cost.overrun_acknowledged"
"""Noted on a job once a person has looked at what it cost above its reservation."""
_SEARCHED = ("name", "backend", "experiment", "status", "user")
_JOB = sa.select(jobs).where(jobs.c.job_id == sa.bindparam("p_job"))
_CANCEL = sa.select(jobs.c.cancel_requested).where(jobs.c.job_id == sa.bindparam("p_job"))
_OPEN = sa.select(jobs).where(jobs.c.status.in_(sorted(OPEN))).order_by(jobs.c.first_entry.desc())
_OF_JOB = sa.select(entries).where(entries.c.job_id == sa.bindparam("p_job")).order_by(entries.c.seq)
_ENTRY = sa.select(entries).where(entries.c.seq == sa.bindparam("p_seq"))
_TAIL = (
    sa.select(entries)
    .where(entries.c.seq > sa.bindparam("p_after"))
    .order_by(entries.c.seq)
    .limit(sa.bindparam("p_limit"))
)

# Both name the condition of their partial index, or the databases would not use it.
_ATTEMPTS = sa.select(
    sa.func.count().filter(jobs.c.validation == "passed"), sa.func.count().filter(jobs.c.validation == "failed")
).where(
    jobs.c.validation.is_not(None),
    jobs.c.user == sa.bindparam("p_user"),
    jobs.c.fingerprint == sa.bindparam("p_fingerprint"),
    jobs.c.backend == sa.bindparam("p_backend"),
    jobs.c.first_entry < sa.bindparam("p_before"),
)
_CANARIES = (
    sa.select(jobs.c.job_id, jobs.c.created_at, jobs.c.backend, jobs.c.canary_successes, jobs.c.shots)
    .where(jobs.c.canary.is_not(None), jobs.c.canary == sa.bindparam("p_series"), jobs.c.canary_successes.is_not(None))
    .order_by(jobs.c.first_entry.desc())
    .limit(sa.bindparam("p_limit"))
)
_LAST = (1 << 63) - 1
_SEEN = entries.alias("seen")
# The event is written out: it has to be what the condition of the partial index says.
_OVERRUNS = (
    sa.select(entries)
    .where(
        entries.c.event == sa.literal_column("'cost.overrun'"),
        ~sa.exists().where(
            _SEEN.c.job_id == entries.c.job_id, _SEEN.c.event == ACKNOWLEDGED, _SEEN.c.seq > entries.c.seq
        ),
    )
    .order_by(entries.c.seq)
)


def open_overruns(connection: sa.Connection) -> list[Entry]:
    return [entry_of(row) for row in connection.execute(_OVERRUNS).mappings()]


def job(connection: sa.Connection, job_id: str) -> JobRow:
    row = connection.execute(_JOB, {"p_job": job_id}).mappings().one_or_none()
    return _job(row) if row is not None else _job(_by_prefix(connection, job_id))


def _by_prefix(connection: sa.Connection, prefix: str) -> sa.RowMapping:
    found: Sequence[sa.RowMapping] = []
    if len(prefix) >= MIN_PREFIX:
        matches = sa.select(jobs).where(jobs.c.job_id.startswith(prefix, autoescape=True))
        found = connection.execute(matches.order_by(jobs.c.first_entry.desc()).limit(4)).mappings().all()
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(str(row["job_id"]) for row in found[:3])
        raise InputError(f"Several jobs begin with {prefix[:80]!r}.", f"Give more of the id, for example {names}.")
    raise InputError(f"There is no job {prefix[:80]!r}.", _near(connection, prefix))


def _near(connection: sa.Connection, job_id: str) -> str:
    latest = sa.select(jobs.c.job_id).order_by(jobs.c.first_entry.desc()).limit(500)
    near = difflib.get_close_matches(job_id[:80], connection.scalars(latest).all(), n=3, cutoff=0.8)
    listing = "List the jobs with `qpm jobs` or %qjobs."
    return f"Did you mean {' or '.join(near)}? {listing}" if near else listing


def page(
    connection: sa.Connection,
    *,
    status: str | None,
    experiment: str | None,
    text: str | None,
    user: str | None,
    session: str | None,
    before: str | None,
    limit: int,
) -> list[JobRow]:
    query = sa.select(jobs).order_by(jobs.c.first_entry.desc()).limit(max(0, min(limit, MAX_PAGE)))
    wanted = {"status": status, "experiment": experiment, "user": user, "session_id": session}
    for name, value in wanted.items():
        if value is not None:
            query = query.where(jobs.c[name] == value)
    if text:
        query = query.where(sa.or_(*(jobs.c[name].icontains(text, autoescape=True) for name in _SEARCHED)))
    if before is not None:
        query = query.where(jobs.c.first_entry < job(connection, before).first_entry)
    return [_job(row) for row in connection.execute(query).mappings()]


def open_jobs(connection: sa.Connection) -> list[JobRow]:
    return [_job(row) for row in connection.execute(_OPEN).mappings()]


def attempts(
    connection: sa.Connection, user: str, fingerprint: str, backend: str, before_entry: int | None
) -> dict[Literal["passed", "failed"], int]:
    before = _LAST if before_entry is None else before_entry
    values = {"p_user": user, "p_fingerprint": fingerprint, "p_backend": backend, "p_before": before}
    passed, failed = connection.execute(_ATTEMPTS, values).one()
    return {"passed": passed, "failed": failed}


def canaries(connection: sa.Connection, series: str, limit: int) -> list[dict[str, Any]]:
    values = {"p_series": series, "p_limit": max(0, min(limit, MAX_CANARIES))}
    return [dict(row) for row in reversed(connection.execute(_CANARIES, values).mappings().all())]


def cancel_requested(connection: sa.Connection, job_id: str) -> bool:
    return bool(connection.scalar(_CANCEL, {"p_job": job_id}))


def _job(row: sa.RowMapping) -> JobRow:
    lease = row["lease_until"]
    return JobRow(**{**row, "lease_until": lease and datetime.fromisoformat(lease)})


def entries_of(connection: sa.Connection, job_id: str) -> list[Entry]:
    return [entry_of(row) for row in connection.execute(_OF_JOB, {"p_job": job_id}).mappings()]


def entry(connection: sa.Connection, seq: int) -> Entry:
    row = connection.execute(_ENTRY, {"p_seq": seq}).mappings().one_or_none() if 0 < seq < 1 << 63 else None
    if row is None:
        last = end(connection)[0]
        raise InputError(f"The ledger has no entry {seq}.", f"Its entries go from 1 to {last}.")
    return entry_of(row)


def tail(connection: sa.Connection, after: int, limit: int) -> list[Entry]:
    values = {"p_after": max(0, after), "p_limit": max(0, min(limit, MAX_PAGE))}
    return [entry_of(row) for row in connection.execute(_TAIL, values).mappings()]


def end(connection: sa.Connection) -> tuple[int, str]:
    row = connection.execute(sa.select(head.c.seq, head.c.digest).where(head.c.id == 1)).one_or_none()
    if row is None:
        raise IntegrityError("The ledger has lost the row that marks its end.", "Run `qpm ledger verify`.")
    return row.seq, row.digest


def counters_named(connection: sa.Connection, keys: Sequence[str]) -> dict[str, Counter]:
    query = sa.select(counters).where(counters.c.counter.in_(list(keys)))
    return {row["counter"]: Counter(**row) for row in connection.execute(query).mappings()}


def counters_at(connection: sa.Connection, at: datetime) -> list[Counter]:
    moment = whole_seconds(at)
    current = sa.and_(counters.c.window_start <= moment, counters.c.window_end > moment)
    query = sa.select(counters).where(sa.or_(counters.c.window_end == "", current)).order_by(counters.c.counter)
    return [Counter(**row) for row in connection.execute(query).mappings()]


def blob(connection: sa.Connection, digest: str) -> bytes:
    data = connection.scalar(sa.select(blobs.c.data).where(blobs.c.digest == digest))
    if data is None:
        raise InputError(f"The ledger has no blob {digest[:80]!r}.", "Its digest is in the entry that names it.")
    if sha256(data) != digest:
        raise IntegrityError(f"The blob {digest} was changed outside qpm_lab.", "Run `qpm ledger verify`.")
    return bytes(data)


def digests(connection: sa.Connection) -> Iterator[bytes]:
    """The entries' digests as raw bytes, in order: the leaves of the Merkle tree."""
    query = sa.select(entries.c.digest).order_by(entries.c.seq).execution_options(yield_per=2000)
    for digest in connection.scalars(query):
        yield bytes.fromhex(digest[7:])
