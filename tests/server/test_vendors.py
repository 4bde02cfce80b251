"""What panels and cards learn of jobs at vendors, and what a person says of parked ones."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from qiskit import QuantumCircuit
from tornado.httpclient import HTTPClientError

from qpm_lab import Lab, doubles
from qpm_lab.runner import delivery
from qpm_lab.server.backends import by_provider
from qpm_lab.server.history import ClosedJobError, History, JobQuery
from qpm_lab.server.watch import LedgerWatch, Message
from tests.server.fake_lab import FakeLab, row

Fetch = Callable[..., Any]
SIMULATOR = "ionq/simulator"


async def say(jp_fetch: Fetch, job_id: str, what: str, body: Any = None) -> dict[str, Any]:
    reply = await jp_fetch("qpm-lab", "api", "jobs", job_id, what, method="POST", body=json.dumps(body))
    answer: dict[str, Any] = json.loads(reply.body)
    return answer


async def refused(jp_fetch: Fetch, job_id: str, what: str, body: Any) -> tuple[int, dict[str, str]]:
    with pytest.raises(HTTPClientError) as caught:
        await say(jp_fetch, job_id, what, body)
    assert caught.value.response is not None
    return caught.value.code, json.loads(caught.value.response.body)


async def test_the_id_of_a_parked_job_reaches_the_lab(jp_fetch: Fetch, lab: FakeLab) -> None:
    """Without the blanks around it; the answer is the job as it stands then."""
    lab.rows.insert(0, row("P1", status="parked"))
    assert (await say(jp_fetch, "P1", "resolve", {"vendor_id": " v-7 "}))["status"] == "queued"
    assert lab.told == [("P1", "v-7")]


async def test_that_the_vendor_has_no_such_job_reaches_the_lab(jp_fetch: Fetch, lab: FakeLab) -> None:
    """It is said by its own word, never by leaving the id out."""
    lab.rows.insert(0, row("P1", status="parked"))
    assert (await say(jp_fetch, "P1", "resolve", {"not_submitted": True}))["status"] == "failed"
    assert lab.told == [("P1", None)]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"vendor_id": ""},
        {"vendor_id": "a b"},
        {"vendor_id": "a\nb"},
        {"vendor_id": 7},
        {"vendor_id": "x" * 301},
        {"not_submitted": False},
        {"not_submitted": "yes"},
        {"vendor_id": "v-7", "not_submitted": True},
    ],
)
async def test_what_says_nothing_certain_changes_nothing(jp_fetch: Fetch, lab: FakeLab, body: Any) -> None:
    """400 with message and hint, and the job stays parked."""
    lab.rows.insert(0, row("P1", status="parked"))
    code, told = await refused(jp_fetch, "P1", "resolve", body)
    assert code == 400
    assert told["message"]
    assert told["hint"]
    assert lab.told == []
    assert lab.rows[0]["status"] == "parked"


@pytest.mark.parametrize("what", ["resolve", "resume"])
async def test_a_job_that_is_not_parked_is_a_conflict(jp_fetch: Fetch, what: str) -> None:
    """409 with the lab's own words; an unknown job is 404."""
    code, told = await refused(jp_fetch, "J2", what, {"not_submitted": True})
    assert code == 409
    assert "not parked" in told["message"]
    assert (await refused(jp_fetch, "J9", what, {"not_submitted": True}))[0] == 404


async def test_backends_come_by_provider(jp_fetch: Fetch, lab: FakeLab) -> None:
    """Vendors are asked only when the page says so."""
    lab.backends = [backend("aer/simulator", local=True)]
    reply = json.loads((await jp_fetch("qpm-lab", "api", "backends")).body)
    assert [group["provider"] for group in reply["providers"]] == ["aer"]
    assert not lab.asked_vendors
    await jp_fetch("qpm-lab", "api", "backends", params={"live": "1"})
    assert lab.asked_vendors


def backend(name: str, **changes: Any) -> dict[str, Any]:
    return {"id": name, "provider": name.partition("/")[0], "local": False, "state": "ready", "note": "", **changes}


def test_a_provider_says_what_makes_it_ready() -> None:
    """Those that can run a job come first; a local machine of a vendor does not make the vendor ready."""
    needs = {"state": "needs-key", "note": "Store its key: qpm secret set ionq and ionq.second"}
    missing = {"state": "not-installed", "note": "Install its client: qpm provider install iqm"}
    rows = [
        backend("iqm/garnet", **missing),
        backend("ionq/qpu.forte-1", **needs),
        backend("ionq/here", local=True),
        backend("aer/simulator", local=True),
    ]
    assert [(g["title"], g["state"], g["commands"]) for g in by_provider(rows)] == [
        ("aer", "ready", []),
        ("IonQ", "needs-key", ["qpm secret set ionq", "qpm secret set ionq.second"]),
        ("IQM", "not-installed", ["qpm provider install iqm"]),
    ]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, doubles.RunningDouble]]:
    """A home whose settings lead to IonQ's double."""
    with doubles.started("ionq") as double:
        options = {"url": double.url, "poll_seconds": 0.2, "timeout_seconds": 5}
        (tmp_path / "settings.yaml").write_text(yaml.safe_dump({"providers": {"ionq": options}}))
        monkeypatch.setenv("QPM_KEYRING", "off")
        monkeypatch.setenv("QPM_SECRET_IONQ", double.access["secrets"]["token"])
        monkeypatch.setattr(delivery, "UNSTATED_SECONDS", 0.5)
        yield tmp_path, double


