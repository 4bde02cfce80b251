"""From the order to the recorded outcome: what is granted, refused, written and left behind."""

from __future__ import annotations

import math
import shutil
import signal
import threading
import time
from typing import Any

import pytest

from qpm_lab import ApprovalNeededError, DeniedError, Lab, QpmError, QuotaError
from qpm_lab.errors import CancelledError, InputError, LedgerError, ProviderError
from qpm_lab.providers.interface import Progress, RunResult
from qpm_lab.runner.workers import COUNT
from tests.runner.victims import ghz


def events(lab: Lab) -> list[str]:
    return [entry.event for entry in lab.ledger.tail(0)]


def test_a_job_comes_back_with_counts_fidelity_cost_and_its_place_in_the_ledger(lab: Lab) -> None:
    """The whole way on an ideal simulator, with the asymmetric outcome in Qiskit's bit order."""
    job = lab.submit(ghz(3), shots=500, seed=1, experiment="family")
    result = job.result()
    assert set(result.counts) == {"100", "011"}
    assert sum(result.counts.values()) == 500
    assert result.cost == {"currency": "USD", "amount": "0", "basis": "quoted"}
    assert result.fidelity.low <= result.fidelity.value <= result.fidelity.high
    record = job.record()
    assert record["ledger"]["entry"] == lab.head()
    assert record["labels"]["experiment"] == "family"
    assert record["decision"]["effect"] == "allow"


def test_the_same_seed_gives_the_same_counts(lab: Lab) -> None:
    """A recorded seed repeats the job."""
    first = lab.submit(ghz(3), backend="aer/noisy", shots=300)
    seed = first.record()["seed"]
    again = lab.submit(ghz(3), backend="aer/noisy", shots=300, seed=seed)
    assert first.result().counts == again.result().counts


def test_the_raw_figures_of_every_measure_are_in_the_outcome_entry(lab: Lab) -> None:
    """M2, M5, M6, M7 and M10 can be computed from the ledger alone."""
    job = lab.submit(ghz(), shots=10)
    job.result()
    payload = lab.ledger.entries(job.id)[-1].payload
    names = {"total_seconds", "queue_seconds", "attempt", "fallback", "cpu_seconds", "peak_memory_bytes"}
    assert names <= set(payload)
    assert payload["total_seconds"] >= payload["run_seconds"] >= 0
    assert {"prepare", "decide", "reserve", "run"} <= set(payload["stages_ms"])


def test_several_circuits_are_one_job(lab: Lab) -> None:
    """A list is one decision, one reservation and one result with parts."""
    job = lab.submit([ghz(2), ghz(3)], shots=100)
    result = job.result()
    assert len(result) == 2
    assert set(result[1].counts) <= {"100", "011"}
    assert len(job.record()["results"]) == 2
    assert events(lab).count("job.submitted") == 1


def test_a_denial_carries_every_reason_and_is_recorded(lab: Lab) -> None:
    """Rule and quota both say why; nothing is reserved."""
    with pytest.raises(DeniedError) as denied:
        lab.submit(ghz(), shots=5_000_000_000)
    kinds = {reason.kind for reason in denied.value.decision.reasons}
    assert {"rule", "quota"} <= kinds
    assert all(reason.message and reason.fix for reason in denied.value.decision.reasons)
    assert events(lab)[-1] == "job.denied"
    assert lab.job(denied.value.job_id or "").status == "denied"


def test_a_quota_alone_raises_its_own_error(home: Any, bundle_with: Any) -> None:
    """What is over a quota only is told apart from what a rule forbids."""
    quotas = [{"id": "few", "measure": "shots", "scope": "user", "window": "day", "limit": 100}]
    lab = Lab(policies=bundle_with(quotas))
    lab.submit(ghz(), shots=60).result()
    with pytest.raises(QuotaError) as refused:
        lab.submit(ghz(), shots=60)
    details = refused.value.decision.reasons[0].details
    assert (details["limit"], details["used"], details["left"]) == ("100", "60", "40")
    lab.close()


