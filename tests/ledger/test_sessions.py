"""The promises of sessions: an envelope reserved once, drawn down by jobs, given back, released at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from qpm_lab.errors import InputError, IntegrityError, LedgerError
from qpm_lab.ledger import Blob, Ending, Entry, Ledger, owner_gone, timestamp
from tests.ledger.making import NOON, hold, new_job, new_session, owner

COMPLETED = Ending("job.completed", {"ended": True}, {"shots": 7}, {"run_seconds": 0.5})


def opened(ledger: Ledger, amount: int = 60, *more: Any) -> str:
    session = new_session()
    entry = ledger.open_session(session, {"max_jobs": 3}, [hold(amount=amount), *more], owner())
    assert isinstance(entry, Entry)
    return session.session_id


def drawing(ledger: Ledger, session_id: str, amount: int = 10, *more: Any) -> str:
    job = new_job(session_id=session_id)
    entry = ledger.submit(job, {}, [hold(amount=amount), *more], owner(), started=True)
    assert isinstance(entry, Entry)
    return job.job_id


def standing(ledger: Ledger, key: str = "shots") -> tuple[int, int]:
    counter = ledger.counters([key])[key]
    return counter.settled, counter.reserved


def test_an_open_session_holds_its_envelope(both: Ledger) -> None:
    """The envelope counts as reserved from the start, and the session can be found."""
    session = new_session()
    entry = both.open_session(session, {"max_jobs": 3}, [hold(amount=60), hold("money", 5)], owner())
    assert isinstance(entry, Entry)
    assert (entry.event, entry.job_id, entry.payload["max_jobs"]) == ("session.opened", None, 3)
    row = both.session(session.session_id)
    assert (row.name, row.user, row.notebook_run, row.status, row.open) == ("vqe", "ada", "nb", "open", True)
    assert (row.owner, row.host, row.pid, row.closed_at) == ("me", "here", 1, None)
    assert row.lease_until == NOON + timedelta(seconds=30)
    assert both.open_sessions() == [row]
    assert both.held(session.session_id) == {"money": 5, "shots": 60}
    assert (standing(both), standing(both, "money")) == ((0, 60), (0, 5))
    assert both.verify().ok


def test_an_envelope_that_does_not_fit_leaves_nothing(both: Ledger) -> None:
    """All shortages are named, and no session, counter or entry remains."""
    before = both.head()
    session = new_session()
    short = both.open_session(session, {}, [hold(amount=101), hold("money", 1)], owner())
    assert isinstance(short, tuple)
    assert [(s.hold.counter, s.left) for s in short] == [("shots", 100)]
    assert (both.head(), both.open_sessions(), both.counters(["money", "shots"])) == (before, [], {})


def test_a_job_draws_from_its_session_and_gives_back_what_it_did_not_use(both: Ledger) -> None:
    """The counter's reserved amount falls by what is settled only; entries say what was drawn."""
    session_id = opened(both, 60)
    job_id = drawing(both, session_id, 10)
    assert both.entries(job_id)[0].payload["holds"][0]["drawn"] is True
    assert (both.held(session_id), both.held(job_id)) == ({"shots": 50}, {"shots": 10})
    assert standing(both) == (0, 60)
    both.finish(job_id, 1, "job.completed", {}, settled={"shots": 7})
    assert (both.held(session_id), both.held(job_id)) == ({"shots": 53}, {})
    assert standing(both) == (7, 53)
    assert both.verify().ok


def test_the_envelope_is_honoured_when_the_limit_has_fallen(both: Ledger) -> None:
    """What was granted to the session can be used to the last, though the counter alone would refuse by now."""
    session_id = opened(both, 60)
    job = new_job(session_id=session_id)
    assert isinstance(both.submit(job, {}, [hold(amount=60, limit=5)], owner()), Entry)
    assert both.counters(["shots"])["shots"].limit == 100
    assert isinstance(both.submit(new_job(), {}, [hold(amount=1, limit=5)], owner()), tuple)


