"""A submission whose answer was lost: found again, sent again where that is safe, or parked until a person says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qpm_lab import Lab
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import InputError, ProviderError
from qpm_lab.experiment import Status
from qpm_lab.job import Job
from qpm_lab.runner import delivery
from tests.runner.vendors.conftest import SIMULATOR, Settings, asymmetric, events, reserved, until

POST = "POST /v0.4/jobs"


def test_a_job_whose_answer_was_lost_is_found_by_its_token(lab: Lab, double: RunningDouble) -> None:
    """It is not sent again."""
    double.faults(lost_answer=1.0, only=POST)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1
    assert "vendor.unclear" in events(job)
    assert reserved(lab) == 0


def test_a_job_that_is_listed_late_is_not_sent_twice(settings: Settings, lab: Lab, double: RunningDouble) -> None:
    """As long as the vendor may be slow to list it, an empty list proves nothing."""
    settings(visibility_seconds=2.0, timeout_seconds=5)
    double.faults(lost_answer=1.0, visibility_seconds=1.5, only="jobs")
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: "vendor.unclear" in events(job))
    double.faults(lost_answer=0.0)
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


def test_a_job_that_the_vendor_never_got_is_sent_again_after_the_time_that_settles_it(
    settings: Settings, lab: Lab, double: RunningDouble
) -> None:
    """Two empty look-ups, separated by what a request and a list may take, are proof enough."""
    settings(visibility_seconds=0.2, timeout_seconds=1)
    double.faults(outage=1.0, only=POST)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: "vendor.unclear" in events(job))
    double.faults(outage=0.0)
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


@pytest.fixture
def parked(settings: Settings, lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job that the vendor took, and does not list within the time for which it is looked for."""
    settings(visibility_seconds=None)
    monkeypatch.setattr(delivery, "UNSTATED_SECONDS", 0.5)
    double.faults(lost_answer=1.0, visibility_seconds=3600.0, only="POST /v0.4/jobs")
    double.faults(only=POST)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.status == Status.PARKED)
    double.faults(visibility_seconds=0.0, lost_answer=0.0)
    return job


def test_a_vendor_that_states_no_time_leaves_the_job_parked_with_what_it_holds(parked: Job, lab: Lab) -> None:
    """The record says what to do, and waiting for the result ends with the same words."""
    record = parked.record()
    assert record["status"] == "parked"
    assert reserved(lab) > 0
    assert f"qpm jobs resolve {parked.id}" in record["error"]["hint"]
    with pytest.raises(ProviderError, match="Nobody can tell whether IonQ took this job"):
        parked.result(5)
    assert lab.ledger.verify().ok


def test_a_person_who_found_the_job_names_it(parked: Job, lab: Lab, double: RunningDouble) -> None:
    """The very job is followed to its result, also for those who held it before."""
    lab.resolve(parked.id, double.submissions()[0]["id"])
    assert parked.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1
    assert reserved(lab) == 0
    assert lab.ledger.verify().ok


def test_a_person_who_found_none_closes_it(parked: Job, lab: Lab, double: RunningDouble) -> None:
    """What it held is given back, nothing is sent, and the record says who said so."""
    assert lab.resolve(parked.id) is None
    assert parked.status == Status.FAILED
    assert reserved(lab) == 0
    assert "ada says" in parked.record()["error"]["message"]
    assert parked.record()["cost"]["amount"] == "0"
    assert len(double.submissions()) == 1
    assert lab.ledger.verify().ok


def test_a_parked_job_may_simply_be_looked_for_once_more(parked: Job, lab: Lab, double: RunningDouble) -> None:
    """`resume` asks again; now it is listed."""
    lab.resume(parked.id)
    assert parked.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


def test_a_parked_job_cannot_be_cancelled_or_given_up_while_nobody_knows(parked: Job, lab: Lab) -> None:
    """Both would forget a job that the vendor may be running and billing."""
    with pytest.raises(InputError, match="is parked"):
        lab.cancel(parked.id)
    with pytest.raises(InputError, match="Nobody knows yet"):
        lab.resolve(parked.id, give_up=True)
    assert parked.status == Status.PARKED
    assert lab.ledger.held(parked.id)


def test_only_a_parked_job_is_resolved(lab: Lab, double: RunningDouble) -> None:
    """One that goes on by itself, or has ended, is left alone."""
    double.faults(queue_polls=10**6)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.record()["vendor_ids"])
    with pytest.raises(InputError, match="is not parked"):
        lab.resolve(job.id, "4a1b")
    job.cancel()


def test_what_the_vendor_has_cannot_be_said_to_be_missing(lab: Lab, double: RunningDouble) -> None:
    """A job that was parked for its answer only is resumed, not resolved."""
    double.faults(schema_change="status", only="GET /v0.4/jobs/")
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.status == Status.PARKED)
    for said in (None, "4a1b"):
        with pytest.raises(InputError, match="qpm jobs resume"):
            lab.resolve(job.id, said)
    assert job.status == Status.PARKED


def test_a_parked_job_stays_parked_in_a_new_kernel(parked: Job, make_lab: Callable[..., Lab]) -> None:
    """Nobody but a person takes it up."""
    again = make_lab()
    assert again.job(parked.id).status == Status.PARKED
    assert parked.id not in again.runner.live


def test_a_wrong_id_from_a_person_is_refused_and_the_job_stays_parked(
    parked: Job, lab: Lab, double: RunningDouble
) -> None:
    """The vendor is asked for it first; a mistyped id would be followed for ever."""
    with pytest.raises(InputError, match=r"does not confirm .* The job stays parked"):
        lab.resolve(parked.id, "00000000-0000-0000-0000-000000000000")
    assert parked.status == Status.PARKED
    lab.resolve(parked.id, double.submissions()[0]["id"])
    assert parked.result(60).counts == {"01 1": 20}


def test_a_parked_job_names_the_token_to_look_for(parked: Job, double: RunningDouble) -> None:
    """What a person searches for on the vendor's page stands in the record and on the card."""
    token = double.submissions()[0]["token"]
    assert parked.record()["parked"]["tokens"] == [token]
    assert token in parked.record()["error"]["hint"]
