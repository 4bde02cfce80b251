"""Fallback and reruns along a route: against IonQ's double, and between simulators of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qpm_lab import DeniedError, Lab, doubles
from qpm_lab.display.text import to_text
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import ProviderError
from qpm_lab.providers.interface import RunResult
from qpm_lab.runner import further
from qpm_lab.runner.settling import left_of
from qpm_lab.runner.trouble import LostError
from tests.runner.routed import GENEROUS, ION, NOISY, bundle, lab_with, nothing_held
from tests.runner.scripted import ended

WAIT_SECONDS = 60
ROUTE = {"id": "auto", "backends": [ION, NOISY], "by": "listed"}
NOT_NOISY = """
@id("tests.not-noisy") @message("Not on the noisy simulator.") @fix("Use a machine.") @owner("tests") @severity("error")
forbid (principal, action == Action::"submit", resource == Backend::"aer/noisy");
"""


@pytest.fixture(scope="module")
def double() -> Iterator[RunningDouble]:
    with doubles.started("ionq") as running:
        yield running


@pytest.fixture(autouse=True)
def _quickly(double: RunningDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    double.reset()
    monkeypatch.setattr(further, "FIRST_PAUSE_SECONDS", 0.05)


@pytest.fixture
def open_lab(home: Path, tmp_path: Path, double: RunningDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    made: list[Lab] = []

    def make(*routes: Any, **options: Any) -> Lab:
        folder = bundle(tmp_path / "routes", *(routes or (ROUTE,)), **options)
        made.append(lab_with(home, double, folder, monkeypatch))
        return made[-1]

    yield make
    for lab in made:
        lab.close()


def circuit() -> Any:
    from qiskit import QuantumCircuit

    made = QuantumCircuit(2, 2, name="asymmetric")
    made.x(0)
    made.measure([0, 1], [0, 1])
    return made


def test_a_route_runs_on_its_first_backend_and_the_record_says_why(open_lab: Any, double: RunningDouble) -> None:
    """Nothing failed: one attempt at the vendor, no fallback."""
    lab = open_lab()
    job = lab.submit(circuit(), backend="auto", shots=100)
    assert job.result(WAIT_SECONDS).counts == {"01": 100}
    record = job.record()
    assert (record["backend"], record["usage"]["fallback"], record["usage"]["attempts"]) == (ION, False, 1)
    assert record["route"]["chosen"] == ION
    assert record["route"]["fallback"] is None
    assert [(row["backend"], row["rank"]) for row in record["route"]["ranked"]] == [(ION, 1), (NOISY, 2)]
    assert len(double.submissions()) == 1


def test_an_outage_before_anything_is_sent_goes_on_to_the_next_backend(open_lab: Any, double: RunningDouble) -> None:
    """The vendor never hears of the job, and the record shows a fallback with the vendor's own words."""
    lab = open_lab()
    double.faults(outage=1.0)
    job = lab.submit(circuit(), backend="auto", shots=100)
    job.result(WAIT_SECONDS)
    record = job.record()
    assert (record["backend"], record["usage"]["fallback"]) == (NOISY, True)
    assert record["route"]["fallback"]["from"] == ION
    assert record["route"]["fallback"]["to"] == NOISY
    assert "unavailable" in record["route"]["fallback"]["because"]
    assert double.submissions() == []
    assert nothing_held(lab)


def test_a_refused_submission_is_tried_once_more_and_then_falls_back(open_lab: Any, double: RunningDouble) -> None:
    """The vendor answers questions and refuses jobs for now: two attempts there, the third here, none of them twice."""
    lab = open_lab()
    double.faults(rate_limit=1.0, only="POST")
    job = lab.submit(circuit(), backend="route:auto", shots=100)
    job.result(WAIT_SECONDS)
    record = job.record()
    assert [attempt["backend"] for attempt in record["route"]["attempts"]] == [ION, ION, NOISY]
    assert (record["usage"]["attempts"], record["usage"]["fallback"]) == (3, True)
    assert "Too many" in record["route"]["fallback"]["because"]
    assert double.submissions() == []
    assert nothing_held(lab)


