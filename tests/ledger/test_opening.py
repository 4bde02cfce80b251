"""Opening: first creation, what is refused, and what a full disk leaves behind."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from qpm_lab.errors import IntegrityError, LedgerError
from qpm_lab.ledger import Ledger, filesystem, schema, signing
from qpm_lab.ledger.database import Database
from qpm_lab.ledger.migrations import HEAD, REVISIONS
from tests.ledger import workers
from tests.ledger.making import hold, new_job, owner


def test_a_new_home_is_private(ledger: Ledger) -> None:
    """Folder, database, key and their companions can be read by their owner only."""
    ledger.note("some.event", {})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in ledger.home.iterdir()}
    assert stat.S_IMODE(ledger.home.stat().st_mode) == 0o700
    assert {"ledger.db", "ledger.lock", signing.KEY_FILE} <= set(modes)
    assert {mode & 0o077 for mode in modes.values()} == {0}


def test_the_first_entry_names_the_ledger_and_its_key(both: Ledger) -> None:
    """Origin and public key are the first thing in the chain."""
    first = both.entry(1)
    assert first.event == "ledger.created"
    assert set(first.payload) == {"format", "origin", "public_key"}
    assert both.head() == (1, first.digest)


def test_who_finishes_a_creation_loses_nothing_to_the_next(home: Path) -> None:
    """A home left in mid-creation is looked at and then made; a process that comes and goes takes no log away."""
    home.mkdir(mode=0o700)
    signing.make_key(home)
    Database(home).use_wal()
    ledger = Ledger.open(home)
    assert workers.together(workers.append_notes, home, None, 1, count=1) == [[]]
    mine = ledger.note("some.event", {})
    assert workers.together(workers.tell_head, home, None, count=1) == [(mine.seq, mine.digest)]
    ledger.close()


def test_opening_again_changes_nothing(both: Ledger, url: str | None) -> None:
    """A ledger that is up to date is only read."""
    before = both.head()
    again = Ledger.open(both.home, url)
    assert again.head() == before
    again.close()


def test_the_migrations_make_the_tables_of_the_code(both: Ledger) -> None:
    """Revisions and schema agree, table by table and index by index, and the head is the newest revision."""
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with both._database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert script.get_current_head() == HEAD
    assert [revision.revision for revision in script.walk_revisions()][::-1] == list(REVISIONS)


def test_an_empty_file_becomes_a_ledger(home: Path) -> None:
    """What a creator killed at the very beginning leaves is completed."""
    home.mkdir()
    (home / "ledger.db").touch()
    ledger = Ledger.open(home)
    assert ledger.verify().ok
    ledger.close()


def test_a_newer_ledger_is_refused(ledger: Ledger) -> None:
    """A database of a later revision is left alone, with the way out in the hint."""
    with ledger._database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    ledger.close()
    with pytest.raises(LedgerError, match="newer") as refused:
        Ledger.open(ledger.home)
    assert "Upgrade" in refused.value.hint


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_an_integrity_error(ledger: Ledger, content: bytes) -> None:
    """Damage is named, with exit code 8 and a hint, and the file is left for inspection."""
    ledger.close()
    path = ledger.home / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(IntegrityError) as damaged:
        Ledger.open(ledger.home)
    assert damaged.value.hint
    assert path.read_bytes() == content


def test_a_home_that_is_a_file_is_a_ledger_error(home: Path) -> None:
    """A place that cannot be a folder ends in a message."""
    home.write_text("")
    with pytest.raises(LedgerError) as refused:
        Ledger.open(home)
    assert refused.value.hint


def test_a_place_that_cannot_be_written_is_a_ledger_error() -> None:
    """A file system that takes no folder ends in a message."""
    with pytest.raises(LedgerError):
        Ledger.open(Path("/proc/qpm-home"))


def test_a_full_disk_leaves_nothing_half_written(ledger: Ledger) -> None:
    """The write fails as a whole with a message; chain and counters stay; later writes work."""

    def fill(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    engine = ledger._database.engine
    engine.dispose()
    sa.event.listen(engine, "connect", fill)
    before = ledger.head()
    with pytest.raises(LedgerError) as full:
        ledger.submit(new_job(), {"x": "y" * 100_000}, [hold()], owner())
    assert "space" in full.value.hint
    sa.event.remove(engine, "connect", fill)
    engine.dispose()
    assert ledger.head() == before
    assert ledger.counters(["shots"]) == {}
    ledger.note("some.event", {})
    assert ledger.verify().ok


def test_a_database_that_cannot_be_written_is_a_ledger_error(ledger: Ledger) -> None:
    """A read-only database says so, and reading goes on."""
    engine = ledger._database.engine
    engine.dispose()

    def forbid(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    sa.event.listen(engine, "connect", forbid)
    with pytest.raises(LedgerError) as refused:
        ledger.note("some.event", {})
    assert "writable" in refused.value.hint
    assert ledger.head()[0] == 1


MOUNTS = r"""
22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 0:41 / /home/ada/my\040disk rw - xfs /dev/sdb rw
32 22 0:42 / /srv rw shared:2 master:3 - ext4 /dev/sdc rw
33 22 0:43 / /srv rw - fuse.sshfs ada@host: rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/home/ada/.qpm", "nfs4"),
        ("/homework", "ext4"),
        ("/home/ada/my disk/qpm", "xfs"),
        ("/srv/qpm", "fuse.sshfs"),
        ("/", "ext4"),
    ],
)
def test_the_innermost_and_latest_mount_counts(path: str, kind: str) -> None:
    """The file system of a path is that of the deepest mount, and of the last one on the same point."""
    assert filesystem.file_system_of(Path(path), MOUNTS) == kind


def test_a_network_home_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """The hint names the PostgreSQL URL; a local home and an unreadable list pass."""
    listing = tmp_path / "mountinfo"
    listing.write_text(f"1 1 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / {tmp_path} rw - cifs //server/share rw\n")
    with pytest.raises(LedgerError) as refused:
        filesystem.refuse_network_home(tmp_path / "home", listing)
    assert "QPM_LEDGER_URL" in refused.value.hint
    filesystem.refuse_network_home(Path("/somewhere"), listing)
    filesystem.refuse_network_home(tmp_path / "home", tmp_path / "missing")


@pytest.mark.parametrize("url", ["mysql://ada:secret@host/x", "nonsense", "postgresql://ada:secret@host:port/x"])
def test_a_url_that_is_not_postgresql_is_refused_without_its_password(home: Path, url: str) -> None:
    """The message names what is taken and never repeats a password."""
    with pytest.raises(LedgerError) as refused:
        Ledger.open(home, url)
    assert "postgresql://" in refused.value.hint
    assert "secret" not in str(refused.value)


def test_an_unreachable_server_is_a_ledger_error_without_its_password(home: Path) -> None:
    """A refused connection ends in a message that names the place, not the password."""
    with pytest.raises(LedgerError) as refused:
        Ledger.open(home, "postgresql://ada:secret@127.0.0.1:9/x")
    assert "127.0.0.1" in refused.value.message
    assert "secret" not in str(refused.value)


def test_a_second_home_on_one_database_has_a_key_of_its_own(both: Ledger, url: str | None, tmp_path: Path) -> None:
    """Replicas of a gateway share the chain; each one's key is recorded in it."""
    if url is None:
        with closing(sqlite3.connect(both.home / "ledger.db")) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        return
    second = Ledger.open(tmp_path / "second", url)
    assert second.entry(2).event == "ledger.key_added"
    for note in (both.checkpoint(), second.checkpoint()):
        assert both.verify(note).ok
    second.close()
