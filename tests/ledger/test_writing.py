"""The promises of each writing method, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from qpm_lab.errors import InputError, LedgerError
from qpm_lab.experiment import Status
from qpm_lab.ledger import Blob, Entry, Ledger
from tests.ledger.making import NOON, hold, new_job, owner


def submitted(ledger: Ledger, amount: int = 10, *, started: bool = True) -> str:
    job = new_job()
    entry = ledger.submit(job, {"a": 1}, [hold(amount=amount)], owner(), started=started)
    assert isinstance(entry, Entry)
    return job.job_id


def standing(ledger: Ledger, key: str = "shots") -> tuple[int, int]:
    counter = ledger.counters([key])[key]
    return counter.settled, counter.reserved


def test_a_submitted_job_holds_its_quotas_and_is_open(both: Ledger) -> None:
    """Submission records the job, its holds and its owner in one go."""
    job = new_job(experiment="bells", team="theory")
    entry = both.submit(job, {"seed": 7}, [hold("b", 5), hold("a", 3)], owner())
    assert isinstance(entry, Entry)
    row = both.job(job.job_id)
    assert entry.event == "job.submitted"
    assert entry.payload["seed"] == 7
    assert [h["counter"] for h in entry.payload["holds"]] == ["a", "b"]
    assert (row.status, row.attempt, row.epoch, row.open) == ("submitted", 1, 1, True)
    assert (row.experiment, row.team, row.total_shots, row.owner) == ("bells", "theory", 200, "me")
    assert row.lease_until == NOON + timedelta(seconds=30)
    assert (standing(both, "a"), standing(both, "b")) == ((0, 3), (0, 5))


def test_a_local_job_starts_in_the_same_transaction(both: Ledger) -> None:
    """With `started` the job runs at once and the start is the entry returned."""
    job_id = submitted(both)
    assert [e.event for e in both.entries(job_id)] == ["job.submitted", "job.started"]
    row = both.job(job_id)
    assert row.status == Status.RUNNING
    assert row.started_at == both.entries(job_id)[1].at


def test_every_hold_that_does_not_fit_is_named_and_nothing_is_written(both: Ledger) -> None:
    """A refusal by quotas lists all shortages with the counters as they stood."""
    submitted(both, 95)
    before = both.head()
    job = new_job()
    asked = [hold("shots", 6), hold("fits", 1), hold("money", 11, 10)]
    short = both.submit(job, {}, asked, owner(), blobs=[Blob("circuit", b"q")])
    assert isinstance(short, tuple)
    assert [(s.hold, s.settled, s.reserved, s.left) for s in short] == [
        (asked[0], 0, 95, 5),
        (asked[2], 0, 0, 10),
    ]
    assert both.head() == before
    assert both.counters(["fits", "money"]) == {}
    with pytest.raises(InputError):
        both.job(job.job_id)
    with pytest.raises(InputError):
        both.blob(Blob("circuit", b"q").digest)


def test_a_hold_that_fits_exactly_is_granted(both: Ledger) -> None:
    """The limit itself can be used up."""
    assert isinstance(both.submit(new_job(), {}, [hold(amount=100)], owner()), Entry)
    assert isinstance(both.submit(new_job(), {}, [hold(amount=1)], owner()), tuple)


def test_a_finished_job_settles_what_it_used(both: Ledger) -> None:
    """Finishing moves the actual amount to settled, frees the rest and fills the row for lists."""
    job_id = submitted(both, 10)
    summary = {"cost_nano": 5, "currency": "USD", "fidelity_low": 0.1, "fidelity_high": 0.25, "run_seconds": 1}
    entry = both.finish(job_id, 1, "job.completed", {"counts": {"00": 1}}, settled={"shots": 7}, summary=summary)
    assert entry is not None
    row = both.job(job_id)
    assert standing(both) == (7, 0)
    assert (row.status, row.ended_at, row.last_entry) == ("completed", entry.at, entry.seq)
    assert (row.cost_nano, row.currency, row.fidelity_high, row.run_seconds) == (5, "USD", 0.25, 1.0)
    assert both.open_jobs() == []


@pytest.mark.parametrize("event", ["job.failed", "job.cancelled"])
def test_a_job_without_settlement_releases_everything(both: Ledger, event: str) -> None:
    """None settles every hold at zero."""
    job_id = submitted(both)
    both.finish(job_id, 1, event, {}, settled=None, summary={"error": "it broke"})
    assert standing(both) == (0, 0)
    assert both.job(job_id).error == "it broke"


def test_a_late_or_doubled_outcome_changes_nothing(both: Ledger) -> None:
    """A second outcome, or one of an earlier epoch, leaves chain and counters alone."""
    job_id, other = submitted(both), submitted(both)
    assert both.take_over(other, 1, owner("new")) == 2
    both.finish(job_id, 1, "job.completed", {}, settled={"shots": 1})
    before = both.head(), standing(both)
    assert both.finish(job_id, 1, "job.failed", {}, settled=None) is None
    assert both.finish(other, 1, "job.completed", {}, settled={"shots": 9}) is None
    assert both.start(job_id, 1, {}) is None
    assert both.retry(job_id, 1, {}, [hold()]) is None
    assert both.request_cancel(job_id, "ada") is None
    assert both.take_over(job_id, 1, owner()) is None
    assert both.renew(job_id, 1, NOON) is False
    assert (both.head(), standing(both)) == before


def test_a_bill_above_its_hold_is_recorded_as_an_overrun(both: Ledger) -> None:
    """The true amount is settled and an entry names counter and amounts; the outcome comes last."""
    job_id = submitted(both, 10)
    entry = both.finish(job_id, 1, "job.completed", {}, settled={"shots": 130})
    overrun, outcome = both.entries(job_id)[-2:]
    assert overrun.event == "cost.overrun"
    assert overrun.payload == {"counter": "shots", "held": 10, "settled": 130}
    assert outcome == entry
    assert standing(both) == (130, 0)
    assert both.verify().ok


@pytest.mark.parametrize("settled", [{}, {"shots": 1, "other": 1}, {"shots": -1}, {"shots": 1.5}])
def test_a_settlement_that_does_not_match_the_holds_is_refused(both: Ledger, settled: dict[str, int]) -> None:
    """Each hold is settled by name; a wrong settlement changes nothing."""
    job_id = submitted(both)
    before = both.head()
    with pytest.raises(LedgerError):
        both.finish(job_id, 1, "job.completed", {}, settled=settled)
    assert both.head() == before
    assert standing(both) == (0, 10)


def test_a_retry_swaps_the_holds_and_counts_the_attempt(both: Ledger) -> None:
    """The next attempt holds only its own quotas, even where both together would not fit."""
    job_id = submitted(both, 60)
    entry = both.retry(job_id, 1, {"why": "vendor failed"}, [hold(amount=70), hold("money", 2)])
    assert isinstance(entry, Entry)
    assert entry.attempt == 2
    row = both.job(job_id)
    assert (row.attempt, row.status, row.started_at) == (2, "submitted", None)
    assert (standing(both), standing(both, "money")) == ((0, 70), (0, 2))


def test_a_retry_that_does_not_fit_changes_nothing(both: Ledger) -> None:
    """On shortage the earlier holds stay, and the shortage does not count them as used."""
    job_id = submitted(both, 60)
    before = both.head()
    short = both.retry(job_id, 1, {}, [hold(amount=101)])
    assert isinstance(short, tuple)
    assert (short[0].reserved, short[0].left) == (0, 100)
    assert (both.head(), standing(both)) == (before, (0, 60))
    assert both.job(job_id).attempt == 1


def test_a_retry_without_holds_is_granted(both: Ledger) -> None:
    """A job that holds nothing can be retried."""
    job = new_job()
    both.submit(job, {}, [], owner())
    assert isinstance(both.retry(job.job_id, 1, {}, []), Entry)


def test_a_start_carries_the_vendors_id_and_happens_once(both: Ledger) -> None:
    """The vendor's job id is kept; a doubled start changes nothing."""
    job_id = submitted(both, started=False)
    assert both.start(job_id, 1, {"queue": 3}, vendor_id="v-1") is not None
    assert both.start(job_id, 1, {}, vendor_id="v-2") is None
    assert both.job(job_id).vendor_id == "v-1"


