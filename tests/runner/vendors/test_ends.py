"""How an attempt of several vendor jobs ends when one of them is refused, cannot be stopped, or its process dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qpm_lab import Lab
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import CircuitError, LedgerError, ProviderError, SettingsError
from qpm_lab.experiment import OPEN
from qpm_lab.providers import vendors
from qpm_lab.runner import delivery, following
from qpm_lab.runner.trouble import LostError
from tests.runner.vendors.conftest import SIMULATOR, asymmetric, events, reserved, until
from tests.runner.vendors.test_duplicates import POST, sent_to
from tests.runner.vendors.test_parts import one_each, refunds, submitted

__all__ = ["one_each", "refunds"]


def refused_at(number: int, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's client refuses that submission, and takes the others."""
    remote, send = vendors()["ionq"], vendors()["ionq"].send
    seen: list[object] = []

    def take(parcel: Any) -> str:
        seen.append(parcel)
        if len(seen) == number:
            raise error
        return str(send(parcel))

    monkeypatch.setattr(remote, "send", take)


def stopped(double: RunningDouble) -> list[bool]:
    return [each["cancelled"] for each in double.submissions()]


def test_a_part_that_its_client_refuses_leaves_no_other_running(
    one_each: None, refunds: Any, lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever kind of error it is: the part before it is stopped and followed to its end, and then the job fails."""
    refunds(cancelled="all")
    double.faults(queue_polls=10**6)
    refused_at(2, CircuitError("There are too many operations.", "Make it smaller."), monkeypatch)
    job = submitted(lab, 3)
    assert job.wait(60)
    record = job.record()
    assert (record["status"], record["error"]["message"]) == ("failed", "There are too many operations.")
    assert stopped(double) == [True]
    assert record["cost"] == {"currency": "USD", "amount": "0", "basis": "refunded"}
    assert reserved(lab) == 0


@pytest.mark.parametrize("trouble", [SettingsError("It cannot be read."), LedgerError("It is busy.")], ids=str)
def test_a_wish_to_stop_that_did_not_get_through_is_told_again(
    one_each: None,
    refunds: Any,
    lab: Lab,
    double: RunningDouble,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception,
) -> None:
    """Settings that cannot be read for a moment do not let a cancelled job run on."""
    monkeypatch.setattr(following, "SETTINGS_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(following, "LEDGER_PAUSE_SECONDS", 0.1)
    refunds(cancelled="all")
    double.faults(queue_polls=10**6)
    job = submitted(lab, 2)
    until(lambda: len(job.record()["vendor_ids"]) == 2)
    stop, asked = vendors()["ionq"].stop, []

    def unreadable_at_first(backend_id: str, vendor_id: str) -> None:
        asked.append(vendor_id)
        if len(asked) == 1:
            raise trouble
        stop(backend_id, vendor_id)

    monkeypatch.setattr(vendors()["ionq"], "stop", unreadable_at_first)
    job.cancel()
    assert job.wait(60)
    assert stopped(double) == [True, True]
    assert job.status == "cancelled"


def test_why_a_job_ends_outlives_the_process_that_knew_it(
    one_each: None,
    refunds: Any,
    make_lab: Callable[..., Lab],
    double: RunningDouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its second part was refused, its first is being stopped; the next process sends nothing, and says the same."""
    refunds(cancelled="all")
    double.faults(queue_polls=10**6)
    first = make_lab()
    refused_at(2, ProviderError("Not enough credits.", "Buy some."), monkeypatch)

    def die(*told: Any) -> None:
        raise LostError("The process has died.")

    with monkeypatch.context() as now:
        now.setattr(vendors()["ionq"], "stop", die)
        job = submitted(first, 2)
        until(lambda: "vendor.ending" in events(job))
        first.close()
    again = make_lab().job(job.id)
    assert again.wait(60)
    record = again.record()
    assert (record["status"], record["error"]["message"]) == ("failed", "Not enough credits.")
    assert stopped(double) == [True]


def test_a_part_that_can_neither_be_stopped_nor_read_parks_the_job(
    one_each: None, refunds: Any, lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may run and be billed: what it holds is kept until somebody says what became of it."""
    refunds(cancelled="all")
    double.faults(queue_polls=10**6)
    refused_at(2, ProviderError("Not enough credits.", "Buy some."), monkeypatch)

    def refuse(*told: Any) -> Any:
        raise ProviderError("The key is of no use any more.", "Renew it.")

    monkeypatch.setattr(vendors()["ionq"], "stop", refuse)
    monkeypatch.setattr(vendors()["ionq"], "standing", refuse)
    job = submitted(lab, 2)
    until(lambda: job.status == "parked")
    assert reserved(lab) > 0


def test_duplicates_are_stopped_also_after_trouble_with_the_ledger(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are written down before anything else is done about them."""
    monkeypatch.setattr(following, "LEDGER_PAUSE_SECONDS", 0.1)
    double.faults(lost_answer=1.0, only=POST, queue_polls=10**6)
    remote, find, accepted = vendors()["ionq"], vendors()["ionq"].find, lab.ledger.accepted
    twice: list[str] = []
    busy = [True]

    def look(backend_id: str, token: str) -> Any:
        if not twice:
            double.faults(lost_answer=0.0)
            twice.append(sent_to(double, token))
        return sorted(find(backend_id, token), key=lambda each: each in twice)

    def full_once(*told: Any) -> Any:
        if busy:
            busy.clear()
            raise LedgerError("The ledger is busy.")
        return accepted(*told)

    monkeypatch.setattr(remote, "find", look)
    monkeypatch.setattr(lab.ledger, "accepted", full_once)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: any(stopped(double)))
    double.faults(queue_polls=0)
    assert job.result(60).counts == {"01 1": 20}
    assert [each["id"] for each in double.submissions() if each["cancelled"]] == twice
    assert any(f"{twice[0]} asked to stop" in note for note in job.record()["notes"])


def test_a_vendor_that_refuses_to_be_asked_does_not_keep_a_job_for_ever(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while a person is asked, who can look at the vendor's own page."""
    monkeypatch.setattr(delivery, "UNSTATED_SECONDS", 0.3)
    double.faults(lost_answer=1.0, only=POST)

    def unknown(*told: Any) -> Any:
        raise ProviderError("'surprise' is unknown in IonQ's answer.", "Update qpm_lab.")

    monkeypatch.setattr(vendors()["ionq"], "find", unknown)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.status not in (*OPEN,) or job.status == "parked")
    assert job.status == "parked"
    assert "'surprise'" in job.record()["error"]["message"]
