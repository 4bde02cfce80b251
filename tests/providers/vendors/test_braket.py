"""Amazon Braket: the SDK's own client in its own environment, against the double."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from qiskit import QuantumCircuit

from qpm_lab.errors import InputError, ProviderError
from qpm_lab.providers.braket import VENDOR
from qpm_lab.providers.braket_devices import ARNS
from qpm_lab.providers.braket_program import program
from qpm_lab.providers.interface import Task
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Parcel
from tests.providers.vendors.conftest import Rig, crosswise, lopsided, recorded, rigged, shape

GARNET = "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet"


@pytest.fixture(scope="module")
def vendor_rig() -> Iterator[Rig]:
    yield from rigged("braket", "braket/sv1")


@pytest.mark.parametrize(
    "backend", ["sv1", "dm1", "ionq_forte-1", "iqm_garnet", "aqt_ibex-q1", "rigetti_cepheus-1-108q"]
)
def test_bits_come_back_where_they_were_measured_into(rig: Rig, backend: str) -> None:
    """Rows or probabilities, placed or not: bit 0 is rightmost and a bit never written is 0."""
    parcel = rig.parcel(lopsided(), backend=backend)
    vendor_id = rig.provider.send(parcel)
    assert rig.provider.standing(f"braket/{backend}", vendor_id).state == "done"
    counts = rig.provider.answer(parcel, vendor_id).counts[0]
    assert set(counts) == {"1000", "1011"}
    assert sum(counts.values()) == 200


def test_the_local_simulator_needs_no_key_and_repeats_itself() -> None:
    """The SDK's own simulator runs without access, and the same seed gives the same counts."""
    provider = RemoteProvider(VENDOR)
    info = next(each for each in provider.backends() if each.id == "braket/local")
    task = Task(info, (lopsided(),), 300, 11)
    first, second = (provider.submit(task).result().counts[0] for _ in range(2))
    provider.close()
    assert (info.state, info.local) == ("ready", True)
    assert first == second
    assert set(first) == {"1000", "1011"}


def test_the_same_token_makes_one_task(rig: Rig) -> None:
    """AWS takes a repeated clientToken for the same submission."""
    parcel = rig.parcel(crosswise())
    assert rig.provider.send(parcel) == rig.provider.send(parcel)
    assert len(rig.double.submissions()) == 1


def test_a_lost_answer_is_uncertain_and_the_task_is_there(rig: Rig) -> None:
    """Nobody repeats the POST behind our back; sending again under the same token finds the first task."""
    parcel = rig.parcel(crosswise())
    rig.double.faults(lost_answer=1.0, only="POST /quantum-task")
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (True, False)
    made = [each["id"] for each in rig.double.submissions()]
    rig.double.faults(lost_answer=0.0)
    assert [rig.provider.send(parcel)] == made
    assert [each["id"] for each in rig.double.submissions()] == made


def test_a_task_is_found_by_its_tag_through_all_pages(rig: Rig) -> None:
    """The list holds other people's tasks and comes in pages."""
    wanted = rig.parcel(crosswise(), shots=1)
    vendor_id = rig.provider.send(wanted)
    for _ in range(12):
        rig.provider.send(rig.parcel(crosswise(), shots=1))
    assert rig.provider.find("braket/sv1", wanted.token) == [vendor_id]
    assert rig.provider.find("braket/dm1", wanted.token) == []


def test_a_task_is_not_found_before_it_is_visible(rig: Rig) -> None:
    """A list that lags behind says nothing, rather than something wrong."""
    rig.double.faults(visibility_seconds=3600.0)
    parcel = rig.parcel(crosswise())
    rig.provider.send(parcel)
    assert rig.provider.find("braket/sv1", parcel.token) == []


def test_only_the_token_travels_with_a_task() -> None:
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
def test_a_refusal_certainly_took_nothing(rig: Rig, faults: dict[str, Any], retryable: bool, words: str) -> None:
    """AWS's own words arrive, with what to do, and without a key."""
    parcel = rig.parcel(crosswise())
    rig.double.faults(**faults)
    with pytest.raises(ProviderError, match=words) as caught:
        rig.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (False, retryable)
    assert caught.value.hint
    assert not any(secret in str(caught.value) for secret in rig.access.secrets.values())