def test_a_refused_job_is_recorded_and_closed(both: Ledger) -> None:
    """Denials and waiting jobs are entries and rows too; they hold nothing."""
    denied, waiting = new_job(), new_job()
    assert both.refuse(denied, {"reasons": ["no"]}).event == "job.denied"
    both.refuse(waiting, {}, status=Status.AWAITING_APPROVAL, blobs=[Blob("circuit", b"q")])
    assert both.job(denied.job_id).status == "denied"
    assert both.job(waiting.job_id).status == "awaiting_approval"
    assert both.open_jobs() == []
    assert both.blob(Blob("x", b"q").digest) == b"q"
    assert both.verify().ok


def test_a_job_cannot_be_refused_as_something_else(ledger: Ledger) -> None:
    """Only denied and awaiting_approval are refusals."""
    with pytest.raises(LedgerError):
        ledger.refuse(new_job(), {}, status=Status.COMPLETED)


def test_a_cancel_request_is_seen_by_the_owner(both: Ledger) -> None:
    """The flag is set once, whoever asks and however often."""
    job_id = submitted(both)
    assert both.cancel_requested(job_id) is False
    first = both.request_cancel(job_id, "grace")
    assert first is not None
    assert first.payload == {"by": "grace"}
    assert both.request_cancel(job_id, "ada") == first
    assert both.cancel_requested(job_id) is True
    assert both.job(job_id).status == "running"


