"""Proof that the ledger is what it was: replays all entries, recomputes all projections, in one snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

import sqlalchemy as sa

from qpm_lab.errors import IntegrityError
from qpm_lab.ledger import signing
from qpm_lab.ledger.canonical import ZERO_DIGEST, canonical, entry_digest
from qpm_lab.ledger.chain import entry_of
from qpm_lab.ledger.merkle import Tree
from qpm_lab.ledger.projection import UNCOVERED, job_changes
from qpm_lab.ledger.replay import Replay
from qpm_lab.ledger.rows import Entry, sha256
from qpm_lab.ledger.schema import blobs, counters, entries, head, jobs, reservations, sessions

_BATCH = 500
_MAX_PROBLEMS = 20
_REMEMBERED_BLOBS = 100_000
_JOB_AS_STORED = sa.select(
    # SQLite keeps truth as a number: 2 must not read as True.
    *(sa.type_coerce(c, sa.Integer).label(c.name) if isinstance(c.type, sa.Boolean) else c for c in jobs.c)
).where(jobs.c.job_id == sa.bindparam("p_job"))


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a verification."""

    ok: bool
    entries: int
    """How many entries were found in order."""
    head: str
    """Digest of the last of them."""
    problems: tuple[str, ...]
    first_bad: int | None
    """The first entry that is wrong, missing, or contradicted by a projection."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "entries": self.entries,
            "head": self.head,
            "problems": list(self.problems),
            "first_bad": self.first_bad,
        }


class _Broken(Exception):
    """The chain cannot be followed past this entry."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(what)
        self.seq = seq


@dataclass(slots=True)
class _Walk:
    """What one pass over the chain has seen."""

    seq: int = 0
    digest: str = ZERO_DIGEST
    tree: Tree = field(default_factory=Tree)
    replay: Replay = field(default_factory=Replay)
    origin: str = ""
    keys: list[str] = field(default_factory=list)
    """Public keys that entries recorded."""
    roots: dict[int, bytes] = field(default_factory=dict)
    """Size → Merkle root, for the sizes asked for."""
    blobs: set[str] = field(default_factory=set)
    problems: list[tuple[int | None, str]] = field(default_factory=list)


def verify(connection: sa.Connection, checkpoint: str | None, public_key: bytes | None) -> Report:
    """Replays the ledger; see `Ledger.verify`."""
    walk = _Walk()
    note = None
    try:
        note = None if checkpoint is None else signing.read_note(checkpoint)
    except IntegrityError as error:
        walk.problems.append((None, error.message))
    try:
        _follow(connection, walk, None if note is None else note.size)
    except _Broken as error:
        walk.problems.insert(0, (error.seq, str(error)))
    except sa.exc.DBAPIError as error:
        walk.problems.insert(0, (walk.seq + 1, f"Entry {walk.seq + 1} cannot be read: {error.orig}."))
    else:
        _check_projections(connection, walk)
    if note is not None:
        _check_note(walk, note, public_key)
    return _report(walk)


def _report(walk: _Walk) -> Report:
    places = [seq for seq, _ in walk.problems if seq is not None]
    texts = [text for _, text in walk.problems]
    if len(texts) > _MAX_PROBLEMS:
        texts[_MAX_PROBLEMS:] = [f"… and {len(texts) - _MAX_PROBLEMS} more."]
    return Report(not texts, walk.seq, walk.digest, tuple(texts), min(places, default=None))


def _follow(connection: sa.Connection, walk: _Walk, size: int | None) -> None:
    query = sa.select(entries).order_by(entries.c.seq).execution_options(yield_per=_BATCH)
    rows = connection.execute(query).mappings()
    while batch := list(islice(rows, _BATCH)):
        named: list[tuple[int, str]] = []
        for row in batch:
            entry = _link(walk, row)
            _take(walk, entry)
            named += [(entry.seq, digest) for digest in _blobs_of(entry)]
            if walk.seq == size:
                walk.roots[size] = walk.tree.root()
        _check_blobs(connection, walk, named)
    if size == 0:
        walk.roots[0] = Tree().root()
    reached = connection.scalar(sa.select(head.c.seq).where(head.c.id == 1))
    if isinstance(reached, int) and reached > walk.seq:
        raise _Broken(walk.seq + 1, f"Entry {walk.seq + 1} is missing: the ledger was at entry {reached}.")


