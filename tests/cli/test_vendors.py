"""What a terminal does at vendors, against IonQ's double."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from qpm_lab import doubles
from qpm_lab.cli import main
from qpm_lab.doubles import RunningDouble
from qpm_lab.lab import close_default_lab
from qpm_lab.runner import delivery

ROOT = Path(__file__).resolve().parent.parent.parent
BELL = ROOT / "notebooks" / "bell.qasm"
AT_IONQ = ("--backend", "ionq/simulator", "--shots", "50")


@pytest.fixture(scope="module")
def listening() -> Iterator[RunningDouble]:
    with doubles.started("ionq") as running:
        yield running


@pytest.fixture
def double(listening: RunningDouble, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunningDouble:
    """The double, and a home whose settings name it."""
    listening.reset()
    monkeypatch.setenv("QPM_SECRET_IONQ", listening.access["secrets"]["token"])
    options = {"url": listening.url, "poll_seconds": 0.2, "timeout_seconds": 20, "visibility_seconds": 0.5}
    home.mkdir()
    (home / "settings.yaml").write_text(yaml.safe_dump({"providers": {"ionq": options}}))
    return listening


@pytest.fixture
def qpm(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs one command in this process; gives exit code, document and messages."""

    def run(*words: str) -> tuple[int, Any, str]:
        code = main([*words, "--json"])
        close_default_lab()
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return run


def test_run_waits_for_the_vendor_and_prints_the_result(qpm: Any, double: RunningDouble) -> None:
    """The command is the same as for a simulator here."""
    double.faults(queue_polls=2, run_polls=1)
    code, document, _ = qpm("run", str(BELL), *AT_IONQ)
    assert (code, document["status"]) == (0, "completed")
    assert sum(document["counts"].values()) == 50
    assert set(document["counts"]) <= {"00", "11"}
    assert document["vendor_ids"] == [each["id"] for each in double.submissions()]


def test_run_without_waiting_leaves_the_job_at_the_vendor(qpm: Any, double: RunningDouble) -> None:
    """It ends once the vendor has the job, which goes on; `jobs resume` follows it to its end."""
    double.faults(queue_polls=10**6)
    code, document, _ = qpm("run", str(BELL), *AT_IONQ, "--no-wait")
    assert (code, document["status"]) == (0, "queued")
    assert len(document["vendor_ids"]) == 1
    assert [each["cancelled"] for each in double.submissions()] == [False]
    double.faults(queue_polls=0)
    code, resumed, _ = qpm("jobs", "resume")
    assert code == 0
    assert resumed["jobs"] == [{"job_id": document["job_id"], "status": "completed"}]
    code, shown, _ = qpm("show", document["job_id"])
    assert sum(shown["counts"].values()) == 50
    assert len(double.submissions()) == 1


def test_run_without_waiting_is_for_vendors(qpm: Any, double: RunningDouble) -> None:
    """A local simulation would end with the command."""
    code, document, _ = qpm("run", str(BELL), "--no-wait")
    assert code == 2
    assert "--no-wait" in document["error"]["message"]


