"""Tampering: every covered column of every table, and every way to cut, swap or add rows, is found."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.ledger import Blob, Ending, Ledger, schema
from qpm_lab.ledger.chain import Chain
from qpm_lab.ledger.projection import UNCOVERED
from tests.ledger.making import NOON, hold, new_job, new_session, owner

TABLES = {table.name: table for table in schema.metadata.sorted_tables}
COLUMNS = [(table.name, column.name) for table in TABLES.values() for column in table.columns]
KEYS = ("counter", "job_id", "session_id")
COVERED = [(table, column) for table, column in COLUMNS if column not in UNCOVERED]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a job of every kind: finished with an overrun, retried and open, taken over, denied."""
    home = tmp_path_factory.mktemp("history") / "home"
    ledger = Ledger.open(home)
    with_sessions(ledger)
    done, again, other = new_job("DONE0001", team="theory", canary="ghz"), new_job("OPEN0002"), new_job("TAKEN003")
    ledger.submit(done, {"a": 1}, [hold("a"), hold("b")], owner(), started=True, blobs=[Blob("circuit", b"qpy")])
    summary = {
        "cost_nano": 5,
        "currency": "USD",
        "fidelity_low": 0.5,
        "fidelity_high": 0.75,
        "run_seconds": 0.5,
        "validation": "passed",
        "canary_successes": 90,
    }
    ledger.finish(
        done.job_id,
        1,
        "job.completed",
        {"c": 2},
        settled={"a": 12, "b": 1},
        summary=summary,
        blobs=[Blob("counts", b"{}")],
    )
    ledger.submit(again, {}, [hold("a"), hold("b", 1)], owner())
    ledger.retry(again.job_id, 1, {}, [hold("a", 4), hold("b", 2)])
    ledger.start(again.job_id, 1, {}, vendor_id="v-1")
    ledger.submit(other, {}, [], owner())
    ledger.take_over(other.job_id, 1, owner("new", "there", 9))
    ledger.request_cancel(other.job_id, "ada")
    ledger.refuse(new_job("DENIED04"), {"reasons": []})
    ledger.note("validation.passed", {"value": 1}, job_id=done.job_id)
    ledger.close()
    return home


def with_sessions(ledger: Ledger) -> None:
    """An open session with a quick job, an overrun and an open job, and a closed one that left an open job."""
    for name in ("SESSION1", "SESSION2"):
        ledger.open_session(new_session(name), {"max_jobs": 5}, [hold("a", 30), hold("b", 20)], owner())
    done = Ending("job.completed", {}, {"a": 6, "c": 1}, started_at=NOON)
    ledger.submit_ended(new_job("DRAWN005", session_id="SESSION1"), {}, [hold("a", 5), hold("c", 2)], owner(), done)
    for number, session_id in enumerate(("SESSION1", "SESSION2")):
        job = new_job(f"DRAWING{number}", session_id=session_id)
        ledger.submit(job, {}, [hold("a", 7), hold("b", 2)], owner(), started=True)
    ledger.close_session("SESSION2", {"why": "done"})


@pytest.fixture
def copy(history: Path, tmp_path: Path) -> Path:
    """A copy of that home, for one test to spoil."""
    return Path(shutil.copytree(history, tmp_path / "copy"))


