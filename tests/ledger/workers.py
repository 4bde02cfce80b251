"""What the child processes of the race tests do; each opens the ledger by itself."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qpm_lab.ledger import Ending, Entry, Ledger
from tests.ledger.making import hold, new_job, new_session, owner

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.ledger.workers"])
PROCESSES = 8


def together(action: Callable[..., None], *arguments: Any, count: int = PROCESSES) -> list[Any]:
    """Runs an action in several processes that begin at the same moment; returns what each put out."""
    barrier, answers = CONTEXT.Barrier(count), CONTEXT.Queue()
    children = [CONTEXT.Process(target=action, args=(number, barrier, answers, *arguments)) for number in range(count)]
    for child in children:
        child.start()
    told = [answers.get(timeout=120) for _ in children]
    for child in children:
        child.join()
    return told


def race_for_quota(
    number: int, barrier: Any, answers: Any, home: Path, url: str | None, amount: int, limit: int
) -> None:
    """Asks for the quota until it is gone, finishing every third job; says what was granted and settled, and which
    of its jobs it could not finish.
    """
    ledger = Ledger.open(home, url)
    granted = settled = 0
    unfinished: list[str] = []
    barrier.wait()
    for turn in range(15):
        job = new_job(f"P{number}T{turn:04d}")
        entry = ledger.submit(job, {}, [hold("race", amount, limit)], owner(), started=True)
        if isinstance(entry, Entry):
            granted += amount
            if turn % 3 == 0:
                if ledger.finish(job.job_id, 1, "job.completed", {}, settled={"race": amount}) is None:
                    unfinished.append(job.job_id)
                settled += amount
    ledger.close()
    answers.put((granted, settled, unfinished))


def race_for_envelope(
    number: int, barrier: Any, answers: Any, home: Path, url: str | None, session_id: str, amount: int, limit: int
) -> None:
    """Asks for an envelope and its quota until both are gone; says what was drawn, what taken and what settled."""
    ledger = Ledger.open(home, url)
    told = {"drawn": 0, "taken": 0, "settled": 0}
    barrier.wait()
    for turn in range(10):
        job, holds = new_job(f"P{number}T{turn:04d}", session_id=session_id), [hold("race", amount, limit)]
        if turn % 2:
            ending = Ending("job.completed", {}, {"race": amount})
            entry = ledger.submit_ended(job, {}, holds, owner(), ending)
        else:
            entry = ledger.submit(job, {}, holds, owner(), started=True)
        if isinstance(entry, Entry):
            drawn = "drawn" in ledger.entries(job.job_id)[0].payload["holds"][0]
            told["drawn" if drawn else "taken"] += amount
            told["settled"] += amount if turn % 2 else 0
    ledger.close()
    answers.put(told)


def append_notes(number: int, barrier: Any, answers: Any, home: Path, url: str | None, count: int) -> None:
    """Appends as fast as it can; says how many appends failed, and with what."""
    ledger = Ledger.open(home, url)
    failures = []
    barrier.wait()
    for turn in range(count):
        try:
            ledger.note("some.event", {"process": number, "turn": turn})
        except Exception as error:
            failures.append(repr(error))
    ledger.close()
    answers.put(failures)


def tell_head(number: int, barrier: Any, answers: Any, home: Path, url: str | None) -> None:
    """Says where the chain ends for a process that has just opened it."""
    ledger = Ledger.open(home, url)
    barrier.wait()
    answers.put(ledger.head())
    ledger.close()


def take_over(number: int, barrier: Any, answers: Any, home: Path, url: str | None, job_id: str) -> None:
    """Tries to become the owner of a job; says which epoch it got."""
    ledger = Ledger.open(home, url)
    barrier.wait()
    answers.put(ledger.take_over(job_id, 1, owner(f"owner-{number}")))
    ledger.close()


def open_first(number: int, barrier: Any, answers: Any, home: Path, url: str | None) -> None:
    """Opens a ledger that may not exist yet and writes to it; says what went wrong."""
    barrier.wait()
    try:
        ledger = Ledger.open(home, url)
        ledger.note("some.event", {"process": number})
        ledger.close()
        answers.put(None)
    except Exception as error:
        answers.put(repr(error))


def write_until_killed(jobs: Any, home: Path, round_number: int) -> None:
    """Submits, retries and finishes jobs, half of them in a session, counted in `jobs`, until the plug is pulled."""
    ledger = Ledger.open(home)
    session = new_session(f"S{round_number:04d}")
    ledger.open_session(session, {}, [hold("race", 10**6, 10**9)], owner())
    turn = 0
    while True:
        jobs.value = turn
        turn += 1
        job = new_job(f"R{round_number:04d}T{turn:06d}", session_id=session.session_id if turn % 2 else None)
        holds, settled = [hold("race", 1, 10**9), hold("more", 2, 10**9)], {"race": 1, "more": 0}
        if turn % 5 == 0:
            ledger.submit_ended(job, {"turn": turn}, holds, owner(), Ending("job.completed", {}, settled))
            continue
        ledger.submit(job, {"turn": turn}, holds, owner(), started=True)
        if turn % 4 == 0:
            ledger.retry(job.job_id, 1, {}, [hold("race", 3, 10**9)])
        elif turn % 4 != 3:
            ledger.finish(job.job_id, 1, "job.completed", {}, settled=settled)