def test_run_without_waiting_waits_until_all_of_it_is_sent(
    qpm: Any, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job in several parts needs this process until the vendor has the last one."""
    import dataclasses

    from qpm_lab.providers import vendors

    remote = vendors()["ionq"]
    monkeypatch.setattr(remote, "vendor", dataclasses.replace(remote.vendor, most_circuits=5))
    double.faults(queue_polls=10**6, latency_seconds=0.3, only="POST /v0.4/jobs")
    code, document, _ = qpm("run", str(BELL), *AT_IONQ, "--twirl", "readout", "--no-wait")
    assert code == 0
    assert len(document["vendor_ids"]) == len(double.submissions()) > 3


def test_a_failure_at_the_vendor_exits_five_with_its_words(qpm: Any, double: RunningDouble) -> None:
    """In the document, not as a traceback."""
    double.faults(failing=1.0)
    code, document, _ = qpm("run", str(BELL), *AT_IONQ)
    assert code == 5
    assert "lost its calibration" in document["error"]["message"]


@pytest.mark.parametrize("said", ["--vendor-id", "--not-submitted"])
def test_a_parked_job_is_resolved(
    qpm: Any, double: RunningDouble, home: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """By the vendor's id it goes on to its result; without one it is closed."""
    monkeypatch.setattr(delivery, "UNSTATED_SECONDS", 0.4)
    options = yaml.safe_load((home / "settings.yaml").read_text())
    del options["providers"]["ionq"]["visibility_seconds"]
    (home / "settings.yaml").write_text(yaml.safe_dump(options))
    double.faults(lost_answer=1.0, visibility_seconds=3600.0, only="POST /v0.4/jobs")
    code, document, _ = qpm("run", str(BELL), *AT_IONQ)
    assert (code, document["status"]) == (5, "parked")
    assert f"qpm jobs resolve {document['job_id']}" in document["error"]["hint"]
    double.faults(lost_answer=0.0, visibility_seconds=0.0)
    words = [said, double.submissions()[0]["id"]] if said == "--vendor-id" else [said]
    code, resolved, _ = qpm("jobs", "resolve", document["job_id"], *words)
    assert code == 0
    assert resolved["status"] == ("completed" if said == "--vendor-id" else "failed")
    assert len(double.submissions()) == 1
    code, again, _ = qpm("jobs", "resolve", document["job_id"], *words)
    assert code == 2
    assert "is not parked" in again["error"]["message"]


def test_backends_are_listed_with_what_they_lack(qpm: Any, home: Path) -> None:
    """Without key, network or client; every vendor is there."""
    code, document, _ = qpm("backends")
    rows = {row["id"]: row for row in document["backends"]}
    assert code == 0
    assert rows["ionq/simulator"]["state"] == "needs-key"
    assert "qpm secret set ionq" in rows["ionq/simulator"]["note"]
    assert {"ionq", "ibm", "braket", "iqm", "aqt", "azure", "quantinuum"} <= {each.partition("/")[0] for each in rows}
    assert {row["state"] for row in rows.values()} <= {
        "ready",
        "needs-key",
        "not-installed",
        "needs-settings",
        "quote-only",
    }
    assert rows["ionq/qpu.forte-1"]["legal_seat"] == "US"
    assert rows["ionq/qpu.forte-1"]["qubits"] == 36


def test_live_backends_say_how_they_are_now(qpm: Any, double: RunningDouble) -> None:
    """Availability and calibration of those that are ready; one that does not answer says why."""
    code, document, _ = qpm("backends", "--live")
    row = next(row for row in document["backends"] if row["id"] == "ionq/qpu.forte-1")
    assert code == 0
    assert row["available"] is True
    assert row["calibrated_at"].startswith("2026-04-30")
    double.faults(outage=1.0)
    code, document, _ = qpm("backends", "--live")
    row = next(row for row in document["backends"] if row["id"] == "ionq/qpu.forte-1")
    assert code == 0
    assert row["available"] is None
    assert "503" in row["message"]


def test_quotes_of_several_backends_stand_side_by_side(qpm: Any, double: RunningDouble) -> None:
    """The vendor's own estimate where it is ready, the list for the others."""
    wanted = "ionq/qpu.forte-1,aer/simulator,braket/iqm_garnet"
    code, document, _ = qpm("quote", str(BELL), "--backend", wanted, "--shots", "100")
    rows = {row["backend"]: row for row in document["quotes"]}
    assert code == 0
    assert list(rows) == wanted.split(",")
    assert rows["ionq/qpu.forte-1"]["high"] == "25"
    assert rows["aer/simulator"]["high"] == "0"
    assert float(rows["braket/iqm_garnet"]["high"]) > 0
    assert not double.submissions()


def test_a_quote_needs_neither_client_nor_key_nor_network(qpm: Any, home: Path) -> None:
    """Every backend that is listed has one, or says why there is none."""
    code, document, _ = qpm("quote", str(BELL), "--backend", "all", "--shots", "100")
    assert code == 0
    assert all(row["high"] is not None or row["reason"] for row in document["quotes"])
    code, document, _ = qpm("quote", str(BELL), "--backend", "braket/iqm_garnet", "--shots", "100")
    assert code == 0
    assert float(document["quote"]["high"]) > 0


def test_an_unknown_backend_among_quotes_is_named(qpm: Any, home: Path) -> None:
    """With the nearest id."""
    code, document, _ = qpm("quote", str(BELL), "--backend", "aer/simulator,ionq/qpu.fort-1")
    assert code == 2
    assert "ionq/qpu.fort-1" in document["error"]["message"]
    assert "ionq/qpu.forte-1" in document["error"]["hint"]


def test_empty_names_among_quotes_are_passed_over(qpm: Any, home: Path) -> None:
    """A comma too many is no backend."""
    code, document, _ = qpm("quote", str(BELL), "--backend", "aer/simulator,")
    assert code == 0
    assert [row["backend"] for row in document["quotes"]] == ["aer/simulator"]


def test_providers_are_listed_with_their_promises(qpm: Any, double: RunningDouble) -> None:
    """State, keys and what holds when an answer is lost."""
    code, document, _ = qpm("provider", "list")
    rows = {row["name"]: row for row in document["providers"]}
    assert code == 0
    assert rows["ionq"]["state"] == "ready"
    assert rows["ionq"]["secrets"] == ["token"]
    assert {row["lookup"] for row in rows.values()} <= {"idempotent", "token", "none"}


def test_broken_settings_name_their_file(qpm: Any, double: RunningDouble, home: Path) -> None:
    """Every command that needs them ends with exit 2; the others work."""
    (home / "settings.yaml").write_text("providers: [")
    for words in (("backends",), ("provider", "list"), ("run", str(BELL), *AT_IONQ)):
        code, document, _ = qpm(*words)
        assert code == 2
        assert str(home / "settings.yaml") in document["error"]["message"]
    assert qpm("jobs")[0] == 0
    assert qpm("run", str(BELL), "--shots", "10")[0] == 0


def test_an_overrun_is_acknowledged(qpm: Any, double: RunningDouble, home: Path) -> None:
    """Until then what costs is denied, with the command that says so; afterwards there is nothing left to say."""
    price = {
        "id": "mine", "backends": ["ionq/qpu.forte-1"], "formula": "task-and-shot", "currency": "USD", "unit": "task",
        "rates": {"per_task": "0.30", "per_shot": "0.001"}, "source": "contract", "seen_on": "2026-11-01",
        "confidence": "A", "region": "us", "channel": "IonQ direct",
    }  # fmt: skip
    (home / "prices.yaml").write_text(yaml.safe_dump({"prices": [price]}))
    double.faults(outage=1.0, only="GET /v0.4/jobs/estimate")
    at_machine = ("run", str(BELL), "--backend", "ionq/qpu.forte-1", "--shots", "20")
    code, first, _ = qpm(*at_machine)
    assert (code, first["cost"]["amount"]) == (0, "25")
    code, denied, _ = qpm(*at_machine)
    told = {reason["rule"]: reason["fix"] for reason in denied["decision"]["reasons"]}
    assert code == 3
    assert f"qpm jobs acknowledge {first['job_id']}" in told["cost.overrun"]
    assert qpm("jobs", "acknowledge", first["job_id"])[0] == 0
    code, denied, _ = qpm(*at_machine)
    assert "cost.overrun" not in {reason["rule"] for reason in denied["decision"]["reasons"]}
    assert qpm("jobs", "acknowledge", first["job_id"])[0] == 2
