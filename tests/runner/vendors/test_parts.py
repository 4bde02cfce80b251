"""Jobs of several vendor jobs that end in the middle: each part is paid for by what became of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from qpm_lab import Lab
from qpm_lab.display.text import to_text
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import CancelledError, ProviderError
from qpm_lab.job import Job
from qpm_lab.providers import vendors
from tests.runner.vendors.conftest import MACHINE, flipped, reserved, until
from tests.runner.vendors.test_money import LIST, spent

POST = "POST /v0.4/jobs"


@pytest.fixture
def one_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor job takes one circuit."""
    remote = vendors()["ionq"]
    monkeypatch.setattr(remote, "vendor", dataclasses.replace(remote.vendor, most_circuits=1))


@pytest.fixture
def refunds(home: Path) -> Callable[..., None]:
    """Writes what the vendor gives back."""

    def write(**said: str) -> None:
        home.mkdir(exist_ok=True)
        (home / "prices.yaml").write_text(yaml.safe_dump({"prices": [{**LIST, "refunds": said}]}))

    return write


def submitted(lab: Lab, circuits: int = 3) -> Job:
    """A job that is quoted at 25 USD per circuit, by the double's own estimate."""
    return lab.submit([flipped(n) for n in range(circuits)], backend=MACHINE, shots=10, fidelity="none")


def held_back_after(lab: Lab, double: RunningDouble, sent: int) -> None:
    """The vendor takes so many parts, keeps them in its queue, and no more for now."""
    double.faults(queue_polls=10**6)

    def hold(name: str) -> None:
        if name == "after-accept" and len(double.submissions()) == sent:
            double.faults(rate_limit=1.0, only=POST)

    lab.runner.boundary = hold


def test_what_was_never_sent_costs_nothing(one_each: None, refunds: Any, lab: Lab, double: RunningDouble) -> None:
    """Of three parts two were sent, and the vendor does not say that it gives back what is cancelled."""
    refunds()
    held_back_after(lab, double, 2)
    job = submitted(lab)
    until(lambda: "429" in str(job.record()["progress"]) or "Too many" in str(job.record()["progress"]))
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(60)
    record = job.record()
    assert record["cost"] == {"currency": "USD", "amount": "50", "basis": "quoted"}
    assert spent(lab) == {50_000_000_000}
    assert "Of 3 vendor jobs: 2 cancelled (as quoted), 1 never sent." in record["notes"]
    assert "2 cancelled (as quoted), 1 never sent" in " ".join(to_text(record, width=100).split())
    assert [each["cancelled"] for each in double.submissions()] == [True, True]
    assert reserved(lab) == 0
    assert lab.ledger.verify().ok


def test_what_was_cancelled_is_given_back_where_the_vendor_says_so(
    one_each: None, refunds: Any, lab: Lab, double: RunningDouble
) -> None:
    """Nothing was run, so nothing is paid for."""
    refunds(cancelled="all")
    held_back_after(lab, double, 2)
    job = submitted(lab)
    until(lambda: len(double.submissions()) == 2)
    job.cancel()
    assert job.wait(60)
    assert job.record()["cost"] == {"currency": "USD", "amount": "0", "basis": "refunded"}
    assert not spent(lab)
    assert reserved(lab) == 0


def test_a_part_that_ran_before_it_could_be_stopped_is_paid_for(
    one_each: None, refunds: Any, lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two parts the first was stopped and the second was not: its bill is asked for before the job ends."""
    refunds(cancelled="all")
    double.faults(queue_polls=10**6)
    job = submitted(lab, 2)
    until(lambda: len(job.record()["vendor_ids"]) == 2)
    _, second = job.record()["vendor_ids"]
    remote, stop = vendors()["ionq"], vendors()["ionq"].stop

    def too_late_for_the_second(backend_id: str, vendor_id: str) -> None:
        if vendor_id == second:
            double.faults(queue_polls=0)
        else:
            stop(backend_id, vendor_id)

    monkeypatch.setattr(remote, "stop", too_late_for_the_second)
    job.cancel()
    assert job.wait(60)
    record = job.record()
    assert record["status"] == "cancelled"
    assert record["cost"] == {"currency": "USD", "amount": "25", "basis": "billed"}
    assert "Of 2 vendor jobs: 1 cancelled (not charged), 1 answered (as billed)." in record["notes"]
    assert spent(lab, "shots") == {10}
    assert reserved(lab) == 0


def test_a_job_that_fails_in_one_part_pays_for_the_others_as_they_ended(
    one_each: None, refunds: Any, lab: Lab, double: RunningDouble
) -> None:
    """The first answered and was billed, the second failed, the third was stopped."""
    refunds(cancelled="all", failed="all")

    def fail_the_second(name: str) -> None:
        if name == "after-accept" and len(double.submissions()) == 1:
            double.faults(failing=1.0)
        if name == "after-accept" and len(double.submissions()) == 2:
            double.faults(failing=0.0)

    lab.runner.boundary = fail_the_second
    job = submitted(lab)
    with pytest.raises(ProviderError, match="lost its calibration"):
        job.result(60)
    record = job.record()
    assert record["cost"]["basis"] == "billed"
    assert record["cost"]["amount"] in ("25", "50")  # the third may have run before it could be stopped
    (note,) = [note for note in record["notes"] if note.startswith("Of 3 vendor jobs")]
    assert "1 failed (not charged)" in note
    assert reserved(lab) == 0
    assert lab.ledger.verify().ok


def test_a_job_that_is_given_up_is_paid_for_though_its_answer_is_of_no_use(
    refunds: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor ran it, whatever it gives back for what fails."""
    refunds(cancelled="all", failed="all")

    def of_no_use(parcel: Any, vendor_id: str) -> Any:
        raise ProviderError("Field 'x' is missing in IonQ's answer.", "Report it.")

    monkeypatch.setattr(vendors()["ionq"], "answer", of_no_use)
    job = lab.submit(flipped(0), backend=MACHINE, shots=10, fidelity="none")
    until(lambda: job.record()["status"] == "parked")
    lab.resolve(job.id, give_up=True)
    assert job.record()["cost"] == {"currency": "USD", "amount": "25", "basis": "quoted"}
    assert reserved(lab) == 0


def test_an_attempt_that_is_followed_by_another_pays_for_its_parts_alike(
    home: Path, tmp_path: Path, one_each: None, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One part was taken and stopped, the next refused for good: the route goes on, and the total is one part's."""
    from tests.runner.routed import NOISY, bundle, lab_with

    route = {"id": "auto", "backends": [MACHINE, NOISY], "by": "listed"}
    lab = lab_with(home, double, bundle(tmp_path / "routes", route), monkeypatch)
    double.faults(queue_polls=10**6)

    def refuse(name: str) -> None:
        if name == "after-accept":
            double.faults(expired_token=True, only=POST)

    lab.runner.boundary = refuse
    try:
        job = lab.submit([flipped(n) for n in range(2)], backend="auto", shots=10, fidelity="none")
        job.result(60)
        record = job.record()
        first = record["route"]["attempts"][0]
        assert (record["backend"], first["cost"]["amount"], record["cost"]["amount"]) == (NOISY, "25", "25")
        assert f"Attempt 1 on {MACHINE}: Of 2 vendor jobs: 1 cancelled (as quoted), 1 never sent." in record["notes"]
        assert {row["backend"]: row["cost_nano"] for row in lab.ledger.usage(by="backend")} == {
            NOISY: {"USD": 0},
            MACHINE: {"USD": 25_000_000_000},
        }
        assert reserved(lab) == 0
        assert lab.ledger.verify().ok
    finally:
        lab.close()