@pytest.fixture
def real(home: tuple[Path, doubles.RunningDouble]) -> Iterator[Lab]:
    lab = Lab(home[0], notebook_run="")
    yield lab
    lab.close()


def circuit() -> QuantumCircuit:
    asymmetric = QuantumCircuit(2, 2, name="asymmetric")
    asymmetric.x(0)
    asymmetric.measure([0, 1], [0, 1])
    return asymmetric


def until(true: Callable[[], Any], seconds: float = 30.0) -> None:
    """Waits for what other threads do; fails when it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_job_in_doubt_is_shown_and_settled_by_its_id(home: tuple[Path, doubles.RunningDouble], real: Lab) -> None:
    """Row and record say why and that it is unclear; with the vendor's id the job goes on to its result."""
    double, history = home[1], History(lambda: real)
    double.faults(lost_answer=1.0, only="POST")
    double.faults(visibility_seconds=3600.0, only="")
    double.faults(only="POST", visibility_seconds=3600.0)
    job = real.submit(circuit(), backend=SIMULATOR, shots=20)
    until(lambda: job.status == "parked")
    shown = history.jobs(JobQuery(status="parked"))["jobs"][0]
    assert shown["parked"]["unclear"]
    assert shown["parked"]["vendor"] == "IonQ"
    record = history.job(job.id)
    assert record["parked"] == shown["parked"]
    assert record["error"]["message"] == shown["parked"]["message"]
    assert record["place"] == {"vendor": "IonQ", "region": "United States", "legal_seat": "US"}
    assert record["vendor_ids"] == []
    double.faults(lost_answer=0.0, visibility_seconds=0.0, only="")
    vendor_id = double.submissions()[0]["id"]
    assert history.resolve(job.id, vendor_id)["vendor_ids"] == [vendor_id]
    assert real.job(job.id).result(30).counts == {"01": 20}
    assert history.job(job.id)["parked"] is None
    with pytest.raises(ClosedJobError, match="not parked"):
        history.resolve(job.id, None)


def test_an_answer_that_cannot_be_read_is_not_unclear(home: tuple[Path, doubles.RunningDouble], real: Lab) -> None:
    """The vendor has the job, so all there is to do is to ask again."""
    double, history = home[1], History(lambda: real)
    double.faults(schema_change="status", only="GET /v0.4/jobs/")
    job = real.submit(circuit(), backend=SIMULATOR, shots=20)
    until(lambda: job.status == "parked")
    assert history.job(job.id)["parked"]["unclear"] is False
    double.faults(schema_change="", only="")
    history.resume(job.id)
    assert real.job(job.id).result(30).counts == {"01": 20}


def test_a_move_in_the_queue_is_pushed(
    home: tuple[Path, doubles.RunningDouble], real: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place in a queue is no entry of the ledger, and the pages hear of it all the same."""
    monkeypatch.setattr(delivery, "RENEW_SECONDS", 10**6)  # what is written down here stays
    home[1].faults(stuck=True)
    job = real.submit(circuit(), backend=SIMULATOR, shots=20)
    until(lambda: real.page()["jobs"][0]["standing"])
    heard: list[Message] = []
    watch = LedgerWatch(History(lambda: real), heard.append)
    watch.start()
    try:
        until(lambda: heard)
        entry = real.head()
        row = real.ledger.job(job.id)
        told = {"state": "queued", "queue_position": 1, "message": "queued at IonQ, 1 before it", "as_of": "x"}
        until(lambda: real.ledger.renew(job.id, row.epoch, real.runner.owner(_now()).lease_until, json.dumps(told)))
        until(lambda: any(job.id in message.get("jobs", []) for message in heard))
        assert real.head() == entry
    finally:
        watch.stop()
    assert real.record(job.id)["standing"]["queue_position"] == 1


def _now() -> Any:
    from qpm_lab.runner import clock

    return clock.now()


def test_the_servers_lab_follows_what_a_dead_process_left(home: tuple[Path, doubles.RunningDouble]) -> None:
    """A process that is gone without a word leaves its job to the page's server, which reads the result."""
    home[1].faults(stuck=True)
    child = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", LEFT, str(home[0])])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    lab = Lab(home[0], notebook_run="")
    history = History(lambda: lab)
    watch = LedgerWatch(history, lambda message: None)
    watch.start()
    try:
        home[1].faults(stuck=False)
        until(lambda: history.jobs(JobQuery())["jobs"][0]["status"] == "completed")
        assert len(home[1].submissions()) == 1
    finally:
        watch.stop()
        lab.close()


LEFT = """
import os, sys, time
from qpm_lab import Lab
from tests.server.test_vendors import SIMULATOR, circuit, until
lab = Lab(sys.argv[1], notebook_run="kernel")
job = lab.submit(circuit(), backend=SIMULATOR, shots=20)
until(lambda: job.record()["vendor_ids"])
os._exit(0)
"""
