"""What a ledger records of a job at a vendor: accepted in parts, parked, unparked, tried elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime

from qpm_lab.ledger import Blob, Entry, Ledger
from tests.ledger.making import hold, new_job, owner


def _submitted(ledger: Ledger, amount: int = 10) -> None:
    assert isinstance(ledger.submit(new_job("J"), {}, [hold("a", amount)], owner()), Entry)


def test_an_accepted_job_is_queued_under_the_vendors_id(ledger: Ledger) -> None:
    """Each part has an entry; the row names the first."""
    _submitted(ledger)
    assert ledger.accepted("J", 1, {"part": 0, "token": "t", "vendor_id": "V"}, "V") is not None
    row = ledger.job("J")
    assert (row.status, row.vendor_id) == ("queued", "V")
    assert ledger.accepted("J", 2, {"part": 0}, "W") is None  # of another epoch
    assert ledger.verify().ok


def test_a_parked_job_keeps_what_it_holds_until_a_person_speaks(ledger: Ledger) -> None:
    """Unparking raises the epoch, so that nothing late of the old owner counts."""
    _submitted(ledger)
    assert ledger.park("J", 1, {"error": {}}) is not None
    assert ledger.job("J").status == "parked"
    assert ledger.held("J") == {"a": 10}
    assert ledger.park("J", 1, {}) is None  # it is already
    assert ledger.start("J", 1, {}) is None
    entry = ledger.unpark("J", {"by": "ada"}, owner("other"))
    assert entry is not None
    assert (ledger.job("J").epoch, ledger.job("J").owner) == (2, "other")
    assert ledger.finish("J", 1, "job.completed", {}, settled={"a": 10}) is None
    assert ledger.unpark("J", {}, owner()) is None
    assert ledger.verify().ok


def test_an_attempt_that_cost_something_is_settled_when_the_next_begins(ledger: Ledger) -> None:
    """Its use stays on the counter, the new reservation comes on top, and the row moves to the new backend."""
    _submitted(ledger)
    told = ledger.retry(
        "J", 1, {"cost": 7}, [hold("a", 5)], settled={"a": 7}, backend="aer/noisy", blobs=[Blob("counts.json", b"[]")]
    )
    assert isinstance(told, Entry)
    counter = ledger.counters(["a"])["a"]
    assert (counter.settled, counter.reserved) == (7, 5)
    row = ledger.job("J")
    assert (row.backend, row.attempt, row.vendor_id) == ("aer/noisy", 2, None)
    assert ledger.verify().ok


def test_an_attempt_above_its_reservation_leaves_an_overrun(ledger: Ledger) -> None:
    """What was billed is recorded though it exceeds what was held."""
    _submitted(ledger)
    ledger.retry("J", 1, {}, [hold("a", 5)], settled={"a": 12})
    assert [e.event for e in ledger.entries("J")][1:] == ["cost.overrun", "job.retried"]
    assert ledger.counters(["a"])["a"].settled == 12
    assert ledger.verify().ok


def test_the_latest_standing_needs_no_entry(ledger: Ledger) -> None:
    """How a job stands at its vendor changes with every look, and is not evidence."""
    _submitted(ledger)
    before = ledger.head()
    assert ledger.renew("J", 1, datetime.now(UTC), '{"state": "queued"}')
    assert ledger.job("J").standing == '{"state": "queued"}'
    assert ledger.renew("J", 1, datetime.now(UTC))
    assert ledger.job("J").standing == '{"state": "queued"}'
    assert ledger.head() == before
    assert ledger.verify().ok
