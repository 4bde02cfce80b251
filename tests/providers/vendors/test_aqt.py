"""AQT: its own provider in its own environment, against the double and on its offline simulators."""

from __future__ import annotations

import json
import math
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from qiskit import QuantumCircuit

from qpm_lab.doubles.aqt import characterisation, circuit_of
from qpm_lab.errors import CapacityError, CircuitError, ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.aqt import VENDOR
from qpm_lab.providers.aqt_circuits import Sent, calibration, histogram
from qpm_lab.providers.calibrations import read_calibration
from qpm_lab.providers.interface import Task
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Parcel
from tests.providers.vendors.conftest import Rig, crosswise, lopsided, recorded, rigged, shape


@pytest.fixture(scope="module")
def vendor_rig() -> Iterator[Rig]:
    yield from rigged("aqt", "aqt/ibex")


@pytest.fixture(scope="module")
def direct(vendor_rig: Rig) -> Iterator[RemoteProvider]:
    """A client that reaches its machine without AQT's cloud."""
    with vendor_rig.reached(options={"direct": True}) as provider:
        yield provider


def info(name: str) -> BackendInfo:
    return next(each for each in VENDOR.backends if each.id == f"aqt/{name}")


@pytest.mark.parametrize("backend", ["ibex", "simulator_no_noise"])
def test_bits_come_back_where_they_were_measured_into(rig: Rig, backend: str) -> None:
    """AQT measures every ion, first one first; two circuits of a job keep their order."""
    parcel = rig.parcel(lopsided(), crosswise(), backend=backend)
    vendor_id = rig.provider.send(parcel)
    assert rig.provider.standing(f"aqt/{backend}", vendor_id).state == "done"
    answer = rig.provider.answer(parcel, vendor_id)
    assert set(answer.counts[0]) == {"1000", "1011"}
    assert answer.counts[1] == {"10": 200}
    assert (answer.run_seconds, answer.queue_seconds) == (3.0, 2.0)
    assert answer.details["client"].startswith("qiskit-aqt-provider 2.")


def test_several_circuits_are_one_job_under_the_token(rig: Rig) -> None:
    """The job's label is the token and nothing else."""
    parcel = rig.parcel(crosswise(), lopsided())
    vendor_id = rig.provider.send(parcel)
    assert rig.double.submissions() == [{"id": vendor_id, "token": parcel.token, "cancelled": False}]


@pytest.mark.parametrize("name", ["offline_simulator_no_noise", "offline_simulator_noise"])
def test_offline_simulators_need_no_key_and_repeat_themselves(name: str) -> None:
    """They run without access, and the same seed gives the same counts."""
    provider = RemoteProvider(VENDOR)
    task = Task(info(name), (lopsided(),), 500, 11)
    first, second = (provider.submit(task).result().counts[0] for _ in range(2))
    provider.close()
    assert first == second
    assert first["1000"] + first["1011"] > 450
    assert (len(first) > 2) == info(name).noisy


@pytest.mark.parametrize("angle", [-7.0, -2.0, -1e-9, 0.3, 1.7, math.pi, 4.0, 6.0])
def test_angles_of_any_size_are_brought_into_aqts_ranges(rig: Rig, angle: float) -> None:
    """The double refuses angles out of range, as AQT does, and the distribution stays what it was."""
    circuit = QuantumCircuit(2, 2)
    circuit.rxx(angle, 0, 1)
    circuit.rx(-angle, 0)
    circuit.measure([0, 1], [1, 0])
    from qiskit.quantum_info import Statevector

    expected = Statevector(circuit.remove_final_measurements(inplace=False)).probabilities_dict()
    parcel = rig.parcel(circuit, shots=2000)
    vendor_id = rig.provider.send(parcel)
    rig.provider.standing("aqt/ibex", vendor_id)
    counts = rig.provider.answer(parcel, vendor_id).counts[0]
    for key in ("00", "01", "10", "11"):
        assert counts.get(key[::-1], 0) / 2000 == pytest.approx(expected.get(key, 0.0), abs=0.06)


