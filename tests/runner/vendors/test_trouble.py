"""A vendor that fails, is away, or answers what nobody can read: what the user is told, and that the job is kept."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

import pytest

from qpm_lab import Lab
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import InputError, ProviderError, QpmError
from qpm_lab.experiment import Status
from qpm_lab.providers import vendors
from tests.runner.vendors.conftest import MACHINE, SIMULATOR, asymmetric, events, flipped, reserved, until

ONE_JOB = "GET /v0.4/jobs/"


def test_a_failure_at_the_vendor_comes_with_its_words(lab: Lab, double: RunningDouble) -> None:
    """The vendor's own message reaches the user, and nothing stays reserved."""
    double.faults(failing=1.0)
    job = lab.submit(asymmetric(), backend=MACHINE, shots=20)
    with pytest.raises(ProviderError, match="lost its calibration"):
        job.result(60)
    assert job.status == Status.FAILED
    assert reserved(lab) == 0
    assert "lost its calibration" in job.record()["error"]["message"]


def test_a_circuit_that_the_vendor_refuses_ends_the_job_with_its_words(lab: Lab, double: RunningDouble) -> None:
    """A certain refusal of what was sent is no reason to send it again."""
    remote = vendors()["ionq"]
    wide = flipped(0, width=25)
    job = lab.submit(wide, backend=SIMULATOR, shots=20, fidelity="none")
    with pytest.raises(ProviderError, match="simulates at most 24 qubits"):
        job.result(60)
    assert remote.vendor.name == "ionq"
    assert events(job) == ["job.submitted", "job.failed"]
    assert sum(each.startswith("POST /v0.4/jobs") for each in double.received()) == 1


def test_an_outage_while_polling_is_waited_out(lab: Lab, double: RunningDouble) -> None:
    """The job waits for its vendor and says so; it does not fail."""
    double.faults(outage=1.0, only=ONE_JOB)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: "503" in job.record()["progress"]["message"])
    assert job.status in (Status.QUEUED, Status.RUNNING)
    double.faults(outage=0.0)
    assert job.result(60).counts == {"01 1": 20}


def test_too_many_requests_at_submission_are_tried_again_by_themselves(lab: Lab, double: RunningDouble) -> None:
    """A job that the vendor certainly did not take is sent again as a further attempt."""
    double.faults(rate_limit=1.0, only="POST /v0.4/jobs")
    job = lab.submit(asymmetric(), backend=MACHINE, shots=20)
    until(lambda: "job.retried" in events(job))
    double.faults(rate_limit=0.0)
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1
    assert reserved(lab) == 0


