"""Azure Quantum: its workspace, storage and makers' formats, through Microsoft's client in its process apart."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator

from qpm_lab import doubles
from qpm_lab.doubles import azure as azure_double
from qpm_lab.doubles.azure_formats import program_of
from qpm_lab.errors import ProviderError
from qpm_lab.providers.azure import VENDOR, AzureClient
from qpm_lab.providers.azure_programs import compact, counts_from, form_of
from qpm_lab.providers.azure_workspace import API, id_of, place_of
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Access, Parcel

SHAPES = Path(__file__).parent / "shapes" / "azure" / API
BACKENDS = tuple(info.id for info in VENDOR.backends)
FORTE = "azure/ionq.qpu.forte-1"
ONE_OF_EACH = ("azure/ionq.simulator", "azure/quantinuum.sim.h2-1e", "azure/rigetti.sim.qvm")
PUT_JOB = "PUT /subscriptions"
IMPOSSIBLE = ({"0": 0.4}, {"4": 1.0}, {"-1": 1.0}, {"9" * 5000: 1.0}, {"0": -0.5, "1": 1.5}, {"0": "1"}, [1])
"""No histograms of two qubits."""
CONNECTION = (
    f"SubscriptionId={azure_double.SUBSCRIPTION};ResourceGroupName=group;WorkspaceName=lab;ApiKey=abc123;"
    "QuantumEndpoint=https://eastus.quantum.azure.com/;"
)


@pytest.fixture(scope="module")
def double() -> Iterator[doubles.RunningDouble]:
    with doubles.started("azure") as running:
        yield running


@pytest.fixture(scope="module")
def provider(double: doubles.RunningDouble) -> Iterator[RemoteProvider]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QPM_PROVIDERS", str(Path(sys.prefix) / "providers"))
        found = RemoteProvider(VENDOR, lambda name: Access(**double.access))
        yield found
        found.close()


@pytest.fixture(autouse=True)
def fresh(double: doubles.RunningDouble) -> None:
    double.reset()


def asymmetric() -> QuantumCircuit:
    """Always 11010 in bits 4 to 0, bit 2 not measured, qubits 3 and 5 idle."""
    circuit = QuantumCircuit(6, 5)
    circuit.x(0)
    circuit.cx(0, 4)
    circuit.barrier()
    circuit.measure([0, 1, 2, 4], [1, 0, 4, 3])
    circuit.data.insert(0, circuit.data[0].replace(qubits=[circuit.qubits[2]]))
    return circuit


def parcel(backend: str = FORTE, circuit: QuantumCircuit | None = None, number: int = 7, shots: int = 200) -> Parcel:
    return Parcel(backend.partition("/")[2], (circuit or asymmetric(),), shots, f"{number:032x}")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_circuit_comes_back_with_its_bits_in_order(provider: RemoteProvider, backend: str) -> None:
    """Qubits measured into other bits, idle ones and a bit that nobody sets, on every machine."""
    routed = provider.routed(asymmetric(), backend)
    sent = parcel(backend, routed)
    vendor_id = provider.send(sent)
    assert provider.standing(backend, vendor_id).state == "done"
    assert list(provider.answer(sent, vendor_id).counts) == [{"11010": 200}]


@pytest.mark.parametrize("backend", ONE_OF_EACH)
@settings(max_examples=15)
@given(data=st.data())
def test_every_program_means_its_circuit(backend: str, data: st.DataObject) -> None:
    """What a maker reads is the same operation as the circuit, for all gates that circuits are translated to."""
    info = next(info for info in VENDOR.backends if info.id == backend)
    circuit = QuantumCircuit(3, 3)
    for name in data.draw(st.lists(st.sampled_from(info.gates), min_size=1, max_size=8)):
        known = get_standard_gate_name_mapping()[name]
        angles = [data.draw(st.floats(-7, 7)) for _ in known.params]
        qubits = data.draw(st.permutations(range(3)))
        circuit.append(known.base_class(*angles), qubits[: known.num_qubits])
    form = form_of(backend.partition("/")[2])
    read = program_of(form.input, form.program(circuit).encode())
    read.remove_final_measurements()
    ours = compact(circuit)
    theirs = QuantumCircuit(ours.num_qubits)
    for each in read.data:
        theirs.append(each.operation, [read.qubits.index(bit) for bit in each.qubits])
    assert np.allclose(Operator(theirs).data, Operator(ours.remove_final_measurements(inplace=False)).data)


def test_a_repeated_submission_makes_no_second_job(provider: RemoteProvider, double: doubles.RunningDouble) -> None:
    """The id is made of the token, and an id can be used once."""
    first, second = provider.send(parcel()), provider.send(parcel())
    assert first == second == id_of(parcel().token)
    assert [(each["id"], each["token"]) for each in double.submissions()] == [(first, parcel().token)]


def test_a_lost_answer_leaves_one_job_that_is_found(provider: RemoteProvider, double: doubles.RunningDouble) -> None:
    """Microsoft's client repeats nothing by itself, and sending again is harmless."""
    double.faults(lost_answer=1.0, only=PUT_JOB)
    with pytest.raises(ProviderError) as caught:
        provider.send(parcel())
    assert caught.value.uncertain
    assert len(double.submissions()) == 1
    double.faults(lost_answer=0.0)
    assert provider.find(FORTE, parcel().token) == [provider.send(parcel())]
    assert len(double.submissions()) == 1


