"""What goes wrong between two steps of a job at a vendor: interrupts, keys that are away, owners that changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from qpm_lab import Lab
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import InputError, LedgerError
from qpm_lab.experiment import Status
from qpm_lab.providers import vendors
from qpm_lab.runner import following
from qpm_lab.runner.poller import Poller
from qpm_lab.runner.workers import Workers
from tests.runner.vendors.conftest import MACHINE, SIMULATOR, asymmetric, events, flipped, reserved, until


def test_a_job_that_was_interrupted_before_it_was_followed_is_cancelled(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between the commit and the first look: nothing is sent, and nothing stays reserved."""
    with monkeypatch.context() as now:

        def interrupted(live: Any, seconds: float = 0.0) -> None:
            now.undo()
            raise KeyboardInterrupt

        now.setattr(lab.runner, "follow", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: not lab.runner.live)
    (row,) = lab.ledger.jobs()
    assert row.status == Status.CANCELLED
    assert not double.submissions()
    assert reserved(lab) == 0


def test_a_job_that_was_interrupted_while_it_was_recorded_leaves_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no such job, and this process does not go on to look after one."""

    def full(*told: Any, **named: Any) -> Any:
        raise LedgerError("The disk is full.")

    with monkeypatch.context() as now:
        now.setattr(lab.ledger, "submit", full)
        with pytest.raises(LedgerError):
            lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: not lab.runner.live)
    assert lab.submit(asymmetric(), backend=SIMULATOR, shots=20).result(60).counts == {"01 1": 20}


def test_a_job_is_watched_once() -> None:
    """Two who ask for the same job to be followed do not have it followed twice at the same time."""
    workers = Workers()
    poller = Poller(workers)
    steps: list[str] = []

    def step() -> float | None:
        steps.append("step")
        return None

    poller.watch("job", step, 0.2)
    poller.watch("job", step, 0.1)
    until(lambda: steps and not poller.watches("job"))
    workers.close(5)
    poller.close()
    assert steps == ["step"]


def test_a_keyring_that_locks_loses_no_job(lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job waits until its key can be read again; the vendor has it meanwhile."""
    monkeypatch.setattr(following, "SETTINGS_PAUSE_SECONDS", 0.1)
    double.faults(queue_polls=10**6)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.record()["vendor_ids"])
    asked: list[str] = []

    def locked(name: str) -> Any:
        asked.append(name)
        raise InputError("The keyring cannot be read (KeyringLocked).", "Unlock it.")

    with monkeypatch.context() as now:
        now.setattr(lab.runner.site.secrets, "get", locked)
        until(lambda: len(asked) > 2)
        assert job.status == Status.QUEUED
        assert reserved(lab) > 0
    double.faults(queue_polls=0)
    assert job.result(60).counts == {"01 1": 20}


