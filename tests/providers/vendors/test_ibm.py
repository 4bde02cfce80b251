"""IBM Quantum: what its wire, its tags, its caps and its snapshots promise; the rest is in the contract tests."""

from __future__ import annotations

import base64
import json
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qiskit import QuantumCircuit

from qpm_lab.doubles import RunningDouble
from qpm_lab.doubles.double import DoubleJob, Reply
from qpm_lab.doubles.ibm import IbmDouble
from qpm_lab.doubles.serving import Server
from qpm_lab.errors import CapacityError, CircuitError, ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers import ibm, ibm_results
from qpm_lab.providers.calibrations import read_calibration
from qpm_lab.providers.ibm_devices import BACKENDS, MOST_QUBITS
from qpm_lab.providers.ibm_watch import MOST_EXCHANGES
from qpm_lab.providers.interface import Task
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Access, Parcel
from tests.providers.vendors.conftest import circuit, crossed, leaning

MACHINE = "ibm/ibm_torino"
SHAPES = Path(__file__).parent / "shapes" / "ibm" / ibm.API


class OddDouble(IbmDouble):
    """IBM's double, which also counts its error answers and can be told to say odd things."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[int] = []
        self.odd: dict[str, Any] = {}

    def error(self, status: int, message: str) -> Reply:
        self.errors.append(status)
        return super().error(status, message)

    def _described(self, job: DoubleJob, *, poll: bool = True) -> dict[str, Any]:
        told = super()._described(job, poll=poll)
        return {**told, "state": {**told["state"], **self.odd.get("state", {})}}


class Bench:
    """IBM's client, in a process apart, and the double that it speaks to."""

    def __init__(self, double: OddDouble) -> None:
        self.double = double
        self.steered = RunningDouble(double.url, double.access())
        self.provider = RemoteProvider(ibm.VENDOR, lambda name: Access(**self.steered.access))
        self._sent = 0

    def parcel(self, *circuits: QuantumCircuit, shots: int = 200, cap: float | None = None) -> Parcel:
        self._sent += 1
        routed = tuple(self.provider.routed(each, MACHINE) for each in circuits or (crossed(),))
        return Parcel("ibm_torino", routed, shots, f"{self._sent:032x}", cap_seconds=cap)

    def asked(self) -> dict[str, Any]:
        """The last submission as it came."""
        return dict(list(self.double.jobs.values())[-1].asked)

    def done(self, parcel: Parcel) -> str:
        vendor_id = self.provider.send(parcel)
        assert self.provider.standing(MACHINE, vendor_id).state == "done"
        return vendor_id

    def run(self, name: str, made: QuantumCircuit, shots: int = 1000, seed: int = 5) -> dict[str, int]:
        """A circuit on a snapshot, as a job runs it."""
        task = Task(self.info(name), (made,), shots, seed)
        self.provider.check(task)
        return dict(self.provider.submit(task).result().counts[0])

    def info(self, name: str) -> BackendInfo:
        return next(each for each in self.provider.backends() if each.id == f"ibm/{name}")


@pytest.fixture(scope="module")
def made() -> Iterator[Bench]:
    server = Server(OddDouble())
    server.start()
    assert isinstance(server.double, OddDouble)
    bench = Bench(server.double)
    yield bench
    bench.provider.close()
    server.stop()


@pytest.fixture
def bench(made: Bench) -> Bench:
    made.steered.reset()
    made.double.errors.clear()
    made.double.odd.clear()
    made.double.limit_reached = False
    return made


def ghz(qubits: int) -> QuantumCircuit:
    chain = circuit(qubits, qubits)
    chain.h(0)
    for qubit in range(qubits - 1):
        chain.cx(qubit, qubit + 1)
    chain.measure(range(qubits), range(qubits))
    return chain


def test_a_submission_carries_the_token_as_its_only_tag_and_no_other_name(bench: Bench) -> None:
    """IBM learns circuits, shots, machine and token, and that no error mitigation is asked for."""
    parcel = bench.parcel(crossed(), shots=300)
    bench.provider.send(parcel)
    asked = bench.asked()
    assert asked.keys() == {"program_id", "params", "backend", "log_level", "tags"}
    assert (asked["program_id"], asked["backend"], asked["tags"]) == ("executor", "ibm_torino", [parcel.token])
    program = asked["params"]["quantum_program"]
    assert (program["shots"], [each["item_type"] for each in program["items"]]) == (300, ["circuit"])
    assert program["passthrough_data"]["post_processor"]["twirling"] is False


