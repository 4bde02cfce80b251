"""IQM: what is its own beside the contract that all vendors' adapters keep; IQM's real client speaks to the double."""

from __future__ import annotations

import json
import math
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from qiskit import QuantumCircuit

from qpm_lab.doubles import iqm as iqm_double
from qpm_lab.errors import ProviderError
from qpm_lab.providers.calibrations import read_calibration
from qpm_lab.providers.vendor import Answer, Parcel
from tests.providers.vendors.conftest import Rig, recorded, rigged

SUBMISSION = "POST /api/v1/jobs/garnet"


@pytest.fixture(scope="module")
def vendor_rig() -> Iterator[Rig]:
    yield from rigged("iqm", "iqm/garnet")


def asymmetric() -> QuantumCircuit:
    """|1⟩ on qubit 0, and qubits 1 and 2 opposite; measured across, one classical bit left at zero."""
    circuit = QuantumCircuit(3, 4)
    circuit.x(0)
    circuit.h(1)
    circuit.x(2)
    circuit.cx(1, 2)
    circuit.measure([0, 1, 2], [2, 1, 0])
    return circuit


def parcel(rig: Rig, backend: str, *circuits: QuantumCircuit, shots: int = 400) -> Parcel:
    return rig.parcel(*circuits or (asymmetric(),), shots=shots, backend=backend)


def faked(rig: Rig, sent: Parcel) -> Answer:
    found: Answer = rig.provider._pool.call("run", {"parcel": sent}, None)
    return found


@pytest.mark.parametrize("backend", ["garnet", "sirius"])
def test_bits_come_back_where_they_were_measured(rig: Rig, backend: str) -> None:
    """On a lattice and through a resonator, every measured bit has its place and an unmeasured one is 0."""
    sent = parcel(rig, backend)
    found = rig.provider.answer(sent, rig.provider.send(sent)).counts[0]
    assert set(found) == {"0101", "0110"}
    assert sum(found.values()) == 400
    assert all(n > 130 for n in found.values())


def test_circuits_of_one_job_come_back_in_order(rig: Rig) -> None:
    """Several circuits are one job of the vendor, and their histograms keep their order."""
    one, two = QuantumCircuit(2, 2), QuantumCircuit(2, 2)
    one.x(0)
    two.x(1)
    for circuit in (one, two):
        circuit.measure([0, 1], [0, 1])
    assert rig.counts(one, two, one, shots=10) == [{"01": 10}, {"10": 10}, {"01": 10}]
    assert len(rig.double.submissions()) == 1


def test_times_are_those_of_the_vendors_time_line(rig: Rig) -> None:
    """Run and queue seconds come from IQM's own entries; a price is not made up."""
    sent = parcel(rig, "garnet")
    found = rig.provider.answer(sent, rig.provider.send(sent))
    assert (found.run_seconds, found.queue_seconds, found.billed) == (0.5, 2.0, None)
    assert found.details["client"].startswith("iqm-client 36.")
    assert rig.provider.price(sent) is None


def test_the_token_is_the_only_name_that_leaves(rig: Rig) -> None:
    """The circuits inside the job carry the token as their name."""
    sent = parcel(rig, "garnet")
    job = rig.provider.send(sent)
    payload = _asked(rig, f"/api/v1/jobs/{job}/payload")
    assert [each["name"] for each in payload["circuits"]] == [sent.token]
    assert payload["shots"] == 400
    assert not payload["circuits"][0]["metadata"]


def test_jobs_cannot_be_found_again_and_the_adapter_says_so(rig: Rig) -> None:
    """IQM lists no jobs: the durability is stated as none, and a look-up finds nothing."""
    sent = parcel(rig, "garnet")
    rig.provider.send(sent)
    assert rig.vendor.durability.lookup == "none"
    assert rig.provider.find("iqm/garnet", sent.token) == []


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("lost_answer", 1.0),
        ("malformed", True),
        ("wrong_type", True),
        ("schema_change", "id"),
        ("large_bytes", 50 << 20),
    ],
)
def test_a_submission_without_a_readable_answer_is_uncertain(rig: Rig, fault: str, value: Any) -> None:
    """Nobody can tell whether it was taken, and the client has sent it exactly once."""
    sent = parcel(rig, "garnet")
    rig.double.faults(**{fault: value}, only=SUBMISSION)
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(sent)
    assert caught.value.uncertain
    assert not caught.value.retryable
    assert len(rig.double.submissions()) == 1


