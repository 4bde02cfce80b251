"""IBM Quantum: how its answers are read, and what is refused in them."""

from __future__ import annotations

import base64
import json
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from qpm_lab.doubles.double import DoubleJob
from qpm_lab.doubles.ibm import IbmDouble
from qpm_lab.errors import ProviderError
from qpm_lab.providers import ibm, ibm_results
from tests.providers.vendors.conftest import Rig, crossed, leaning, recorded, rigged

MACHINE = "ibm/ibm_torino"


@pytest.fixture(scope="module")
def vendor_rig() -> Iterator[Rig]:
    yield from rigged("ibm", MACHINE)


def says(monkeypatch: pytest.MonkeyPatch, **state: Any) -> None:
    """From now on the double says this of the state of every job."""
    described = IbmDouble._described

    def odd(double: IbmDouble, job: DoubleJob, *, poll: bool = True) -> dict[str, Any]:
        told = described(double, job, poll=poll)
        return {**told, "state": {**told["state"], **state}}

    monkeypatch.setattr(IbmDouble, "_described", odd)


def test_a_job_that_ran_into_its_cap_has_failed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """IBM calls it cancelled, but nobody cancelled it."""
    vendor_id = rig.provider.send(rig.parcel())
    says(monkeypatch, status="Cancelled", reason="Ran too long", reason_code=ibm.RAN_TOO_LONG)
    found = rig.provider.standing(MACHINE, vendor_id)
    assert (found.state, found.message) == ("failed", "Ran too long (code 1305)")


def test_a_waiting_job_knows_its_place_in_the_queue(rig: Rig) -> None:
    """And no longer once it runs."""
    rig.double.faults(queue_polls=2, run_polls=1)
    vendor_id = rig.provider.send(rig.parcel())
    seen = [rig.provider.standing(MACHINE, vendor_id) for _ in range(4)]
    assert [(each.state, each.queue_position) for each in seen] == [
        ("queued", 2),
        ("queued", 1),
        ("running", None),
        ("done", None),
    ]


def test_the_charged_seconds_are_ibms(rig: Rig) -> None:
    """The answer says what IBM charges, not how long it took, and by which client it was read."""
    parcel = rig.parcel(crossed(), leaning(), shots=1000)
    answer = rig.provider.answer(parcel, rig.done(parcel))
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


def test_an_unknown_state_is_named(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its field and value; nothing is guessed."""
    vendor_id = rig.provider.send(rig.parcel())
    says(monkeypatch, status="Paused")
    with pytest.raises(ProviderError, match=r"'state\.status'.*'Paused'"):
        rig.provider.standing(MACHINE, vendor_id)


@pytest.mark.parametrize(
    "field", ["data", "shape", "c", "schema_version", "passthrough_data", "semantic_role", "usage"]
)
def test_a_field_missing_in_a_result_is_named(rig: Rig, field: str) -> None:
    """Also where IBM's client stumbles over it later."""
    parcel = rig.parcel()
    vendor_id = rig.done(parcel)
    rig.double.faults(schema_change=field)
    with pytest.raises(ProviderError, match=rf"'[\w.]*\b{field}' is missing in IBM Quantum's answer to GET"):
        rig.provider.answer(parcel, vendor_id)


def test_a_result_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes on the wire must not fill the memory."""
    monkeypatch.setattr(ibm_results, "LARGEST_RESULT", 1000)
    packed = base64.b64encode(zlib.compress(bytes(1001))).decode()
    text = json.dumps({"data": [{"results": {"c": {"data": packed, "shape": [1, 8008], "dtype": "bool"}}}]})
    with pytest.raises(ProviderError, match="unpacks to more"):
        ibm_results.check_arrays(text, "GET /jobs/ID/results")


def shape(value: Any) -> Any:
    """Keys and types of an answer."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def answers(rig: Rig) -> dict[str, Any]:
    """A fixed exchange with the double, without any client: the answers by name."""
    rig.done(rig.parcel())
    (asked,) = rig.received("POST /api/v1/jobs")
    url = rig.double.url
    form = urllib.parse.urlencode({"apikey": rig.access.secrets["token"]}).encode()
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


def test_the_doubles_answers_have_the_recorded_shapes(rig: Rig) -> None:
    """So that a change of the double, or of what the client sends, is made on purpose."""
    assert {name: shape(each) for name, each in answers(rig).items()} == recorded("ibm", ibm.API)
