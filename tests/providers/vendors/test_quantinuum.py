"""Quantinuum: what is its own beside the contract that all vendors' adapters keep; the real Nexus client, a double."""

from __future__ import annotations

import json
import math
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from qpm_lab import doubles
from qpm_lab.doubles import RunningDouble
from qpm_lab.doubles import quantinuum as nexus_double
from qpm_lab.doubles.quantinuum_circuits import circuit_of, credits
from qpm_lab.errors import ProviderError
from qpm_lab.providers.quantinuum import VENDOR
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Access, Parcel

TOKEN = "fedcba9876543210" * 2
MACHINE = "quantinuum/H2-1"
SUBMISSION = "POST /api/jobs/v1beta3"
SHAPES = Path(__file__).parent / "shapes" / "quantinuum" / "v1beta3"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningDouble]:
    with doubles.started("quantinuum") as double:
        yield double


@pytest.fixture
def double(running: RunningDouble) -> RunningDouble:
    running.reset()
    return running


@pytest.fixture(scope="module")
def nexus(running: RunningDouble) -> Iterator[RemoteProvider]:
    provider = RemoteProvider(VENDOR, lambda name: Access(**running.access))
    yield provider
    provider.close()


def measured(qubit: int) -> QuantumCircuit:
    """Two qubits of which one is 1."""
    circuit = QuantumCircuit(2, 2)
    circuit.x(qubit)
    circuit.measure([0, 1], [0, 1])
    return circuit


def parcel(nexus: RemoteProvider, *circuits: QuantumCircuit, shots: int = 100) -> Parcel:
    routed = tuple(nexus.routed(circuit, MACHINE) for circuit in circuits or (measured(0),))
    return Parcel("H2-1", routed, shots, TOKEN)


def test_circuits_of_one_job_come_back_in_order(nexus: RemoteProvider, double: RunningDouble) -> None:
    """Each circuit is an item of one job, and their histograms keep their order."""
    sent = parcel(nexus, measured(0), measured(1), measured(0))
    found = nexus.answer(sent, nexus.send(sent))
    assert [dict(each) for each in found.counts] == [{"01": 100}, {"10": 100}, {"01": 100}]
    assert len(double.submissions()) == 1


def test_native_gates_keep_their_angles(nexus: RemoteProvider, double: RunningDouble) -> None:
    """Half turns arrive as the angles that were meant: the circuit that Nexus gets has the same unitary."""
    circuit = QuantumCircuit(2, 2)
    circuit.rz(0.3, 0)
    circuit.r(1.1, 0.4, 0)
    circuit.rzz(0.7, 0, 1)
    circuit.r(2.3, -0.9, 1)
    circuit.rz(-1.2, 1)
    expected = Operator(circuit)
    circuit.measure([0, 1], [0, 1])
    job = nexus.send(Parcel("H2-1", (circuit,), 10, TOKEN))
    arrived = circuit_of(_circuit(double, job))
    arrived.remove_final_measurements()
    assert Operator(arrived).equiv(expected)


def test_only_the_token_names_circuits_and_jobs(nexus: RemoteProvider, double: RunningDouble) -> None:
    """Nothing else goes into names, descriptions or properties."""
    job = nexus.send(parcel(nexus))
    told = _asked(double, f"/api/jobs/v1beta3/{job}")["data"]["attributes"]
    assert (told["name"], told["description"], told["properties"]) == (TOKEN, "", {})
    assert _circuit(double, job)["name"] == TOKEN


def test_a_lost_job_is_found_by_its_token(nexus: RemoteProvider, double: RunningDouble) -> None:
    """The connection breaks after Nexus took the job: uncertain, sent once, and there under its name."""
    sent = parcel(nexus)
    double.faults(lost_answer=1.0, only=SUBMISSION)
    with pytest.raises(ProviderError) as caught:
        nexus.send(sent)
    assert caught.value.uncertain
    taken = [each["id"] for each in double.submissions()]
    assert len(taken) == 1
    assert nexus.find(MACHINE, TOKEN) == taken
    assert nexus.find(MACHINE, "0" * 32) == []