def test_measurements_before_other_gates_are_moved_to_the_end(rig: Rig) -> None:
    """AQT reads all ions at once: a gate on another qubit after a measurement is no hindrance, on the same it is."""
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 1)
    circuit.x(1)
    circuit.measure(1, 0)
    parcel = Parcel("ibex", (rig.provider.routed(circuit, "aqt/simulator_noise"),), 50, "0" * 32)
    vendor_id = rig.provider.send(parcel)
    rig.provider.standing("aqt/ibex", vendor_id)
    assert rig.provider.answer(parcel, vendor_id).counts[0] == {"11": 50}
    circuit.r(1.0, 0.0, 0)
    with pytest.raises(CircuitError, match="only at the end"):
        rig.provider.send(replace(parcel, circuits=(rig.provider.routed(circuit, "aqt/simulator_noise"),)))


def test_a_circuit_that_is_too_long_is_refused_before_it_is_sent(rig: Rig) -> None:
    """AQT takes 2,000 operations; nobody is left in doubt about a longer one."""
    circuit = QuantumCircuit(2, 2)
    for _ in range(1200):
        circuit.rxx(0.1, 0, 1)
        circuit.r(0.1, 0.2, 0)
    circuit.measure([0, 1], [0, 1])
    with pytest.raises(CircuitError, match="2000"):
        rig.provider.send(Parcel("ibex", (circuit,), 10, "0" * 32))
    assert rig.double.submissions() == []


def test_more_shots_than_aqt_takes_are_refused(rig: Rig) -> None:
    """2,000 per circuit."""
    with pytest.raises(CapacityError, match="2,000"):
        rig.provider.check(Task(info("ibex"), (crosswise(),), 2001, 0))


def test_a_lost_answer_is_uncertain_and_nothing_is_sent_twice(rig: Rig) -> None:
    """AQT's jobs cannot be looked up, so the one that was taken is not found either."""
    parcel = rig.parcel(crosswise())
    rig.double.faults(lost_answer=1.0, only="POST /v1/submit")
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (True, False)
    assert len(rig.double.submissions()) == 1
    assert rig.provider.find("aqt/ibex", parcel.token) == []
    assert VENDOR.durability.lookup == "none"


@pytest.mark.parametrize(
    ("faults", "retryable", "hint"),
    [({"expired_token": True}, False, "qpm secret set aqt"), ({"rate_limit": 1.0}, True, "wait")],
)
def test_a_refusal_certainly_took_nothing(rig: Rig, faults: dict[str, Any], retryable: bool, hint: str) -> None:
    """What to do is said; nothing stays in doubt."""
    parcel = rig.parcel(crosswise())
    rig.double.faults(**faults)
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (False, retryable)
    assert hint in caught.value.hint


def test_an_outage_leaves_a_submission_in_doubt_and_a_question_to_be_asked_again(rig: Rig) -> None:
    """503 to a POST is uncertain, to a GET retryable."""
    parcel = rig.parcel(crosswise())
    vendor_id = rig.provider.send(parcel)
    rig.double.faults(outage=1.0, only="/v1/submit")
    with pytest.raises(ProviderError) as sending:
        rig.provider.send(parcel)
    rig.double.faults(only="/v1/result")
    with pytest.raises(ProviderError) as asking:
        rig.provider.standing("aqt/ibex", vendor_id)
    assert (sending.value.uncertain, asking.value.uncertain, asking.value.retryable) == (True, False, True)


def test_a_job_says_where_it_stands(rig: Rig) -> None:
    """Queued, running, and AQT's words when it failed."""
    rig.double.faults(queue_polls=1, run_polls=1, failing=1.0)
    vendor_id = rig.provider.send(rig.parcel(crosswise()))
    seen = [rig.provider.standing("aqt/ibex", vendor_id) for _ in range(3)]
    assert [each.state for each in seen] == ["queued", "running", "failed"]
    assert "lost its calibration" in seen[2].message


