"""Pulling the plug anywhere leaves nothing open, nothing held and a chain that verifies."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from qpm_lab.lab import Lab
from tests.runner import victims

SOAK = bool(os.environ.get("QPM_SOAK"))
KILLS_AT_EACH = 20 if SOAK else 2
RANDOM_KILLS = 500 if SOAK else 12
BOUNDARIES = (
    "before-reserve",
    "after-reserve",
    "before-run",
    "after-submit",
    "after-run",
    "before-outcome",
    "after-outcome",
)


def assert_nothing_left(home: Path) -> None:
    lab = Lab(home)
    try:
        assert lab.ledger.open_jobs() == []
        assert lab.ledger.open_sessions() == []
        held = [c for c in lab.ledger.all_counters(at=_now()) if c.reserved]
        assert held == []
        report = lab.ledger.verify()
        assert report.ok, report.problems
    finally:
        lab.close()


def assert_verdicts_with_results(home: Path) -> None:
    lab = Lab(home)
    try:
        rows = lab.page()["jobs"]
        validated = [row for row in rows if lab.ledger.entries(row["job_id"])[0].payload.get("conditions")]
        assert all((row["validation"] == "passed") == (row["status"] == "completed") for row in validated)
    finally:
        lab.close()


def _now():
    from qpm_lab.runner import clock

    return clock.now()


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_kill_at_an_effect_boundary_is_cleaned_up_by_the_next_start(home: Path, boundary: str) -> None:
    """Whatever the boundary, the next start closes the job, releases its holds, and the chain verifies.

    Half of the jobs are run as variants and validated: the verdict is there if and only if the result is.
    """
    context = victims.fork_server()
    for turn in range(KILLS_AT_EACH):
        options = {"twirl": "readout", "validate": "p(10)>=0.1"} if turn % 2 else {}
        process = context.Process(target=victims.die_at, args=(home, boundary), kwargs=options)
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        assert_nothing_left(home)
    assert_verdicts_with_results(home)


def test_a_kill_at_a_random_moment_is_cleaned_up_by_the_next_start(home: Path) -> None:
    """Jobs are submitted without pause, half of the time in a session, and the process is killed at random moments."""
    context, chance = victims.fork_server(), random.Random(20261122)
    home.mkdir(parents=True)
    for turn in range(RANDOM_KILLS):
        backend = "aer/noisy" if turn % 3 == 0 else "aer/simulator"
        in_session = {"in_session": turn % 2 == 1}
        process = context.Process(target=victims.work_until_killed, args=(home, backend), kwargs=in_session)
        process.start()
        while not (home / f"ready-{process.pid}").exists() and process.is_alive():
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        assert_nothing_left(home)


def test_a_second_start_leaves_the_job_of_a_living_process_alone(home: Path) -> None:
    """Only a job whose owner is gone is closed; one that is being simulated completes as if alone."""
    context = victims.fork_server()
    running, go_on = context.Event(), context.Event()
    process = context.Process(target=victims.hold_a_job, args=(home, running, go_on))
    process.start()
    assert running.wait(60)
    second = Lab(home)
    assert second.recovered == []
    assert [row.status for row in second.ledger.open_jobs()] == ["running"]
    go_on.set()
    process.join(60)
    assert [row["status"] for row in second.page()["jobs"]] == ["completed"]
    second.close()


def test_eight_processes_racing_for_one_quota_get_exactly_the_limit(home: Path, bundle_with) -> None:
    """Granted is the limit, not one more and not one less, and nothing stays reserved."""
    limit, tries = 20, 10
    policies = bundle_with([{"id": "few", "measure": "jobs", "scope": "user", "window": "month", "limit": limit}])
    context = victims.fork_server()
    start, granted = context.Event(), context.Queue()
    racers = [context.Process(target=victims.race, args=(home, policies, tries, start, granted)) for _ in range(8)]
    for racer in racers:
        racer.start()
    start.set()
    counts = [granted.get(timeout=120) for _ in racers]
    for racer in racers:
        racer.join(60)
    assert sum(counts) == limit
    assert_nothing_left(home)
