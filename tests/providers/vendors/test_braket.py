"""Amazon Braket: the SDK's own client in its own environment, against the double."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from qiskit import QuantumCircuit

from qpm_lab import doubles
from qpm_lab.errors import InputError, ProviderError
from qpm_lab.providers.braket import VENDOR
from qpm_lab.providers.braket_devices import ARNS
from qpm_lab.providers.braket_program import program
from qpm_lab.providers.interface import Task
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Access, Parcel

GARNET = "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet"
SHAPES = Path(__file__).with_name("shapes") / "braket" / "2019-09-01"


class Bench:
    """A provider, its double, and by what it gets in."""

    def __init__(self, double: doubles.RunningDouble) -> None:
        self.double = double
        self.access = Access(**double.access)
        self.provider = RemoteProvider(VENDOR, lambda name: self.access)
        self._tokens = iter(range(10**6))

    def parcel(self, backend: str, circuit: QuantumCircuit, shots: int = 200) -> Parcel:
        routed = self.provider.routed(circuit, f"braket/{backend}")
        return Parcel(backend, (routed,), shots, f"{next(self._tokens):032x}")


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch, doubles.started("braket") as double:
        patch.setenv("QPM_PROVIDERS", os.environ.get("QPM_PROVIDERS") or str(Path(sys.prefix) / "providers"))
        made = Bench(double)
        yield made
        made.provider.close()


@pytest.fixture(autouse=True)
def fresh(bench: Bench) -> None:
    bench.double.reset()


def lopsided() -> QuantumCircuit:
    """Three qubits into four bits: 1 into bit 3, a pair into bits 0 and 1, bit 2 never written."""
    circuit = QuantumCircuit(4, 4)
    circuit.x(1)
    circuit.h(0)
    circuit.cx(0, 3)
    circuit.measure([3, 1, 0], [0, 3, 1])
    return circuit


def flipped() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 2)
    circuit.x(2)
    circuit.measure([2, 0], [1, 0])
    return circuit


@pytest.mark.parametrize(
    "backend", ["sv1", "dm1", "ionq_forte-1", "iqm_garnet", "aqt_ibex-q1", "rigetti_cepheus-1-108q"]
)
def test_bits_come_back_where_they_were_measured_into(bench: Bench, backend: str) -> None:
    """Rows or probabilities, placed or not: bit 0 is rightmost and a bit never written is 0."""
    parcel = bench.parcel(backend, lopsided())
    vendor_id = bench.provider.send(parcel)
    assert bench.provider.standing(f"braket/{backend}", vendor_id).state == "done"
    counts = bench.provider.answer(parcel, vendor_id).counts[0]
    assert set(counts) == {"1000", "1011"}
    assert sum(counts.values()) == 200


def test_the_local_simulator_needs_no_key_and_repeats_itself(bench: Bench) -> None:
    """The SDK's own simulator runs without access, and the same seed gives the same counts."""
    provider = RemoteProvider(VENDOR)
    info = next(each for each in provider.backends() if each.id == "braket/local")
    task = Task(info, (lopsided(),), 300, 11)
    first, second = (provider.submit(task).result().counts[0] for _ in range(2))
    provider.close()
    assert (info.state, info.local) == ("ready", True)
    assert first == second
    assert set(first) == {"1000", "1011"}


def test_the_same_token_makes_one_task(bench: Bench) -> None:
    """AWS takes a repeated clientToken for the same submission."""
    parcel = bench.parcel("sv1", flipped())
    assert bench.provider.send(parcel) == bench.provider.send(parcel)
    assert len(bench.double.submissions()) == 1


def test_a_lost_answer_is_uncertain_and_the_task_is_there(bench: Bench) -> None:
    """Nobody repeats the POST behind our back; sending again under the same token finds the first task."""
    parcel = bench.parcel("sv1", flipped())
    bench.double.faults(lost_answer=1.0, only="POST /quantum-task")
    with pytest.raises(ProviderError) as caught:
        bench.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (True, False)
    made = [each["id"] for each in bench.double.submissions()]
    bench.double.faults(lost_answer=0.0)
    assert [bench.provider.send(parcel)] == made
    assert [each["id"] for each in bench.double.submissions()] == made


def test_a_task_is_found_by_its_tag_through_all_pages(bench: Bench) -> None:
    """The list holds other people's tasks and comes in pages."""
    wanted = bench.parcel("sv1", flipped(), shots=1)
    vendor_id = bench.provider.send(wanted)
    for _ in range(12):
        bench.provider.send(bench.parcel("sv1", flipped(), shots=1))
    assert bench.provider.find("braket/sv1", wanted.token) == [vendor_id]
    assert bench.provider.find("braket/dm1", wanted.token) == []


def test_a_task_is_not_found_before_it_is_visible(bench: Bench) -> None:
    """A list that lags behind says nothing, rather than something wrong."""
    bench.double.faults(visibility_seconds=3600.0)
    parcel = bench.parcel("sv1", flipped())
    bench.provider.send(parcel)
    assert bench.provider.find("braket/sv1", parcel.token) == []


