"""The escape hatch: any installed Qiskit provider, by the site's settings."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.providers import JobStatus

from qpm_lab import doubles
from qpm_lab.errors import ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.interface import Task
from qpm_lab.providers.qiskit import VENDOR, QiskitClient
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Access, Parcel
from tests.providers.vendors import kept_provider
from tests.providers.vendors.conftest import crossed, leaning
from tests.providers.vendors.kept_provider import JOBS, KEY, KeptBackend

BASIC = "qiskit.providers.basic_provider:BasicProvider"
KEPT = f"{kept_provider.__name__}:KeptProvider"
LOCAL: dict[str, Any] = {
    "basic": {"provider": BASIC, "backend": "basic_simulator", "qubits": 20, "local": True, "kind": "simulator"},
    "aer": {"provider": "qiskit_aer:AerProvider", "backend": "aer_simulator", "qubits": 25, "local": True},
    "direct": {
        "provider": "qiskit_aer:AerSimulator",
        "arguments": {"method": "statevector"},
        "qubits": 25,
        "local": True,
    },
    "few": {"provider": BASIC, "backend": "basic_simulator", "qubits": 5, "local": True, "gates": ["rx", "rz", "cz"]},
    "lost": {"provider": BASIC, "backend": "basic_simulator", "qubits": 20},
    "absent": {"provider": "no_such_package:Provider", "qubits": 5, "local": True},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[RemoteProvider]:
    """Real providers of the main environment, in a process apart."""
    made = RemoteProvider(VENDOR, lambda name: Access(secrets={"token": KEY}, options={"backends": LOCAL}))
    yield made
    made.close()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[QiskitClient]:
    """The client itself, with a provider that only this process has."""
    settings = {"provider": KEPT, "secret_argument": "token", "backend": "kept_20", "qubits": 20}
    monkeypatch.setattr(KeptBackend, "failure", None)
    JOBS.clear()
    yield QiskitClient(Access(secrets={"token": KEY}, options={"backends": {"kept": settings}}))
    socket.setdefaulttimeout(None)


def parcel(made: QuantumCircuit | None = None, backend: str = "kept", shots: int = 100) -> Parcel:
    return Parcel(backend, (made or crossed(),), shots, "0" * 32)


def info(provider: RemoteProvider, name: str) -> BackendInfo:
    return next(each for each in provider.backends() if each.id == f"qiskit/{name}")


def run(provider: RemoteProvider, name: str, made: QuantumCircuit, seed: int = 5) -> dict[str, int]:
    task = Task(info(provider, name), (made,), 500, seed)
    provider.check(task)
    return dict(provider.submit(task).result().counts[0])


def test_settings_make_backends(provider: RemoteProvider) -> None:
    """With the id, size and place that the site states."""
    basic, lost = info(provider, "basic"), info(provider, "lost")
    assert (basic.qubits, basic.local, basic.kind, basic.state) == (20, True, "simulator", "ready")
    assert (lost.local, lost.kind) == (False, "qpu")


@pytest.mark.parametrize("name", ["basic", "aer", "direct", "few"])
def test_a_real_provider_runs_a_circuit_in_qiskits_bit_order(provider: RemoteProvider, name: str) -> None:
    """Whether the settings name a provider or a backend, and whether the target or the settings tell the gates."""
    assert run(provider, name, crossed()) == {"00101": 500}


def test_the_same_seed_gives_the_same_counts(provider: RemoteProvider) -> None:
    """Where the backend takes a seed."""
    counts = run(provider, "aer", leaning())
    assert counts == run(provider, "aer", leaning())
    assert counts != run(provider, "aer", leaning(), seed=6)


def test_gates_of_the_settings_are_those_that_are_sent(provider: RemoteProvider) -> None:
    """In place of what the backend's target says."""
    assert provider.routed(leaning(), "qiskit/few").count_ops().keys() <= {"rx", "rz", "cz", "measure", "barrier"}


def test_the_package_behind_a_result_is_recorded(provider: RemoteProvider) -> None:
    """With its version."""
    routed = provider.routed(crossed(), "qiskit/aer")
    answer = provider._pool.call("run", {"parcel": parcel(routed, "aer")})
    assert answer.details["client"].startswith("qiskit-aer 0.")


def test_a_provider_that_loses_its_jobs_gets_none(provider: RemoteProvider) -> None:
    """A job that can only be read by the process that sent it would be lost with that process."""
    with pytest.raises(ProviderError, match="would be lost") as caught:
        provider.send(parcel(backend="lost"))
    assert (caught.value.uncertain, caught.value.retryable) == (False, False)


def test_a_package_that_is_not_there_is_named(provider: RemoteProvider) -> None:
    """And where to install it."""
    with pytest.raises(ProviderError, match="no_such_package"):
        provider.routed(crossed(), "qiskit/absent")


def test_a_job_is_sent_followed_and_read_by_its_id(client: QiskitClient) -> None:
    """By another client too, which knows nothing but the id."""
    vendor_id = client.send(parcel())
    assert list(JOBS) == [vendor_id]
    other = QiskitClient(client._access)
    waiting = other.standing("kept", vendor_id)
    assert (waiting.state, waiting.queue_position) == ("queued", 4)
    assert other.standing("kept", vendor_id).state == "done"
    assert other.answer(parcel(), vendor_id).counts == ({"00101": 100},)


def test_a_job_that_waits_is_not_read(client: QiskitClient) -> None:
    """Reading it would block until it is done."""
    vendor_id = client.send(parcel())
    with pytest.raises(ProviderError, match="not done") as caught:
        client.answer(parcel(), vendor_id)
    assert caught.value.retryable


