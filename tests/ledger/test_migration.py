"""A ledger of an earlier revision opens, verifies and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from qpm_lab.ledger import Entry, Ledger
from qpm_lab.ledger.migrations import HEAD, REVISIONS
from tests.ledger import workers
from tests.ledger.earlier import REVISIONS as EARLIER
from tests.ledger.earlier import open_earlier, rows_of
from tests.ledger.making import hold, new_job, new_session, owner


@pytest.fixture(params=EARLIER)
def revision(request: pytest.FixtureRequest) -> str:
    """Each earlier revision in turn."""
    return str(request.param)


@pytest.fixture
def earlier(home: Path, url: str | None, revision: str) -> Iterator[Ledger]:
    """A ledger of that revision, on each database in turn, opened with this code."""
    ledger = open_earlier(home, url, revision)
    yield ledger
    ledger.close()


def test_every_earlier_revision_has_a_ledger_to_try() -> None:
    """A new revision leaves one behind of the revision before."""
    assert (*EARLIER, HEAD) == REVISIONS


def test_an_earlier_ledger_is_migrated_and_verifies(earlier: Ledger, revision: str) -> None:
    """The new columns are empty, the chain is as it was, and every projection still follows from it."""
    rows = rows_of(revision)
    with earlier._database.read() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == HEAD
    assert earlier.head() == (len(rows["ledger_entries"]), rows["ledger_head"][0]["digest"])
    jobs = earlier.jobs()
    assert len(jobs) == len(rows["jobs"])
    later = ("validation", "canary", "canary_successes", "standing")
    assert {job.job_id: [getattr(job, name) for name in later] for job in jobs} == {
        row["job_id"]: [row.get(name) for name in later] for row in rows["jobs"]
    }
    assert {job.job_id: job.session_id for job in jobs} == {
        row["job_id"]: row.get("session_id") for row in rows["jobs"]
    }
    assert earlier.verify().problems == ()


def test_who_migrates_loses_nothing_to_the_next(earlier: Ledger, url: str | None) -> None:
    """Another process opens the migrated ledger, writes and closes it: what is written afterwards is still there."""
    assert workers.together(workers.append_notes, earlier.home, url, 1, count=1) == [[]]
    mine = earlier.note("some.event", {})
    assert workers.together(workers.tell_head, earlier.home, url, count=1) == [(mine.seq, mine.digest)]


def test_an_earlier_ledger_goes_on(earlier: Ledger) -> None:
    """Its open job is finished, sessions open on its counters, conditions are recorded, and all of it verifies."""
    assert earlier.held("OPEN0002") == {"a": 4, "b": 2}
    summary: dict[str, Any] = {"validation": "failed"}
    further = [("validation.failed", {"passed": False})]
    settled = {"a": 4, "b": 0}
    assert earlier.finish("OPEN0002", 1, "job.completed", {}, settled=settled, summary=summary, further=further)
    assert earlier.job("OPEN0002").validation == "failed"
    room = 100 - sum(getattr(earlier.counters(["a"])["a"], name) for name in ("settled", "reserved"))
    assert isinstance(earlier.open_session(new_session("S"), {}, [hold("a", room)], owner()), Entry)
    assert isinstance(earlier.submit(new_job(session_id="S"), {}, [hold("a", room)], owner()), Entry)
    assert isinstance(earlier.submit(new_job(), {}, [hold("a", 1)], owner()), tuple)
    assert earlier.verify(earlier.checkpoint()).problems == ()