@pytest.mark.parametrize("call", ["standing", "answer"])
def test_a_machine_that_left_the_settings_loses_no_job(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A vendor's client that no longer knows the machine cannot end a job that the vendor has: it is parked."""

    def unknown(*told: Any) -> Any:
        raise InputError("ionq/simulator has no address.", "Give it in the settings.")

    with monkeypatch.context() as now:
        now.setattr(vendors()["ionq"], call, unknown)
        job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
        until(lambda: job.status not in (Status.SUBMITTED, Status.QUEUED, Status.RUNNING))
    assert job.status == Status.PARKED
    assert reserved(lab) > 0
    lab.resume(job.id)
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


def test_a_look_up_that_the_client_refuses_does_not_end_the_job(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the vendor took it is still not known."""
    asked: list[str] = []

    def unknown(*told: Any) -> Any:
        asked.append("find")
        raise InputError("There is no workspace.", "Name it in the settings.")

    double.faults(lost_answer=1.0, only="POST /v0.4/jobs")
    with monkeypatch.context() as now:
        now.setattr(vendors()["ionq"], "find", unknown)
        job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
        until(lambda: len(asked) > 1 or job.status in (Status.FAILED, Status.PARKED))
        assert job.status not in (Status.FAILED, Status.CANCELLED)
    double.faults(lost_answer=0.0)
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


def test_who_lost_a_job_while_asleep_sends_no_more_of_it(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that slept does not count the time; only the ledger knows that the job is another's now."""
    sent: list[str] = []
    provider = vendors()["ionq"]
    send = provider.send

    def counted(parcel: Any) -> str:
        sent.append(parcel.token)
        return send(parcel)

    def asleep(name: str) -> None:
        if name == "before-send" and not sent:
            (row,) = lab.ledger.open_jobs()
            assert lab.ledger.take_over(row.job_id, row.epoch, lab.runner.owner(_later())) is not None

    monkeypatch.setattr(provider, "send", counted)
    monkeypatch.setattr(lab.runner, "boundary", asleep)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.id not in lab.runner.live)
    assert sent == []
    assert not double.submissions()


def _later() -> Any:
    from datetime import timedelta

    from qpm_lab.runner import clock

    return clock.now() + timedelta(seconds=60)


def test_who_says_that_a_part_was_not_taken_stops_the_others(
    make_lab: Callable[..., Lab], double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is closed as failed leaves nothing running that is paid for."""
    lab = make_lab()
    provider = vendors()["ionq"]
    send = provider.send
    sent: list[str] = []

    def second_in_doubt(parcel: Any) -> str:
        if sent:
            raise ValueError("what nobody has foreseen")
        sent.append(parcel.token)
        return send(parcel)

    double.faults(queue_polls=10**6)
    circuits = [flipped(n % 3) for n in range(60)]
    with monkeypatch.context() as now:
        now.setattr(provider, "send", second_in_doubt)
        job = lab.submit(circuits, backend=SIMULATOR, shots=5)
        until(lambda: job.status == Status.PARKED)
    lab.resolve(job.id)
    assert job.status == Status.FAILED
    assert [each["cancelled"] for each in double.submissions()] == [True]
    assert reserved(lab) == 0


PRICE = {
    "id": "mine", "backends": [MACHINE], "formula": "task-and-shot", "currency": "USD", "unit": "task and shot",
    "rates": {"per_task": "0.30", "per_shot": "0.001"}, "source": "contract", "seen_on": "2026-11-01",
    "confidence": "A", "region": "us", "channel": "IonQ direct",
}  # fmt: skip


def test_a_further_attempt_asks_the_vendor_for_its_price_again(
    home: Path, make_lab: Callable[..., Lab], double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it said of the first may be hours old by then."""
    lab = make_lab()
    provider = vendors()["ionq"]
    price, asked = provider.price, []

    def counted(parcel: Any) -> Any:
        asked.append(parcel.token)
        currency, amount = price(parcel) or ("USD", "0")
        return currency, str(float(amount) * len(asked))

    monkeypatch.setattr(provider, "price", counted)
    monkeypatch.setattr("qpm_lab.runner.further.FIRST_PAUSE_SECONDS", 0.05)
    double.faults(rate_limit=1.0, only="POST /v0.4/jobs")
    job = lab.submit(asymmetric(), backend=MACHINE, shots=20)
    until(lambda: "job.retried" in events(job))
    double.faults(rate_limit=0.0)
    job.result(60)
    first, second = [e.payload["quote"]["high"] for e in lab.ledger.entries(job.id) if "quote" in e.payload][:2]
    assert float(second) > float(first)


def test_two_homes_in_one_process_speak_to_their_own_vendors(
    make_lab: Callable[..., Lab], double: RunningDouble, tmp_path: Path, dear_bundle: Path
) -> None:
    """A Lab that is opened later lends its address and keys to no job of the first."""
    first = make_lab()
    other = tmp_path / "other"
    other.mkdir()
    nobody = "http://127.0.0.1:9"
    (other / "settings.yaml").write_text(yaml.safe_dump({"providers": {"ionq": {"url": nobody, "timeout_seconds": 5}}}))
    second = Lab(other, policies=dear_bundle)
    try:
        job = first.submit(asymmetric(), backend=SIMULATOR, shots=20)
        assert job.result(60).counts == {"01 1": 20}
        assert len(double.submissions()) == 1
    finally:
        second.close()


def test_a_job_that_is_being_resolved_is_not_taken_up_by_another(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is open again before anybody follows it, and whoever looks for jobs that nobody drives must leave it alone."""
    double.faults(schema_change="status", only="GET /v0.4/jobs/")
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.status == Status.PARKED)
    double.faults(schema_change="")
    unpark, followed = lab.ledger.unpark, []
    monkeypatch.setattr(lab.runner, "follow", lambda live, seconds=0.0: followed.append(live.job_id))

    def looked_at_meanwhile(*told: Any) -> Any:
        found = unpark(*told)
        lab.runner.recover()
        return found

    monkeypatch.setattr(lab.ledger, "unpark", looked_at_meanwhile)
    lab.resume(job.id)
    assert followed == [job.id]


def test_the_machines_of_a_vendor_are_what_the_vendor_says_not_what_settings_say(
    lab: Lab, settings: Any, double: RunningDouble
) -> None:
    """A known machine does not become another by being named in the settings."""
    settings(backends={MACHINE.partition("/")[2]: {"qubits": 400, "local": False, "kind": "simulator"}})
    lab.runner.site._accesses.clear()
    with lab.runner.site.in_force():
        (info,) = [each for each in vendors()["ionq"].backends() if each.id == MACHINE]
    assert info.kind == "qpu"
    assert info.qubits == 36


def test_only_the_escape_hatch_has_machines_of_ones_own_that_run_here(lab: Lab, settings: Any) -> None:
    """What runs here is free and leaves unmasked; a vendor's machine is not made so by a word in the settings."""
    settings(backends={"mine": {"qubits": 4, "local": True}})
    lab.runner.site._accesses.clear()
    with pytest.raises(InputError, match=r"ionq\.backends\.mine\.local"):
        lab.submit(flipped(0), backend="ionq/mine", shots=5)


def test_a_lab_that_was_closed_sends_nothing_any_more(
    make_lab: Callable[..., Lab], double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that was under way when it closed ends before it sends: the job is the next process's."""
    monkeypatch.setattr("qpm_lab.runner.runner.CLOSE_SECONDS", 0.05)
    lab = make_lab()
    reached, closed, ended = threading.Event(), threading.Event(), threading.Event()

    def held(name: str) -> None:
        if name == "before-send":
            reached.set()
            closed.wait(30)
            ended.set()

    monkeypatch.setattr(lab.runner, "boundary", held)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    assert reached.wait(30)
    lab.close()
    closed.set()
    assert ended.wait(30)
    again = make_lab()
    assert again.job(job.id).result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1
