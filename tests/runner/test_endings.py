"""How jobs end when something goes wrong: failures, cancels, interrupts, late and impossible answers."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from typing import Any

import pytest

from qpm_lab import ApprovalNeededError, DeniedError, Lab, QuotaError
from qpm_lab.errors import CancelledError, InputError, LedgerError, ProviderError
from qpm_lab.providers.interface import RunResult
from qpm_lab.runner.workers import COUNT
from tests.runner.scripted import GOOD, Held, ended
from tests.runner.victims import ghz


def events(lab: Lab) -> list[str]:
    return [entry.event for entry in lab.ledger.tail(0)]


def test_a_cancel_from_another_process_stops_the_run_and_releases_its_shots(lab: Lab, scripted: Any) -> None:
    """The request goes through the ledger, as the button's does."""
    run = Held(GOOD)
    scripted(run)
    job = lab.submit(ghz(), shots=100)
    assert job.record()["progress"]["total"] in (0, 4)
    lab.cancel(job.id)
    assert job.wait(30)
    assert run.cancelled
    assert job.status == "cancelled"
    with pytest.raises(CancelledError):
        job.result()
    shots = [line for line in lab.budgets() if line["measure"] == "shots"]
    assert all(line["used"] == "0" and line["reserved"] == "0" for line in shots)
    assert lab.ledger.verify().ok


def test_a_job_that_ended_cannot_be_cancelled(lab: Lab) -> None:
    """Cancelling twice or too late says so and changes nothing."""
    job = lab.submit(ghz(), shots=10)
    job.result()
    before = lab.ledger.head()
    with pytest.raises(InputError, match="ended"):
        lab.cancel(job.id)
    assert lab.ledger.head() == before


def test_a_retryable_failure_gets_one_further_attempt_under_a_new_token(lab: Lab, scripted: Any) -> None:
    """The second attempt is reserved afresh and the record shows two attempts."""
    provider = scripted(ended(ProviderError("The worker died.", "", retryable=True)), ended(GOOD))
    job = lab.submit(ghz(), shots=100)
    assert sum(job.result().counts.values()) == 100
    assert job.record()["usage"]["attempts"] == 2
    assert provider.tasks[0].token != provider.tasks[1].token
    assert "job.retried" in events(lab)
    assert lab.ledger.verify().ok


def test_a_failure_that_is_not_retryable_ends_the_job_and_releases_what_it_held(lab: Lab, scripted: Any) -> None:
    """The provider's own words reach the user; nothing stays reserved."""
    scripted(ended(ProviderError("No such gate on this machine.", "Use another backend.")))
    job = lab.submit(ghz(), shots=100)
    with pytest.raises(ProviderError, match="No such gate"):
        job.result()
    assert job.status == "failed"
    assert all(line["reserved"] == "0" for line in lab.budgets())


@pytest.mark.parametrize(
    "counts",
    [
        ({"10": 40},),
        ({"10": 40, "2": 60},),
        ({"100": 40, "01": 60},),
        ({"10": 140, "01": -40},),
        (),
        ({"10": 100}, {"10": 100}),
    ],
)
def test_an_impossible_answer_is_a_failure_and_not_a_result(lab: Lab, scripted: Any, counts: Any) -> None:
    """Wrong totals, strings that are no outcome, negative counts, missing or extra histograms."""
    scripted(ended(RunResult(counts=counts, run_seconds=0.0)))
    job = lab.submit(ghz(), shots=100)
    with pytest.raises(ProviderError, match="cannot be used"):
        job.result()
    assert lab.ledger.verify().ok


def test_an_error_inside_a_provider_is_a_failed_job_and_not_a_stuck_one(lab: Lab, scripted: Any) -> None:
    """Even an unforeseen exception closes the job and releases what it held."""
    scripted(ended(ZeroDivisionError("vendor bug")))
    job = lab.submit(ghz(), shots=100)
    with pytest.raises(ProviderError, match="ZeroDivisionError"):
        job.result()
    assert not lab.ledger.open_jobs()


def test_closing_the_lab_cancels_what_runs_and_records_it(home: Any, scripted: Any) -> None:
    """A kernel that is shut down leaves no open job."""
    lab = Lab()
    scripted(Held(GOOD))
    job = lab.submit(ghz(), shots=100)
    lab.close()
    again = Lab()
    assert again.job(job.id).status == "cancelled"
    assert not again.recovered
    again.close()