@pytest.mark.parametrize(("fault", "value"), [("lost_answer", 1.0), ("malformed", True), ("wrong_type", True)])
def test_what_fails_before_the_submission_leaves_no_doubt(rig: Rig, fault: str, value: Any) -> None:
    """The calibration is asked for first; when that answer is lost or unreadable, the job was certainly not taken."""
    sent = parcel(rig, "garnet")
    rig.double.faults(**{fault: value}, only="dynamic-quantum-architecture")
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(sent)
    assert caught.value.retryable
    assert not caught.value.uncertain
    assert rig.double.submissions() == []


def test_an_expired_key_says_how_to_store_a_new_one(rig: Rig) -> None:
    """The vendor's words and the command, and never the key."""
    sent = parcel(rig, "garnet")
    rig.double.faults(expired_token=True)
    with pytest.raises(ProviderError, match="IQM answered 401: The token has expired") as caught:
        rig.provider.send(sent)
    assert "qpm secret set iqm" in caught.value.hint
    assert not caught.value.uncertain
    assert rig.access.secrets["token"] not in str(caught.value)


def test_a_wrong_machine_is_named(rig: Rig) -> None:
    """A machine that the server does not have is refused with those that it has."""
    with pytest.raises(ProviderError, match=r"pegasus.*garnet"):
        rig.provider.standing("iqm/pegasus", "00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    ("name", "read"), [("status", "standing"), ("counts", "answer"), ("measurement_keys", "answer")]
)
def test_a_missing_field_is_named(rig: Rig, name: str, read: str) -> None:
    """A field that API v1 promises and an answer lacks is in the message."""
    sent = parcel(rig, "garnet")
    job = rig.provider.send(sent)
    rig.double.faults(schema_change=name)
    with pytest.raises(ProviderError, match=f"{name}' is missing in IQM's answer to GET jobs/ID"):
        _ = rig.provider.standing("iqm/garnet", job) if read == "standing" else rig.provider.answer(sent, job)


def test_an_unknown_state_is_named_and_not_guessed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that API v1 does not know is in the message, with its field."""
    job = rig.provider.send(parcel(rig, "garnet"))
    monkeypatch.setitem(iqm_double._STATUS, "done", "teleported")
    with pytest.raises(ProviderError, match=r"'status' of IQM's answer .* unknown value 'teleported'"):
        rig.provider.standing("iqm/garnet", job)


def test_an_unknown_field_is_named_and_can_be_allowed(rig: Rig) -> None:
    """It is refused by name when a job is read; the answer to a submission is taken, since it names the job."""
    sent = parcel(rig, "garnet")
    rig.double.faults(extra_field="surprise", only="/jobs/")
    job = rig.provider.send(sent)
    with pytest.raises(ProviderError, match="unknown field 'surprise'"):
        rig.provider.standing("iqm/garnet", job)
    with rig.reached(options={"unknown_fields": "allow"}) as lenient:
        assert lenient.standing("iqm/garnet", job).state == "done"


def test_a_job_waits_runs_and_is_cancelled(rig: Rig) -> None:
    """Its place in the queue is told; a cancelled one stays so, however often it is asked."""
    sent = parcel(rig, "garnet")
    rig.double.faults(queue_polls=2)
    job = rig.provider.send(sent)
    first = rig.provider.standing("iqm/garnet", job)
    assert (first.state, first.queue_position) == ("queued", 2)
    for _ in range(2):
        rig.provider.stop("iqm/garnet", job)
        assert rig.provider.standing("iqm/garnet", job).state == "cancelled"


def test_a_failed_job_brings_the_vendors_words(rig: Rig) -> None:
    """What IQM says of the failure arrives as it stands."""
    sent = parcel(rig, "garnet")
    rig.double.faults(failing=1.0)
    found = rig.provider.standing("iqm/garnet", rig.provider.send(sent))
    assert (found.state, found.message) == ("failed", "The quantum processor lost its calibration during this job.")


def test_a_circuit_that_no_longer_fits_is_certainly_not_sent(rig: Rig) -> None:
    """A gate between qubits that are not coupled is refused before anything leaves."""
    circuit = QuantumCircuit(20, 1)
    circuit.cz(0, 19)
    circuit.measure(0, 0)
    with pytest.raises(ProviderError, match="not allowed as locus") as caught:
        rig.provider.send(Parcel("garnet", (circuit,), 10, "0" * 32))
    assert not caught.value.uncertain
    assert rig.double.submissions() == []


def test_availability_tells_when_the_machine_was_calibrated(rig: Rig) -> None:
    """The date is that of the quality metrics; IQM's health answer is passed on and not interpreted."""
    found = rig.provider.availability("iqm/garnet")
    assert found.calibrated_at == "2026-11-01T06:00:00Z"
    assert found.available is None
    assert "healthy" in found.message


