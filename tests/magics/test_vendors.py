"""Cells that go to a vendor, against IonQ's double."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell

from qpm_lab import doubles
from qpm_lab.doubles import RunningDouble
from qpm_lab.experiment import OPEN

from .shells import MIME, Ran

FLIPPED = "from qiskit import QuantumCircuit\nqc = QuantumCircuit(3, 3)\nqc.x(0)\nqc.measure([0, 1, 2], [0, 1, 2])\n"
IONQ = "--backend ionq/simulator --shots 20"


@pytest.fixture(scope="module")
def listening() -> Iterator[RunningDouble]:
    with doubles.started("ionq") as running:
        yield running


@pytest.fixture
def double(listening: RunningDouble, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunningDouble:
    """The double, and a home whose settings name it."""
    listening.reset()
    monkeypatch.setenv("QPM_SECRET_IONQ", listening.access["secrets"]["token"])
    options = {"url": listening.url, "poll_seconds": 0.2, "timeout_seconds": 20, "visibility_seconds": 0.5}
    home.mkdir(exist_ok=True)
    (home / "settings.yaml").write_text(yaml.safe_dump({"providers": {"ionq": options}}))
    return listening


def test_a_cell_for_a_vendor_returns_at_once(shell: InteractiveShell, double: RunningDouble) -> None:
    """Its card says where the job is, and the Job has the result once the vendor does."""
    double.faults(queue_polls=10**6)
    ran = Ran(shell, f"%%qjob -o job {IONQ}\n{FLIPPED}qc")
    assert ran.error is None
    drawn = [output.data[MIME]["status"] for output in ran.outputs if MIME in output.data]
    assert drawn
    assert drawn[-1] in OPEN
    assert shell.user_ns["job"].status in OPEN
    double.faults(queue_polls=0)
    job = shell.user_ns["job"]
    assert job.wait(60), job.record()["progress"]
    assert job.result().counts == {"001": 20}


def test_a_cell_waits_when_it_is_told_to(shell: InteractiveShell, double: RunningDouble) -> None:
    """`--wait` leaves the card of the completed job."""
    double.faults(queue_polls=2)
    ran = Ran(shell, f"%%qjob --wait {IONQ}\n{FLIPPED}qc")
    assert ran.error is None
    assert ran.cards[-1]["status"] == "completed"
    assert ran.cards[-1]["counts"] == {"001": 20}


def test_a_failure_at_the_vendor_ends_the_waiting_cell_with_its_words(
    shell: InteractiveShell, double: RunningDouble
) -> None:
    """So that Run All stops."""
    double.faults(failing=1.0)
    ran = Ran(shell, f"%%qjob --wait {IONQ}\n{FLIPPED}qc")
    assert "lost its calibration" in str(ran.error)
    assert "Traceback" not in ran.text


def test_a_parked_job_does_not_hold_a_waiting_cell(shell: InteractiveShell, double: RunningDouble) -> None:
    """The cell ends with what to do."""
    double.faults(schema_change="status", only="GET /v0.4/jobs/")
    ran = Ran(shell, f"%%qjob --wait {IONQ}\n{FLIPPED}qc")
    assert ran.cards[-1]["status"] == "parked"
    assert "qpm jobs resume" in str(ran.error)


def test_an_interrupted_cell_cancels_at_the_vendor(
    shell: InteractiveShell, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does with a simulation here."""
    from qpm_lab.job import Job

    double.faults(queue_polls=10**6)
    whole = Job.wait

    def interrupted(job: Job, timeout: float | None = None) -> bool:
        monkeypatch.setattr(Job, "wait", whole)
        while not double.submissions():
            time.sleep(0.02)
        raise KeyboardInterrupt

    monkeypatch.setattr(Job, "wait", interrupted)
    ran = Ran(shell, f"%%qjob --wait -o job {IONQ}\n{FLIPPED}qc")
    assert type(ran.error).__name__ == "CancelledError"
    assert [each["cancelled"] for each in double.submissions()] == [True]
    assert shell.user_ns["job"].status == "cancelled"


def test_quotes_of_several_backends_are_one_table(shell: InteractiveShell, double: RunningDouble) -> None:
    """Each backend with its price and verdict; nothing is sent."""
    Ran(shell, f"{FLIPPED}")
    ran = Ran(shell, "%qquote qc --backend ionq/qpu.forte-1,aer/simulator,braket/iqm_garnet --shots 100")
    assert ran.error is None
    for word in ("ionq/qpu.forte-1", "aer/simulator", "braket/iqm_garnet", "25"):
        assert word in ran.plain
    assert not double.submissions()


def test_live_backends_say_how_they_are(shell: InteractiveShell, double: RunningDouble) -> None:
    """And an option that there is not is refused."""
    ran = Ran(shell, "%qbackends --live")
    assert ran.error is None
    assert "ionq/qpu.forte-1" in ran.plain
    assert "--live" in str(Ran(shell, "%qbackends --now").error)


def test_the_list_of_jobs_says_where_a_job_is(shell: InteractiveShell, double: RunningDouble) -> None:
    """Also while it queues at the vendor."""
    double.faults(queue_polls=10**6)
    Ran(shell, f"%%qjob -o job {IONQ}\n{FLIPPED}qc")
    job = shell.user_ns["job"]
    while "queued at IonQ" not in job.record()["progress"]["message"]:
        time.sleep(0.02)
    ran = Ran(shell, "%qjobs")
    assert "queued" in ran.plain.lower()
    assert "ionq/simulator" in ran.plain
    ran = Ran(shell, f"%qjobs --cancel {job.id}")
    assert ran.error is None
    assert job.wait(60)
    assert job.status == "cancelled"
