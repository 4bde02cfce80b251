"""Ledgers as earlier revisions wrote them, row by row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from qpm_lab.ledger import Ledger, opening, signing
from qpm_lab.ledger.database import Database

REVISIONS = ("0001", "0002", "0003")
"""With a file of rows each: `0001` has a finished, an open and a denied job, `0002` jobs of a Lab and two sessions,
`0003` a validated canary besides."""

Rows = dict[str, list[dict[str, Any]]]


def rows_of(revision: str) -> Rows:
    """The rows by table."""
    rows: Rows = json.loads((Path(__file__).parent / f"rev_{revision}.json").read_text())
    return rows


def open_earlier(home: Path, url: str | None, revision: str) -> Ledger:
    """That ledger in a home, opened with this code."""
    home.mkdir()
    database = Database(home, url)
    with database.locked():
        signing.make_key(home)
        database.use_wal()
        with database.write_locked() as connection:
            _fill(connection, revision)
    database.close()
    return Ledger.open(home, url)


def _fill(connection: sa.Connection, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(opening.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    for name, rows in rows_of(revision).items():
        table = sa.Table(name, sa.MetaData(), autoload_with=connection)
        if rows:
            connection.execute(table.insert(), [_as_stored(row) for row in rows])


def _as_stored(row: dict[str, Any]) -> dict[str, Any]:
    return {name: bytes.fromhex(value) if name == "data" else value for name, value in row.items()}