def test_a_waiting_job_is_stopped_and_an_ended_one_is_left(rig: Rig) -> None:
    """Stopping twice is no error either."""
    rig.double.faults(queue_polls=5)
    waiting = rig.provider.send(rig.parcel(crosswise()))
    for _ in range(2):
        rig.provider.stop("aqt/ibex", waiting)
    assert rig.provider.standing("aqt/ibex", waiting).state == "cancelled"
    rig.double.faults(queue_polls=0)
    done = rig.provider.send(rig.parcel(crosswise()))
    rig.provider.stop("aqt/ibex", done)
    assert rig.provider.standing("aqt/ibex", done).state == "done"


def test_an_unknown_job_is_not_taken_for_one_without_a_state(rig: Rig) -> None:
    """AQT answers 200 to an id it does not know."""
    with pytest.raises(ProviderError, match="unknown job_id"):
        rig.provider.standing("aqt/ibex", "3aa8b827-4ff0-4a36-b1a6-f9ff6dee59ce")


@pytest.mark.parametrize(("missing", "call"), [("job_id", "send"), ("status", "standing"), ("result", "answer")])
def test_a_missing_field_is_named(rig: Rig, missing: str, call: str) -> None:
    """Whatever AQT leaves out is named, not guessed."""
    parcel = rig.parcel(crosswise())
    vendor_id = rig.provider.send(parcel)
    rig.double.faults(schema_change=missing)
    calls = {
        "send": lambda: rig.provider.send(parcel),
        "standing": lambda: rig.provider.standing("aqt/ibex", vendor_id),
        "answer": lambda: rig.provider.answer(parcel, vendor_id),
    }
    with pytest.raises(ProviderError, match=missing):
        calls[call]()


def test_an_unknown_field_is_named(rig: Rig) -> None:
    """But a new job's id is kept all the same."""
    parcel = rig.parcel(crosswise(), backend="simulator_noise")
    rig.double.faults(extra_field="surcharge")
    vendor_id = rig.provider.send(parcel)
    with pytest.raises(ProviderError, match="surcharge"):
        rig.provider.standing("aqt/ibex", vendor_id)


@pytest.mark.parametrize(
    "faults",
    [{"malformed": True}, {"wrong_type": True}, {"large_bytes": 50 * 2**20}],
    ids=lambda each: next(iter(each)),
)
def test_what_cannot_be_read_is_said_within_bounds(rig: Rig, faults: dict[str, Any]) -> None:
    """A broken answer to a submission leaves it in doubt; a result is refused as well."""
    parcel = rig.parcel(crosswise())
    vendor_id = rig.provider.send(parcel)
    rig.double.faults(**faults, only="/v1/submit")
    with pytest.raises(ProviderError) as sending:
        rig.provider.send(parcel)
    assert sending.value.uncertain
    rig.double.faults(only="/v1/result")
    with pytest.raises(ProviderError, match="AQT"):
        rig.provider.answer(parcel, vendor_id)


def test_a_wrong_key_is_refused_without_being_quoted(rig: Rig) -> None:
    """The hint says how to store another."""
    with (
        rig.reached(secrets={"token": "not-the-key-0123"}) as provider,
        pytest.raises(ProviderError, match="credentials") as caught,
    ):
        provider.send(rig.parcel(crosswise(), backend="simulator_noise"))
    assert "qpm secret set aqt" in caught.value.hint
    assert "not-the-key" not in str(caught.value)


def test_a_machine_is_found_in_the_only_workspace_that_has_it(rig: Rig) -> None:
    """One that is in none is refused before anything is sent; a workspace of the settings is taken as it is."""
    parcel = rig.parcel(crosswise(), backend="simulator_noise")
    with pytest.raises(ProviderError, match="None of your workspaces"):
        rig.provider.send(replace(parcel, backend="marmot"))
    with (
        rig.reached(options={"workspace": "elsewhere"}) as provider,
        pytest.raises(ProviderError, match="may not submit"),
    ):
        provider.send(parcel)


