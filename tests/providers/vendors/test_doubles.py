"""The doubles themselves: how they are started, steered, and how they misbehave when they are told to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import RemoteDisconnected
from typing import Any

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qpm_lab import doubles
from qpm_lab.doubles import Faults, RunningDouble
from qpm_lab.doubles.execution import counts_of
from qpm_lab.doubles.ionq import IonqDouble
from qpm_lab.errors import InputError
from tests.providers.vendors.conftest import vendors_with_double

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
JOB = {
    "type": "ionq.circuit.v1",
    "backend": "simulator",
    "name": "token",
    "shots": 10,
    "input": {"qubits": 2, "gateset": "qis", "circuit": [{"gate": "x", "target": 1}]},
}


@pytest.fixture(scope="module")
def started() -> Iterator[RunningDouble]:
    with doubles.started("ionq") as double:
        yield double


@pytest.fixture
def double(started: RunningDouble) -> RunningDouble:
    started.reset()
    return started


def ask(double: RunningDouble, path: str, body: Any = None, key: str = IonqDouble.token) -> Any:
    """An exchange by nobody's client; its answer, or the error."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(double.url + path, data, {"Authorization": f"apiKey {key}"})
    with OPENER.open(request, timeout=30) as answer:
        return json.load(answer)


def status(double: RunningDouble, path: str, body: Any = None, key: str = IonqDouble.token) -> int:
    try:
        ask(double, path, body, key)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return 200


def test_what_is_sent_is_executed(double: RunningDouble) -> None:
    """Nothing is canned: the answer is the circuit's."""
    vendor_id = ask(double, "/v0.4/jobs", JOB)["id"]
    assert ask(double, f"/v0.4/jobs/{vendor_id}")["status"] == "completed"
    assert ask(double, f"/v0.4/jobs/{vendor_id}/results/probabilities") == {"2": 1.0}
    assert double.submissions() == [{"id": vendor_id, "token": "token", "cancelled": False}]


def test_faults_hold_for_the_requests_they_name_only(double: RunningDouble) -> None:
    """Others are answered as ever."""
    double.faults(outage=1.0, only="POST /v0.4/jobs")
    assert status(double, "/v0.4/jobs", JOB) == 503
    assert status(double, "/v0.4/jobs") == 200


@pytest.mark.parametrize(
    ("faults", "code"), [({"outage": 1.0}, 503), ({"rate_limit": 1.0}, 429), ({"expired_token": True}, 401)], ids=str
)
def test_a_refused_request_changes_nothing(double: RunningDouble, faults: dict[str, Any], code: int) -> None:
    """And is answered with the vendor's own kind of error body."""
    double.faults(**faults)
    assert status(double, "/v0.4/jobs", JOB) == code
    assert double.submissions() == []


def test_a_wrong_key_a_wrong_body_and_a_wrong_path_are_refused(double: RunningDouble) -> None:
    """As the vendor would."""
    assert status(double, "/v0.4/jobs", JOB, key="other") == 401
    assert status(double, "/v0.4/jobs", {**JOB, "surprise": 1}) == 400
    assert (
        status(double, "/v0.4/jobs", {**JOB, "input": {"qubits": 1, "circuit": [{"gate": "no", "target": 0}]}}) == 400
    )
    assert status(double, "/v0.5/jobs") == 404
    assert double.submissions() == []


def test_a_lost_answer_was_carried_out(double: RunningDouble) -> None:
    """The connection ends without a word, the job is there."""
    double.faults(lost_answer=1.0)
    with pytest.raises(RemoteDisconnected):
        ask(double, "/v0.4/jobs", JOB)
    assert len(double.submissions()) == 1


def test_a_submission_is_carried_out_though_its_client_died(double: RunningDouble) -> None:
    """Late acceptance: who asked has gone before the job is taken."""
    double.faults(late_seconds=0.3)
    request = urllib.request.Request(
        f"{double.url}/v0.4/jobs", json.dumps(JOB).encode(), {"Authorization": f"apiKey {IonqDouble.token}"}
    )
    with pytest.raises(TimeoutError):
        OPENER.open(request, timeout=0.1)
    while not double.submissions():
        time.sleep(0.05)
    assert len(double.submissions()) == 1