def test_a_job_that_cannot_be_seen_yet_is_not_taken_for_missing(
    provider: RemoteProvider, double: doubles.RunningDouble
) -> None:
    """The id is refused as used, and the job not shown: nobody can tell."""
    double.faults(visibility_seconds=60.0)
    provider_id = provider.send(parcel())
    assert provider.find(FORTE, parcel().token) == []
    with pytest.raises(ProviderError, match="409") as caught:
        provider.send(parcel())
    assert caught.value.uncertain
    double.faults(visibility_seconds=0.0)
    assert provider.find(FORTE, parcel().token) == [provider_id]
    assert len(double.submissions()) == 1


def test_a_failure_before_the_submission_is_certain(provider: RemoteProvider, double: doubles.RunningDouble) -> None:
    """A program that could not be stored makes no job; it may be tried again at once."""
    double.faults(outage=1.0, only="PUT /storage")
    with pytest.raises(ProviderError, match="503") as caught:
        provider.send(parcel())
    assert caught.value.retryable
    assert not caught.value.uncertain
    double.faults(outage=0.0, lost_answer=1.0)
    with pytest.raises(ProviderError) as caught:
        provider.send(parcel())
    assert caught.value.retryable
    double.faults(lost_answer=0.0)
    assert double.submissions() == []
    assert provider.send(parcel()) == id_of(parcel().token)


@pytest.mark.parametrize(("fault", "uncertain"), [({"outage": 1.0}, True), ({"rate_limit": 1.0}, False)])
def test_what_the_service_answers_decides_what_is_known(
    provider: RemoteProvider, double: doubles.RunningDouble, fault: dict[str, float], uncertain: bool
) -> None:
    """After 503 nobody can tell; after 429 it was certainly not taken."""
    double.faults(**fault, only=PUT_JOB)
    with pytest.raises(ProviderError) as caught:
        provider.send(parcel())
    assert (caught.value.uncertain, caught.value.retryable) == (uncertain, not uncertain)


def test_a_service_that_is_not_there_took_nothing(provider: RemoteProvider, double: doubles.RunningDouble) -> None:
    """A refused connection is certain, and may be tried again."""
    gone = RemoteProvider(VENDOR, lambda name: Access(**{**double.access, "url": "http://127.0.0.1:9"}))
    with pytest.raises(ProviderError, match="cannot be reached") as caught:
        gone.send(parcel())
    gone.close()
    assert (caught.value.retryable, caught.value.uncertain) == (True, False)


def test_an_expired_key_says_how_to_store_a_new_one(provider: RemoteProvider, double: doubles.RunningDouble) -> None:
    """In Azure's words, certain, and without the key."""
    double.faults(expired_token=True)
    with pytest.raises(ProviderError, match="The token has expired") as caught:
        provider.send(parcel())
    assert "qpm secret set azure" in caught.value.hint
    assert not caught.value.uncertain
    assert azure_double.AzureDouble.token not in str(caught.value)


def test_a_machine_that_the_workspace_lacks_is_refused_in_azures_words(
    provider: RemoteProvider, double: doubles.RunningDouble
) -> None:
    """The job was certainly not taken."""
    with pytest.raises(ProviderError, match=r"400.*ionq\.qpu\.aria-1.*not in this workspace") as caught:
        provider.send(parcel("azure/ionq.qpu.aria-1"))
    assert not caught.value.uncertain
    assert double.submissions() == []