def test_a_lease_is_renewed_without_an_entry(both: Ledger) -> None:
    """Renewing moves the lease of the right epoch only and leaves the chain alone."""
    job_id = submitted(both)
    before = both.head()
    later = NOON + timedelta(hours=1)
    assert both.renew(job_id, 1, later) is True
    assert both.renew(job_id, 2, NOON) is False
    assert both.job(job_id).lease_until == later
    assert both.head() == before
    assert both.verify().ok


def test_a_take_over_raises_the_epoch(both: Ledger) -> None:
    """The new owner works in a new epoch; the old one can append nothing more."""
    job_id = submitted(both)
    assert both.take_over(job_id, 1, owner("new", "there", 9)) == 2
    assert both.take_over(job_id, 1, owner("third")) is None
    row = both.job(job_id)
    assert (row.epoch, row.owner, row.host, row.pid) == (2, "new", "there", 9)
    assert both.finish(job_id, 2, "job.failed", {}, settled=None) is not None


def test_other_events_are_noted(both: Ledger) -> None:
    """Any event that changes no job may be noted, with or without one."""
    job_id = submitted(both)
    entry = both.note("validation.passed", {"value": 0.9}, job_id=job_id)
    assert both.job(job_id).last_entry == entry.seq
    assert both.note("policy.changed", {}).job_id is None
    assert both.verify().ok


@pytest.mark.parametrize("event", ["job.completed", "ledger.created", "cost.overrun", "Nonsense", "a", "a." * 40])
def test_events_with_methods_of_their_own_cannot_be_noted(ledger: Ledger, event: str) -> None:
    """A note can neither move a job nor carry a broken name."""
    with pytest.raises(LedgerError):
        ledger.note(event, {})


def test_a_note_on_an_unknown_job_is_refused(ledger: Ledger) -> None:
    """Every entry of a job follows the job's first."""
    with pytest.raises(InputError):
        ledger.note("validation.passed", {}, job_id="JOB-none")


def test_a_job_id_is_used_once(both: Ledger) -> None:
    """A second job under the same id is refused and holds nothing."""
    job = new_job()
    both.submit(job, {}, [hold(amount=1)], owner())
    with pytest.raises(LedgerError, match="already has a job"):
        both.submit(job, {}, [hold(amount=1)], owner())
    with pytest.raises(LedgerError):
        both.refuse(job, {})
    assert standing(both) == (0, 1)


@pytest.mark.parametrize(
    "change",
    [{"name": "x" * 1001}, {"user": "a\0b"}, {"team": "\ud800"}, {"shots": -1}, {"shots": 2**60 + 1}, {"shots": 1.5}],
)
def test_a_job_that_no_database_can_hold_is_refused(ledger: Ledger, change: dict[str, object]) -> None:
    """Overlong text, NUL, lone surrogates and absurd numbers end in a message, not in the database."""
    before = ledger.head()
    with pytest.raises(LedgerError):
        ledger.submit(new_job(**change), {}, [], owner())
    assert ledger.head() == before


@pytest.mark.parametrize(
    "bad",
    [
        [hold(amount=-1)],
        [hold(limit=2**61)],
        [hold(), hold()],
        [hold(window_start="yesterday")],
        [hold(window_end="2026-11-22T00:00:00")],
        [hold(key="a\0b")],
    ],
)
def test_holds_that_make_no_sense_are_refused(ledger: Ledger, bad: list[object]) -> None:
    """Negative amounts, doubled counters and windows without a time zone are refused."""
    with pytest.raises(LedgerError):
        ledger.submit(new_job(), {}, bad, owner())


@pytest.mark.parametrize("summary", [{"cost_nano": 1.5}, {"cost_nano": True}, {"error": 3}, {"colour": "red"}])
def test_a_summary_of_the_wrong_type_is_refused(ledger: Ledger, summary: dict[str, object]) -> None:
    """Lists are never fed a value they cannot sort or add."""
    job_id = submitted(ledger)
    with pytest.raises(LedgerError):
        ledger.finish(job_id, 1, "job.completed", {}, settled=None, summary=summary)
    assert ledger.job(job_id).open


def test_a_payload_cannot_take_the_ledgers_own_keys(ledger: Ledger) -> None:
    """`ledger` and `holds` in a payload belong to the ledger."""
    with pytest.raises(LedgerError, match="ledger"):
        ledger.note("some.event", {"ledger": {}})


def test_windows_are_spelled_alike(ledger: Ledger) -> None:
    """Equal moments in other spellings make the same window."""
    odd = replace(hold(), window_start="2026-11-22T01:00:00.000000+01:00")
    ledger.submit(new_job(), {}, [odd], owner())
    assert ledger.counters(["shots"])["shots"].window_start == "2026-11-22T00:00:00Z"


def test_a_blob_too_large_is_refused(ledger: Ledger) -> None:
    """Blobs are bounded, and a refused one leaves nothing."""
    with pytest.raises(LedgerError, match="bytes"):
        ledger.refuse(new_job(), {}, blobs=[Blob("counts", bytes((1 << 26) + 1))])
    assert ledger.head()[0] == 1
