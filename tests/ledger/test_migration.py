"""A ledger written before there were sessions opens, verifies and goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from qpm_lab.ledger import Entry, Ledger, opening, signing
from qpm_lab.ledger.database import Database
from qpm_lab.ledger.migrations import HEAD
from tests.ledger.making import hold, new_job, new_session, owner

EARLIER = json.loads((Path(__file__).parent / "rev_0001.json").read_text())
"""Rows as the first revision wrote them, table by table: a finished, an open and a denied job."""


@pytest.fixture
def earlier(home: Path, url: str | None) -> Iterator[Ledger]:
    """That ledger in a home, on each database in turn, opened with this code."""
    home.mkdir()
    database = Database(home, url)
    with database.locked():
        signing.make_key(home)
        database.use_wal()
        with database.write_locked() as connection:
            fill(connection)
    database.close()
    ledger = Ledger.open(home, url)
    yield ledger
    ledger.close()


def fill(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(opening.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    for name, rows in EARLIER.items():
        table = sa.Table(name, sa.MetaData(), autoload_with=connection)
        connection.execute(table.insert(), [as_stored(row) for row in rows])


def as_stored(row: dict[str, Any]) -> dict[str, Any]:
    return {name: bytes.fromhex(value) if name == "data" else value for name, value in row.items()}


def test_an_earlier_ledger_is_migrated_and_verifies(earlier: Ledger) -> None:
    """The new columns are empty, the chain is as it was, and every projection still follows from it."""
    with earlier._database.read() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == HEAD
    assert earlier.head() == (len(EARLIER["ledger_entries"]), EARLIER["ledger_head"][0]["digest"])
    assert {row.session_id for row in earlier.jobs()} == {None}
    assert earlier.verify().problems == ()


def test_an_earlier_ledger_goes_on(earlier: Ledger) -> None:
    """Its open job is finished, sessions open on its counters, and all of it verifies."""
    assert earlier.held("OPEN0002") == {"a": 4, "b": 2}
    assert earlier.finish("OPEN0002", 1, "job.completed", {}, settled={"a": 4, "b": 0}) is not None
    assert isinstance(earlier.open_session(new_session("S"), {}, [hold("a", 84)], owner()), Entry)
    assert isinstance(earlier.submit(new_job(session_id="S"), {}, [hold("a", 80)], owner()), Entry)
    assert isinstance(earlier.submit(new_job(), {}, [hold("a", 1)], owner()), tuple)
    assert earlier.verify(earlier.checkpoint()).problems == ()
