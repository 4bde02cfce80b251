"""A session's envelope is reserved once, drawn down by its jobs, never exceeded, and released when it ends."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from qpm_lab import Lab, QuotaError
from qpm_lab.errors import InputError, LedgerError, ProviderError
from qpm_lab.runner import clock
from tests.runner import victims
from tests.runner.scripted import GOOD, Held, ended
from tests.runner.victims import ghz

SHOTS = {"id": "shots-a-day", "measure": "shots", "scope": "org", "window": "day", "limit": 1000}


def line(lab: Lab, quota: str) -> dict[str, Any]:
    (found,) = [line for line in lab.budgets() if line["quota"] == quota]
    return found


def nothing_held(lab: Lab) -> bool:
    return not [c for c in lab.ledger.all_counters(at=clock.now()) if c.reserved] and lab.ledger.verify().ok


def test_the_envelope_is_reserved_once_and_released_at_the_end(
    home: Path, bundle_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others cannot take what a session has reserved; what it did not use is theirs afterwards."""
    lab = Lab(home, bundle_with([SHOTS]))
    monkeypatch.setenv("LOGNAME", "bob")
    other = Lab(home, bundle_with([SHOTS]))
    with lab.session(max_shots=900):
        assert line(other, "shots-a-day")["reserved"] == "900"
        with pytest.raises(QuotaError):
            other.submit(ghz(), shots=101)
        lab.submit(ghz(), shots=300).result()
        assert (line(lab, "shots-a-day")["used"], line(lab, "shots-a-day")["reserved"]) == ("300", "600")
    assert (line(lab, "shots-a-day")["used"], line(lab, "shots-a-day")["reserved"]) == ("300", "0")
    assert nothing_held(lab)


def test_the_step_that_would_exceed_the_envelope_is_refused_before_it_runs(lab: Lab, scripted: Any) -> None:
    """The provider never sees it, and the refusal says how far the loop got."""
    provider = scripted(ended(GOOD), ended(GOOD))
    with lab.session(max_shots=250, name="loop") as session:
        for _ in range(2):
            lab.submit(ghz(), shots=100).result()
        with pytest.raises(QuotaError, match=r"'loop' has 250 shots; 200 are used.* completed 2 jobs\.") as caught:
            lab.submit(ghz(), shots=100)
    assert len(provider.tasks) == 2
    assert caught.value.exit_code == 4
    assert session.record()["jobs"] == {"completed": 2, "failed": 0, "cancelled": 0, "denied": 1}
    assert nothing_held(lab)


@pytest.mark.parametrize("limit", [{"max_jobs": 3}, {"max_shots": 30}])
def test_a_loop_of_quick_jobs_stops_exactly_at_its_limit(lab: Lab, limit: dict[str, int]) -> None:
    """Three steps of ten shots fit, the fourth does not."""
    with lab.session(**limit):
        for _ in range(3):
            assert sum(lab.submit(ghz(), shots=10).result().counts.values()) == 10
        with pytest.raises(QuotaError):
            lab.submit(ghz(), shots=10)
    assert lab.submit(ghz(), shots=10).result().shots == 10
    assert nothing_held(lab)


def test_threads_of_one_session_never_get_more_than_its_limit(lab: Lab) -> None:
    """Forty submissions race for twenty-five jobs."""
    granted: list[int] = []

    def work() -> None:
        for _ in range(10):
            try:
                lab.submit(ghz(), shots=1).result()
                granted.append(1)
            except QuotaError:
                pass

    with lab.session(max_jobs=25):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(granted) == 25
    assert nothing_held(lab)


def test_an_envelope_that_does_not_fit_is_refused_and_holds_nothing(home: Path, bundle_with: Any) -> None:
    """The refusal has the figures of the quota that is too small."""
    lab = Lab(home, bundle_with([SHOTS]))
    with pytest.raises(QuotaError, match="1,001") as caught:
        lab.session(max_shots=1001)
    assert caught.value.decision.reasons[0].details["left"] == "1000"
    assert lab.current_session is None
    assert nothing_held(lab)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, "at least one limit"),
        ({"max_jobs": 0}, "max_jobs"),
        ({"max_jobs": 2.5}, "max_jobs"),
        ({"max_shots": -1}, "max_shots"),
        ({"max_cost": "much"}, "not an amount"),
        ({"max_cost": "-1"}, "negative"),
        ({"max_jobs": 1, "backend": "nobody/nothing"}, "no backend"),
        ({"max_jobs": 1, "name": "\0"}, "printable"),
    ],
)
def test_limits_that_cannot_be_are_named(lab: Lab, limits: dict[str, Any], said: str) -> None:
    """Nothing is opened."""
    with pytest.raises(InputError, match=said):
        lab.session(**limits)
    assert lab.ledger.open_sessions() == []