def test_errors_are_the_machines_own(rig: Rig) -> None:
    """Fidelities and durations of the server's metrics reach the target; a star's pairs cost two moves and a cz."""
    garnet, sirius = rig.provider.target("iqm/garnet"), rig.provider.target("iqm/sirius")
    assert math.isclose(garnet["cz"][0, 1].error, 0.01, rel_tol=1e-9)
    assert math.isclose(garnet["r"][(3,)].error, 0.00103, rel_tol=1e-9)
    assert math.isclose(garnet["measure"][(0,)].error, 0.02, rel_tol=1e-9)
    assert math.isclose(sirius["cz"][0, 1].duration, 160e-9, rel_tol=1e-9)
    expected = {1 - (1 - 0.01) * (1 - 0.00501) ** 2, 1 - (1 - 0.01001) * 0.995**2}
    assert any(math.isclose(sirius["cz"][0, 1].error, each, rel_tol=1e-9) for each in expected)


def test_a_server_without_metrics_leaves_errors_unknown(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machines can be used all the same; no error is taken for zero."""
    monkeypatch.setattr(iqm_double.IqmDouble, "has_metrics", False)
    known = read_calibration(rig.provider._pool.call("calibration", {"backend": "garnet"}))
    assert {each["error"] for name in ("r", "cz", "measure") for each in known["gates"][name]} == {None}
    assert len(known["coupling"]) == 31
    assert rig.provider.availability("iqm/garnet").calibrated_at is None


def test_a_fake_devices_errors_are_those_it_simulates(rig: Rig) -> None:
    """Flips of a single qubit's readout come as often as the calibration says."""
    content = rig.provider._pool.call("calibration", {"backend": "fake_garnet"})
    known = read_calibration(content)
    assert all(0 < each["error"] < 0.2 for name in ("r", "cz", "measure") for each in known["gates"][name])
    circuit = QuantumCircuit(20, 1)
    circuit.measure(0, 0)
    counts = faked(rig, Parcel("fake_garnet", (circuit,), 20_000, "0" * 32, seed=3)).counts[0]
    # QB1 reads 1 for 0 with probability 0.0255: five standard deviations are 0.0056.
    assert abs(counts["1"] / 20_000 - 0.0255) < 0.0056


@pytest.mark.parametrize("backend", ["fake_adonis", "fake_deneb"])
def test_fake_devices_run_without_key_or_network(rig: Rig, backend: str) -> None:
    """Noisy, with every bit in its place, and the same for the same seed."""
    sent = parcel(rig, backend, shots=2000)
    first, second = faked(rig, sent).counts[0], faked(rig, sent).counts[0]
    assert first == second
    assert sum(first.values()) == 2000
    assert first["0101"] + first["0110"] > 1500
    assert all(key[0] == "0" for key in first)


def test_a_server_of_another_form_is_noticed(rig: Rig) -> None:
    """The double's answers to a fixed exchange have the keys and types that were recorded for API v1."""
    job = rig.provider.send(parcel(rig, "garnet"))
    exchange = {
        "quantum_computers": "/api/v1/quantum-computers",
        "architecture": "/api/v1/calibration-sets/garnet/default/dynamic-quantum-architecture",
        "metrics": "/api/v1/calibration-sets/garnet/default/metrics",
        "job": f"/api/v1/jobs/{job}",
        "measurement_counts": f"/api/v1/jobs/{job}/artifacts/measurement_counts",
        "measurements": f"/api/v1/jobs/{job}/artifacts/measurements",
    }
    found = {name: _shape(_asked(rig, path)) for name, path in exchange.items()}
    assert found == recorded("iqm", "v1")


def _asked(rig: Rig, path: str) -> Any:
    key = rig.access.secrets["token"]
    request = urllib.request.Request(rig.double.url + path, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _shape(value: Any) -> Any:
    """Keys and types; of a list its first entry, of outcomes and measurement keys one for all."""
    if isinstance(value, dict):
        return {"(bits)" if re.fullmatch(r"[01]+|c_\d+_\d+_\d+", k) else k: _shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])] if value else []
    return type(value).__name__