def test_an_outage_leaves_a_submission_in_doubt_and_a_question_to_be_asked_again(rig: Rig) -> None:
    """503 to a POST is uncertain, to a GET retryable."""
    parcel = rig.parcel(crosswise())
    vendor_id = rig.provider.send(parcel)
    rig.double.faults(outage=1.0)
    with pytest.raises(ProviderError) as sending:
        rig.provider.send(parcel)
    with pytest.raises(ProviderError) as asking:
        rig.provider.standing("braket/sv1", vendor_id)
    assert (sending.value.uncertain, asking.value.uncertain, asking.value.retryable) == (True, False, True)


def test_another_key_is_refused_by_name(rig: Rig) -> None:
    """The hint names both fields that have to be stored again."""
    with (
        rig.reached(secrets={"access_key_id": "AKIAOTHER", "secret_access_key": "x" * 40}) as provider,
        pytest.raises(ProviderError, match="security token") as caught,
    ):
        provider.send(rig.parcel(crosswise()))
    assert "qpm secret set braket/access_key_id and braket/secret_access_key" in caught.value.hint
    assert "AKIAOTHER" not in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "call"),
    [("quantumTaskArn", "send"), ("status", "standing"), ("measuredQubits", "answer"), ("measurements", "answer")],
)
def test_a_missing_field_is_named(rig: Rig, missing: str, call: str) -> None:
    """Whatever AWS leaves out is named, not guessed; `measurements` may be replaced by probabilities."""
    parcel = rig.parcel(crosswise())
    vendor_id = rig.provider.send(parcel)
    rig.double.faults(schema_change=missing)
    named = {"measurements": "measurementProbabilities"}.get(missing, missing)
    calls = {
        "send": lambda: rig.provider.send(parcel),
        "standing": lambda: rig.provider.standing("braket/sv1", vendor_id),
        "answer": lambda: rig.provider.answer(parcel, vendor_id),
    }
    with pytest.raises(ProviderError, match=named):
        calls[call]()


def test_an_unknown_field_is_named_unless_it_is_allowed(rig: Rig) -> None:
    """The client would pass it over in silence; a new task's id is kept all the same."""
    rig.double.faults(extra_field="surcharge")
    parcel = rig.parcel(crosswise())
    vendor_id = rig.provider.send(parcel)
    with pytest.raises(ProviderError, match="surcharge"):
        rig.provider.standing("braket/sv1", vendor_id)
    with rig.reached(options={**rig.access.options, "unknown_fields": "allow"}) as tolerant:
        assert tolerant.standing("braket/sv1", vendor_id).state == "done"


@pytest.mark.parametrize(
    "faults",
    [{"malformed": True}, {"wrong_type": True}, {"large_bytes": 50 * 2**20}],
    ids=lambda each: next(iter(each)),
)
def test_what_cannot_be_read_is_said_within_bounds(rig: Rig, faults: dict[str, Any]) -> None:
    """A broken answer to a submission leaves it in doubt; the result is refused as well."""
    parcel = rig.parcel(crosswise())
    vendor_id = rig.provider.send(parcel)
    rig.double.faults(**faults)
    with pytest.raises(ProviderError) as sending:
        rig.provider.send(parcel)
    assert sending.value.uncertain
    rig.double.faults(only="GET /amazon-braket")
    with pytest.raises(ProviderError, match="Amazon Braket"):
        rig.provider.answer(parcel, vendor_id)


def test_a_task_says_where_it_stands(rig: Rig) -> None:
    """Queue position while it waits, then running, then the vendor's reason when it failed."""
    rig.double.faults(queue_polls=2, run_polls=1, failing=1.0)
    parcel = rig.parcel(crosswise(), backend="ionq_forte-1")
    vendor_id = rig.provider.send(parcel)
    seen = [rig.provider.standing("braket/ionq_forte-1", vendor_id) for _ in range(4)]
    assert [each.state for each in seen] == ["queued", "queued", "running", "failed"]
    assert [each.queue_position for each in seen] == [2, 1, None, None]
    assert "lost its calibration" in seen[3].message