def test_a_hold_the_envelope_does_not_cover_is_taken_from_the_counter(both: Ledger) -> None:
    """Neither split nor refused: the whole hold comes from the counter, and ends there."""
    session_id = opened(both, 5)
    job_id = drawing(both, session_id, 6, hold("other", 3), hold("free", 0))
    holds = both.entries(job_id)[0].payload["holds"]
    assert [h.get("drawn", False) for h in holds] == [False, False, False]
    assert (both.held(session_id), standing(both), standing(both, "other")) == ({"shots": 5}, (0, 11), (0, 3))
    both.finish(job_id, 1, "job.failed", {}, settled=None)
    assert (both.held(session_id), standing(both), standing(both, "other")) == ({"shots": 5}, (0, 5), (0, 0))
    assert both.verify().ok


def test_a_shortage_rolls_the_draw_back(both: Ledger) -> None:
    """When one hold does not fit, what another drew is in the envelope again."""
    session_id = opened(both, 60)
    before = both.head()
    asked = [hold(amount=10), hold("money", 11, 10)]
    for answer in (
        both.submit(new_job(session_id=session_id), {}, asked, owner()),
        both.submit_ended(
            new_job(session_id=session_id), {}, asked, owner(), replace(COMPLETED, settled={"shots": 7, "money": 1})
        ),
    ):
        assert isinstance(answer, tuple)
        assert [s.hold.counter for s in answer] == ["money"]
    assert (both.head(), both.held(session_id), standing(both)) == (before, {"shots": 60}, (0, 60))


def test_recovery_gives_back_what_the_job_drew(both: Ledger) -> None:
    """A job closed by its new owner without settlement leaves the whole envelope."""
    session_id = opened(both, 60)
    job_id = drawing(both, session_id, 10)
    assert both.take_over(job_id, 1, owner("new")) == 2
    both.finish(job_id, 2, "job.failed", {}, settled=None)
    assert (both.held(session_id), standing(both)) == ({"shots": 60}, (0, 60))
    assert both.verify().ok


def test_a_retry_draws_afresh(both: Ledger) -> None:
    """The earlier draw goes back first, so that the whole envelope is there for the next attempt."""
    session_id = opened(both, 60)
    job_id = drawing(both, session_id, 40)
    entry = both.retry(job_id, 1, {}, [hold(amount=55)])
    assert isinstance(entry, Entry)
    assert entry.payload["holds"][0]["drawn"] is True
    assert (both.held(session_id), both.held(job_id), standing(both)) == ({"shots": 5}, {"shots": 55}, (0, 60))
    assert isinstance(both.retry(job_id, 1, {}, [hold(amount=101)]), tuple)
    assert (both.held(session_id), both.held(job_id)) == ({"shots": 5}, {"shots": 55})
    assert both.verify().ok


def test_a_bill_above_its_hold_is_paid_from_the_envelope(both: Ledger) -> None:
    """An overrun is recorded and leaves less to spend, so that reserved and settled stay what was granted."""
    session_id = opened(both, 20)
    job_id = drawing(both, session_id, 10)
    both.finish(job_id, 1, "job.completed", {}, settled={"shots": 15})
    assert [e.event for e in both.entries(job_id)][-2] == "cost.overrun"
    assert (both.held(session_id), standing(both)) == ({"shots": 5}, (15, 5))
    last = new_job(session_id=session_id)
    both.submit_ended(last, {}, [hold(amount=4)], owner(), replace(COMPLETED, settled={"shots": 9}))
    assert (both.held(session_id), standing(both)) == ({"shots": 0}, (24, 0))
    assert [e.event for e in both.entries(last.job_id)][-2] == "cost.overrun"
    assert both.verify().ok


def test_closing_releases_what_is_left_and_happens_once(both: Ledger) -> None:
    """The entry says what was released; a second closing changes nothing."""
    session_id = opened(both, 60, hold("money", 5))
    entry = both.close_session(session_id, {"why": "done"})
    assert entry is not None
    assert (entry.event, entry.payload["why"]) == ("session.closed", "done")
    assert entry.payload["ledger"]["released"] == {"money": 5, "shots": 60}
    row = both.session(session_id)
    assert (row.status, row.open, row.closed_at, row.last_entry) == ("closed", False, entry.at, entry.seq)
    assert (both.held(session_id), standing(both), standing(both, "money")) == ({}, (0, 0), (0, 0))
    assert both.open_sessions() == []
    assert both.close_session(session_id, {}) is None
    assert both.head()[0] == entry.seq
    assert both.verify().ok


