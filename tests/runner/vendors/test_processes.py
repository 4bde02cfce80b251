"""Jobs at a vendor outlive kernels, and have one process at a time that follows them."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from qpm_lab import Lab
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import InputError, LedgerError
from qpm_lab.experiment import Status
from qpm_lab.runner import companions, following
from qpm_lab.runner.resuming import OTHER_VERSION
from tests.runner.vendors.conftest import MACHINE, SIMULATOR, Settings, asymmetric, events, flipped, reserved, until


def test_a_job_goes_on_in_the_next_kernel(make_lab: Callable[..., Lab], double: RunningDouble) -> None:
    """A Lab that ends lets go of it, and the next one follows it to its result."""
    double.faults(queue_polls=10**6)
    first = make_lab()
    job = first.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.record()["vendor_ids"])
    first.close()
    assert [each["cancelled"] for each in double.submissions()] == [False]
    double.faults(queue_polls=0)
    second = make_lab()
    assert second.job(job.id).result(60).counts == {"01 1": 20}
    assert "job.taken_over" in events(second.job(job.id))
    assert len(double.submissions()) == 1
    assert reserved(second) == 0
    assert second.ledger.verify().ok


def test_a_job_object_of_a_closed_lab_ends_with_its_job(make_lab: Callable[..., Lab], double: RunningDouble) -> None:
    """Whoever still waits for it is not left waiting for ever."""
    double.faults(queue_polls=10**6)
    first = make_lab()
    job = first.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.record()["vendor_ids"])
    counts: list[object] = []
    waiting = threading.Thread(target=lambda: counts.append(job.result().counts), daemon=True)
    waiting.start()
    first.close()
    double.faults(queue_polls=0)
    make_lab().job(job.id).result(60)
    waiting.join(60)
    assert counts == [{"01 1": 20}]


def test_of_two_labs_only_one_follows(make_lab: Callable[..., Lab], double: RunningDouble) -> None:
    """The second leaves alone what the first lives to see, and both have the result."""
    double.faults(queue_polls=5)
    first = make_lab()
    job = first.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.record()["vendor_ids"])
    second = make_lab()
    assert second.resume() == []
    assert job.id not in second.runner.live
    assert second.job(job.id).result(60).counts == job.result(60).counts == {"01 1": 20}
    assert events(job).count("job.completed") == 1
    assert "job.taken_over" not in events(job)


def test_progress_is_seen_from_another_process(make_lab: Callable[..., Lab], double: RunningDouble) -> None:
    """What the one that follows it last heard is in the ledger."""
    double.faults(queue_polls=10**6)
    job = make_lab().submit(asymmetric(), backend=SIMULATOR, shots=20)
    other = make_lab()
    assert until(lambda: "queued at IonQ" in other.job(job.id).record()["progress"]["message"])
    assert other.cancel(job.id)["job_id"] == job.id
    until(lambda: job.status == Status.CANCELLED)
    assert [each["cancelled"] for each in double.submissions()] == [True]


def test_a_process_that_lost_its_job_still_has_its_result(make_lab: Callable[..., Lab], double: RunningDouble) -> None:
    """Another took it over by raising its epoch; the first stops following and reads the ledger."""
    double.faults(queue_polls=10**6)
    first, second = make_lab(), make_lab()
    job = first.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.record()["vendor_ids"])
    row = first.ledger.job(job.id)
    from qpm_lab.runner import clock
    from qpm_lab.runner.resuming import resume

    epoch = second.ledger.take_over(job.id, row.epoch, second.runner.owner(clock.now()))
    assert epoch is not None
    resume(second.runner, second.ledger.job(job.id), epoch)
    double.faults(queue_polls=0)
    assert job.result(60).counts == {"01 1": 20}
    assert events(job).count("job.completed") == 1


def test_a_forked_child_reads_the_job_and_leaves_it_to_its_parent(lab: Lab, double: RunningDouble) -> None:
    """The child has the ledger only; the parent goes on following."""
    double.faults(queue_polls=3)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def child() -> None:
        answers.put(str(job.result(60).counts))

    forked = context.Process(target=child)
    with pytest.warns(DeprecationWarning, match="fork") if _warns_of_forks() else nullcontext():
        forked.start()
    forked.join(60)
    assert not forked.exitcode
    assert answers.get() == "{'01 1': 20}"
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


def _warns_of_forks() -> bool:
    return sys.version_info >= (3, 12)


def test_settings_that_are_broken_lose_no_job(
    lab: Lab, settings: Settings, home: Path, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever submits is told the file; a job under way waits, and goes on once the file is mended."""
    monkeypatch.setattr(following, "SETTINGS_PAUSE_SECONDS", 0.1)
    double.faults(queue_polls=10**6)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.record()["vendor_ids"])
    (home / "settings.yaml").write_text("providers: [this is\n")
    until(lambda: _settings_are_read_anew(lab))
    with pytest.raises(InputError) as refused:
        lab.submit(flipped(0), backend=SIMULATOR, shots=20)
    assert str(home / "settings.yaml") in str(refused.value)
    time.sleep(0.3)  # several of the looks that it takes
    assert job.status == Status.QUEUED
    assert reserved(lab) > 0
    settings()
    double.faults(queue_polls=0)
    assert job.result(60).counts == {"01 1": 20}