def test_a_broken_bundle_refuses_everything_and_says_where(home: Any, bundle_with: Any) -> None:
    """A syntax error in one rule file denies even the smallest job, naming the file."""
    folder = bundle_with([])
    (folder / "broken.cedar").write_text("permit (principal, action")
    lab = Lab(policies=folder)
    with pytest.raises(DeniedError) as denied:
        lab.submit(ghz(), shots=1)
    assert not isinstance(denied.value, (QuotaError, ApprovalNeededError))
    assert any("broken.cedar" in reason.message for reason in denied.value.decision.reasons)
    lab.close()


def test_a_job_can_be_read_by_another_lab_after_its_own_is_closed(home: Any) -> None:
    """The ledger alone tells the whole record, counts and circuit included."""
    first = Lab()
    job_id = first.submit(ghz(3), shots=50, seed=3).id
    first.job(job_id).result()
    first.close()
    second = Lab()
    result = second.job(job_id).result()
    assert sum(result.counts.values()) == 50
    assert result.circuit.num_qubits == 3
    assert result.to_frame()["share"].sum() == pytest.approx(1.0)
    second.close()


@pytest.mark.parametrize("boundary", ["before-reserve", "after-reserve"])
def test_an_interrupt_while_reserving_leaves_no_open_job(lab: Lab, boundary: str) -> None:
    """Ctrl-C may fall between the commit and the hand-over to a worker; the job is closed all the same."""

    def interrupt(name: str) -> None:
        if name == boundary:
            raise KeyboardInterrupt

    lab.runner.boundary = interrupt
    with pytest.raises(KeyboardInterrupt):
        lab.submit(ghz(), shots=10)
    lab.runner.boundary = lambda name: None
    lab.submit(ghz(), shots=10).result()
    deadline = time.monotonic() + 30
    while lab.ledger.open_jobs() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert lab.ledger.open_jobs() == []
    assert all(line["reserved"] == "0" for line in lab.budgets())


def test_more_jobs_than_workers_wait_their_turn_and_all_complete(lab: Lab) -> None:
    """Jobs given at once are recorded at once and run in order."""
    jobs = [lab.submit(ghz(), shots=10, backend="aer/noisy") for _ in range(6)]
    assert all(sum(job.result(60).counts.values()) == 10 for job in jobs)
    assert lab.ledger.verify().ok