def test_a_job_outlives_its_session(both: Ledger) -> None:
    """What it drew stays its own when the session closes; later it is settled, retried or released by itself."""
    session_id = opened(both, 60)
    done, again = drawing(both, session_id, 10), drawing(both, session_id, 20)
    both.close_session(session_id, {})
    assert standing(both) == (0, 30)
    both.finish(done, 1, "job.completed", {}, settled={"shots": 7})
    assert standing(both) == (7, 20)
    entry = both.retry(again, 1, {}, [hold(amount=25)])
    assert isinstance(entry, Entry)
    assert "drawn" not in entry.payload["holds"][0]
    assert standing(both) == (7, 25)
    both.finish(again, 1, "job.failed", {}, settled=None)
    assert standing(both) == (7, 0)
    assert both.verify().ok


def test_a_session_that_has_ended_takes_no_job(both: Ledger) -> None:
    """Submitting into a closed or unknown session says so and records nothing."""
    session_id = opened(both)
    both.close_session(session_id, {})
    before = both.head()
    with pytest.raises(LedgerError, match="has ended"):
        both.submit(new_job(session_id=session_id), {}, [hold()], owner())
    with pytest.raises(LedgerError, match="has ended"):
        both.submit_ended(new_job(session_id=session_id), {}, [hold()], owner(), COMPLETED)
    with pytest.raises(InputError, match="no session"):
        both.submit(new_job(session_id="none"), {}, [hold()], owner())
    for ask in (both.session, lambda name: both.close_session(name, {})):
        with pytest.raises(InputError, match="no session"):
            ask("none")
    assert both.head() == before


def test_an_ended_job_leaves_what_submit_and_finish_leave(both: Ledger) -> None:
    """Entries, row, counters and envelope are the same; only the moment of the start may be told."""
    session_id = opened(both, 60)
    first, second = new_job(session_id=session_id), new_job(session_id=session_id)
    asked, settled = [hold(amount=10), hold("money", 3)], {"shots": 7, "money": 3}
    both.submit(first, {"a": 1}, asked, owner(), started=True, blobs=[Blob("circuit", b"q")])
    one = both.finish(first.job_id, 1, "job.completed", {"b": 2}, settled=settled, summary={"run_seconds": 0.5})
    between = standing(both), standing(both, "money")
    ending = Ending("job.completed", {"b": 2}, settled, {"run_seconds": 0.5}, started_at=NOON)
    two = both.submit_ended(second, {"a": 1}, asked, owner(), ending, blobs=[Blob("circuit", b"q")])
    assert one is not None
    assert isinstance(two, Entry)
    assert two.payload == one.payload
    assert between == ((7, 53), (3, 0))
    assert (standing(both), standing(both, "money")) == ((14, 46), (6, 0))
    assert (both.held(session_id), both.held(second.job_id)) == ({"shots": 46}, {})
    told = [[(e.event, e.attempt, e.epoch) for e in both.entries(job.job_id)] for job in (first, second)]
    assert told[0] == told[1]
    rows = [both.job(job.job_id) for job in (first, second)]
    places = {"job_id": "", "started_at": "", "ended_at": "", "first_entry": 0, "last_entry": 0}
    assert replace(rows[0], **places) == replace(rows[1], **places)
    assert (rows[1].started_at, rows[1].ended_at) == (timestamp(NOON), two.at)
    assert both.verify().ok


def test_an_ended_job_needs_no_session(both: Ledger) -> None:
    """Its holds are taken from the counters and settled at once, within the limit."""
    entry = both.submit_ended(new_job(), {}, [hold(amount=60)], owner(), COMPLETED)
    assert isinstance(entry, Entry)
    assert standing(both) == (7, 0)
    short = both.submit_ended(new_job(), {}, [hold(amount=94)], owner(), COMPLETED)
    assert isinstance(short, tuple)
    assert (short[0].settled, short[0].left) == (7, 93)
    failed = Ending("job.failed", {}, None, {"error": "it broke"})
    assert isinstance(both.submit_ended(new_job(), {}, [hold(amount=60)], owner(), failed), Entry)
    assert standing(both) == (7, 0)
    assert both.open_jobs() == []
    assert both.verify().ok