def test_a_machine_of_an_unknown_maker_is_refused_before_anything_is_sent(provider: RemoteProvider) -> None:
    """Analog machines take no circuits."""
    with pytest.raises(ProviderError, match=r"pasqal\.sim\.emu-tn"):
        provider.send(parcel("azure/pasqal.sim.emu-tn"))


def test_ionq_gets_no_gate_after_a_measurement(provider: RemoteProvider, double: doubles.RunningDouble) -> None:
    """Its format has no place for a measurement: leaving it out would be another circuit."""
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.measure(0, 1)
    with pytest.raises(ProviderError, match="measured before") as caught:
        provider.send(parcel(circuit=circuit))
    assert not caught.value.uncertain
    assert double.submissions() == []


@pytest.mark.parametrize("name", ["status", "outputDataUri", "sasUri", "currencyCode", "estimatedTotal"])
def test_a_field_that_is_gone_is_named(provider: RemoteProvider, double: doubles.RunningDouble, name: str) -> None:
    """Whichever answer lacks it."""
    vendor_id = provider.send(parcel())
    double.faults(schema_change=name)
    with pytest.raises(ProviderError, match=name):
        provider.answer(parcel(), vendor_id)


@pytest.mark.parametrize("name", ["value", "targets", "id", "currentAvailability", "averageQueueTime"])
def test_a_field_of_the_machines_status_that_is_gone_is_named(
    provider: RemoteProvider, double: doubles.RunningDouble, name: str
) -> None:
    """Also where Microsoft's client would take its absence for an empty list."""
    double.faults(schema_change=name)
    with pytest.raises(ProviderError, match=f"'{name}'"):
        provider.availability(FORTE)