def test_a_job_that_was_sent_and_is_not_there_falls_back(open_lab: Any, double: RunningDouble) -> None:
    """Nobody could tell at first; once the vendor's list says that it took nothing, the next backend runs it."""
    lab = open_lab()
    double.faults(outage=1.0, only="POST /v0.4/jobs")
    job = lab.submit(circuit(), backend="auto", shots=100)
    job.result(WAIT_SECONDS)
    assert job.record()["backend"] == NOISY
    assert double.submissions() == []
    assert nothing_held(lab)


def test_a_job_that_fails_at_the_vendor_falls_back_and_pays_for_both(open_lab: Any, double: RunningDouble) -> None:
    """One submission at the vendor; what it charges for a failure stays in the total."""
    lab = open_lab()
    double.faults(failing=1.0)
    job = lab.submit(circuit(), backend="auto", shots=100)
    job.result(WAIT_SECONDS)
    record = job.record()
    assert [attempt["backend"] for attempt in record["route"]["attempts"]] == [ION, NOISY]
    assert record["route"]["attempts"][0]["error"]["type"] == "ProviderError"
    first = record["route"]["attempts"][0]["cost"]
    assert record["cost"]["amount"] == (first["amount"] if first else "0")
    assert len(double.submissions()) == 1
    assert nothing_held(lab)


def test_a_named_backend_is_never_left(open_lab: Any, double: RunningDouble) -> None:
    """Without a route a failure at the vendor ends the job, whatever routes there are."""
    lab = open_lab()
    double.faults(failing=1.0)
    job = lab.submit(circuit(), backend=ION, shots=100)
    with pytest.raises(ProviderError):
        job.result(WAIT_SECONDS)
    record = job.record()
    assert (record["backend"], record["route"], record["usage"]["attempts"]) == (ION, None, 1)


def test_a_fallback_that_the_rules_refuse_is_not_taken_and_the_error_says_so(
    open_lab: Any, double: RunningDouble
) -> None:
    """The job fails with the vendor's message and the rule's."""
    lab = open_lab(rules=NOT_NOISY)
    double.faults(failing=1.0)
    job = lab.submit(circuit(), backend="auto", shots=100)
    with pytest.raises(ProviderError, match="Not on the noisy simulator"):
        job.result(WAIT_SECONDS)
    record = job.record()
    assert record["status"] == "failed"
    assert [each["backend"] for each in record["route"]["passed_over"]] == [NOISY]
    assert nothing_held(lab)


def test_a_fallback_for_which_a_quota_has_no_room_is_not_taken(open_lab: Any, double: RunningDouble) -> None:
    """Each attempt is reserved afresh: what suffices for the vendor may not suffice for the simulator."""
    small = {"id": "own", "measure": "shots", "scope": "user", "window": "day", "limit": 50, "where": {"local": True}}
    lab = open_lab(quotas=[*GENEROUS, small])
    double.faults(failing=1.0)
    job = lab.submit(circuit(), backend="auto", shots=100)
    with pytest.raises(ProviderError, match="No fallback"):
        job.result(WAIT_SECONDS)
    assert nothing_held(lab)


def test_without_fallback_in_the_route_a_failure_ends_the_job(open_lab: Any, double: RunningDouble) -> None:
    """The route chooses and no more."""
    lab = open_lab(ROUTE | {"fallback": False})
    double.faults(failing=1.0)
    job = lab.submit(circuit(), backend="auto", shots=100)
    with pytest.raises(ProviderError):
        job.result(WAIT_SECONDS)
    assert job.record()["usage"]["attempts"] == 1


