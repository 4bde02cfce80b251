"""A course as one run: its tasks are handed to the backend one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from qpm_lab.errors import CancelledError
from qpm_lab.providers.interface import Progress, Provider, Running, RunResult, Task
from qpm_lab.runner.course import Gathered, Histogram
from qpm_lab.runner.extras import Built, Extras
from qpm_lab.runner.outcome import validate


class Interleaved:
    """A run of several tasks; cancelling it stops the one under way and begins no other.

    The circuits are made in a thread of their own, since thousands of them may take seconds.

    Args:
        extras: What is run.
        task: The job's own, whose backend, seed and token all of them have.
        provider: Who runs them.
    """

    vendor_id: str | None = None

    def __init__(self, extras: Extras, task: Task, provider: Provider) -> None:
        self._task = task
        self._provider = provider
        self._built: Built | Exception | None = None
        self._ready = threading.Event()
        self._tasks: list[Task] = []
        self._results: list[RunResult] = []
        self._running: Running | None = None
        self._cancelled = False
        threading.Thread(target=self._build, args=(extras,), name="qpm-companions", daemon=True).start()

    def _build(self, extras: Extras) -> None:
        try:
            self._built = extras.build(self._provider)
        except Exception as error:
            self._built = error  # raised where the run is waited for
        finally:
            self._ready.set()

    @property
    def built(self) -> Built:
        """What is run, once it is made.

        Raises:
            QpmError: it could not be made.
        """
        if isinstance(self._built, Built):
            return self._built
        raise self._built or CancelledError("The job was cancelled before its circuits were made.", "Submit it again.")

    def progress(self) -> Progress:
        """In shots over all tasks."""
        if self._running is None:
            return Progress(0, 0, "shots", "making the circuits")
        total = sum(_shots(each) for each in self._tasks)
        done = sum(_shots(task) for task in self._tasks[: len(self._results)])
        now = self._running.progress()
        if len(self._results) < len(self._tasks) and now.unit == "shots" and now.total:
            done += min(now.done, _shots(self._tasks[len(self._results)]))
        return Progress(done, total, "shots", now.message if done < total else "done")

    def wait(self, timeout_seconds: float) -> bool:
        until = time.monotonic() + timeout_seconds
        if not self._ready.wait(timeout_seconds):
            return False
        running = self._running or self._first()
        while running.wait(max(0.0, until - time.monotonic())):
            if not self._take(running):
                return True
            if time.monotonic() >= until:
                return False
            running = self._running or running
        return False

    def _first(self) -> Running:
        self._tasks = [each for each, _ in self.built.course.tasks(self._task)]
        self._running = self._provider.submit(self._tasks[0])
        return self._running

    def _take(self, running: Running) -> bool:
        """Takes the result of the task that has ended and begins the next; False when there is none."""
        place = len(self._results)
        if place == len(self._tasks):
            return False
        result = running.result()
        validate(result, self._tasks[place])
        self._results.append(result)
        if place + 1 == len(self._tasks) or self._cancelled:
            return False
        self._running = self._provider.submit(self._tasks[place + 1])
        return True

    def finished(self) -> Sequence[Histogram]:
        return ()

    def gathered(self) -> Gathered:
        """All histograms of a finished run, as what they are."""
        return self.built.course.gathered([counts for result in self._results for counts in result.counts])

    def result(self) -> RunResult:
        """The histograms of the user's circuits, and what everything took."""
        if self._running is None or len(self._results) < len(self._tasks):
            (self._running or self._first()).result()  # raises what ended it
        results = self._results
        return RunResult(
            self.gathered().own,
            run_seconds=sum(each.run_seconds for each in results),
            queue_seconds=sum(each.queue_seconds for each in results),
            cpu_seconds=sum(each.cpu_seconds for each in results),
            peak_memory_bytes=max(each.peak_memory_bytes for each in results),
            billed=_billed(results),
            details={**results[0].details, "tasks": len(results)},
        )

    def cancel(self) -> None:
        self._cancelled = True
        if self._running is not None:
            self._running.cancel()


def _shots(task: Task) -> int:
    return task.shots * task.executions


def _billed(results: Sequence[RunResult]) -> tuple[str, int] | None:
    """What all tasks together cost; None unless the vendor said it of each, in one currency."""
    billed = [each.billed for each in results]
    known = [each for each in billed if each is not None]
    if len(known) < len(billed) or len({currency for currency, _ in known}) != 1:
        return None
    return known[0][0], sum(amount for _, amount in known)
