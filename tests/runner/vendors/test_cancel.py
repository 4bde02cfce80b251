"""Cancelling a job that is at a vendor."""

from __future__ import annotations

import pytest

from qpm_lab import Lab
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import CancelledError, InputError
from qpm_lab.runner import delivery
from tests.runner.vendors.conftest import MACHINE, SIMULATOR, Settings, asymmetric, events, flipped, reserved, until


@pytest.mark.parametrize(("faults", "state"), [({"queue_polls": 10**6}, "queued"), ({"run_polls": 10**6}, "running")])
def test_a_job_is_cancelled_at_the_vendor(lab: Lab, double: RunningDouble, faults: dict[str, int], state: str) -> None:
    """Queued or running, the vendor is asked to stop it and nothing stays reserved."""
    double.faults(**faults)
    job = lab.submit(asymmetric(), backend=MACHINE, shots=20)
    until(lambda: f"{state} at IonQ" in job.record()["progress"]["message"])
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(60)
    assert [each["cancelled"] for each in double.submissions()] == [True]
    assert events(job)[-1] == "job.cancelled"
    assert reserved(lab) == 0


def test_a_job_that_has_ended_cannot_be_cancelled(lab: Lab) -> None:
    """Its result stays, and whoever asks by id is told."""
    job = lab.submit(flipped(0), backend=SIMULATOR, shots=20)
    job.result(60)
    job.cancel()
    with pytest.raises(InputError, match="has ended"):
        lab.cancel(job.id)
    assert job.result().counts == {"001": 20}


def test_a_cancel_need_not_wait_for_the_next_look(
    settings: Settings, lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that comes while the vendor is being asked is heard at once, however seldom it is asked."""
    settings(poll_seconds=600)
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 60.0)
    double.faults(queue_polls=10**6, latency_seconds=1.0, only="GET /v0.4/jobs/")
    job = lab.submit(flipped(0), backend=SIMULATOR, shots=20)
    until(lambda: any(each.startswith("GET /v0.4/jobs/") for each in double.received()))
    job.cancel()
    assert job.wait(60)


def test_a_job_whose_answer_was_lost_is_looked_up_before_it_counts_as_cancelled(
    lab: Lab, double: RunningDouble
) -> None:
    """What the vendor did take is stopped there."""
    double.faults(lost_answer=1.0, only="POST /v0.4/jobs", queue_polls=10**6)
    job = lab.submit(flipped(0), backend=SIMULATOR, shots=20)
    until(lambda: len(double.submissions()) == 1)
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(60)
    assert [each["cancelled"] for each in double.submissions()] == [True]