@pytest.mark.parametrize(
    "ending",
    [
        replace(COMPLETED, event="job.started"),
        replace(COMPLETED, settled={}),
        replace(COMPLETED, settled={"shots": -1}),
        replace(COMPLETED, summary={"colour": "red"}),
        replace(COMPLETED, payload={"holds": []}),
    ],
)
def test_an_ending_that_cannot_be_recorded_records_nothing(ledger: Ledger, ending: Ending) -> None:
    """The same is refused as by `finish`, and neither the job nor its draw remains."""
    session_id = opened(ledger)
    before = ledger.head()
    with pytest.raises(LedgerError):
        ledger.submit_ended(new_job(session_id=session_id), {}, [hold()], owner(), ending)
    assert (ledger.head(), ledger.held(session_id), ledger.jobs()) == (before, {"shots": 60}, [])


def test_jobs_and_sessions_never_share_an_id(both: Ledger) -> None:
    """Both hold quotas under their id, so that either is refused where the other has it."""
    session_id = opened(both, 10)
    job_id = drawing(both, session_id, 1)
    with pytest.raises(LedgerError, match="already has a session"):
        both.open_session(new_session(session_id), {}, [], owner())
    with pytest.raises(LedgerError, match="already has a job"):
        both.open_session(new_session(job_id), {}, [], owner())
    with pytest.raises(LedgerError, match="already has a session"):
        both.submit(new_job(session_id), {}, [], owner())


@pytest.mark.parametrize("change", [{"name": "x" * 1001}, {"user": "a\0b"}, {"session_id": None}, {"created_at": 1}])
def test_a_session_that_no_database_can_hold_is_refused(ledger: Ledger, change: dict[str, Any]) -> None:
    """Overlong text, NUL and missing values end in a message."""
    with pytest.raises(LedgerError, match="session"):
        ledger.open_session(replace(new_session(), **change), {}, [hold()], owner())
    assert ledger.head()[0] == 1


@pytest.mark.parametrize("event", ["session.opened", "session.closed"])
def test_sessions_cannot_be_noted(ledger: Ledger, event: str) -> None:
    """Only the methods of their own open and close sessions."""
    with pytest.raises(LedgerError):
        ledger.note(event, {})


def test_a_sessions_lease_is_renewed_while_it_is_open(both: Ledger) -> None:
    """Renewing moves the lease without an entry; a closed or unknown session has none."""
    session_id = opened(both)
    before, later = both.head(), NOON + timedelta(hours=1)
    assert both.renew_session(session_id, later) is True
    assert both.session(session_id).lease_until == later
    assert both.head() == before
    assert owner_gone(both.home, both.session(session_id), later + timedelta(seconds=1))
    assert not owner_gone(both.home, both.session(session_id), NOON)
    both.close_session(session_id, {})
    assert both.renew_session(session_id, NOON) is False
    assert both.renew_session("none", NOON) is False
    assert both.verify().ok


def test_the_jobs_of_a_session_are_listed(both: Ledger) -> None:
    """The filter combines with the others; a job's row names its session."""
    session_id = opened(both)
    inside = drawing(both, session_id, 1)
    both.submit(new_job(), {}, [], owner())
    assert [row.job_id for row in both.jobs(session=session_id)] == [inside]
    assert both.jobs(session=session_id, user="grace") == []
    assert both.job(inside).session_id == session_id
    assert [row.session_id for row in both.jobs()] == [None, session_id]
    assert [row["jobs"] for row in both.usage(session=session_id)] == [1]
    assert [row["jobs"] for row in both.usage()] == [2]


def test_open_sessions_are_newest_first(both: Ledger) -> None:
    """Whoever cleans up finds all of them."""
    ids = [opened(both, 1) for _ in range(3)]
    both.close_session(ids[1], {})
    assert [row.session_id for row in both.open_sessions()] == [ids[2], ids[0]]


def test_a_spoilt_reservation_stops_the_draw(ledger: Ledger) -> None:
    """A draw on a row that was removed meanwhile is an integrity failure and changes nothing."""
    session_id = opened(ledger)
    job_id = drawing(ledger, session_id, 10)
    with ledger._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM reservations WHERE session_id IS NULL")
    before = ledger.head()
    with pytest.raises(IntegrityError):
        ledger.finish(job_id, 1, "job.failed", {}, settled=None)
    assert ledger.head() == before
