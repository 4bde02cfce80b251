"""Jobs recorded by earlier versions are still read: their record, their lists, their result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qpm_lab import Lab
from qpm_lab.ledger import Ledger
from qpm_lab.runner.record import job_record
from tests.ledger.earlier import open_earlier

NEW = ("rerun", "validation", "companions", "twirl", "calibration", "canary")


@pytest.fixture
def lab(home: Path) -> Iterator[Lab]:
    """A Lab on a ledger that was written before there were conditions."""
    open_earlier(home, None, "0002").close()
    made = Lab()
    yield made
    made.close()


def by_name(ledger: Ledger) -> dict[str, str]:
    return {row.name: row.job_id for row in ledger.jobs()}


@pytest.mark.parametrize(
    ("name", "status"), [("noisy", "completed"), ("ideal", "completed"), ("step", "completed"), ("denied", "denied")]
)
def test_an_earlier_record_has_every_key_of_a_new_one(lab: Lab, name: str, status: str) -> None:
    """What it could not know is null."""
    fresh = lab.submit(_bell(), shots=10, seed=1)
    fresh.result()
    record = job_record(lab.ledger, by_name(lab.ledger)[name])
    assert record["status"] == status
    assert set(record) == set(fresh.record())
    assert {record[key] for key in NEW} == {None}
    assert record["next"]["text"]


def test_an_earlier_estimate_has_the_keys_of_a_new_one(lab: Lab) -> None:
    """Its interval is as it was recorded."""
    told = job_record(lab.ledger, by_name(lab.ledger)["noisy"])["fidelity"]
    assert told["low"] < told["value"] < told["high"]
    assert (told["shots_needed"], told["assumption"]) == (None, None)


def test_an_earlier_result_is_read_back(lab: Lab) -> None:
    """Counts and interval, as a Result."""
    result = lab.job(by_name(lab.ledger)["noisy"]).result()
    assert sum(result.counts.values()) == 400
    assert result.fidelity.low is not None


def test_earlier_jobs_stand_in_the_lists(lab: Lab) -> None:
    """They count as succeeded when they completed, and as validated never."""
    frame = lab.jobs()
    assert frame["validation"].isna().all()
    totals = lab.usage()[["completed", "succeeded", "validated", "passed"]].sum().tolist()
    assert totals == [3, 3, 0, 0]


def _bell() -> str:
    return 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'