@pytest.mark.parametrize(("fault", "value"), [("lost_answer", 1.0), ("malformed", True), ("wrong_type", True)])
def test_an_upload_that_fails_leaves_no_doubt(
    nexus: RemoteProvider, double: RunningDouble, fault: str, value: Any
) -> None:
    """Circuits alone run nothing: whatever happens to them, no job was taken."""
    sent = parcel(nexus)
    double.faults(**{fault: value}, only="POST /api/circuits")
    with pytest.raises(ProviderError) as caught:
        nexus.send(sent)
    assert caught.value.retryable
    assert not caught.value.uncertain
    assert double.submissions() == []


def test_credits_are_those_that_nexus_states(nexus: RemoteProvider, double: RunningDouble) -> None:
    """HQC by the published formula: 5 + C (N1 + 10 N2 + 5 Nm) / 5000, to every digit; none are made up."""
    sent = parcel(nexus, shots=123)
    job = nexus.send(sent)
    found = nexus.answer(sent, job)
    kinds = [each["op"]["type"] for each in _circuit(double, job)["commands"]]
    one_qubit = sum(kind in ("Rz", "PhasedX") for kind in kinds)
    # Two preparations and two measurements; no two-qubit gate.
    assert found.hqc is not None
    assert math.isclose(found.hqc, 5 + 123 * (one_qubit + 5 * 4) / 5000, rel_tol=1e-12)
    double.faults(schema_change="cost")
    assert nexus.answer(sent, job).hqc is None


def test_the_cap_in_credits_reaches_nexus(nexus: RemoteProvider, double: RunningDouble) -> None:
    """A job that would cost more than its cap fails there with Nexus' words; one below it runs."""
    sent = parcel(nexus, shots=1000)
    low = nexus.send(replace(sent, cap_hqc=5.5))
    told = nexus.standing(MACHINE, low)
    assert (told.state, "max_cost" in told.message) == ("failed", True)
    high = nexus.send(replace(sent, cap_hqc=100.0))
    assert nexus.standing(MACHINE, high).state == "done"


def test_times_are_nexus_own(nexus: RemoteProvider, double: RunningDouble) -> None:
    """Run and queue seconds come from the job's time stamps."""
    sent = parcel(nexus)
    found = nexus.answer(sent, nexus.send(sent))
    assert (found.run_seconds, found.queue_seconds, found.billed) == (0.5, 2.0, None)
    assert found.details == {"client": "qnexus 0.51.1", "api": "v1beta3"}


def test_a_wrong_key_says_how_to_store_a_new_one(double: RunningDouble) -> None:
    """It is refused at the login; the key is in no message."""
    access = {**double.access, "secrets": {"token": "wrong-key-987654321"}}
    provider = RemoteProvider(VENDOR, lambda name: Access(**access))
    try:
        with pytest.raises(ProviderError, match="Quantinuum answered 401") as caught:
            provider.send(parcel(provider))
    finally:
        provider.close()
    assert "qpm secret set quantinuum" in caught.value.hint
    assert "wrong-key" not in str(caught.value)
    assert not caught.value.uncertain


def test_a_submission_without_a_session_was_not_taken(nexus: RemoteProvider, double: RunningDouble) -> None:
    """The client renews its session and asks once more after a 401; that makes no second job, and leaves no doubt."""
    sent = parcel(nexus)
    double.faults(expired_token=True, only=SUBMISSION)
    with pytest.raises(ProviderError, match="401") as caught:
        nexus.send(sent)
    assert not caught.value.uncertain
    double.faults(expired_token=False)
    nexus.send(sent)
    assert len(double.submissions()) == 1