@pytest.mark.parametrize(("cap", "cost"), [(30.0, 30), (30.9, 30), (0.2, 1), (None, None)])
def test_a_cap_in_seconds_is_ibms_own(bench: Bench, cap: float | None, cost: int | None) -> None:
    """Whole seconds, never more than was reserved except for the least that IBM takes; none when there is none."""
    bench.provider.send(bench.parcel(cap=cap))
    assert bench.asked().get("cost") == cost


def test_a_job_that_ran_into_its_cap_has_failed(bench: Bench) -> None:
    """IBM calls it cancelled, but nobody cancelled it."""
    vendor_id = bench.provider.send(bench.parcel())
    bench.double.odd["state"] = {"status": "Cancelled", "reason": "Ran too long", "reason_code": ibm.RAN_TOO_LONG}
    found = bench.provider.standing(MACHINE, vendor_id)
    assert (found.state, found.message) == ("failed", "Ran too long (code 1305)")


def test_an_error_answer_to_a_submission_is_not_sent_again_by_the_client(bench: Bench) -> None:
    """The client by itself repeats a POST that was answered with 503 five times."""
    parcel = bench.parcel()
    bench.steered.faults(outage=1.0, only="POST /api/v1/jobs")
    with pytest.raises(ProviderError) as caught:
        bench.provider.send(parcel)
    assert caught.value.uncertain
    assert bench.double.errors == [503]


def test_an_outage_before_the_submission_is_certain(bench: Bench) -> None:
    """When not even the machine's status came, nothing was sent."""
    parcel = bench.parcel()
    bench.steered.faults(outage=1.0, only="/status")
    with pytest.raises(ProviderError) as caught:
        bench.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (False, True)
    assert bench.steered.submissions() == []


def test_a_lost_answer_is_found_by_its_tag_once_it_is_visible(bench: Bench) -> None:
    """One submission; the list shows it after its delay, and the job then gives its counts."""
    parcel = bench.parcel()
    bench.steered.faults(lost_answer=1.0, visibility_seconds=3600.0, only="POST /api/v1/jobs")
    with pytest.raises(ProviderError) as caught:
        bench.provider.send(parcel)
    assert caught.value.uncertain
    assert bench.provider.find(MACHINE, parcel.token) == []
    bench.steered.faults(lost_answer=0.0, visibility_seconds=0.0)
    (vendor_id,) = bench.provider.find(MACHINE, parcel.token)
    assert [job["id"] for job in bench.steered.submissions()] == [vendor_id]
    assert bench.provider.standing(MACHINE, vendor_id).state == "done"
    assert bench.provider.answer(parcel, vendor_id).counts == [{"00101": 200}]


def test_an_instance_without_time_left_gets_no_job(bench: Bench) -> None:
    """Such a job would wait until somebody pays."""
    parcel = bench.parcel()
    bench.double.limit_reached = True
    with pytest.raises(ProviderError, match="usage limit") as caught:
        bench.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (False, False)
    assert bench.steered.submissions() == []


def test_a_result_that_could_not_be_read_is_not_paid_for(bench: Bench) -> None:
    """Every shot comes back: what would pass the bound of an answer is refused before it is sent."""
    many = tuple(circuit(1, 150) for _ in range(20))
    with pytest.raises(CapacityError, match="MiB are read"):
        bench.provider.send(Parcel("ibm_torino", many, 100_000, "0" * 32))
    assert bench.steered.submissions() == []


def test_a_missing_key_is_said(bench: Bench) -> None:
    """With what to do, before anything is asked."""
    keyless = RemoteProvider(ibm.VENDOR, lambda name: Access(bench.double.url))
    try:
        with pytest.raises(ProviderError, match="qpm secret set ibm"):
            keyless.standing(MACHINE, "d0")
    finally:
        keyless.close()


def test_a_waiting_job_knows_its_place_in_the_queue(bench: Bench) -> None:
    """And no longer once it runs."""
    bench.steered.faults(queue_polls=2, run_polls=1)
    vendor_id = bench.provider.send(bench.parcel())
    seen = [bench.provider.standing(MACHINE, vendor_id) for _ in range(4)]
    assert [(each.state, each.queue_position) for each in seen] == [
        ("queued", 2),
        ("queued", 1),
        ("running", None),
        ("done", None),
    ]