def _link(walk: _Walk, row: sa.RowMapping) -> Entry:
    """Checks that a row is the next link."""
    expected = walk.seq + 1
    if row["seq"] != expected:
        raise _Broken(expected, f"Entry {expected} is missing: the next one is {row['seq']}.")
    if row["prev"] != walk.digest:
        raise _Broken(expected, f"Entry {expected} does not follow entry {walk.seq}: its `prev` differs.")
    try:
        fields = {name: value for name, value in row.items() if name != "digest"}
        sound = canonical(json.loads(row["payload"])) == row["payload"] and entry_digest(**fields) == row["digest"]
    except (TypeError, ValueError, RecursionError) as error:
        raise _Broken(expected, f"Entry {expected} cannot be read: {error}.") from error
    if not sound:
        raise _Broken(expected, f"Entry {expected} was changed: its digest does not match its content.")
    return entry_of(row)


def _take(walk: _Walk, entry: Entry) -> None:
    try:
        walk.replay.apply(entry)
        if entry.event == "ledger.created":
            walk.origin = entry.payload["origin"]
        if entry.event in ("ledger.created", "ledger.key_added"):
            walk.keys.append(entry.payload["public_key"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _Broken(entry.seq, f"Entry {entry.seq} contradicts the entries before it: {error}.") from error
    walk.tree.add(bytes.fromhex(entry.digest[7:]))
    walk.seq, walk.digest = entry.seq, entry.digest


def _blobs_of(entry: Entry) -> list[str]:
    told = entry.payload.get("ledger", {})
    return [blob["digest"] for blob in told.get("blobs", ())] if isinstance(told, dict) else []


def _check_blobs(connection: sa.Connection, walk: _Walk, named: list[tuple[int, str]]) -> None:
    for seq, digest in named:
        if digest in walk.blobs:
            continue
        data = connection.scalar(sa.select(blobs.c.data).where(blobs.c.digest == digest))
        if data is None:
            walk.problems.append((seq, f"The blob {digest} of entry {seq} is missing."))
        elif not isinstance(data, bytes) or sha256(data) != digest:
            walk.problems.append((seq, f"The blob {digest} of entry {seq} was changed."))
        if len(walk.blobs) < _REMEMBERED_BLOBS:
            walk.blobs.add(digest)


def _check_projections(connection: sa.Connection, walk: _Walk) -> None:
    checks = (_check_head, _check_counters, _check_reservations, _check_jobs, _check_sessions)
    for check in checks:
        try:
            walk.problems += list(islice(check(connection, walk), _MAX_PROBLEMS + 1))
        except (sa.exc.DBAPIError, TypeError, ValueError) as error:
            walk.problems.append((None, f"A table beside the chain cannot be read: {error}."))


_Problems = Iterator[tuple[int | None, str]]


def _check_head(connection: sa.Connection, walk: _Walk) -> _Problems:
    rows = connection.execute(sa.select(head.c.id, head.c.seq, head.c.digest)).all()
    if [tuple(row) for row in rows] != [(1, walk.seq, walk.digest)]:
        yield walk.seq, f"The row that marks the end does not name entry {walk.seq}, the last one."


def _check_counters(connection: sa.Connection, walk: _Walk) -> _Problems:
    missing = dict(walk.replay.counters)
    for row in connection.execute(sa.select(counters)).mappings():
        key = row["counter"]
        expected = missing.pop(key, None)
        if expected is None:
            yield None, f"The counter {key!r} stands in no entry."
        else:
            yield from _differences(f"The counter {key!r}", row, expected, walk.replay.touched[key])
    for key in missing:
        yield walk.replay.touched[key], f"The counter {key!r} is missing."


def _check_reservations(connection: sa.Connection, walk: _Walk) -> _Problems:
    expected = {(holder, key): held for holder, mine in walk.replay.held.items() for key, held in mine.items()}
    for row in connection.execute(sa.select(reservations)):
        told = expected.pop((row.job_id, row.counter), None)
        if told != (row.amount, row.session_id):
            said = "nothing" if told is None else _spelled(*told)
            stands = _spelled(row.amount, row.session_id)
            seq = walk.replay.touched.get(row.counter)
            yield seq, f"{row.job_id!r} holds {stands} of {row.counter!r}; the entries say {said}."
    for holder, key in expected:
        yield walk.replay.touched[key], f"The reservation of {holder!r} on {key!r} is missing."


def _spelled(amount: object, session_id: object) -> str:
    return str(amount) if session_id is None else f"{amount} from session {session_id!r}"


def _check_jobs(connection: sa.Connection, walk: _Walk) -> _Problems:
    query = sa.select(entries).where(entries.c.job_id.is_not(None)).order_by(entries.c.job_id, entries.c.seq)
    rows = connection.execute(query.execution_options(yield_per=_BATCH)).mappings()
    groups = groupby((entry_of(row) for row in rows), key=lambda entry: entry.job_id)
    seen = 0
    for job_id, history in groups:
        expected: dict[str, Any] = {}
        for entry in history:
            expected |= job_changes(entry)
        seen += 1
        row = connection.execute(_JOB_AS_STORED, {"p_job": job_id}).mappings().one_or_none()
        if row is None:
            yield expected["last_entry"], f"The row of job {job_id!r} is missing."
            seen -= 1
        else:
            yield from _differences(f"The row of job {job_id!r}", row, expected, expected["last_entry"])
    if connection.scalar(sa.select(sa.func.count()).select_from(jobs)) != seen:
        yield None, "The list of jobs has a row that stands in no entry."


def _check_sessions(connection: sa.Connection, walk: _Walk) -> _Problems:
    missing = dict(walk.replay.sessions)
    for row in connection.execute(sa.select(sessions)).mappings():
        expected = missing.pop(row["session_id"], None)
        if expected is None:
            yield None, f"The session {row['session_id']!r} stands in no entry."
        else:
            yield from _differences(f"The row of session {row['session_id']!r}", row, expected, expected["last_entry"])
    for session_id, expected in missing.items():
        yield expected["last_entry"], f"The row of session {session_id!r} is missing."


def _differences(what: str, row: sa.RowMapping, expected: Mapping[str, Any], seq: int) -> _Problems:
    for name in row:
        if name not in UNCOVERED and row[name] != expected.get(name):
            told = str(expected.get(name))[:80]
            yield seq, f"{what} says {name} = {str(row[name])[:80]}; the entries up to {seq} say {told}."


def _check_note(walk: _Walk, note: signing.Note, public_key: bytes | None) -> None:
    recorded = (
        [signing.decode_key(key) for key in walk.keys] if public_key is None else [signing.decode_key(public_key)]
    )
    if not any(signing.signed_by(note, key) for key in recorded):
        walk.problems.append((None, "The checkpoint is not signed by a key of this ledger."))
    elif note.origin != walk.origin or note.name != note.origin:
        walk.problems.append((None, f"The checkpoint belongs to another ledger ({note.origin})."))
    elif note.size > walk.seq:
        text = f"Entry {walk.seq + 1} is missing: the checkpoint saw {note.size} entries, not {walk.seq}."
        walk.problems.append((walk.seq + 1, text))
    elif walk.roots[note.size] != note.root:
        text = f"The first {note.size} entries are not those that the checkpoint saw: the ledger was rewritten."
        walk.problems.append((None, text))