def test_explaining_holds_and_records_nothing(lab: Lab) -> None:
    """A dry run leaves the chain as it was."""
    before = lab.ledger.head()
    assert lab.explain(ghz(), shots=10).effect == "allow"
    assert lab.explain(ghz(), shots=10**10).effect == "deny"
    assert lab.quote(ghz(), shots=10).high == 0
    assert lab.ledger.head() == before


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"shots": 0}, "shots"),
        ({"shots": 1.5}, "shots"),
        ({"shots": "many"}, "shots"),
        ({"shots": 10**5000}, "shots"),
        ({"backend": None}, "backend"),
        ({"parameters": [1]}, "parameters"),
        ({"args": 5}, "args"),
        ({"experiment": ["a"]}, "experiment"),
        ({"seed": -1}, "seed"),
        ({"backend": "aer/simulater"}, "aer/simulator"),
        ({"classification": "secret"}, "secret"),
        ({"experiment": "x" * 500}, "experiment"),
        ({"experiment": "a\x00b"}, "experiment"),
        ({"max_cost": "cheap"}, "max-cost"),
        ({"max_cost": "nan"}, "max-cost"),
        ({"parameters": {"theta": 1.0}}, "theta"),
    ],
)
def test_bad_options_are_refused_and_leave_the_chain_unchanged(lab: Lab, options: dict, names: str) -> None:
    """Each names what is wrong, and nothing was written."""
    before = lab.ledger.head()
    with pytest.raises(InputError, match=names) as error:
        lab.submit(ghz(), **options)
    assert isinstance(error.value, QpmError)
    assert lab.ledger.head() == before


@pytest.mark.parametrize("source", [None, 7, "not a circuit", [], b"\x00", object(), lambda: None])
def test_what_is_not_a_circuit_is_refused_with_a_hint(lab: Lab, source: Any) -> None:
    """Wrong things get an error with a hint, not a traceback, and leave the chain unchanged."""
    before = lab.ledger.head()
    with pytest.raises(InputError) as error:
        lab.submit(source)
    assert error.value.hint
    assert lab.ledger.head() == before


def test_a_circuit_too_large_for_this_machine_reserves_nothing(lab: Lab) -> None:
    """The size it would need is told before anything starts."""
    from qiskit import QuantumCircuit

    huge = QuantumCircuit(60)
    for qubit in range(60):
        huge.ry(0.3 + qubit, qubit)
    for _ in range(30):
        for qubit in range(59):
            huge.cx(qubit, qubit + 1)
            huge.rx(0.7, qubit)
    before = lab.ledger.head()
    with pytest.raises((ProviderError, DeniedError)) as error:
        lab.submit(huge, backend="pennylane/default.qubit", shots=1)
    assert "iB" in error.value.message or isinstance(error.value, DeniedError)
    assert not lab.ledger.open_jobs()
    assert isinstance(error.value, DeniedError) or lab.ledger.head() == before


def test_a_callers_own_limit_refuses(lab: Lab) -> None:
    """--max-cost below the quote is a denial by the caller, told as such."""
    assert lab.explain(ghz(), max_cost="0").effect == "allow"


class Held:
    """A run that goes on until it is cancelled or released."""

    vendor_id = None

    def __init__(self, outcome: RunResult | Exception) -> None:
        self.outcome = outcome
        self.released = threading.Event()
        self.cancelled = False

    def progress(self) -> Progress:
        return Progress(1, 4, "shots", "simulating")

    def wait(self, timeout_seconds: float) -> bool:
        return self.released.wait(timeout_seconds)

    def result(self) -> RunResult:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def cancel(self) -> None:
        self.cancelled = True
        self.released.set()


class Scripted:
    """A provider whose runs are given in advance."""

    name = "aer"

    def __init__(self, *runs: Held) -> None:
        self.runs = list(runs)
        self.tasks: list[Any] = []

    def check(self, task: Any) -> None:
        pass

    def expected_seconds(self, task: Any) -> float:
        return math.inf

    def submit(self, task: Any) -> Held:
        self.tasks.append(task)
        return self.runs.pop(0)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(*runs: Held) -> Scripted:
        from qpm_lab import providers

        provider = Scripted(*runs)
        monkeypatch.setattr(providers, "provider_of", lambda backend_id: provider)
        return provider

    return install


def ended(outcome: RunResult | Exception) -> Held:
    run = Held(outcome)
    run.released.set()
    return run


GOOD = RunResult(counts=({"10": 40, "01": 60},), run_seconds=0.1)


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