def test_cancelling_stops_a_task_and_leaves_an_ended_one(rig: Rig) -> None:
    """A task that is done stays done, without an error."""
    rig.double.faults(queue_polls=100)
    waiting = rig.provider.send(rig.parcel(crosswise()))
    rig.provider.stop("braket/sv1", waiting)
    assert rig.provider.standing("braket/sv1", waiting).state == "cancelled"
    rig.double.faults(queue_polls=0)
    done = rig.provider.send(rig.parcel(crosswise()))
    rig.provider.standing("braket/sv1", done)
    rig.provider.stop("braket/sv1", done)
    assert rig.provider.standing("braket/sv1", done).state == "done"


def test_prices_are_those_of_the_published_list(rig: Rig) -> None:
    """0.30 a task and 0.00145 a shot on Garnet: 200 shots cost 0.59; a simulator has no price before it ran."""
    garnet, simulator = rig.parcel(crosswise(), backend="iqm_garnet"), rig.parcel(crosswise())
    price = rig.provider.price(garnet)
    assert price is not None
    assert (price[0], float(price[1])) == ("USD", 0.59)
    assert rig.provider.price(simulator) is None


def test_a_simulator_bills_three_seconds_at_least(rig: Rig) -> None:
    """The double's run takes 16 ms; Amazon's minimum is 3 s."""
    parcel = rig.parcel(crosswise())
    answer = rig.provider.answer(parcel, rig.done(parcel))
    assert (answer.qpu_seconds, answer.run_seconds) == (3.0, 0.016)
    assert answer.details["client"].startswith("amazon-braket-sdk 1.")


def test_a_machine_says_whether_it_is_online_and_how_long_its_queue_is(rig: Rig) -> None:
    """Both queues for tasks count, hybrid jobs do not."""
    found = rig.provider.availability("braket/iqm_garnet")
    assert (found.available, found.queue, found.calibrated_at) == (True, 15, "2026-11-20T06:00:00Z")


def test_without_a_bucket_the_accounts_own_is_used(rig: Rig) -> None:
    """Braket's default bucket is named after region and account."""
    with rig.reached(options={}) as provider:
        parcel = rig.parcel(crosswise(), backend="iqm_garnet")
        vendor_id = provider.send(parcel)
        provider.standing("braket/iqm_garnet", vendor_id)
        assert provider.answer(parcel, vendor_id).counts[0] == {"10": 200}


def test_a_machine_of_the_sites_settings_needs_an_arn(rig: Rig) -> None:
    """Without one nothing is sent, and the error says where to give it."""
    with (
        rig.reached(options={"backends": {"new": {"qubits": 4, "gates": ["rx", "rz", "cx"]}}}) as provider,
        pytest.raises(InputError, match="no ARN"),
    ):
        provider.send(Parcel("new", (crosswise(),), 10, "0" * 32))


def test_the_doubles_answers_have_the_recorded_shapes(rig: Rig) -> None:
    """Keys and types of each answer, by API version: a change of the double is a change of these files."""
    task = quote(rig.done(rig.parcel(crosswise())), safe="")
    ions = quote(rig.done(rig.parcel(crosswise(), backend="ionq_forte-1")), safe="")
    key = "amazon-braket-double/qpm/{}/results.json"
    search = {"filters": [{"name": "deviceArn", "operator": "EQUAL", "values": [ARNS["sv1"]]}]}
    asks: dict[str, tuple[str, str, Any]] = {
        "task": ("GET", f"quantum-task/{task}", None),
        "tasks": ("POST", "quantum-tasks", search),
        "device": ("GET", f"device/{quote(GARNET, safe='')}", None),
        "results_measurements": ("GET", key.format(task.rpartition("%2F")[2]), None),
        "results_probabilities": ("GET", key.format(ions.rpartition("%2F")[2]), None),
    }
    found = {name: shape(asked(rig, *each)) for name, each in asks.items()}
    assert found == recorded("braket", "2019-09-01")


def asked(rig: Rig, method: str, path: str, body: Any) -> Any:
    signed = f"AWS4-HMAC-SHA256 Credential={rig.access.secrets['access_key_id']}/20261120/us-east-1/braket/aws4_request"
    data = None if body is None else json.dumps(body).encode()
    wanted = urllib.request.Request(f"{rig.double.url}/{path}", data, {"Authorization": signed}, method=method)
    with urllib.request.urlopen(wanted) as answer:
        return json.load(answer)