def test_a_result_that_misses_its_conditions_is_run_again_on_the_backup(open_lab: Any, double: RunningDouble) -> None:
    """Both attempts stand in the record: the first with its counts, verdict and cost, the total the sum of both."""
    lab = open_lab(ROUTE | {"rerun_on_failed_validation": True})
    double.faults(fidelity_loss=0.9)
    job = lab.submit(circuit(), backend="auto", shots=200, validate="p(01)>=0.6")
    job.result(WAIT_SECONDS)
    record = job.record()
    first, second = record["route"]["attempts"]
    assert (first["backend"], second["backend"]) == (ION, NOISY)
    assert first["validation"]["passed"] is False
    assert record["validation"]["passed"] is True
    assert sum(_counts(lab, first["counts_blob"]).values()) == 200
    assert float(first["cost"]["amount"]) > 0
    assert record["cost"]["amount"] == first["cost"]["amount"]
    assert second["cost"]["amount"] == "0"
    used = {line["measure"]: line["used"] for line in lab.budgets()}
    assert (used["shots"], used["jobs"], used["cost"]) == ("400", "1", first["cost"]["amount"])
    assert nothing_held(lab)


def test_the_verdict_of_the_attempt_before_is_named(open_lab: Any, double: RunningDouble) -> None:
    """Where it ran, which condition it missed and by how much: in the record's notes, and so on every card."""
    lab = open_lab(ROUTE | {"rerun_on_failed_validation": True})
    double.faults(fidelity_loss=0.9)
    job = lab.submit(circuit(), backend="auto", shots=200, validate="p(01)>=0.6")
    job.result(WAIT_SECONDS)
    record = job.record()
    (missed,) = record["route"]["attempts"][0]["validation"]["conditions"]
    line = f"Attempt 1 on {ION}: validation failed: p(01)>=0.6, and it lies between {missed['low']:.4g} and "
    assert [note.startswith(line) for note in record["notes"]].count(True) == 1
    assert line in " ".join(to_text(record, width=100).split())


def test_without_leave_a_result_that_misses_its_conditions_stays(open_lab: Any, double: RunningDouble) -> None:
    """Rerunning costs, so a route has to say that it may."""
    lab = open_lab()
    double.faults(fidelity_loss=0.9)
    job = lab.submit(circuit(), backend="auto", shots=200, validate="p(01)>=0.6")
    job.result(WAIT_SECONDS)
    assert job.record()["usage"]["attempts"] == 1
    assert job.record()["validation"]["passed"] is False


@pytest.mark.parametrize(
    ("limit", "spent", "left"),
    [
        (None, [("USD", 5)], None),
        (10, [("USD", 4), ("USD", 3)], 3),
        (10, [("USD", 40)], 0),
        (10, [("EUR", 1)], 0),
        (10, [("EUR", 0)], 10),
        (10, [], 10),
    ],
)
def test_what_is_left_of_the_callers_limit(limit: Any, spent: Any, left: Any) -> None:
    """Money of another kind cannot be subtracted, so nothing is left of the limit."""
    assert left_of(limit, spent, "USD") == left


def test_the_callers_own_limit_holds_over_all_attempts(open_lab: Any, double: RunningDouble, monkeypatch: Any) -> None:
    """What a first run cost is no longer there for a rerun at a vendor, which is then not begun."""
    from qpm_lab.providers.aer import AerProvider

    lab = open_lab({"id": "auto", "backends": [NOISY, ION], "rerun_on_failed_validation": True})
    flat = RunResult(({"00": 50, "01": 50},), 0.1, billed=("USD", 10**9))
    monkeypatch.setattr(AerProvider, "submit", lambda self, task: ended(flat))
    job = lab.submit(circuit(), backend="auto", shots=100, validate="p(01)>=0.9", max_cost="25.50")
    job.result(WAIT_SECONDS)
    record = job.record()
    assert (record["usage"]["attempts"], record["cost"]["amount"]) == (1, "1")
    assert "25.00" in record["route"]["passed_over"][0]["why"]
    assert double.submissions() == []
    assert nothing_held(lab)


