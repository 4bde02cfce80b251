"""Bringing a ledger into being, or up to date; cheap when there is nothing to do."""

from __future__ import annotations

import secrets
from pathlib import Path

import sqlalchemy as sa

from qpm_lab.errors import IntegrityError, LedgerError
from qpm_lab.ledger import signing
from qpm_lab.ledger.chain import Chain
from qpm_lab.ledger.database import Database, translated
from qpm_lab.ledger.filesystem import refuse_network_home
from qpm_lab.ledger.migrations import HEAD, REVISIONS
from qpm_lab.ledger.schema import head

_REVISION = sa.text("SELECT version_num FROM alembic_version")
_ADVISORY_LOCK = sa.text("SELECT pg_advisory_xact_lock(7163881503)")
"""One number for every qpm_lab ledger: processes with other homes share the database, not the lock file."""


def open_database(home: Path, url: str | None) -> Database:
    """Opens the database of a home, creating or migrating what is missing.

    Raises:
        LedgerError: the place cannot be used, or the database is newer than this code.
        IntegrityError: the file is damaged or no database.
    """
    home = home.expanduser().absolute()
    with translated(str(home)):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not url:
        refuse_network_home(home)
    database = Database(home, url or None)
    try:
        if not _up_to_date(database, home):
            _prepare(database, home)
    except BaseException:
        database.close()
        raise
    return database


def _up_to_date(database: Database, home: Path) -> bool:
    if not (home / signing.KEY_FILE).exists() or (database.path is not None and not database.path.exists()):
        return False
    try:
        with database.read() as connection:
            revision = connection.scalar(_REVISION)
    except IntegrityError:
        raise
    except LedgerError:
        # No tables yet, or another process is just creating them: the slow way waits and says what is wrong.
        return False
    return _known(revision, database) == HEAD


def _known(revision: str | None, database: Database) -> str | None:
    if revision is not None and revision not in REVISIONS:
        raise LedgerError(
            f"The ledger in {database.where} was written by a newer qpm_lab (revision {revision}).",
            "Upgrade qpm-lab, or set QPM_HOME to another folder.",
        )
    return revision


def _prepare(database: Database, home: Path) -> None:
    with database.locked():
        new_key = signing.make_key(home)
        database.use_wal()
        with database.write_locked() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(_ADVISORY_LOCK)
            _migrate(connection, database)
            if connection.scalar(sa.select(head.c.seq)) is None:
                _first_entry(connection, home)
            elif new_key:
                record_key(Chain(connection), home)


def _migrate(connection: sa.Connection, database: Database) -> None:
    exists = sa.inspect(connection).has_table("alembic_version")
    if exists and _known(connection.scalar(_REVISION), database) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _first_entry(connection: sa.Connection, home: Path) -> None:
    chain = Chain.begin(connection)
    public = signing.encode_key(signing.public_bytes(signing.load_key(home)))
    origin = f"qpm-lab/{secrets.token_hex(8)}"
    chain.append("ledger.created", {"format": 1, "origin": origin, "public_key": public})
    chain.close()


def record_key(chain: Chain, home: Path) -> None:
    """Appends the public half of this home's signing key."""
    public = signing.encode_key(signing.public_bytes(signing.load_key(home)))
    chain.append("ledger.key_added", {"public_key": public})
    chain.close()