def test_only_the_token_travels_with_a_task(bench: Bench) -> None:
    """Tag and client token are the token, and the program names nothing of the user's."""
    circuit = QuantumCircuit(2, 1, name="secret_plan", metadata={"who": "me"})
    circuit.h(0)
    circuit.measure(0, 0)
    source = program(circuit, placed=False).source
    assert source == "OPENQASM 3.0;\nqubit[1] q;\nbit[1] b;\nh q[0];\nb[0] = measure q[0];\n"


@pytest.mark.parametrize(
    ("faults", "retryable", "words"),
    [
        ({"expired_token": True}, False, "ExpiredTokenException"),
        ({"rate_limit": 1.0}, True, "Too many requests"),
    ],
)
def test_a_refusal_certainly_took_nothing(bench: Bench, faults: dict[str, Any], retryable: bool, words: str) -> None:
    """AWS's own words arrive, with what to do, and without a key."""
    parcel = bench.parcel("sv1", flipped())
    bench.double.faults(**faults)
    with pytest.raises(ProviderError, match=words) as caught:
        bench.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (False, retryable)
    assert caught.value.hint
    assert not any(secret in str(caught.value) for secret in bench.access.secrets.values())


def test_an_outage_leaves_a_submission_in_doubt_and_a_question_to_be_asked_again(bench: Bench) -> None:
    """503 to a POST is uncertain, to a GET retryable."""
    parcel = bench.parcel("sv1", flipped())
    vendor_id = bench.provider.send(parcel)
    bench.double.faults(outage=1.0)
    with pytest.raises(ProviderError) as sending:
        bench.provider.send(parcel)
    with pytest.raises(ProviderError) as asking:
        bench.provider.standing("braket/sv1", vendor_id)
    assert (sending.value.uncertain, asking.value.uncertain, asking.value.retryable) == (True, False, True)


def test_another_key_is_refused_by_name(bench: Bench) -> None:
    """The hint names both fields that have to be stored again."""
    access = replace(bench.access, secrets={"access_key_id": "AKIAOTHER", "secret_access_key": "x" * 40})
    provider = RemoteProvider(VENDOR, lambda name: access)
    with pytest.raises(ProviderError, match="security token") as caught:
        provider.send(bench.parcel("sv1", flipped()))
    provider.close()
    assert "qpm secret set braket/access_key_id and braket/secret_access_key" in caught.value.hint
    assert "AKIAOTHER" not in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "call"),
    [("quantumTaskArn", "send"), ("status", "standing"), ("measuredQubits", "answer"), ("measurements", "answer")],
)
def test_a_missing_field_is_named(bench: Bench, missing: str, call: str) -> None:
    """Whatever AWS leaves out is named, not guessed; `measurements` may be replaced by probabilities."""
    parcel = bench.parcel("sv1", flipped())
    vendor_id = bench.provider.send(parcel)
    bench.double.faults(schema_change=missing)
    named = {"measurements": "measurementProbabilities"}.get(missing, missing)
    calls = {
        "send": lambda: bench.provider.send(parcel),
        "standing": lambda: bench.provider.standing("braket/sv1", vendor_id),
        "answer": lambda: bench.provider.answer(parcel, vendor_id),
    }
    with pytest.raises(ProviderError, match=named):
        calls[call]()


def test_an_unknown_field_is_named_unless_it_is_allowed(bench: Bench) -> None:
    """The client would pass it over in silence; a new task's id is kept all the same."""
    bench.double.faults(extra_field="surcharge")
    parcel = bench.parcel("sv1", flipped())
    vendor_id = bench.provider.send(parcel)
    with pytest.raises(ProviderError, match="surcharge"):
        bench.provider.standing("braket/sv1", vendor_id)
    access = replace(bench.access, options={**bench.access.options, "unknown_fields": "allow"})
    tolerant = RemoteProvider(VENDOR, lambda name: access)
    assert tolerant.standing("braket/sv1", vendor_id).state == "done"
    tolerant.close()


@pytest.mark.parametrize(
    "faults",
    [{"malformed": True}, {"wrong_type": True}, {"large_bytes": 50 * 2**20}],
    ids=lambda each: next(iter(each)),
)
def test_what_cannot_be_read_is_said_within_bounds(bench: Bench, faults: dict[str, Any]) -> None:
    """A broken answer to a submission leaves it in doubt; the result is refused as well."""
    parcel = bench.parcel("sv1", flipped())
    vendor_id = bench.provider.send(parcel)
    bench.double.faults(**faults)
    with pytest.raises(ProviderError) as sending:
        bench.provider.send(parcel)
    assert sending.value.uncertain
    bench.double.faults(only="GET /amazon-braket")
    with pytest.raises(ProviderError, match="Amazon Braket"):
        bench.provider.answer(parcel, vendor_id)


def test_a_task_says_where_it_stands(bench: Bench) -> None:
    """Queue position while it waits, then running, then the vendor's reason when it failed."""
    bench.double.faults(queue_polls=2, run_polls=1, failing=1.0)
    parcel = bench.parcel("ionq_forte-1", flipped())
    vendor_id = bench.provider.send(parcel)
    seen = [bench.provider.standing("braket/ionq_forte-1", vendor_id) for _ in range(4)]
    assert [each.state for each in seen] == ["queued", "queued", "running", "failed"]
    assert [each.queue_position for each in seen] == [2, 1, None, None]
    assert "lost its calibration" in seen[3].message


