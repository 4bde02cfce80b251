"""A vendor that has a job twice under one token of ours."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from qpm_lab import Lab
from qpm_lab.display.text import to_text
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import ProviderError
from qpm_lab.job import Job
from qpm_lab.providers import vendors
from qpm_lab.providers.vendor import Standing
from tests.runner.vendors.conftest import SIMULATOR, asymmetric, events, until

POST = "POST /v0.4/jobs"


def sent_to(double: RunningDouble, name: str) -> str:
    """A job of that name at the double, sent by somebody; its id."""
    circuit = {"qubits": 1, "gateset": "qis", "circuit": [{"gate": "x", "target": 0}]}
    body = {"type": "ionq.circuit.v1", "name": name, "backend": "simulator", "shots": 1, "input": circuit}
    headers = {"Authorization": f"apiKey {double.access['secrets']['token']}"}
    request = urllib.request.Request(f"{double.url}/v0.4/jobs", json.dumps(body).encode(), headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return str(json.load(answer)["id"])


@pytest.fixture
def twice(lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Before it is looked for, the vendor has each job of ours twice, and jobs of others under names much like it."""
    ids: dict[str, str] = {}
    remote, find = vendors()["ionq"], vendors()["ionq"].find
    double.faults(lost_answer=1.0, only=POST, queue_polls=10**6)

    def look(backend_id: str, token: str) -> list[str]:
        if not ids:
            double.faults(lost_answer=0.0)
            ids["ours"] = double.submissions()[0]["id"]
            ids["longer"], ids["shorter"] = sent_to(double, token + "0"), sent_to(double, token[:-1])
            ids["other"] = sent_to(double, "f" * 32)
            ids["again"] = sent_to(double, token)
        return sorted(find(backend_id, token), key=lambda each: each != ids["ours"])

    monkeypatch.setattr(remote, "find", look)
    return ids


def stopped(double: RunningDouble) -> set[str]:
    return {each["id"] for each in double.submissions() if each["cancelled"]}


def ended(job: Job, double: RunningDouble) -> dict[str, Any]:
    until(lambda: events(job).count("vendor.duplicates") == 2)  # found, and asked to stop
    double.faults(queue_polls=0)
    assert job.result(60).counts == {"01 1": 20}
    return job.record()


def test_the_second_is_stopped_and_no_other(lab: Lab, double: RunningDouble, twice: dict[str, str]) -> None:
    """What is followed goes on; what only resembles our token is left alone; the record says so in one line."""
    record = ended(lab.submit(asymmetric(), backend=SIMULATOR, shots=20), double)
    assert stopped(double) == {twice["again"]}
    assert record["vendor_ids"] == [twice["ours"]]
    line = f"IonQ has this job 2 times under one token: {twice['ours']} is followed, {twice['again']} asked to stop."
    assert line in record["notes"]
    assert twice["again"] in to_text(record, width=200)
    assert lab.ledger.verify().ok


def test_a_duplicate_that_cannot_be_stopped_loses_no_job(
    lab: Lab, double: RunningDouble, twice: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job has its result, and the record says what may still be billed, with the vendor's words."""

    def deaf(backend_id: str, vendor_id: str) -> None:
        raise ProviderError("IonQ is unavailable (503).", retryable=True)

    monkeypatch.setattr(vendors()["ionq"], "stop", deaf)
    record = ended(lab.submit(asymmetric(), backend=SIMULATOR, shots=20), double)
    assert not stopped(double)
    assert any(f"{twice['again']} may still run and be billed (IonQ is unav" in note for note in record["notes"])


def test_one_whose_state_is_not_said_is_stopped_all_the_same(
    lab: Lab, double: RunningDouble, twice: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may run and be billed."""
    standing = vendors()["ionq"].standing

    def silent(backend_id: str, vendor_id: str) -> Standing:
        if vendor_id == twice["again"]:
            raise ProviderError("IonQ is unavailable (503).", retryable=True)
        return standing(backend_id, vendor_id)

    monkeypatch.setattr(vendors()["ionq"], "standing", silent)
    ended(lab.submit(asymmetric(), backend=SIMULATOR, shots=20), double)
    assert stopped(double) == {twice["again"]}


def test_one_that_has_ended_already_is_not_said_to_be_stopped(
    lab: Lab, double: RunningDouble, twice: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vendors take a wish to stop what has run and say nothing; it is billed all the same."""
    standing = vendors()["ionq"].standing

    def ran(backend_id: str, vendor_id: str) -> Standing:
        return Standing("done") if vendor_id == twice["again"] else standing(backend_id, vendor_id)

    monkeypatch.setattr(vendors()["ionq"], "standing", ran)
    record = ended(lab.submit(asymmetric(), backend=SIMULATOR, shots=20), double)
    assert not stopped(double)
    assert any(f"{twice['again']} had ended already and may be billed." in note for note in record["notes"])