def test_rates_are_drawn_from_the_seed(double: RunningDouble) -> None:
    """The same seed and requests give the same faults."""

    def drawn() -> list[int]:
        double.reset()
        double.faults(outage=0.5, seed=4)
        return [status(double, "/v0.4/jobs") for _ in range(20)]

    first = drawn()
    assert set(first) == {200, 503}
    assert drawn() == first


def test_fidelity_is_lost_at_the_rate_told(double: RunningDouble) -> None:
    """That share of the shots is uniformly random."""
    double.faults(fidelity_loss=0.4)
    vendor_id = ask(double, "/v0.4/jobs", {**JOB, "shots": 20_000})["id"]
    ask(double, f"/v0.4/jobs/{vendor_id}")
    shares = ask(double, f"/v0.4/jobs/{vendor_id}/results/probabilities")
    assert shares["2"] == pytest.approx(0.7, abs=0.02)
    assert shares["1"] == pytest.approx(0.1, abs=0.02)


def test_an_unknown_fault_is_refused(double: RunningDouble) -> None:
    """By an error that lists those that there are."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        double.faults(sunspots=1.0)
    with caught.value as error:
        assert "lost_answer" in json.load(error)["error"]


def test_a_reset_forgets_jobs_and_faults(double: RunningDouble) -> None:
    """As if it had just been started."""
    double.faults(outage=1.0, only="/v0.4/backends")
    ask(double, "/v0.4/jobs", JOB)
    double.reset()
    assert double.submissions() == []
    assert status(double, "/v0.4/backends/simulator") == 200


def test_faults_may_be_told_from_the_beginning() -> None:
    """Before anything is asked."""
    with doubles.started("ionq", Faults(outage=1.0)) as double:
        assert status(double, "/v0.4/backends/simulator") == 503


def test_there_is_no_double_of_an_unknown_vendor() -> None:
    """The hint names those that there are."""
    with pytest.raises(InputError, match="ionq"), doubles.started("acme"):
        raise AssertionError


def test_a_double_runs_in_a_process_of_its_own() -> None:
    """It says where it listens and by what it lets in, and ends when it is told to."""
    command = [sys.executable, "-m", "qpm_lab.doubles", "ionq"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        double = RunningDouble(told["url"], told["access"])
        assert status(double, "/v0.4/jobs", JOB, key=told["access"]["secrets"]["token"]) == 200
        process.terminate()
    assert process.returncode == 0


def test_two_doubles_of_a_kind_do_not_know_each_other(double: RunningDouble) -> None:
    """Jobs and faults are each one's own."""
    with doubles.started("ionq") as other:
        other.faults(outage=1.0)
        ask(double, "/v0.4/jobs", JOB)
        assert other.submissions() == []


@pytest.mark.parametrize("name", vendors_with_double())
def test_every_double_is_steered_alike(name: str) -> None:
    """Its faults, its submissions and its beginning are under the same addresses; its access names it."""
    with doubles.started(name) as double:
        assert double.access["url"] == double.url
        assert double.access["secrets"]
        double.faults(stuck=True)
        assert double.submissions() == []
        double.reset()


def test_idle_qubits_cost_nothing() -> None:
    """A device's other hundred are not simulated; bits nobody wrote are 0."""
    circuit = QuantumCircuit(QuantumRegister(150, "q"), ClassicalRegister(3, "c"))
    circuit.x(140)
    circuit.barrier()
    circuit.measure(140, 2)
    assert counts_of(circuit, 10, 1) == {"100": 10}


def test_a_circuit_that_is_too_wide_is_refused() -> None:
    """By its number of qubits."""
    circuit = QuantumCircuit(30, 30)
    circuit.h(range(30))
    circuit.measure(range(30), range(30))
    with pytest.raises(ValueError, match="24 qubits, not 30"):
        counts_of(circuit, 1, 1)