def test_an_unknown_state_is_named_and_not_guessed(provider: RemoteProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Field and value."""
    vendor_id = provider.send(parcel())
    monkeypatch.setitem(azure_double._STATES, "done", "Napping")
    with pytest.raises(ProviderError, match=r"'status'.*'Napping'"):
        provider.standing(FORTE, vendor_id)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"malformed": True}, "cannot be read"),
        ({"wrong_type": True}, "cannot be read"),
        ({"large_bytes": 50 * 2**20}, "^Azure Quantum was not read: its answer is larger than 32 MiB"),
    ],
)
def test_an_answer_that_is_none_is_reported(
    provider: RemoteProvider, double: doubles.RunningDouble, fault: dict[str, Any], said: str
) -> None:
    """Cut off, a login page, or 50 MB: bounded, and a sentence for a person; a submission is left in doubt."""
    vendor_id = provider.send(parcel())
    double.faults(**fault)
    with pytest.raises(ProviderError, match=said):
        provider.standing(FORTE, vendor_id)
    double.faults(only=PUT_JOB)
    with pytest.raises(ProviderError) as caught:
        provider.send(parcel(number=8))
    assert caught.value.uncertain
    assert len(double.submissions()) == 2


def test_a_failed_job_tells_why(provider: RemoteProvider, double: doubles.RunningDouble) -> None:
    """Azure's code and the maker's words."""
    double.faults(failing=1.0)
    standing = provider.standing(FORTE, provider.send(parcel()))
    assert standing.state == "failed"
    assert standing.message.startswith("CalibrationLost: The quantum processor lost")


def test_a_queued_job_is_cancelled_and_an_ended_one_left_alone(
    provider: RemoteProvider, double: doubles.RunningDouble
) -> None:
    """Twice, which changes nothing."""
    done = provider.send(parcel())
    assert provider.standing(FORTE, done).state == "done"
    provider.stop(FORTE, done)
    assert provider.standing(FORTE, done).state == "done"
    double.faults(stuck=True)
    queued = provider.send(parcel(number=8))
    assert provider.standing(FORTE, queued).state == "queued"
    provider.stop(FORTE, queued)
    provider.stop(FORTE, queued)
    assert provider.standing(FORTE, queued).state == "cancelled"


def test_the_bill_is_what_azure_says(provider: RemoteProvider) -> None:
    """200 shots at the double's 0.001 USD; times and versions beside it."""
    answer = provider.answer(parcel(), provider.send(parcel()))
    assert answer.billed == ("USD", "0.2")
    assert (answer.run_seconds, answer.queue_seconds) == (2.0, 1.0)
    assert answer.details["api"] == API
    assert answer.details["client"].startswith("azure-quantum 3.")


def test_a_machine_tells_whether_it_is_there(provider: RemoteProvider, double: doubles.RunningDouble) -> None:
    """Its expected wait in seconds, and which one the workspace lacks."""
    double.faults(stuck=True)
    provider.send(parcel())
    there, lacking = provider.availability(FORTE), provider.availability("azure/ionq.qpu.aria-1")
    assert (there.available, there.queue_seconds) == (True, 60.0)
    assert lacking.available is False
    assert "ionq.qpu.aria-1" in lacking.message


@pytest.mark.parametrize(
    ("backend", "output"),
    [
        *(("ionq.simulator", {"histogram": each}) for each in IMPOSSIBLE),
        ("ionq.simulator", {}),
        *(("quantinuum.sim.h2-1e", {"c": each}) for each in (["00"] * 9, ["000"] * 10, ["0x"] * 10, "00")),
        ("quantinuum.sim.h2-1e", {"d": ["00"] * 10}),
        *(("rigetti.sim.qvm", {"ro": each}) for each in ([[0, 1]] * 11, [[0, 2]] * 10, [0, 1] * 5)),
        ("rigetti.sim.qvm", [1]),
    ],
)
def test_an_output_that_cannot_be_is_refused(backend: str, output: Any) -> None:
    """Ten shots of two bits, and nothing else."""
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    with pytest.raises(ProviderError):
        counts_from(form_of(backend), circuit, 10, json.dumps(output).encode())


def test_a_connection_string_names_the_whole_workspace() -> None:
    """As the portal shows it; another address wins over its own."""
    place = place_of(Access(secrets={"token": CONNECTION}))
    assert place.workspace == (azure_double.SUBSCRIPTION, "group", "lab")
    assert (place.endpoint, place.key) == ("https://eastus.quantum.azure.com", "abc123")
    assert place_of(Access(url="http://127.0.0.1:1", secrets={"token": CONNECTION})).endpoint == "http://127.0.0.1:1"
    assert "abc123" not in repr(place)


def test_a_bare_key_needs_the_workspaces_name() -> None:
    """What is missing is named, the key is not."""
    with pytest.raises(ProviderError, match="resource_group, workspace, endpoint missing") as caught:
        place_of(Access(secrets={"token": "abc123"}, options={"subscription_id": azure_double.SUBSCRIPTION}))
    assert "abc123" not in str(caught.value)
    options = {"subscription_id": "s", "resource_group": "g", "workspace": "w", "location": "westeurope"}
    place = place_of(Access(secrets={"token": "abc123"}, options=options))
    assert place.endpoint == "https://westeurope.quantum.azure.com"


@pytest.mark.parametrize("url", ["http://example.com", "http://127.0.0.1.example.com", "ftp://127.0.0.1"])
def test_a_key_never_travels_unencrypted(url: str) -> None:
    """Plain HTTP is for doubles on this machine."""
    with pytest.raises(ProviderError, match="unencrypted"):
        place_of(Access(url=url, secrets={"token": CONNECTION}))


def test_a_client_that_is_not_there_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where other packages have brought a module named `azure`."""
    monkeypatch.setitem(sys.modules, "azure.core.credentials", None)
    with pytest.raises(ProviderError, match="not installed") as caught:
        AzureClient(Access(secrets={"token": CONNECTION}))
    assert "qpm provider install azure" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["job_queued", "job_done", "job_failed", "jobs", "provider_status", "sas_uri", "error"]
)
def test_the_double_answers_as_recorded(provider: RemoteProvider, double: doubles.RunningDouble, name: str) -> None:
    """Fields and their types, in the version of the API that is read here."""
    double.faults(stuck=name == "job_queued", failing=float(name == "job_failed"))
    job_id = provider.send(parcel())
    asked = {
        "jobs": ("GET", "/jobs", None),
        "provider_status": ("GET", "/providerStatus", None),
        "sas_uri": ("POST", "/storage/sasUri", {"containerName": "job-x"}),
        "error": ("GET", f"/jobs/{id_of('f' * 32)}", None),
    }.get(name, ("GET", f"/jobs/{job_id}", None))
    found = _shape(_exchange(double, *asked))
    assert found == json.loads((SHAPES / f"{name}.json").read_text())


def _exchange(double: doubles.RunningDouble, method: str, path: str, body: Any) -> Any:
    url = f"{double.url}{azure_double._PLACE}{path}"
    headers = {"x-ms-quantum-api-key": azure_double.AzureDouble.token}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def _shape(value: Any) -> Any:
    """Types in the place of values; of a list what its first element is like."""
    if isinstance(value, dict):
        return {key: _shape(each) for key, each in sorted(value.items())}
    if isinstance(value, list):
        return [_shape(each) for each in value[:1]]
    return type(value).__name__