def test_a_result_that_cannot_be_recorded_is_a_failed_job_and_not_a_stuck_one(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger refuses the outcome once; the job is closed as failed and releases its shots."""
    finish, calls = lab.ledger.finish, []

    def refuse_once(*args: Any, **keywords: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise LedgerError("The disk is full.", "Make room.")
        return finish(*args, **keywords)

    monkeypatch.setattr(lab.ledger, "finish", refuse_once)
    job = lab.submit(ghz(), shots=10)
    with pytest.raises(LedgerError, match="disk is full"):
        job.result()
    assert job.status == "failed"


def test_a_job_that_nobody_drives_is_closed_by_the_same_process(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no outcome can be recorded at all, recovery closes the job once the ledger answers again."""

    def refuse(*args: Any, **keywords: Any) -> Any:
        raise LedgerError("The disk is full.", "Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(lab.ledger, "finish", refuse)
        job = lab.submit(ghz(), shots=10)
        assert job.wait(30)
    assert job.status == "running"
    assert lab.recover() == [job.id]
    assert job.status == "failed"
    assert all(line["reserved"] == "0" for line in lab.budgets())


def test_a_queued_job_is_cancelled_at_once(lab: Lab, scripted: Any) -> None:
    """It does not wait for the jobs before it."""
    runs = [Held(GOOD) for _ in range(COUNT)]
    scripted(*runs)
    before = [lab.submit(ghz(), shots=100) for _ in runs]
    queued = lab.submit(ghz(), shots=100)
    assert "waiting for" in queued.record()["progress"]["message"]
    queued.cancel()
    assert queued.status == "cancelled"
    for run, job in zip(runs, before, strict=True):
        run.released.set()
        job.result(30)


def test_a_ledger_that_does_not_answer_for_a_moment_does_not_end_the_run(
    lab: Lab, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed look for a cancel request is repeated; the result still arrives."""
    run = Held(GOOD)
    scripted(run)
    job = lab.submit(ghz(), shots=100)
    asked, answers = threading.Event(), lab.ledger.cancel_requested

    def fail_once(job_id: str) -> bool:
        if not asked.is_set():
            asked.set()
            raise LedgerError("The ledger does not answer.", "")
        return answers(job_id)

    monkeypatch.setattr(lab.ledger, "cancel_requested", fail_once)
    assert asked.wait(30)
    run.released.set()
    assert sum(job.result(30).counts.values()) == 100


def test_a_histogram_of_many_megabytes_is_kept_whole(lab: Lab, scripted: Any) -> None:
    """Large counts are stored compressed and read back as they were; the record shows the most frequent."""
    keys = [f"{n:040b}" for n in range(60_000)]
    wide = RunResult(counts=(dict.fromkeys(keys, 1),), run_seconds=0.1)
    scripted(ended(wide))
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(40)
    circuit.h(range(40))
    job = lab.submit(circuit, shots=60_000)
    job.result()
    assert Lab(lab.home).job(job.id).result().counts == wide.counts[0]
    assert len(job.record()["counts"]) == 4096


def test_a_lab_gives_its_threads_back(home: Any) -> None:
    """Opening, using and closing many labs in one process leaves no thread behind."""
    for _ in range(5):
        lab = Lab()
        lab.submit(ghz(), shots=10).result()
        lab.close()
    deadline = time.monotonic() + 10
    while any(t.name == "qpm-job" for t in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [t for t in threading.enumerate() if t.name == "qpm-job"]


def test_copying_the_home_does_not_end_the_lease_of_a_running_job(lab: Lab, scripted: Any, tmp_path: Any) -> None:
    """Reading every file of the home, locks included, from the process that holds them is harmless."""
    run = Held(GOOD)
    scripted(run)
    job = lab.submit(ghz(), shots=100)
    shutil.copytree(lab.home, tmp_path / "copy")
    other = Lab(lab.home)
    assert other.recovered == []
    run.released.set()
    assert job.result(30).shots == 100
    other.close()


def test_an_interrupt_during_a_quick_job_takes_effect_when_its_outcome_is_recorded(lab: Lab) -> None:
    """Ctrl-C cannot fall between the run and its record; it is raised afterwards, and the job stands completed."""

    def press_ctrl_c(name: str) -> None:
        if name == "after-run":
            signal.raise_signal(signal.SIGINT)

    lab.submit(ghz(), shots=10)
    lab.runner.boundary = press_ctrl_c
    with pytest.raises(KeyboardInterrupt):
        lab.submit(ghz(), shots=20)
    assert [row["status"] for row in lab.page()["jobs"]] == ["completed", "completed"]
    assert lab.ledger.open_jobs() == []


def test_a_list_names_only_a_fidelity_that_is_claimed(lab: Lab) -> None:
    """An ideal simulator's interval, which shows sampling noise only, stays on the card."""
    lab.submit(ghz(), shots=100, seed=1).result()
    lab.submit(ghz(3), shots=4000, seed=1, backend="aer/noisy").result()
    noisy, ideal = lab.page()["jobs"]
    assert ideal["fidelity"] is None
    assert noisy["fidelity"]["low"] < noisy["fidelity"]["high"]


def test_recovery_never_closes_a_job_that_this_process_is_at_work_on(lab: Lab) -> None:
    """Recovery runs again and again beside the submissions, as the server's does, and every job completes."""
    stop, closed = threading.Event(), []

    def recover() -> None:
        while not stop.is_set():
            closed.extend(lab.recover())

    thread = threading.Thread(target=recover)
    thread.start()
    try:
        jobs = [lab.submit(ghz(), shots=10, backend=b) for b in ("aer/simulator", "aer/noisy") for _ in range(15)]
        assert all(job.result(60).shots == 10 for job in jobs)
    finally:
        stop.set()
        thread.join()
    assert closed == []


def test_a_further_attempt_is_quoted_and_judged_by_the_rules_in_force_then(
    home: Any, scripted: Any, bundle_with: Any
) -> None:
    """A limit lowered while the first attempt runs refuses the second; the job fails with the first one's error."""
    quota = {"id": "few", "measure": "shots", "scope": "user", "window": "job", "limit": 1000}
    lab = Lab(policies=bundle_with([quota]))
    first = Held(ProviderError("The worker died.", "", retryable=True))
    provider = scripted(first, ended(GOOD))
    job = lab.submit(ghz(), shots=100)
    bundle_with([{**quota, "limit": 50}])
    first.released.set()
    with pytest.raises(ProviderError, match="worker died"):
        job.result(30)
    assert len(provider.tasks) == 1
    assert job.record()["usage"]["attempts"] == 1
    lab.close()


def test_the_wait_for_other_jobs_is_in_the_record(lab: Lab, scripted: Any) -> None:
    """M5: a job that queued here says for how long; one that did not says zero."""
    runs = [Held(GOOD) for _ in range(COUNT)]
    scripted(*runs, ended(GOOD))
    before = [lab.submit(ghz(), shots=100) for _ in runs]
    queued = lab.submit(ghz(), shots=100)
    time.sleep(0.05)
    for run in runs:
        run.released.set()
    queued.result(30)
    assert queued.record()["times"]["queue_seconds"] >= 0.05
    assert all(job.result(30) and job.record()["times"]["queue_seconds"] == 0 for job in before)
