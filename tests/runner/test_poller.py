"""Steps of jobs at several vendors, of which one hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from qpm_lab.runner.poller import MOST_EACH, THREADS, Poller
from qpm_lab.runner.workers import Workers
from tests.runner.vendors.conftest import until

WAIT_SECONDS = 30


class Hanging:
    """A provider whose calls come back when they are let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.most = 0
        self._busy = 0
        self._guard = threading.Lock()

    def step(self) -> None:
        with self._guard:
            self._busy += 1
            self.most = max(self.most, self._busy)
        self.begun.release()
        self.let_go.wait(WAIT_SECONDS)
        with self._guard:
            self._busy -= 1


@pytest.fixture
def poller() -> Iterator[Poller]:
    workers = Workers(THREADS)
    made = Poller(workers)
    yield made
    made.close()
    workers.close(5)


def test_a_vendor_that_hangs_does_not_hold_up_another(poller: Poller) -> None:
    """Many jobs at one that does not answer; the job at the other ends meanwhile."""
    hanging, ended = Hanging(), threading.Event()
    for number in range(40):
        poller.watch(f"slow-{number}", hanging.step, provider="slow")
    for _ in range(MOST_EACH):
        assert hanging.begun.acquire(timeout=WAIT_SECONDS)
    poller.watch("quick", ended.set, provider="quick")
    assert ended.wait(WAIT_SECONDS)
    assert not hanging.let_go.is_set()
    hanging.let_go.set()


def test_all_of_them_are_asked_after_once_it_answers_again(poller: Poller) -> None:
    """None is forgotten, and never more than a few at a time."""
    hanging = Hanging()
    for number in range(10):
        poller.watch(f"job-{number}", hanging.step, provider="slow")
    for _ in range(MOST_EACH):
        assert hanging.begun.acquire(timeout=WAIT_SECONDS)
    hanging.let_go.set()
    for _ in range(10 - MOST_EACH):
        assert hanging.begun.acquire(timeout=WAIT_SECONDS)
    assert hanging.most <= MOST_EACH


def test_one_that_waits_for_its_vendor_is_still_watched_and_watched_once(poller: Poller) -> None:
    """A cancel finds it, and who asks for it again does not have it asked after twice."""
    hanging, counted = Hanging(), threading.Semaphore(0)
    for number in range(MOST_EACH):
        poller.watch(f"job-{number}", hanging.step, provider="slow")
    for _ in range(MOST_EACH):
        assert hanging.begun.acquire(timeout=WAIT_SECONDS)

    def step() -> None:
        counted.release()

    poller.watch("late", step, provider="slow")
    poller.watch("late", step, provider="slow")
    poller.hurry("late")
    assert poller.watches("late")
    hanging.let_go.set()
    assert counted.acquire(timeout=WAIT_SECONDS)
    until(lambda: not poller.watches("late"))
    assert not counted.acquire(blocking=False)


def test_no_thread_for_now_is_no_end_of_it(poller: Poller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that can start none at the moment starts one later."""
    run, refused, ended = Workers.run, threading.Event(), threading.Event()

    def full_once(workers: Workers, work: Callable[[], None]) -> None:
        if not refused.is_set():
            refused.set()
            raise RuntimeError("can't start new thread")
        run(workers, work)

    monkeypatch.setattr(Workers, "run", full_once)
    poller.watch("job", ended.set)
    assert refused.wait(WAIT_SECONDS)
    assert ended.wait(WAIT_SECONDS)
