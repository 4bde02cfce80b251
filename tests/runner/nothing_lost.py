"""What holds however often the plug was pulled: every job is accounted for, sent once, and nothing stays reserved.

Each assertion brings its own words: pytest explains only those of test files.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from qpm_lab.experiment import ruled_as
from qpm_lab.lab import Lab
from qpm_lab.ledger import JobRow
from qpm_lab.providers import vendors
from qpm_lab.runner import clock
from tests.runner.vendor_places import Place

SECONDS = 120.0
"""Until whatever goes on must have ended."""


@contextmanager
def opened(place: Place) -> Iterator[Lab]:
    """A start that follows what others have left."""
    lab = Lab(place.home, place.policies)
    try:
        yield lab
    finally:
        lab.close()


@contextmanager
def taking_over(lab: Lab) -> Iterator[None]:
    """Looks for jobs of the dead all the time, so that it asks for them while the vendor does not show them yet."""
    stopped = threading.Event()

    def look() -> None:
        while not stopped.wait(0.05):
            lab.runner.recover()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def assert_nothing_lost(place: Place, lab: Lab) -> None:
    """Every job comes to an end; then all is accounted for."""
    assert_within_limits(lab)
    until_settled(lab)
    sent = Counter(each["token"] for each in place.submissions())
    twice = [token for token, number in sent.items() if number > 1]
    assert not twice, twice
    rows = {row.job_id: row for row in recorded(lab)}
    forgotten = promised(place) - rows.keys()
    assert not forgotten, forgotten
    for job_id in rows.keys() - place.checked:
        assert_accounted_for(lab, place, rows[job_id], sent)
    strange = sent.keys() - place.tokens
    assert not strange, strange
    until_settled(lab)
    place.checked |= rows.keys()
    assert_within_limits(lab)
    held = [counter for counter in lab.ledger.all_counters(at=clock.now()) if counter.reserved]
    assert not held, held
    report = lab.ledger.verify()
    assert report.ok, report.problems


def assert_within_limits(lab: Lab) -> None:
    """Whatever has been killed, no more is held than may be."""
    counters = lab.ledger.all_counters(at=clock.now())
    over = [each for each in counters if each.settled + each.reserved > each.limit]
    assert not over, over


def until_settled(lab: Lab) -> None:
    """Waits until every job has ended or waits for a person."""
    until = time.monotonic() + SECONDS
    while going := [row for row in lab.ledger.open_jobs() if row.status != "parked"]:
        assert time.monotonic() < until, [story(lab, row.job_id) for row in going]
        lab.runner.recover()
        time.sleep(0.05)


def recorded(lab: Lab) -> list[JobRow]:
    """Every job, newest first."""
    rows: list[JobRow] = []
    while page := lab.ledger.jobs(before=rows[-1].job_id if rows else None, limit=1000):
        rows += page
    return rows


def promised(place: Place) -> set[str]:
    """Jobs that a user was told of."""
    file = place.home / "promised"
    return set(file.read_text().split()) if file.exists() else set()


def assert_accounted_for(lab: Lab, place: Place, row: JobRow, sent: Counter[str]) -> None:
    """A job has its result, sent once; or it waits for a person, at a vendor that cannot be asked, who settles it."""
    entries, told = lab.ledger.entries(row.job_id), story(lab, row.job_id)
    attempts = [[each["token"] for each in e.payload["parcels"]] for e in entries if "parcels" in e.payload]
    place.tokens |= {token for tokens in attempts for token in tokens}
    assert row.status in ("completed", "parked", "cancelled"), told
    if row.status == "completed":
        assert [sent[token] for token in attempts[-1]] == [1] * len(attempts[-1]), told
    elif row.status == "cancelled":
        assert any(entry.event == "job.cancel_requested" or row.cancel_requested for entry in entries), told
    else:
        assert vendors()[ruled_as(row.backend).partition("/")[0]].vendor.durability.lookup == "none", told
        settle_by_hand(lab, place, row.job_id, attempts[-1])


def settle_by_hand(lab: Lab, place: Place, job_id: str, tokens: Sequence[str]) -> None:
    """What a person does: looks at the vendor for each part that nobody could tell of."""
    there = {each["token"]: each["id"] for each in place.submissions()}
    while lab.ledger.job(job_id).status == "parked":
        known = {e.payload["token"] for e in lab.ledger.entries(job_id) if e.event == "job.accepted"}
        unclear = next(token for token in tokens if token not in known)
        lab.resolve(job_id, there.get(unclear))
        until_settled(lab)


def story(lab: Lab, job_id: str) -> list[Any]:
    """What the ledger has of a job, for whoever reads a failure."""
    return [
        (e.event, e.epoch, e.payload.get("error") or e.payload.get("vendor_id")) for e in lab.ledger.entries(job_id)
    ]