def test_a_local_failure_goes_on_at_the_vendor(open_lab: Any, double: RunningDouble, monkeypatch: Any) -> None:
    """The other direction: the simulator dies, the vendor runs the job."""
    from qpm_lab.providers.aer import AerProvider

    lab = open_lab({"id": "auto", "backends": [NOISY, ION]})
    monkeypatch.setattr(AerProvider, "submit", lambda self, task: ended(ProviderError("The worker died.")))
    job = lab.submit(circuit(), backend="auto", shots=100)
    assert job.result(WAIT_SECONDS).counts == {"01": 100}
    record = job.record()
    assert [attempt["backend"] for attempt in record["route"]["attempts"]] == [NOISY, ION]
    assert record["usage"]["fallback"] is True
    assert len(double.submissions()) == 1
    assert nothing_held(lab)


def test_attempts_are_bounded_over_all_backends(open_lab: Any, monkeypatch: Any) -> None:
    """Two on the first, one more on each other, four at most."""
    from qpm_lab.providers.aer import AerProvider

    backends = [NOISY, "aer/simulator", "pennylane/default.qubit", "pennylane/lightning.qubit", "stim/noisy"]
    lab = open_lab({"id": "auto", "backends": backends})
    down = ProviderError("The worker died.", retryable=True)
    monkeypatch.setattr(AerProvider, "submit", lambda self, task: ended(down))
    job = lab.submit(circuit(), backend="auto", shots=100)
    with pytest.raises(ProviderError, match="worker died"):
        job.result(WAIT_SECONDS)
    tried = [attempt["backend"] for attempt in job.record()["route"]["attempts"]]
    assert tried == [NOISY, NOISY, "aer/simulator", "aer/simulator"]
    assert nothing_held(lab)


def test_the_rules_refuse_a_route_when_they_leave_no_backend(open_lab: Any) -> None:
    """The refusal is recorded like any other."""
    lab = open_lab({"id": "auto", "backends": [NOISY]}, rules=NOT_NOISY)
    with pytest.raises(DeniedError, match="Not on the noisy simulator") as denied:
        lab.submit(circuit(), backend="auto", shots=100)
    assert lab.job(denied.value.job_id).record()["status"] == "denied"


def test_another_process_takes_a_job_along_its_route(open_lab: Any, double: RunningDouble) -> None:
    """The kernel ends while the vendor has the job, which then fails there: the next Lab runs it on the simulator."""
    lab = open_lab()
    double.faults(queue_polls=3, run_polls=1, failing=1.0)
    job = lab.submit(circuit(), backend="auto", shots=100)
    while not job.record()["vendor_ids"]:
        job.wait(0.05)
    lab.close()
    later = open_lab().job(job.id)
    assert later.wait(WAIT_SECONDS)
    record = later.record()
    assert [attempt["backend"] for attempt in record["route"]["attempts"]] == [ION, NOISY]
    assert (record["status"], record["usage"]["fallback"]) == ("completed", True)
    assert len(double.submissions()) == 1


def _counts(lab: Lab, digest: str) -> Any:
    from qpm_lab.runner.outcome import counts_of

    return counts_of(lab.ledger.blob(digest))[0]


def test_a_job_taken_over_is_twirled_in_its_next_attempt_too(open_lab: Any, double: RunningDouble) -> None:
    """The process that sends it again is not the one that made its variants."""
    first = open_lab(ROUTE)

    def lose(boundary: str) -> None:
        if boundary == "before-send":
            raise LostError("The process has died.")

    first.runner.boundary = lose
    job = first.submit(circuit(), backend="auto", shots=40, twirl="readout", fidelity="none")
    first.close()
    lab = open_lab(ROUTE)
    assert lab.job(job.id).result(WAIT_SECONDS).counts == {"01": 40}
    asked, retried = (
        next(e.payload for e in lab.ledger.entries(job.id) if e.event == event)
        for event in ("job.submitted", "job.retried")
    )
    assert len(retried["items"]) == len(asked["items"]) > 1
    assert len(double.submissions()) == len(retried["parcels"])