def test_a_machine_says_whether_it_is_online_and_when_it_was_calibrated(rig: Rig) -> None:
    """AQT names no queue."""
    found = rig.provider.availability("aqt/ibex")
    assert (found.available, found.queue, found.calibrated_at) == (True, None, "2026-11-20T06:00:00Z")


def test_direct_access_runs_one_circuit_after_the_other(rig: Rig, direct: RemoteProvider) -> None:
    """A machine has no jobs of several circuits: each has an id, and all together are the vendor's id."""
    parcel = rig.parcel(lopsided(), crosswise(), shots=40, backend="simulator_noise")
    vendor_id = direct.send(parcel)
    assert vendor_id.split("+") == [each["id"] for each in rig.double.submissions()]
    assert direct.standing("aqt/ibex", vendor_id).state == "done"
    counts = direct.answer(parcel, vendor_id).counts
    assert set(counts[0]) == {"1000", "1011"}
    assert counts[1] == {"10": 40}
    assert direct.availability("aqt/ibex").available


def test_a_machine_that_does_not_answer_yet_is_running(rig: Rig, direct: RemoteProvider) -> None:
    """It answers when the circuit has run; until then the question is given up after a moment."""
    vendor_id = direct.send(rig.parcel(crosswise(), backend="simulator_noise"))
    rig.double.faults(latency_seconds=3.0, only="GET /circuit/result")
    assert direct.standing("aqt/ibex", vendor_id).state == "running"


def test_calibration_is_that_of_thecharacterisation() -> None:
    """Percentages become errors, microseconds seconds, and every pair is joined."""
    known = read_calibration(calibration(characterisation(12), 12))
    assert len(known["coupling"]) == 12 * 11
    assert known["gates"]["rxx"][0]["error"] == pytest.approx(0.013)
    assert known["gates"]["r"][2] == {
        "qubits": [2],
        "error": pytest.approx(0.0005),
        "duration_seconds": pytest.approx(15e-6),
    }
    assert known["gates"]["measure"][0]["duration_seconds"] == pytest.approx(2.5e-3)
    assert known["qubit_properties"][11]["t2_seconds"] == 0.452


@pytest.mark.parametrize(
    ("samples", "words"),
    [([[0, 1]], "1 shots"), ([[0]] * 2, "outcome"), ([[0, 2]] * 2, "outcome"), ("0101", "no samples")],
)
def test_samples_of_another_shape_are_refused(samples: Any, words: str) -> None:
    """Nothing is guessed from rows that were not asked for."""
    with pytest.raises(ProviderError, match=words):
        histogram(samples, Sent(QuantumCircuit(2, 2), {0: 0, 1: 1}), 2, "the result")


def test_the_double_refuses_angles_out_of_range() -> None:
    """Else it would hide what AQT refuses."""
    with pytest.raises(ValueError, match=r"between 0 and 0\.5"):
        circuit_of([{"operation": "RXX", "theta": 0.6, "qubits": [0, 1]}, {"operation": "MEASURE"}], 2)


def test_the_doubles_answers_have_the_recorded_shapes(rig: Rig, direct: RemoteProvider) -> None:
    """Keys and types of each answer, by API version: a change of the double is a change of these files."""
    vendor_id = rig.provider.send(rig.parcel(crosswise()))
    direct_id = direct.send(rig.parcel(crosswise()))
    paths = {
        "workspaces": "v1/workspaces",
        "resource": "v1/resources/ibex",
        "result": f"v1/result/{vendor_id}?include_timing_data=true",
        "unknown_job": "v1/result/3aa8b827-4ff0-4a36-b1a6-f9ff6dee59ce",
        "direct_ions": "status/ions",
        "direct_result": f"circuit/result/{direct_id}",
    }
    found = {name: shape(asked(rig, path)) for name, path in paths.items()}
    assert found == recorded("aqt", "v1")


def asked(rig: Rig, path: str) -> Any:
    headers = {"Authorization": f"Bearer {rig.access.secrets['token']}"}
    with urllib.request.urlopen(urllib.request.Request(f"{rig.double.url}/{path}", headers=headers)) as answer:
        return json.load(answer)