def spoil(home: Path, *statements: str) -> None:
    with closing(sqlite3.connect(home / "ledger.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def report_of(home: Path, checkpoint: str | None = None) -> Any:
    ledger = Ledger.open(home)
    try:
        return ledger.verify(checkpoint)
    finally:
        ledger.close()


def test_a_copied_home_verifies(copy: Path) -> None:
    """A ledger does not depend on the folder in which it was made."""
    report = report_of(copy)
    assert report.to_dict() == {
        "ok": True,
        "entries": 24,
        "head": report.head,
        "problems": [],
        "first_bad": None,
    }


def changed(kind: Any, value: Any) -> str:
    if isinstance(value, bytes):
        return "x'00'"
    if isinstance(value, int | float):
        return repr(value + 1)
    if value is None:
        return "1" if kind in (int, float, bool) else "'x'"
    return "'" + str(value).replace("'", "''") + "x'"


def test_only_leases_and_the_latest_look_are_left_uncovered() -> None:
    """The list of columns that no entry covers does not grow by accident."""
    assert set(COLUMNS) - set(COVERED) == {("jobs", "lease_until"), ("sessions", "lease_until"), ("jobs", "standing")}


@pytest.mark.parametrize(("table", "column"), COVERED)
def test_a_changed_value_is_found_in_every_row(copy: Path, table: str, column: str) -> None:
    """Each value of each column, changed alone, is found; in the chain the very entry is named."""
    kind = TABLES[table].c[column].type.python_type
    with closing(sqlite3.connect(copy / "ledger.db")) as connection:
        rows = connection.execute(f'SELECT rowid, "{column}" FROM "{table}" ORDER BY rowid').fetchall()
    original = (copy / "ledger.db").read_bytes()
    assert rows
    for rowid, value in rows:
        (copy / "ledger.db").write_bytes(original)
        if column == "seq" and table == "ledger_entries":
            spoil(copy, f"UPDATE ledger_entries SET seq = {value + 100} WHERE seq = {value}")
        else:
            new = changed(kind, value)
            spoil(copy, f'UPDATE "{table}" SET "{column}" = {new} WHERE rowid = {rowid}')
        report = report_of(copy)
        assert not report.ok, f"row {rowid}: {value!r}"
        if table == "ledger_entries":
            assert report.first_bad == rowid
            assert str(rowid) in report.problems[0]
        elif (table, column) != ("counters", "counter"):
            assert report.first_bad is not None


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_deleted_row_is_found(copy: Path, table: str) -> None:
    """Each row of each table is missed."""
    original = (copy / "ledger.db").read_bytes()
    with closing(sqlite3.connect(copy / "ledger.db")) as connection:
        rows = [row for (row,) in connection.execute(f'SELECT rowid FROM "{table}"')]
    for rowid in rows:
        (copy / "ledger.db").write_bytes(original)
        spoil(copy, f'DELETE FROM "{table}" WHERE rowid = {rowid}')
        report = report_of(copy)
        assert not report.ok
        if table == "ledger_entries":
            assert report.first_bad == rowid


@pytest.mark.parametrize("table", ["ledger_head", "counters", "reservations", "jobs", "sessions"])
def test_an_added_row_is_found(copy: Path, table: str) -> None:
    """A row that no entry accounts for is a problem."""
    names = [column.name for column in TABLES[table].columns]
    values = [{"first_entry": "99", "id": "2"}.get(name, "'new'" if name in KEYS else f'"{name}"') for name in names]
    columns = ", ".join(f'"{name}"' for name in names)
    spoil(copy, f'INSERT INTO "{table}" ({columns}) SELECT {", ".join(values)} FROM "{table}" LIMIT 1')
    assert not report_of(copy).ok


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("session.closed", {"ledger": {"session_id": "SESSION1", "released": {"a": 30, "b": 20}}}),
        ("session.closed", {"ledger": {"session_id": "SESSION2", "released": {}}}),
        ("session.closed", {"ledger": {"session_id": "none", "released": {}}}),
        ("session.opened", {"ledger": {"session": {"session_id": "SESSION1"}, "owner": {}}, "holds": []}),
        ("job.submitted", {"ledger": {"job": {"session_id": "SESSION2"}}, "holds": []}),
        ("job.submitted", {"ledger": {"job": {}}, "holds": [{"counter": "a", "amount": 1, "drawn": True}]}),
        (
            "job.submitted",
            {"ledger": {"job": {"session_id": "SESSION1"}}, "holds": [{"counter": "a", "amount": 99, "drawn": True}]},
        ),
    ],
)
def test_an_entry_that_contradicts_its_session_is_found(copy: Path, event: str, payload: Any) -> None:
    """A well-chained entry that releases or draws what the session does not hold is named."""
    ledger = Ledger.open(copy)
    with ledger._database.write() as connection:
        chain = Chain(connection)
        chain.append(event, payload, job_id="FORGED" if event == "job.submitted" else None)
        chain.close()
    report = ledger.verify()
    ledger.close()
    assert (report.ok, report.first_bad) == (False, 25)
    assert "contradicts" in report.problems[0]


def test_reordered_entries_are_found(copy: Path) -> None:
    """Two entries that changed places break the chain at the first of them."""
    spoil(
        copy,
        "UPDATE ledger_entries SET seq = 1000 WHERE seq = 5",
        "UPDATE ledger_entries SET seq = 5 WHERE seq = 6",
        "UPDATE ledger_entries SET seq = 6 WHERE seq = 1000",
    )
    assert report_of(copy).first_bad == 5


def test_an_inserted_entry_is_found(copy: Path) -> None:
    """A copy of the last entry, appended by hand, is no link."""
    columns = ", ".join(column.name for column in schema.entries.columns if column.name != "seq")
    spoil(
        copy,
        f"INSERT INTO ledger_entries (seq, {columns}) SELECT 25, {columns} FROM ledger_entries WHERE seq = 24",
    )
    assert report_of(copy).first_bad == 25


def test_a_payload_spelled_otherwise_is_found(copy: Path) -> None:
    """Even a space more in a payload is a change."""
    spoil(copy, "UPDATE ledger_entries SET payload = payload || ' ' WHERE seq = 3")
    assert report_of(copy).first_bad == 3


@pytest.mark.parametrize("value", ["CAST(payload AS BLOB)", "'{'", "'[1e999]'", "CAST(x'ff' AS TEXT)"])
def test_an_unreadable_payload_is_a_finding_and_no_crash(copy: Path, value: str) -> None:
    """Bytes, broken JSON, infinities and broken UTF-8 are reported at their entry."""
    spoil(copy, f"UPDATE ledger_entries SET payload = {value} WHERE seq = 3")
    report = report_of(copy)
    assert not report.ok
    assert report.first_bad is not None
    assert report.first_bad <= 3


def cut_and_rebuild(home: Path) -> None:
    """What a forger with the database does: drops the last two entries and every trace of them."""
    spoil(
        home,
        "DELETE FROM ledger_entries WHERE seq > 22",
        "UPDATE ledger_head SET seq = 22, digest = (SELECT digest FROM ledger_entries WHERE seq = 22)",
        "DELETE FROM jobs WHERE job_id = 'DENIED04'",
        "UPDATE jobs SET last_entry = 16 WHERE job_id = 'DONE0001'",
    )


def test_a_cut_tail_needs_a_checkpoint(copy: Path) -> None:
    """A skilful cut verifies by itself, but not against a checkpoint kept elsewhere."""
    ledger = Ledger.open(copy)
    note = ledger.checkpoint()
    ledger.close()
    cut_and_rebuild(copy)
    assert report_of(copy).ok
    report = report_of(copy, note)
    assert (report.ok, report.first_bad) == (False, 23)


def test_a_rewritten_past_needs_a_checkpoint(copy: Path) -> None:
    """Other entries in place of the cut ones do not satisfy an old checkpoint."""
    ledger = Ledger.open(copy)
    note = ledger.checkpoint()
    ledger.close()
    cut_and_rebuild(copy)
    ledger = Ledger.open(copy)
    for number in range(5):
        ledger.note("some.event", {"number": number})
    assert ledger.verify().ok
    assert not ledger.verify(note).ok
    ledger.close()