def test_only_one_session_is_open_at_a_time(lab: Lab) -> None:
    """The second one says so; after the first is closed it opens."""
    with lab.session(max_jobs=1, name="first"), pytest.raises(InputError, match="'first' is open already"):
        lab.session(max_jobs=1)
    lab.session(max_jobs=1).close()


def test_every_lab_of_the_process_draws_from_the_session(lab: Lab) -> None:
    """A device or a magic may have a Lab of its own; the loop is limited all the same, and it can be closed there."""
    another = Lab(lab.home)
    session = lab.session(max_jobs=1)
    another.submit(ghz(), shots=1).result()
    with pytest.raises(QuotaError):
        another.submit(ghz(), shots=1)
    assert session.record()["jobs"]["completed"] == 1
    found = another.current_session
    assert found is not None
    found.close()
    assert lab.current_session is None
    another.close()


def test_a_session_that_ended_is_not_entered_again(lab: Lab) -> None:
    """A cell that is run twice says so, instead of running its loop without an envelope."""
    with lab.session(max_jobs=1) as session:
        pass
    with pytest.raises(InputError, match="has ended"), session:
        pass


def test_the_jobs_of_a_session_are_found_by_its_name(lab: Lab) -> None:
    """The latest session of that name; an unknown one is named."""
    for shots in (1, 2):
        with lab.session(max_jobs=1, name="scan"):
            lab.submit(ghz(), shots=shots).result()
    lab.submit(ghz(), shots=3).result()
    assert [row["shots"] for row in lab.page(session="scan")["jobs"]] == [2]
    with pytest.raises(InputError, match="no session 'scam'"):
        lab.page(session="scam")


def test_a_session_that_ended_takes_no_more_jobs(lab: Lab) -> None:
    """Its own submit refuses; closing twice changes nothing."""
    session = lab.session(max_jobs=1)
    session.close()
    session.close()
    with pytest.raises(InputError, match="has ended"):
        session.submit(ghz())


def test_jobs_take_over_what_the_session_says_and_may_say_otherwise(lab: Lab) -> None:
    """Labels of the session hold where the job names none; its fidelity is computed only when asked for."""
    with lab.session(max_jobs=2, experiment="vqe", project="p", name="s"):
        plain = lab.submit(ghz(), shots=50)
        own = lab.submit(ghz(), shots=50, experiment="other", fidelity="auto")
    labels = plain.record()["labels"]
    assert (labels["experiment"], labels["project"], labels["session"]) == ("vqe", "p", "s")
    assert plain.record()["fidelity"]["reason"] == "not asked for"
    assert own.record()["labels"]["experiment"] == "other"
    assert own.record()["fidelity"]["reason"] == "ideal simulator, sampling noise only"


def test_a_failed_step_gives_its_shots_back_and_counts_as_a_job(lab: Lab, scripted: Any) -> None:
    """So that throttling sees failing loops, and the envelope is not eaten by them."""
    scripted(ended(ProviderError("Down.")), ended(GOOD))
    with lab.session(max_jobs=2, max_shots=100):
        assert lab.submit(ghz(), shots=100).wait(30)
        lab.submit(ghz(), shots=100).result()
        with pytest.raises(QuotaError, match="2 jobs"):
            lab.submit(ghz(), shots=1)
    assert nothing_held(lab)


def test_a_session_may_end_before_its_jobs(lab: Lab, scripted: Any) -> None:
    """What a running job drew stays with it and is settled when it ends."""
    run = Held(GOOD)
    scripted(run)
    with lab.session(max_shots=500):
        job = lab.submit(ghz(), shots=100)
    run.released.set()
    assert sum(job.result(30).counts.values()) == 100
    assert nothing_held(lab)


