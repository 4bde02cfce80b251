"""Quantinuum: what is its own beside the contract that all vendors' adapters keep; the real Nexus client, a double."""

from __future__ import annotations

import json
import math
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from qpm_lab.doubles import quantinuum as nexus_double
from qpm_lab.doubles.quantinuum_circuits import circuit_of, credits
from qpm_lab.errors import ProviderError
from qpm_lab.providers.vendor import Parcel
from tests.providers.vendors.conftest import Rig, recorded, rigged, shape

MACHINE = "quantinuum/H2-1"
SUBMISSION = "POST /api/jobs/v1beta3"


@pytest.fixture(scope="module")
def vendor_rig() -> Iterator[Rig]:
    yield from rigged("quantinuum", MACHINE)


def measured(qubit: int) -> QuantumCircuit:
    """Two qubits of which one is 1."""
    circuit = QuantumCircuit(2, 2)
    circuit.x(qubit)
    circuit.measure([0, 1], [0, 1])
    return circuit


def parcel(rig: Rig, *circuits: QuantumCircuit, shots: int = 100) -> Parcel:
    return rig.parcel(*circuits or (measured(0),), shots=shots)


def test_circuits_of_one_job_come_back_in_order(rig: Rig) -> None:
    """Each circuit is an item of one job, and their histograms keep their order."""
    sent = parcel(rig, measured(0), measured(1), measured(0))
    found = rig.provider.answer(sent, rig.provider.send(sent))
    assert [dict(each) for each in found.counts] == [{"01": 100}, {"10": 100}, {"01": 100}]
    assert len(rig.double.submissions()) == 1


def test_native_gates_keep_their_angles(rig: Rig) -> None:
    """Half turns arrive as the angles that were meant: the circuit that Nexus gets has the same unitary."""
    circuit = QuantumCircuit(2, 2)
    circuit.rz(0.3, 0)
    circuit.r(1.1, 0.4, 0)
    circuit.rzz(0.7, 0, 1)
    circuit.r(2.3, -0.9, 1)
    circuit.rz(-1.2, 1)
    expected = Operator(circuit)
    circuit.measure([0, 1], [0, 1])
    job = rig.provider.send(Parcel("H2-1", (circuit,), 10, "0" * 32))
    arrived = circuit_of(_circuit(rig, job))
    arrived.remove_final_measurements()
    assert Operator(arrived).equiv(expected)


def test_only_the_token_names_circuits_and_jobs(rig: Rig) -> None:
    """Nothing else goes into names, descriptions or properties."""
    sent = parcel(rig)
    job = rig.provider.send(sent)
    told = _asked(rig, f"/api/jobs/v1beta3/{job}")["data"]["attributes"]
    assert (told["name"], told["description"], told["properties"]) == (sent.token, "", {})
    assert _circuit(rig, job)["name"] == sent.token


def test_a_lost_job_is_found_by_its_token(rig: Rig) -> None:
    """The connection breaks after Nexus took the job: uncertain, sent once, and there under its name."""
    sent = parcel(rig)
    rig.double.faults(lost_answer=1.0, only=SUBMISSION)
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(sent)
    assert caught.value.uncertain
    taken = [each["id"] for each in rig.double.submissions()]
    assert len(taken) == 1
    assert rig.provider.find(MACHINE, sent.token) == taken
    assert rig.provider.find(MACHINE, "0" * 32) == []


@pytest.mark.parametrize(("fault", "value"), [("lost_answer", 1.0), ("malformed", True), ("wrong_type", True)])
def test_an_upload_that_fails_leaves_no_doubt(rig: Rig, fault: str, value: Any) -> None:
    """Circuits alone run nothing: whatever happens to them, no job was taken."""
    sent = parcel(rig)
    rig.double.faults(**{fault: value}, only="POST /api/circuits")
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(sent)
    assert caught.value.retryable
    assert not caught.value.uncertain
    assert rig.double.submissions() == []


def test_credits_are_those_that_nexus_states(rig: Rig) -> None:
    """HQC by the published formula: 5 + C (N1 + 10 N2 + 5 Nm) / 5000, to every digit; none are made up."""
    sent = parcel(rig, shots=123)
    job = rig.provider.send(sent)
    found = rig.provider.answer(sent, job)
    kinds = [each["op"]["type"] for each in _circuit(rig, job)["commands"]]
    one_qubit = sum(kind in ("Rz", "PhasedX") for kind in kinds)
    # Two preparations and two measurements; no two-qubit gate.
    assert found.hqc is not None
    assert math.isclose(found.hqc, 5 + 123 * (one_qubit + 5 * 4) / 5000, rel_tol=1e-12)
    rig.double.faults(schema_change="cost")
    assert rig.provider.answer(sent, job).hqc is None


def test_the_cap_in_credits_reaches_nexus(rig: Rig) -> None:
    """A job that would cost more than its cap fails there with Nexus' words; one below it runs."""
    sent = parcel(rig, shots=1000)
    low = rig.provider.send(replace(sent, cap_hqc=5.5))
    told = rig.provider.standing(MACHINE, low)
    assert (told.state, "max_cost" in told.message) == ("failed", True)
    high = rig.provider.send(replace(sent, cap_hqc=100.0))
    assert rig.provider.standing(MACHINE, high).state == "done"


