"""Several processes and threads at once, and processes that are killed: nothing is lost, nothing overspent."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import pytest

from qpm_lab.errors import LedgerError
from qpm_lab.ledger import Entry, Ledger
from tests.ledger import workers
from tests.ledger.making import hold, new_job, new_session, owner


@pytest.mark.parametrize(("amount", "limit"), [(1, 100), (7, 100), (10**15, 10**17)])
def test_eight_processes_never_overspend_one_quota(home: Path, amount: int, limit: int) -> None:
    """What was granted is as much as fits and no more, and the counter holds exactly what was granted."""
    race(home, None, amount, limit)


def test_eight_processes_never_overspend_on_postgres(home: Path, postgres_url: str) -> None:
    """The same on PostgreSQL, where the head row makes the queue."""
    race(home, postgres_url, 7, 100)


def race(home: Path, url: str | None, amount: int, limit: int) -> None:
    told = workers.together(workers.race_for_quota, home, url, amount, limit)
    granted, settled = sum(g for g, _, _ in told), sum(s for _, s, _ in told)
    ledger = Ledger.open(home, url)
    assert [(each, ledger.entries(each)) for _, _, names in told for each in names] == []
    assert ledger.verify().problems == ()
    counter = ledger.counters(["race"])["race"]
    assert granted == limit // amount * amount
    assert (counter.settled, counter.reserved) == (settled, granted - settled)
    assert len(ledger.open_jobs()) * amount == counter.reserved
    ledger.close()


def test_eight_processes_never_overspend_an_envelope(home: Path, url: str | None) -> None:
    """Together they draw what fits the envelope and take what fits beside it, and not one more."""
    ledger = Ledger.open(home, url)
    ledger.open_session(new_session("S"), {}, [hold("race", 60)], owner())
    told = workers.together(workers.race_for_envelope, home, url, "S", 7, 100)
    drawn, taken, settled = (sum(t[name] for t in told) for name in ("drawn", "taken", "settled"))
    assert (drawn, taken) == (60 // 7 * 7, 40 // 7 * 7)
    assert ledger.held("S") == {"race": 60 - drawn}
    counter = ledger.counters(["race"])["race"]
    assert (counter.settled, counter.reserved) == (settled, 60 + taken - settled)
    assert ledger.verify().ok
    ledger.close_session("S", {})
    assert ledger.counters(["race"])["race"].reserved == drawn + taken - settled
    assert ledger.verify().ok
    ledger.close()


def test_a_session_closed_under_its_jobs_leaves_only_theirs(both: Ledger) -> None:
    """While threads draw and finish, another closes the session: they are told, and nothing leaks."""
    both.open_session(new_session("S"), {}, [hold("race", 10**6, 10**6)], owner())
    drawing, told = threading.Semaphore(0), []

    def draw(number: int) -> None:
        for turn in range(10**6):
            job = new_job(f"T{number}N{turn:06d}", session_id="S")
            try:
                both.submit(job, {}, [hold("race", 3, 10**6)], owner(), started=True)
            except LedgerError as error:
                told.append(error.message)
                return
            drawing.release()
            if turn % 2:
                both.finish(job.job_id, 1, "job.completed", {}, settled={"race": 2})

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        drawing.acquire()
    assert both.close_session("S", {}) is not None
    for thread in threads:
        thread.join()
    assert ["has ended" in message for message in told] == [True] * 4
    assert both.held("S") == {}
    assert both.counters(["race"])["race"].reserved == 3 * len(both.open_jobs())
    assert both.verify().ok


def test_eight_processes_append_without_one_failure(both: Ledger, url: str | None) -> None:
    """No writer ever meets a locked database, and every entry is in the chain."""
    count = 100 if url is None else 25
    told = workers.together(workers.append_notes, both.home, url, count)
    assert told == [[]] * workers.PROCESSES
    assert both.head()[0] == 1 + count * workers.PROCESSES
    assert both.verify().ok


def test_threads_share_a_ledger(both: Ledger) -> None:
    """Threads of one process are queued like processes are."""
    failures: list[BaseException] = []

    def append() -> None:
        try:
            for turn in range(25):
                both.note("some.event", {"turn": turn})
                both.jobs()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=append) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert both.head()[0] == 201
    assert both.verify().ok


def test_one_of_two_processes_takes_a_job_over(both: Ledger, url: str | None) -> None:
    """Exactly one gets the new epoch, and the row names that one."""
    for turn in range(3):
        job = new_job(f"TAKEN{turn}")
        both.submit(job, {}, [], owner())
        told = workers.together(workers.take_over, both.home, url, job.job_id, count=2)
        assert sorted(told, key=str) == [2, None]
        assert both.job(job.job_id).epoch == 2


def test_eight_processes_create_one_ledger(home: Path, url: str | None) -> None:
    """First creation, migration and key making happen once, whoever comes first."""
    assert workers.together(workers.open_first, home, url) == [None] * workers.PROCESSES
    ledger = Ledger.open(home, url)
    assert ledger.entry(1).event == "ledger.created"
    assert ledger.head()[0] == 1 + workers.PROCESSES
    assert ledger.verify(ledger.checkpoint()).ok
    ledger.close()


def test_a_killed_writer_leaves_a_whole_ledger(home: Path) -> None:
    """After kill -9 at a random moment, forty times: the chain verifies and all sums agree."""
    chance = random.Random(7)
    Ledger.open(home).close()
    for turn in range(40):
        jobs, enough = workers.CONTEXT.RawValue("i", 0), chance.randint(3, 30)
        child = workers.CONTEXT.Process(target=workers.write_until_killed, args=(jobs, home, turn))
        child.start()
        # Killed by progress, not by the clock: on a slow machine too it is in the middle of its writes.
        while jobs.value < enough and child.is_alive():
            time.sleep(0.0005)
        assert child.is_alive()
        time.sleep(chance.uniform(0, 0.002))
        child.kill()
        child.join()
        ledger = Ledger.open(home)
        for row in ledger.open_sessions():
            assert row.session_id == f"S{turn:04d}"
            ledger.close_session(row.session_id, {})
        held = sum(h.reserved for h in ledger.counters(["race"]).values())
        attempts = [ledger.job(row.job_id).attempt for row in ledger.open_jobs()]
        assert held == sum(3 if attempt == 2 else 1 for attempt in attempts)
        if turn % 8 == 7:
            assert ledger.verify().problems == ()
        ledger.close()
    assert ledger.verify().entries > 40 * 3 * 2


def test_a_killed_creator_leaves_a_home_that_opens(tmp_path: Path) -> None:
    """Killed anywhere in the first creation, the next start makes a whole ledger."""
    chance = random.Random(11)
    for turn in range(15):
        folder = tmp_path / f"home{turn}"
        jobs = workers.CONTEXT.RawValue("i", 0)
        child = workers.CONTEXT.Process(target=workers.write_until_killed, args=(jobs, folder, turn))
        child.start()
        time.sleep(chance.uniform(0, 0.25))
        child.kill()
        child.join()
        ledger = Ledger.open(folder)
        assert ledger.entry(1).event == "ledger.created"
        assert ledger.verify(ledger.checkpoint()).ok
        ledger.close()


def test_a_forked_child_opens_connections_of_its_own(both: Ledger) -> None:
    """Parent and child both go on using the ledger after a fork, while other threads write."""
    both.note("some.event", {})
    stop = threading.Event()

    def append() -> None:
        while not stop.is_set():
            both.note("from.thread", {})

    thread = threading.Thread(target=append)
    thread.start()
    statuses = []
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                try:
                    both.note("from.child", {})
                    os._exit(0 if isinstance(both.entry(1), Entry) else 1)
                finally:
                    os._exit(2)
            statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            both.note("from.parent", {})
    finally:
        stop.set()
        thread.join()
    assert statuses == [0] * 10
    report = both.verify()
    assert report.problems == ()
    events = [e.event for e in both.tail(0, 1000)]
    assert events.count("from.child") == events.count("from.parent") == 10


def test_a_waiting_writer_gets_its_turn(ledger: Ledger) -> None:
    """A writer that comes while another holds the ledger waits, then writes what no longer fits as a shortage."""
    told: list[object] = []
    with ledger._database.write() as connection:
        waiting = threading.Thread(target=lambda: told.append(ledger.submit(new_job(), {}, [hold()], owner())))
        waiting.start()
        connection.exec_driver_sql("SELECT 1")
        assert told == []
    waiting.join()
    assert isinstance(told[0], Entry)
