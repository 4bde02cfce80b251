"""Connections and transactions, the same for SQLite and PostgreSQL; database errors become ledger errors.

Writers are queued before they begin: by the lock file on SQLite, by the locked head row on PostgreSQL.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from qpm_lab.errors import IntegrityError, LedgerError, QpmError
from qpm_lab.ledger import lock
from qpm_lab.ledger.forks import FORKS

BUSY_SECONDS = 60
_BEGIN = "qpm_begin"
_DAMAGE = ("not a database", "malformed", "disk image", "could not decode to utf-8")


class Database:
    """An engine with the two kinds of transaction the ledger uses.

    Args:
        home: Where the lock file is, and on SQLite the database.
        url: A PostgreSQL URL; None means `home/ledger.db`.
    """

    def __init__(self, home: Path, url: str | None = None) -> None:
        self.lock_path = home / "ledger.lock"
        self.path = home / "ledger.db" if url is None else None
        self.engine = _sqlite(home / "ledger.db") if url is None else _postgresql(url)
        self._writer = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        snapshot = {} if url is None else {"isolation_level": "REPEATABLE READ"}
        self._reader = self.engine.execution_options(**snapshot)
        FORKS.watch(self.engine)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the home's lock file: first creation, migration and key making."""
        with translated(self.where), FORKS.held_off(), lock.held(self.lock_path):
            yield

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One writing transaction: committed at the end of the block, rolled back on any error."""
        queue = nullcontext() if self.path is None else lock.held(self.lock_path)
        with translated(self.where), FORKS.held_off(), queue, self._writer.begin() as connection:
            yield connection

    @contextmanager
    def write_locked(self) -> Iterator[sa.Connection]:
        """As `write`, for a caller inside `locked`."""
        with translated(self.where), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One snapshot for all reads of the block; waits for no writer."""
        with translated(self.where), FORKS.held_off(), self._reader.connect() as connection:
            yield connection

    @property
    def where(self) -> str:
        """The place of the database, without a password."""
        return str(self.path or self.engine.url.render_as_string(hide_password=True))

    def use_wal(self) -> None:
        """Switches a SQLite file to write-ahead logging, which the file remembers.

        A file that exists is left to SQLite: closing a descriptor of our own would drop the locks that this
        process's connections hold on it, and the next process to close would take the log for its own to delete
        (https://www.sqlite.org/howtocorrupt.html, 2.2).
        """
        if self.path is None:
            return
        if not self.path.exists():
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with self.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.execute("PRAGMA journal_mode = WAL")


def _sqlite(path: Path) -> sa.Engine:
    # isolation_level None keeps the driver from beginning by itself, so that the begin event below decides.
    arguments: dict[str, Any] = {"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}
    url = sa.URL.create("sqlite+pysqlite", database=str(path))
    engine = sa.create_engine(url, connect_args=arguments, poolclass=sa.QueuePool, pool_size=5, max_overflow=-1)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    return engine


def _postgresql(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() not in ("postgresql", "postgres"):
            raise LedgerError(
                f"The ledger cannot use a {parsed.get_backend_name()!r} database.",
                "QPM_LEDGER_URL takes postgresql://user@host/name; leave it empty for SQLite.",
            )
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=5,
            max_overflow=-1,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10},
        )
    except (SQLAlchemyError, ValueError):
        # The URL may hold a password: neither it nor the parser's message is shown.
        raise LedgerError(
            "The ledger's database URL cannot be read.", "It looks like postgresql://user@host:5432/name."
        ) from None
    except ModuleNotFoundError as error:
        raise LedgerError(
            "The PostgreSQL driver is not installed.",
            "Install it with: pip install 'qpm-lab[postgres]'",
            cause=error,
        ) from error


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns what the database or the disk says into an error for a person.

    Raises:
        IntegrityError: the file is damaged or no database.
        LedgerError: it cannot be opened, read or written now; nothing was half written.
    """
    try:
        yield
    except QpmError:
        raise
    except (DBAPIError, sqlite3.Error) as error:
        raise _database_error(where, error) from error
    except SQLAlchemyError as error:
        raise LedgerError(f"The ledger in {where} failed: {error}.", cause=error) from error
    except OSError as error:
        raise LedgerError(
            f"The ledger in {where} cannot be used: {error.strerror or error}.",
            "Check the folder's permissions and free space, or set QPM_HOME to another folder.",
            cause=error,
        ) from error


def _database_error(where: str, error: Exception) -> LedgerError:
    said = str(getattr(error, "orig", error)).strip().partition("\n")[0]
    lower = said.lower()
    if any(word in lower for word in _DAMAGE) or isinstance(error, sa.exc.IntegrityError):
        return IntegrityError(
            f"The ledger in {where} is damaged: {said}.",
            "Run `qpm ledger verify`; restore a backup, or move the file away to start anew.",
            cause=error,
        )
    if "full" in lower:
        hint = "Free some space on the disk; nothing was half written."
    elif "readonly" in lower or "read-only" in lower or "unable to open" in lower:
        hint = "Make the folder writable, or set QPM_HOME to another folder; nothing was half written."
    elif "locked" in lower:
        hint = "Another program holds the database open for writing; close it and try again."
    else:
        hint = "Nothing was half written; check that the database can be reached, then try again."
    return LedgerError(f"The ledger in {where} cannot be used: {said}.", hint, cause=error)
