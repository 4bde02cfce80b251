"""Reads: ids, pages, searches, sums and blobs, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qpm_lab.errors import InputError, IntegrityError
from qpm_lab.experiment import Status
from qpm_lab.ledger import Blob, Ledger, timestamp
from tests.ledger.making import NOON, hold, new_job, owner


def completed(ledger: Ledger, currency: str = "USD", cost: int = 5, **labels: object) -> str:
    job = new_job(**labels)
    ledger.submit(job, {}, [], owner(), started=True)
    summary = {"cost_nano": cost, "currency": currency, "run_seconds": 0.5}
    ledger.finish(job.job_id, 1, "job.completed", {}, settled=None, summary=summary)
    return job.job_id


def test_pages_are_newest_first_and_cover_everything_once(both: Ledger) -> None:
    """Paging by the last id of the page before meets each job exactly once."""
    ids = [completed(both) for _ in range(7)]
    seen: list[str] = []
    while page := both.jobs(before=seen[-1] if seen else None, limit=3):
        assert len(page) <= 3
        seen += [row.job_id for row in page]
    assert seen == ids[::-1]


def test_a_page_is_stable_while_jobs_arrive(both: Ledger) -> None:
    """A job submitted meanwhile does not shift the next page."""
    ids = [completed(both) for _ in range(4)]
    first = both.jobs(limit=2)
    completed(both)
    assert [row.job_id for row in both.jobs(before=first[-1].job_id)] == [ids[1], ids[0]]


def test_filters_combine(both: Ledger) -> None:
    """Status, experiment, user and text narrow the list together."""
    wanted = completed(both, experiment="Bells", user="grace", name="100% sure_thing")
    completed(both, experiment="Bells", user="ada")
    both.refuse(new_job(experiment="Bells", user="grace"), {})
    found = both.jobs(status=Status.COMPLETED, experiment="Bells", user="grace", text="bel")
    assert [row.job_id for row in found] == [wanted]
    assert [row.job_id for row in both.jobs(text="100% SURE_")] == [wanted]
    assert both.jobs(text="100_") == []
    assert both.jobs(text="%' OR 1=1 --") == []
    assert len(both.jobs(text="denied")) == 1
    assert both.jobs(limit=0) == []


def test_a_unique_beginning_of_an_id_is_enough(both: Ledger) -> None:
    """Six characters that fit one job name it; wildcards in an id mean themselves."""
    one = completed(both, job_id="abcdef01")
    completed(both, job_id="abcxyz01")
    assert both.job("abcdef").job_id == one
    for bad in ("abcde", "abc%%%", "______", ""):
        with pytest.raises(InputError):
            both.job(bad)


def test_an_ambiguous_or_mistyped_id_gets_a_hint(both: Ledger) -> None:
    """The hint names what would fit."""
    completed(both, job_id="abcdef01")
    completed(both, job_id="abcdef02")
    with pytest.raises(InputError) as ambiguous:
        both.job("abcdef")
    assert "abcdef02, abcdef01" in ambiguous.value.hint
    with pytest.raises(InputError) as mistyped:
        both.job("abcdff01")
    assert "abcdef01" in mistyped.value.hint


def test_entries_are_read_by_job_by_number_and_from_a_point_on(both: Ledger) -> None:
    """All three reads show the same links, and the head is the last."""
    job_id = completed(both)
    history = both.entries(job_id)
    assert [e.event for e in history] == ["job.submitted", "job.started", "job.completed"]
    assert both.entry(history[0].seq) == history[0]
    assert both.tail(1) == history
    assert both.tail(history[0].seq, limit=1) == [history[1]]
    assert both.head() == (history[-1].seq, history[-1].digest)
    assert [e.prev for e in both.tail(1)[1:]] == [e.digest for e in history[:-1]]


@pytest.mark.parametrize("seq", [0, -1, 99, 1 << 70])
def test_an_entry_that_is_not_there_is_an_input_error(both: Ledger, seq: int) -> None:
    """The hint says which numbers there are."""
    with pytest.raises(InputError, match=r"1 to 1\."):
        both.entry(seq)


def test_counters_of_a_moment_are_those_whose_window_contains_it(both: Ledger) -> None:
    """Windows include their start and exclude their end; a life without end is always there."""
    life = hold("life", window="life", window_start="", window_end="")
    both.submit(new_job(), {}, [hold("day"), life], owner())

    def names(moment: object) -> list[str]:
        return [counter.counter for counter in both.all_counters(at=moment)]

    midnight = NOON.replace(hour=0)
    assert names(midnight) == ["day", "life"]
    assert names(midnight - timedelta(microseconds=1)) == ["life"]
    assert names(midnight + timedelta(days=1, microseconds=-1)) == ["day", "life"]
    assert names(midnight + timedelta(days=1)) == ["life"]
    day = both.all_counters(at=NOON)[0]
    assert (day.quota, day.scope, day.key, day.limit, day.reserved) == ("day-per-day", "user", "ada", 100, 10)


def test_usage_adds_up_per_group_and_currency(both: Ledger) -> None:
    """Jobs of every outcome are counted; shots, time and money are those of completed jobs."""
    completed(both, team="theory", cost=5)
    completed(both, team="theory", cost=7, currency="EUR")
    completed(both, team="theory", cost=1)
    both.refuse(new_job(team="theory"), {})
    failed = new_job(team=None)
    both.submit(failed, {}, [], owner())
    both.finish(failed.job_id, 1, "job.failed", {}, settled=None)
    nobody, theory = sorted(both.usage(by="team"), key=lambda row: row["team"] or "")
    assert theory == {
        "team": "theory",
        "jobs": 4,
        "completed": 3,
        "failed": 0,
        "cancelled": 0,
        "denied": 1,
        "succeeded": 3,
        "validated": 0,
        "passed": 0,
        "shots": 600,
        "run_seconds": 1.5,
        "cost_nano": {"USD": 6, "EUR": 7},
    }
    assert (nobody["team"], nobody["jobs"], nobody["failed"], nobody["shots"]) == (None, 1, 1, 0)


def test_usage_is_grouped_by_day_since_a_moment(both: Ledger) -> None:
    """Days are UTC days of submission; an unknown group is an input error."""
    completed(both, created_at=timestamp(NOON - timedelta(days=2)))
    completed(both)
    assert [row["day"] for row in both.usage(by="day")] == ["2026-11-20", "2026-11-22"]
    assert [row["day"] for row in both.usage(by="day", since=NOON)] == ["2026-11-22"]
    with pytest.raises(InputError):
        both.usage(by="colour")


def test_a_blob_is_checked_when_read(ledger: Ledger) -> None:
    """Bytes that no longer match their digest are an integrity failure, absent ones an input error."""
    blob = Blob("counts", b"abc")
    ledger.refuse(new_job(), {}, blobs=[blob, Blob("copy", b"abc")])
    assert ledger.blob(blob.digest) == b"abc"
    with ledger._database.write() as connection:
        connection.exec_driver_sql("UPDATE blobs SET data = x'00'")
    with pytest.raises(IntegrityError):
        ledger.blob(blob.digest)
    with pytest.raises(InputError):
        ledger.blob("sha256:none")


def test_reading_waits_for_no_writer(ledger: Ledger) -> None:
    """While a writer is in the middle of its transaction, readers see the state before it."""
    before = ledger.head()
    with ledger._database.write() as connection:
        connection.exec_driver_sql("UPDATE ledger_head SET seq = 99")
        assert ledger.head() == before
        connection.rollback()