def test_the_charged_seconds_are_ibms(bench: Bench) -> None:
    """The answer says what IBM charges, not how long it took, and by which client it was read."""
    parcel = bench.parcel(crossed(), leaning(), shots=1000)
    answer = bench.provider.answer(parcel, bench.done(parcel))
    assert answer.qpu_seconds == pytest.approx(2.6)
    assert answer.billed is None
    assert answer.details["client"].startswith("qiskit-ibm-runtime 0.")
    assert answer.details["api"] == ibm.API


@pytest.mark.parametrize(
    ("usage", "seconds"),
    [
        ({"qpu_charge_time_seconds": 0, "status": "pending"}, None),
        ({"qpu_charge_time_seconds": 0, "status": "complete"}, 0.0),
        ({"status": "complete"}, None),
    ],
)
def test_time_that_is_still_reckoned_is_not_taken_for_free(usage: dict[str, Any], seconds: float | None) -> None:
    """Unknown is unknown, never 0."""
    assert ibm_results.charged_seconds(usage) == seconds


def test_an_unknown_state_is_named(bench: Bench) -> None:
    """With its field and value; nothing is guessed."""
    vendor_id = bench.provider.send(bench.parcel())
    bench.double.odd["state"] = {"status": "Paused"}
    with pytest.raises(ProviderError, match=r"'state\.status'.*'Paused'"):
        bench.provider.standing(MACHINE, vendor_id)


@pytest.mark.parametrize(
    "field", ["data", "shape", "c", "schema_version", "passthrough_data", "semantic_role", "usage"]
)
def test_a_field_missing_in_a_result_is_named(bench: Bench, field: str) -> None:
    """Also where IBM's client stumbles over it later."""
    parcel = bench.parcel()
    vendor_id = bench.done(parcel)
    bench.steered.faults(schema_change=field)
    with pytest.raises(ProviderError, match=rf"'[\w.]*\b{field}' is missing in IBM Quantum's answer to GET"):
        bench.provider.answer(parcel, vendor_id)


@pytest.mark.parametrize("field", ["devices", "length_queue", "status", "last_update_date"])
def test_a_field_missing_in_what_is_told_of_a_machine_is_named(bench: Bench, field: str) -> None:
    """The client would fill in a queue of 0, or take the machine for gone."""
    bench.steered.faults(schema_change=field)
    with pytest.raises(ProviderError, match=rf"'{field}' is missing"):
        bench.provider.availability(MACHINE)


def test_a_list_that_never_ends_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count above what the pages hold makes the client ask for ever."""
    parcel = bench.parcel()
    endless = Reply(200, {"jobs": [], "count": 1, "limit": 20, "offset": 0})
    monkeypatch.setattr(bench.double, "_list", lambda call: endless)
    with pytest.raises(ProviderError, match=f"{MOST_EXCHANGES} times"):
        bench.provider.find(MACHINE, parcel.token)


def test_a_machine_that_the_key_may_not_use_is_named(bench: Bench) -> None:
    """Instead of the client's empty search."""
    with pytest.raises(ProviderError, match="no machine 'ibm_nowhere'"):
        bench.provider.availability("ibm/ibm_nowhere")


def test_a_machine_tells_its_queue_and_the_date_of_its_calibration(bench: Bench) -> None:
    """As its vendor publishes them."""
    found = bench.provider.availability(MACHINE)
    assert (found.available, found.queue, found.calibrated_at) == (True, 3, "2026-11-20T06:00:00+00:00")


def test_a_machines_calibration_has_errors_durations_and_couplings(bench: Bench) -> None:
    """So that circuits are routed to it, and its fidelity can be expected."""
    found = read_calibration(bench.provider._pool.call("calibration", {"backend": "ibm_torino"}))
    assert found["qubits"] == 133
    assert all(each["error"] > 0 and each["duration_seconds"] > 0 for each in found["gates"]["cz"])
    assert all(each["error"] > 0 for each in found["gates"]["measure"])
    assert all(each["t1_seconds"] > 0 for each in found["qubit_properties"])