def test_the_rules_are_asked_once_for_the_same_facts(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten equal steps are one decision; other shots are another."""
    bundle, asked = lab.rules.bundle(), []
    decide = type(bundle).decide
    monkeypatch.setattr(type(bundle), "decide", lambda *a, **k: (asked.append(1), decide(*a, **k))[1])
    with lab.session(max_jobs=30):
        for _ in range(10):
            lab.submit(ghz(), shots=10).result()
        assert len(asked) == 1
        lab.submit(ghz(), shots=11).result()
    assert len(asked) == 2


def test_a_rule_that_changes_holds_for_the_next_step(home: Path, bundle_with: Any) -> None:
    """A verdict is kept only as long as the bundle is the same."""
    folder = bundle_with([])
    lab = Lab(home, folder)
    with lab.session(max_jobs=5):
        lab.submit(ghz(), shots=100).result()
        bundle_with([{"id": "tiny", "measure": "shots", "scope": "user", "window": "job", "limit": 10}])
        with pytest.raises(QuotaError, match="10 shots"):
            lab.submit(ghz(), shots=100)
    lab.close()


def test_closing_the_lab_closes_its_session(home: Path) -> None:
    """A kernel that ends leaves no envelope reserved."""
    lab = Lab(home)
    session = lab.session(max_jobs=5)
    lab.close()
    after = Lab(home)
    assert not after.ledger.session(session.id).open
    assert nothing_held(after)


@pytest.mark.parametrize("boundary", ["before-run", "after-run", "before-outcome", "after-outcome", "between"])
def test_a_killed_process_leaves_no_envelope_and_loses_no_result(home: Path, boundary: str) -> None:
    """Each result that was handed out is in the ledger; the envelope is released by the next start."""
    context = victims.fork_server()
    told = context.SimpleQueue()
    process = context.Process(target=victims.die_in_a_session, args=(home, boundary, told))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    lab = Lab(home)
    assert lab.ledger.open_sessions() == []
    assert lab.ledger.open_jobs() == []
    while not told.empty():
        job, counts = told.get()
        assert lab.job(job).result().counts == counts
    assert nothing_held(lab)


def test_a_living_session_is_left_alone_by_others(lab: Lab) -> None:
    """Another process that starts does not close it."""
    with lab.session(max_jobs=2) as session:
        other = Lab(lab.home)
        assert other.ledger.session(session.id).open
        lab.submit(ghz(), shots=1).result()


def test_a_quota_beside_the_envelope_is_asked_before_the_step_runs(
    home: Path, bundle_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that goes on after a refusal computes nothing."""
    lab = Lab(home, bundle_with([{"id": "few", "measure": "jobs", "scope": "user", "window": "day", "limit": 3}]))
    ran: list[str] = []
    lab.runner.boundary = ran.append
    refused = 0
    with lab.session(max_shots=1000):
        for _ in range(6):
            try:
                lab.submit(ghz(), shots=10).result()
            except QuotaError:
                refused += 1
    assert (ran.count("before-run"), refused) == (3, 3)
    lab.close()


def test_a_step_that_cannot_be_recorded_is_no_job(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its error is told, no job is handed out, and the envelope is whole again."""
    with lab.session(max_jobs=1):
        broken = LedgerError("The disk is full.")
        monkeypatch.setattr(lab.ledger, "submit_ended", lambda *a, **k: (_ for _ in ()).throw(broken))
        with pytest.raises(LedgerError, match="The disk is full"):
            lab.submit(ghz(), shots=1)
        monkeypatch.undo()
        lab.submit(ghz(), shots=1).result()
    assert nothing_held(lab)


def test_what_goes_wrong_at_submission_is_told_as_it_is(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleaning up after it hides nothing."""
    broken = LedgerError("The ledger is locked.")
    monkeypatch.setattr(lab.ledger, "submit", lambda *a, **k: (_ for _ in ()).throw(broken))
    with pytest.raises(LedgerError, match="is locked"):
        lab.submit(ghz(), shots=1)
    assert not lab.runner.live


def test_closing_waits_for_the_step_that_runs(lab: Lab) -> None:
    """Its result is recorded in the session; no step begins meanwhile."""
    began, go_on = threading.Event(), threading.Event()

    def hold(name: str) -> None:
        if name == "before-run":
            began.set()
            go_on.wait(30)

    lab.runner.boundary = hold
    session = lab.session(max_jobs=5)
    jobs: list[Any] = []
    step = threading.Thread(target=lambda: jobs.append(lab.submit(ghz(), shots=10)))
    step.start()
    assert began.wait(30)
    closing = threading.Thread(target=session.close)
    closing.start()
    go_on.set()
    step.join(30)
    closing.join(30)
    assert jobs[0].status == "completed"
    assert session.record()["jobs"]["completed"] == 1
    assert nothing_held(lab)


def test_a_forked_child_leaves_the_session_of_its_parent_open(lab: Lab) -> None:
    """Whatever the child does with the object it inherited."""
    session = lab.session(max_jobs=2)
    child = os.fork()
    if child == 0:
        session.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert lab.ledger.session(session.id).open
    lab.submit(ghz(), shots=1).result()
    session.close()


def test_another_spelling_of_the_home_is_the_same_session(lab: Lab) -> None:
    """A path through a symbolic link leads to the same ledger."""
    link = lab.home.parent / "link"
    link.symlink_to(lab.home)
    other = Lab(link)
    with lab.session(max_jobs=1):
        other.submit(ghz(), shots=1).result()
        with pytest.raises(QuotaError):
            other.submit(ghz(), shots=1)
    other.close()