def test_a_failed_job_says_why_and_a_waiting_one_can_be_stopped(client: QiskitClient) -> None:
    """In the provider's own words."""
    failed, stopped = client.send(parcel()), client.send(parcel())
    JOBS[failed].state, JOBS[failed].message = JobStatus.ERROR, "the ion was lost"
    client.cancel("kept", stopped)
    assert client.standing("kept", failed).message == "the ion was lost"
    assert client.standing("kept", stopped).state == "cancelled"
    client.cancel("kept", failed)
    assert client.standing("kept", failed).state == "failed"


def test_an_unknown_state_is_named(client: QiskitClient) -> None:
    """Nothing is guessed."""
    vendor_id = client.send(parcel())
    JOBS[vendor_id].state = "PAUSED"
    with pytest.raises(ProviderError, match=r"'status'.*'PAUSED'"):
        client.standing("kept", vendor_id)


class Refusal(Exception):
    """As `requests` and `httpx` raise them: with the answer."""

    def __init__(self, status: int) -> None:
        super().__init__("refused")
        self.response = type("Response", (), {"status_code": status, "text": '{"message": "no such chip"}'})()


@pytest.mark.parametrize(
    ("failure", "uncertain", "retryable"),
    [
        (ConnectionRefusedError("refused"), False, True),
        (ConnectionResetError("reset"), True, False),
        (TimeoutError("late"), True, False),
        (Refusal(400), False, False),
        (Refusal(429), False, True),
        (Refusal(503), True, False),
        (RuntimeError("something else"), True, False),
    ],
    ids=repr,
)
def test_only_what_certainly_never_left_may_be_sent_again(
    client: QiskitClient, monkeypatch: pytest.MonkeyPatch, failure: Exception, uncertain: bool, retryable: bool
) -> None:
    """A provider's other failures leave the job in doubt: it is parked, since it cannot be asked by token."""
    monkeypatch.setattr(KeptBackend, "failure", failure)
    with pytest.raises(ProviderError) as caught:
        client.send(parcel())
    assert (caught.value.uncertain, caught.value.retryable) == (uncertain, retryable)
    assert caught.value.hint


def test_the_table_says_that_it_cannot_be_asked() -> None:
    """And why."""
    assert (VENDOR.durability.lookup, VENDOR.durability.visibility_seconds) == ("none", None)
    assert "token" in VENDOR.durability.how


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"provider": "no colon"}, "package.module:callable"),
        ({"provider": None}, "package.module:callable"),
        ({"provider": "os:system; rm"}, "package.module:callable"),
        ({"provider": "json:nothing"}, "json has no nothing"),
        ({"provider": "collections:OrderedDict", "secret_argument": None}, "neither get_backend nor run"),
        ({"qubits": "many"}, "`qubits` should be a number"),
        ({"arguments": ["a"]}, "`arguments` should be a mapping"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(client: QiskitClient, changes: dict[str, Any], words: str) -> None:
    """Before anything is sent."""
    settings = {**client._access.options["backends"]["kept"], **changes}
    broken = QiskitClient(replace(client._access, options={"backends": {"kept": settings}}))
    with pytest.raises(ProviderError, match=words) as caught:
        broken.send(parcel())
    assert not caught.value.uncertain


def test_a_key_goes_only_where_the_settings_say(client: QiskitClient) -> None:
    """Without one, how to store it; the environment that is stated reaches the provider."""
    settings = {**client._access.options["backends"]["kept"], "environment": {"KEPT_REGION": "eu"}, "backend": "other"}
    options = {"backends": {"kept": settings}}
    with pytest.raises(ProviderError, match="qpm secret set qiskit"):
        QiskitClient(Access(options=options)).send(parcel())
    with pytest.raises(ProviderError, match="there is no other in eu"):
        QiskitClient(Access(secrets={"token": KEY}, options=options)).send(parcel())
    del os.environ["KEPT_REGION"]


def test_another_vendors_own_provider_works_by_settings_alone() -> None:
    """IonQ's provider, configured as a stranger would be: sent, followed and read through the process apart."""
    with doubles.started("ionq") as double:
        settings = {
            "provider": "qiskit_ionq:IonQProvider",
            "arguments": {"url": f"{double.url}/v0.4"},
            "environment": {"IONQ_API_URL": f"{double.url}/v0.4"},
            "secret_argument": "token",
            "backend": "ionq_simulator",
            "qubits": 29,
            "gates": ["rx", "ry", "rz", "h", "cx"],
        }
        access = Access(secrets=double.access["secrets"], options={"backends": {"stranger": settings}})
        provider = RemoteProvider(VENDOR, lambda name: access)
        try:
            sent = parcel(provider.routed(crossed(), "qiskit/stranger"), "stranger")
            vendor_id = provider.send(sent)
            assert [job["id"] for job in double.submissions()] == [vendor_id]
            states = [provider.standing("qiskit/stranger", vendor_id).state for _ in range(3)]
            assert states[-1] == "done"
            assert provider.answer(sent, vendor_id).counts == [{"00101": 100}]
        finally:
            provider.close()


def test_what_the_settings_call_local_connects_to_no_other_machine(client: QiskitClient) -> None:
    """A word in the settings does not make a cloud's machine free, nor its circuits fit to leave with their names."""
    settings = {"provider": f"{kept_provider.__name__}:CloudBackend", "qubits": 20, "local": True}
    made = QiskitClient(Access(options={"backends": {"mine": settings}}))
    with pytest.raises(ProviderError, match=r"speaks to 192\.0\.2\.1: nothing was sent") as refused:
        made.run(parcel(backend="mine"))
    assert "local: false" in refused.value.hint
    assert socket.socket.connect.__qualname__ != "_kept_here.<locals>.connect"