@pytest.mark.parametrize("name", ["status", "attributes", "definition"])
def test_a_missing_field_is_named(nexus: RemoteProvider, double: RunningDouble, name: str) -> None:
    """A field that Nexus promises and an answer lacks is in the message."""
    job = nexus.send(parcel(nexus))
    double.faults(schema_change=name)
    with pytest.raises(ProviderError, match=f"field '{name}'") as caught:
        nexus.standing(MACHINE, job)
    assert "nothing is guessed" in caught.value.hint


def test_an_unknown_state_is_named_and_not_guessed(
    nexus: RemoteProvider, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state that the client does not know is in the message, with its field."""
    job = nexus.send(parcel(nexus))
    monkeypatch.setitem(nexus_double._STATUS, "done", "TELEPORTED")
    with pytest.raises(ProviderError, match=r"'status' .* unknown value.*TELEPORTED") as caught:
        nexus.standing(MACHINE, job)
    assert "nothing is guessed" in caught.value.hint


def test_a_queued_job_is_cancelled_once(nexus: RemoteProvider, double: RunningDouble) -> None:
    """Its place in the queue is told; cancelling an ended job changes nothing."""
    double.faults(queue_polls=3)
    job = nexus.send(parcel(nexus))
    first = nexus.standing(MACHINE, job)
    assert (first.state, first.queue_position) == ("queued", 3)
    for _ in range(2):
        nexus.stop(MACHINE, job)
        assert nexus.standing(MACHINE, job).state == "cancelled"


def test_a_machine_tells_its_state_and_an_emulator_has_none(nexus: RemoteProvider, double: RunningDouble) -> None:
    """Nexus states one only for machines."""
    found = nexus.availability(MACHINE)
    assert (found.available, found.message) == (True, "online")
    assert nexus.availability("quantinuum/H2-1E").available is None


def test_a_nexus_of_another_form_is_noticed(nexus: RemoteProvider, double: RunningDouble) -> None:
    """The double's answers to a fixed exchange have the keys and types that were recorded for this API."""
    assert exchanged(nexus, double) == {path.stem: json.loads(path.read_text()) for path in SHAPES.glob("*.json")}


def exchanged(nexus: RemoteProvider, double: RunningDouble) -> dict[str, Any]:
    """Name of an answer → its shape."""
    job = nexus.send(parcel(nexus))
    nexus.standing(MACHINE, job)
    document = _asked(double, f"/api/jobs/v1beta3/{job}")
    item = document["data"]["attributes"]["definition"]["items"][0]
    answers = {
        "projects": _asked(double, "/api/projects/v1beta2"),
        "job": document,
        "jobs": _asked(double, "/api/jobs/v1beta3"),
        "result": _asked(double, f"/api/results/v1beta3/{item['result_id']}"),
        "machine": _asked(double, "/api/machines/v1beta/H2-1/status"),
    }
    return {name: _shape(answer) for name, answer in answers.items()}


def test_the_doubles_credits_follow_the_published_formula() -> None:
    """Worked by hand: 2 qubits, 3 one-qubit and 1 two-qubit gate, 2 measurements, 1,000 shots: 5 + 33 / 5 = 11.6."""
    kinds = ["Rz", "PhasedX", "PhasedX", "ZZPhase", "Measure", "Measure"]
    asked = {"qubits": [0, 1], "commands": [{"op": {"type": kind}} for kind in kinds]}
    assert math.isclose(credits(asked, 1000), 5 + 1000 * (3 + 10 * 1 + 5 * 4) / 5000)
    assert math.isclose(credits(asked, 1000), 11.6)


def _circuit(double: RunningDouble, job: str) -> Any:
    """The first circuit of a job as Nexus got it."""
    items = _asked(double, f"/api/jobs/v1beta3/{job}")["data"]["attributes"]["definition"]["items"]
    return _asked(double, f"/api/circuits/v1beta2/{items[0]['program_id']}")["data"]["attributes"]


def _asked(double: RunningDouble, path: str) -> Any:
    request = urllib.request.Request(double.url + path, headers={"Cookie": "myqos_id=double-session"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _shape(value: Any) -> Any:
    """Keys and types; of a list its first entry."""
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])] if value else []
    return type(value).__name__
