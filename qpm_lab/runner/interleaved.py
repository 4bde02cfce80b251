"""A course as one run: its tasks are handed to the backend one after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence

from qpm_lab.providers.interface import Progress, Provider, Running, RunResult, Task
from qpm_lab.runner.course import Course, Gathered, Histogram
from qpm_lab.runner.outcome import validate


class Interleaved:
    """A run of several tasks; cancelling it stops the one under way and begins no other.

    Args:
        course: What is run.
        task: The job's own, whose backend, seed and token all of them have.
        provider: Who runs them.
    """

    vendor_id: str | None = None

    def __init__(self, course: Course, task: Task, provider: Provider) -> None:
        self._course = course
        self._provider = provider
        self._tasks = [each for each, _ in course.tasks(task)]
        self._results: list[RunResult] = []
        self._cancelled = False
        self._total = sum(_shots(each) for each in self._tasks)
        self._running: Running = provider.submit(self._tasks[0])

    def progress(self) -> Progress:
        """In shots over all tasks."""
        done = sum(_shots(task) for task in self._tasks[: len(self._results)])
        now = self._running.progress()
        if len(self._results) < len(self._tasks) and now.unit == "shots" and now.total:
            done += min(now.done, _shots(self._tasks[len(self._results)]))
        return Progress(done, self._total, "shots", now.message if done < self._total else "done")

    def wait(self, timeout_seconds: float) -> bool:
        until = time.monotonic() + timeout_seconds
        while self._running.wait(max(0.0, until - time.monotonic())):
            if not self._take():
                return True
            if time.monotonic() >= until:
                return False
        return False

    def _take(self) -> bool:
        """Takes the result of the task that has ended and begins the next; False when there is none."""
        place = len(self._results)
        if place == len(self._tasks):
            return False
        result = self._running.result()
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
        return self._course.gathered([counts for result in self._results for counts in result.counts])

    def result(self) -> RunResult:
        """The histograms of the user's circuits, and what everything took."""
        if len(self._results) < len(self._tasks):
            self._running.result()  # raises what ended it
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