def test_times_are_nexus_own(rig: Rig) -> None:
    """Run and queue seconds come from the job's time stamps."""
    sent = parcel(rig)
    found = rig.provider.answer(sent, rig.provider.send(sent))
    assert (found.run_seconds, found.queue_seconds, found.billed) == (0.5, 2.0, None)
    assert found.details == {"client": "qnexus 0.51.1", "api": "v1beta3"}


def test_a_wrong_key_says_how_to_store_a_new_one(rig: Rig) -> None:
    """It is refused at the login; the key is in no message."""
    wrong = {"token": "wrong-key-987654321"}
    with (
        rig.reached(secrets=wrong) as provider,
        pytest.raises(ProviderError, match="Quantinuum answered 401") as caught,
    ):
        provider.send(parcel(rig))
    assert "qpm secret set quantinuum" in caught.value.hint
    assert "wrong-key" not in str(caught.value)
    assert not caught.value.uncertain


def test_a_submission_without_a_session_was_not_taken(rig: Rig) -> None:
    """The client renews its session and asks once more after a 401; that makes no second job, and leaves no doubt."""
    sent = parcel(rig)
    rig.double.faults(expired_token=True, only=SUBMISSION)
    with pytest.raises(ProviderError, match="401") as caught:
        rig.provider.send(sent)
    assert not caught.value.uncertain
    rig.double.faults(expired_token=False)
    rig.provider.send(sent)
    assert len(rig.double.submissions()) == 1


@pytest.mark.parametrize("name", ["status", "attributes", "definition"])
def test_a_missing_field_is_named(rig: Rig, name: str) -> None:
    """A field that Nexus promises and an answer lacks is in the message."""
    job = rig.provider.send(parcel(rig))
    rig.double.faults(schema_change=name)
    with pytest.raises(ProviderError, match=f"field '{name}'") as caught:
        rig.provider.standing(MACHINE, job)
    assert "nothing is guessed" in caught.value.hint


def test_an_unknown_state_is_named_and_not_guessed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that the client does not know is in the message, with its field."""
    job = rig.provider.send(parcel(rig))
    monkeypatch.setitem(nexus_double._STATUS, "done", "TELEPORTED")
    with pytest.raises(ProviderError, match=r"'status' .* unknown value.*TELEPORTED") as caught:
        rig.provider.standing(MACHINE, job)
    assert "nothing is guessed" in caught.value.hint


def test_a_queued_job_is_cancelled_once(rig: Rig) -> None:
    """Its place in the queue is told; cancelling an ended job changes nothing."""
    rig.double.faults(queue_polls=3)
    job = rig.provider.send(parcel(rig))
    first = rig.provider.standing(MACHINE, job)
    assert (first.state, first.queue_position) == ("queued", 3)
    for _ in range(2):
        rig.provider.stop(MACHINE, job)
        assert rig.provider.standing(MACHINE, job).state == "cancelled"


def test_a_machine_tells_its_state_and_an_emulator_has_none(rig: Rig) -> None:
    """Nexus states one only for machines."""
    found = rig.provider.availability(MACHINE)
    assert (found.available, found.message) == (True, "online")
    assert rig.provider.availability("quantinuum/H2-1E").available is None


def test_a_nexus_of_another_form_is_noticed(rig: Rig) -> None:
    """The double's answers to a fixed exchange have the keys and types that were recorded for this API."""
    assert exchanged(rig) == recorded("quantinuum", "v1beta3")


def exchanged(rig: Rig) -> dict[str, Any]:
    """Name of an answer → its shape."""
    job = rig.provider.send(parcel(rig))
    rig.provider.standing(MACHINE, job)
    document = _asked(rig, f"/api/jobs/v1beta3/{job}")
    item = document["data"]["attributes"]["definition"]["items"][0]
    answers = {
        "projects": _asked(rig, "/api/projects/v1beta2"),
        "job": document,
        "jobs": _asked(rig, "/api/jobs/v1beta3"),
        "result": _asked(rig, f"/api/results/v1beta3/{item['result_id']}"),
        "machine": _asked(rig, "/api/machines/v1beta/H2-1/status"),
    }
    return {name: shape(answer) for name, answer in answers.items()}


def test_the_doubles_credits_follow_the_published_formula() -> None:
    """Worked by hand: 2 qubits, 3 one-qubit and 1 two-qubit gate, 2 measurements, 1,000 shots: 5 + 33 / 5 = 11.6."""
    kinds = ["Rz", "PhasedX", "PhasedX", "ZZPhase", "Measure", "Measure"]
    asked = {"qubits": [0, 1], "commands": [{"op": {"type": kind}} for kind in kinds]}
    assert math.isclose(credits(asked, 1000), 5 + 1000 * (3 + 10 * 1 + 5 * 4) / 5000)
    assert math.isclose(credits(asked, 1000), 11.6)


def _circuit(rig: Rig, job: str) -> Any:
    """The first circuit of a job as Nexus got it."""
    items = _asked(rig, f"/api/jobs/v1beta3/{job}")["data"]["attributes"]["definition"]["items"]
    return _asked(rig, f"/api/circuits/v1beta2/{items[0]['program_id']}")["data"]["attributes"]


def _asked(rig: Rig, path: str) -> Any:
    request = urllib.request.Request(rig.double.url + path, headers={"Cookie": "myqos_id=double-session"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