def test_cancelling_stops_a_task_and_leaves_an_ended_one(bench: Bench) -> None:
    """A task that is done stays done, without an error."""
    bench.double.faults(queue_polls=100)
    waiting = bench.provider.send(bench.parcel("sv1", flipped()))
    bench.provider.stop("braket/sv1", waiting)
    assert bench.provider.standing("braket/sv1", waiting).state == "cancelled"
    bench.double.faults(queue_polls=0)
    done = bench.provider.send(bench.parcel("sv1", flipped()))
    bench.provider.standing("braket/sv1", done)
    bench.provider.stop("braket/sv1", done)
    assert bench.provider.standing("braket/sv1", done).state == "done"


def test_prices_are_those_of_the_published_list(bench: Bench) -> None:
    """0.30 a task and 0.00145 a shot on Garnet: 200 shots cost 0.59; a simulator has no price before it ran."""
    garnet, simulator = bench.parcel("iqm_garnet", flipped()), bench.parcel("sv1", flipped())
    price = bench.provider.price(garnet)
    assert price is not None
    assert (price[0], float(price[1])) == ("USD", 0.59)
    assert bench.provider.price(simulator) is None


def test_a_simulator_bills_three_seconds_at_least(bench: Bench) -> None:
    """The double's run takes 16 ms; Amazon's minimum is 3 s."""
    parcel = bench.parcel("sv1", flipped())
    answer = bench.provider.answer(parcel, _done(bench, parcel))
    assert (answer.qpu_seconds, answer.run_seconds) == (3.0, 0.016)
    assert answer.details["client"].startswith("amazon-braket-sdk 1.")


def _done(bench: Bench, parcel: Parcel) -> str:
    vendor_id = bench.provider.send(parcel)
    bench.provider.standing(f"braket/{parcel.backend}", vendor_id)
    return vendor_id


def test_a_machine_says_whether_it_is_online_and_how_long_its_queue_is(bench: Bench) -> None:
    """Both queues for tasks count, hybrid jobs do not."""
    found = bench.provider.availability("braket/iqm_garnet")
    assert (found.available, found.queue, found.calibrated_at) == (True, 15, "2026-11-20T06:00:00Z")


def test_without_a_bucket_the_accounts_own_is_used(bench: Bench) -> None:
    """Braket's default bucket is named after region and account."""
    access = replace(bench.access, options={})
    provider = RemoteProvider(VENDOR, lambda name: access)
    parcel = bench.parcel("iqm_garnet", flipped())
    vendor_id = provider.send(parcel)
    provider.standing("braket/iqm_garnet", vendor_id)
    assert provider.answer(parcel, vendor_id).counts[0] == {"10": 200}
    provider.close()


def test_a_machine_of_the_sites_settings_needs_an_arn(bench: Bench) -> None:
    """Without one nothing is sent, and the error says where to give it."""
    access = replace(bench.access, options={"backends": {"new": {"qubits": 4, "gates": ["rx", "rz", "cx"]}}})
    provider = RemoteProvider(VENDOR, lambda name: access)
    with pytest.raises(InputError, match="no ARN"):
        provider.send(Parcel("new", (flipped(),), 10, "0" * 32))
    provider.close()


def test_the_doubles_answers_have_the_recorded_shapes(bench: Bench) -> None:
    """Keys and types of each answer, by API version: a change of the double is a change of these files."""
    task = quote(_done(bench, bench.parcel("sv1", flipped())), safe="")
    ions = quote(_done(bench, bench.parcel("ionq_forte-1", flipped())), safe="")
    key = "amazon-braket-double/qpm/{}/results.json"
    search = {"filters": [{"name": "deviceArn", "operator": "EQUAL", "values": [ARNS["sv1"]]}]}
    asks: dict[str, tuple[str, str, Any]] = {
        "task": ("GET", f"quantum-task/{task}", None),
        "tasks": ("POST", "quantum-tasks", search),
        "device": ("GET", f"device/{quote(GARNET, safe='')}", None),
        "results_measurements": ("GET", key.format(task.rpartition("%2F")[2]), None),
        "results_probabilities": ("GET", key.format(ions.rpartition("%2F")[2]), None),
    }
    found = {name: shape(asked(bench, *each)) for name, each in asks.items()}
    assert found == {path.stem: json.loads(path.read_text()) for path in SHAPES.glob("*.json")}


def asked(bench: Bench, method: str, path: str, body: Any) -> Any:
    signed = (
        f"AWS4-HMAC-SHA256 Credential={bench.access.secrets['access_key_id']}/20261120/us-east-1/braket/aws4_request"
    )
    data = None if body is None else json.dumps(body).encode()
    wanted = urllib.request.Request(f"{bench.access.url}/{path}", data, {"Authorization": signed}, method=method)
    with urllib.request.urlopen(wanted) as answer:
        return json.load(answer)


def shape(value: Any) -> Any:
    """A document's keys and types."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__