def test_a_part_that_is_refused_for_now_does_not_send_the_others_again(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a job in several parts, what the vendor has is neither run nor paid for twice."""
    remote = vendors()["ionq"]
    monkeypatch.setattr(remote, "vendor", dataclasses.replace(remote.vendor, most_circuits=1))

    def refuse_the_next(name: str) -> None:
        if name == "after-accept" and len(double.submissions()) == 1:
            double.faults(rate_limit=1.0, only="POST /v0.4/jobs")

    lab.runner.boundary = refuse_the_next
    job = lab.submit([flipped(n) for n in (0, 1, 2)], backend=SIMULATOR, shots=20, fidelity="none")
    until(lambda: sum(each.startswith("POST /v0.4/jobs") for each in double.received()) >= 2)
    double.faults(rate_limit=0.0)
    assert [dict(each.counts) for each in job.result(60)] == [{"001": 20}, {"010": 20}, {"100": 20}]
    assert len(double.submissions()) == 3
    assert "job.retried" not in events(job)


def test_when_a_part_fails_the_others_are_stopped(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that has failed goes on costing nothing."""
    remote = vendors()["ionq"]
    monkeypatch.setattr(remote, "vendor", dataclasses.replace(remote.vendor, most_circuits=1))

    def spoil_the_next(name: str) -> None:
        if name == "after-accept":
            double.faults(queue_polls=10**6, expired_token=True, only="POST /v0.4/jobs")

    lab.runner.boundary = spoil_the_next
    job = lab.submit([flipped(n) for n in (0, 1)], backend=SIMULATOR, shots=20, fidelity="none")
    with pytest.raises(ProviderError, match="401"):
        job.result(60)
    assert [each["cancelled"] for each in double.submissions()] == [True]


def test_an_expired_key_refuses_jobs_until_there_is_a_new_one(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user is told which key to store, in words without the old one, and then jobs run."""
    double.faults(queue_polls=3)
    monkeypatch.setenv("QPM_SECRET_IONQ", "old-key-that-has-expired-77")
    with pytest.raises(QpmError, match="401") as refused:
        lab.submit(asymmetric(), backend=MACHINE, shots=20)
    assert "qpm secret set ionq" in str(refused.value)
    assert "old-key" not in str(refused.value)
    assert reserved(lab) == 0
    assert not double.submissions()
    monkeypatch.setenv("QPM_SECRET_IONQ", double.access["secrets"]["token"])
    until(lambda: lab.runner.site.access("ionq").secrets["token"] == double.access["secrets"]["token"])
    assert lab.submit(asymmetric(), backend=MACHINE, shots=20).result(60).counts == {"01 1": 20}


def test_a_key_that_expires_mid_way_parks_nothing_for_good(lab: Lab, double: RunningDouble) -> None:
    """After a new key was stored the same job has its result, sent once."""
    double.faults(queue_polls=10**6)
    job = lab.submit(asymmetric(), backend=MACHINE, shots=20)
    until(lambda: "queued" in job.record()["progress"]["message"])
    double.faults(expired_token=True)
    told = until(lambda: (job.record()["error"] or job.record()["progress"]).get("message"))
    until(lambda: "401" in str(job.record()["error"]) + str(job.record()["progress"]))
    assert told
    assert "qpm secret set ionq" in str(job.record()["error"]) + str(job.record()["progress"])
    assert job.status in (Status.QUEUED, Status.PARKED)
    assert reserved(lab) > 0
    double.faults(expired_token=False, queue_polls=0)
    if job.status == Status.PARKED:
        lab.resume(job.id)
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1
    assert reserved(lab) == 0


def test_a_changed_answer_parks_the_job_and_resume_reads_it(lab: Lab, double: RunningDouble) -> None:
    """The missing field is named; when the answer can be read the very same job has its result."""
    double.faults(schema_change="status", only=ONE_JOB)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    with pytest.raises(ProviderError, match="'status' is missing") as parked:
        job.result(60)
    assert job.status == Status.PARKED
    assert f"qpm jobs resume {job.id}" in parked.value.hint
    assert reserved(lab) > 0
    double.faults(schema_change="")
    lab.resume(job.id)
    assert job.result(60).counts == {"01 1": 20}
    assert lab.job(job.id).result(0).counts == {"01 1": 20}
    assert len(double.submissions()) == 1
    assert reserved(lab) == 0
    assert lab.ledger.verify().ok


def test_a_result_that_cannot_be_read_may_be_given_up(lab: Lab, double: RunningDouble) -> None:
    """It ends without a result, booked as quoted, since the vendor ran it; nothing stays reserved."""
    double.faults(schema_change="status", only=ONE_JOB)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.status == Status.PARKED)
    with pytest.raises(InputError, match="only its answer could not be used"):
        lab.resolve(job.id)
    assert lab.resolve(job.id, give_up=True) is None
    assert job.status == Status.FAILED
    assert "gave its result up" in job.record()["error"]["message"]
    assert job.record()["cost"]["basis"] == "quoted"
    assert reserved(lab) == 0
    assert lab.ledger.verify().ok


@pytest.mark.parametrize("fault", [{"malformed": True}, {"wrong_type": True}, {"large_bytes": 50 * 2**20}])
def test_an_answer_that_cannot_be_read_loses_nothing(lab: Lab, double: RunningDouble, fault: dict[str, object]) -> None:
    """Cut off, of another type or far too large: the job waits or is parked, and goes on when it can be read."""
    double.faults(**fault, only=ONE_JOB)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: "IonQ" in str(job.record()["error"]) or "not" in str(job.record()["progress"]))
    double.faults(malformed=False, wrong_type=False, large_bytes=0)
    if job.wait(3) and job.status == Status.PARKED:
        lab.resume(job.id)
    assert lab.job(job.id).result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


def test_a_new_job_that_is_not_to_be_seen_yet_is_waited_for(lab: Lab, double: RunningDouble) -> None:
    """Its own address may answer 404 for a moment."""
    double.faults(visibility_seconds=1.5)
    job = lab.submit(asymmetric(), backend=MACHINE, shots=20)
    assert job.result(60).counts == {"01 1": 20}


def test_an_unreachable_vendor_is_told_before_anything_is_reserved(
    make_lab: Callable[..., Lab], settings: Callable[..., None], unused_port: int
) -> None:
    """The refusal says that it is the network, and holds nothing."""
    settings(url=f"http://127.0.0.1:{unused_port}")
    lab = make_lab()
    with pytest.raises(QpmError, match="cannot be reached"):
        lab.submit(asymmetric(), backend=MACHINE, shots=20)
    assert reserved(lab) == 0


def test_without_a_key_nothing_is_recorded_as_reserved(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user is told how to store it."""
    monkeypatch.delenv("QPM_SECRET_IONQ")
    for backend in (SIMULATOR, MACHINE):
        with pytest.raises(QpmError, match="qpm secret set ionq"):
            lab.submit(asymmetric(), backend=backend, shots=20)
    assert reserved(lab) == 0
    assert not double.received()


def test_without_its_client_nothing_is_recorded_as_reserved(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is told how to install it."""
    monkeypatch.setenv("QPM_PROVIDERS", os.devnull)
    monkeypatch.setattr("qpm_lab.providers.apart.environment._is_here", lambda module: False)
    with pytest.raises(ProviderError, match="qpm provider install ionq"):
        lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    assert reserved(lab) == 0