def test_a_result_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes on the wire must not fill the memory."""
    monkeypatch.setattr(ibm_results, "LARGEST_RESULT", 1000)
    packed = base64.b64encode(zlib.compress(bytes(1001))).decode()
    text = json.dumps({"data": [{"results": {"c": {"data": packed, "shape": [1, 8008], "dtype": "bool"}}}]})
    with pytest.raises(ProviderError, match="unpacks to more"):
        ibm_results.check_arrays(text, "GET /jobs/ID/results")


@pytest.mark.parametrize("name", [each.id for each in BACKENDS if each.local])
def test_a_snapshot_is_described_as_it_is(bench: Bench, name: str) -> None:
    """Qubits and gates in the list are those of the client's own data."""
    target, info = bench.provider.target(name), bench.info(name.partition("/")[2])
    assert target.num_qubits == info.qubits
    assert set(info.gates) <= set(target.operation_names)


@pytest.mark.parametrize("name", ["fake_torino", "fake_kingston", "fake_sherbrooke", "fake_manila"])
def test_a_snapshot_runs_with_the_noise_of_its_machine(bench: Bench, name: str) -> None:
    """Mostly right, never perfect, and the same for the same seed."""
    counts = bench.run(name, ghz(5), shots=4000)
    right = (counts["00000"] + counts["11111"]) / 4000
    assert 0.5 < right < 1
    assert counts == bench.run(name, ghz(5), shots=4000)
    assert counts != bench.run(name, ghz(5), shots=4000, seed=6)


def test_a_snapshot_keeps_the_order_of_bits(bench: Bench) -> None:
    """Crossed wires and unread bits come out where the circuit says."""
    counts = bench.run("fake_fez", crossed())
    assert max(counts, key=lambda key: counts[key]) == "00101"
    assert {len(key) for key in counts} == {5}


def test_a_snapshot_decides_on_measured_bits(bench: Bench) -> None:
    """As the machine behind it does."""
    deciding = circuit(2, 2)
    deciding.x(0)
    deciding.measure(0, 0)
    with deciding.if_test((deciding.clbits[0], 1)):
        deciding.x(1)
    deciding.measure(1, 1)
    counts = bench.run("fake_torino", deciding)
    assert counts["11"] > 850


def test_what_a_machine_cannot_decide_is_refused_before_it_is_sent(bench: Bench) -> None:
    """A loop that depends on measurements is no instruction of IBM's machines."""
    looping = circuit(1, 1)
    looping.x(0)
    with looping.while_loop((looping.clbits[0], 1)):
        looping.x(0)
    looping.measure(0, 0)
    with pytest.raises(CircuitError, match="while_loop"):
        bench.provider.routed(looping, MACHINE)


def test_a_simulation_that_does_not_fit_says_what_it_would_need(bench: Bench) -> None:
    """Instead of filling the memory."""
    with pytest.raises(CapacityError, match=f"at most {MOST_QUBITS} qubits") as caught:
        bench.run("fake_torino", ghz(MOST_QUBITS + 2))
    assert "4 GiB" in caught.value.hint


def shape(value: Any) -> Any:
    """Keys and types of an answer."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def answers(bench: Bench) -> dict[str, Any]:
    """A fixed exchange with the double, without any client: the answers by name."""
    parcel = bench.parcel()
    asked = dict(bench.double.jobs[bench.done(parcel)].asked)
    url = bench.double.url
    form = urllib.parse.urlencode({"apikey": bench.double.token}).encode()
    with urllib.request.urlopen(f"{url}/identity/token", data=form) as login:
        token = json.load(login)

    def call(path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{url}/api/v1{path}", data=data)
        request.add_header("Authorization", f"Bearer {token['access_token']}")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    machine = "/backends/ibm_torino"
    taken = call("/jobs", asked)
    job = f"/jobs/{taken['id']}"
    waiting = call(f"{job}/metrics")
    found = {"token": token, "job_taken": taken, "job_metrics_queued": waiting, "job": call(job), "jobs": call("/jobs")}
    found |= {"job_results": call(f"{job}/results"), "job_metrics": call(f"{job}/metrics"), "submission": asked}
    found |= {"backends": call("/backends"), "instance_usage": call("/instances/usage")}
    return found | {name: call(f"{machine}/{name}") for name in ("configuration", "properties", "status")}


def test_the_doubles_answers_have_the_recorded_shapes(bench: Bench) -> None:
    """So that a change of the double, or of what the client sends, is made on purpose."""
    recorded = {path.stem: json.loads(path.read_text()) for path in SHAPES.glob("*.json")}
    assert {name: shape(each) for name, each in answers(bench).items()} == recorded