def _settings_are_read_anew(lab: Lab) -> bool:
    """False as long as those that were read last still hold."""
    try:
        lab.runner.site.access("ionq")
    except InputError:
        return True
    return False


def test_a_kernel_that_starts_with_broken_settings_follows_once_they_are_mended(
    make_lab: Callable[..., Lab], settings: Settings, home: Path, double: RunningDouble
) -> None:
    """The Lab opens, other work goes on, and the ledger does not fill with attempts to take the job over."""
    double.faults(queue_polls=10**6)
    first = make_lab()
    job = first.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.record()["vendor_ids"])
    first.close()
    (home / "settings.yaml").write_text("providers: {ionq: {timeout_seconds: soon}}\n")
    second = make_lab()
    assert second.submit(flipped(0), backend="aer/simulator", shots=5).result(60).counts == {"001": 5}
    for _ in range(3):
        second.recover()
    assert events(second.job(job.id)).count("job.taken_over") == 1
    settings()
    double.faults(queue_polls=0)
    second.recover()
    assert second.job(job.id).result(60).counts == {"01 1": 20}


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("providers: {ionq: {timeout_seconds: soon}}", "ionq.timeout_seconds"),
        ("providers: {ionq: {poll_seconds: 0}}", "ionq.poll_seconds"),
        ("providers: {ionq: {visibility_seconds: -1}}", "ionq.visibility_seconds"),
        ("providers: {ionq: {backends: {mine: {}}}}", "ionq.backends.mine.qubits"),
        ("provider: {}", "provider"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    lab: Lab, home: Path, double: RunningDouble, told: str, named: str
) -> None:
    """With the path of the file."""
    from qpm_lab.runner.site import Site

    (home / "settings.yaml").write_text(told)
    with pytest.raises(InputError, match=named) as refused:
        Site(home).access("ionq")
    assert str(home / "settings.yaml") in str(refused.value)


def test_an_acceptance_that_could_not_be_recorded_is_recorded_later(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor's id is not lost while the ledger does not answer, and nothing is sent again."""
    monkeypatch.setattr(following, "LEDGER_PAUSE_SECONDS", 0.1)
    record, failures = lab.ledger.accepted, [LedgerError("The disk is full."), LedgerError("It still is.")]

    def accepted(*told: Any) -> Any:
        if failures:
            raise failures.pop()
        return record(*told)

    monkeypatch.setattr(lab.ledger, "accepted", accepted)
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
    assert job.result(60).counts == {"01 1": 20}
    assert events(job)[:2] == ["job.submitted", "job.accepted"]
    assert job.record()["vendor_ids"] == [each["id"] for each in double.submissions()]
    assert len(double.submissions()) == 1


def test_a_job_that_cannot_even_be_parked_is_let_go_and_found_again(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody drives it for the moment; `recover` in the same kernel takes it up."""
    double.faults(schema_change="status", only="GET /v0.4/jobs/")

    def full(*told: Any) -> Any:
        raise LedgerError("The disk is full.")

    with monkeypatch.context() as now:
        now.setattr(lab.ledger, "park", full)
        job = lab.submit(asymmetric(), backend=SIMULATOR, shots=20)
        until(lambda: job.id not in lab.runner.live)
    double.faults(schema_change="")
    lab.recover()
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


def test_a_kernel_that_keeps_following_takes_up_what_another_left(
    make_lab: Callable[..., Lab], double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without being asked."""
    monkeypatch.setattr("qpm_lab.runner.runner.RECOVERY_SECONDS", 0.2)
    double.faults(queue_polls=10**6)
    first, second = make_lab(), make_lab()
    second.runner.keep_following()
    job = first.submit(asymmetric(), backend=SIMULATOR, shots=20)
    until(lambda: job.record()["vendor_ids"])
    first.close()
    double.faults(queue_polls=0)
    until(lambda: second.job(job.id).status == Status.COMPLETED)
    assert events(second.job(job.id)).count("job.taken_over") == 1


def left_with_companions(make_lab: Callable[..., Lab], double: RunningDouble) -> str:
    """A job with mirror circuits, all at the vendor, whose process has ended; its id."""
    double.faults(queue_polls=10**6)
    first = make_lab()
    job = first.submit(asymmetric(), backend=MACHINE, shots=50, fidelity="mirror")
    sent = len(first.ledger.entries(job.id)[0].payload["parcels"])
    until(lambda: len(job.record()["vendor_ids"]) == sent)
    first.close()
    double.faults(queue_polls=0)
    return job.id


def test_the_next_kernel_reads_the_fidelity_too(make_lab: Callable[..., Lab], double: RunningDouble) -> None:
    """Companions are read by whoever follows the job to its end: what they end in follows from the record."""
    job_id = left_with_companions(make_lab, double)
    again = make_lab().job(job_id)
    fidelity = again.result(60).fidelity
    assert "job.taken_over" in events(again)
    assert "mirror" in fidelity.method
    assert fidelity.value is not None
    assert fidelity.value > 0.9


def test_companions_of_another_version_are_not_read(
    make_lab: Callable[..., Lab], double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read by today's rules they would give a wrong figure: the counts are whole, and the reason is said."""
    job_id = left_with_companions(make_lab, double)
    monkeypatch.setattr(companions, "GENERATOR", 0)
    result = make_lab().job(job_id).result(60)
    assert result.counts == {"01 1": 50}
    assert result.fidelity.value is None
    assert result.fidelity.reason == OTHER_VERSION
