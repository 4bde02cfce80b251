"""A provider whose runs are given in advance, for what real simulators do rarely or late."""

from __future__ import annotations

import math
import threading
from typing import Any

from qpm_lab.providers.aer import AerProvider
from qpm_lab.providers.interface import Progress, RunResult


class Held:
    """A run that goes on until it is cancelled or released."""

    vendor_id = None

    def __init__(self, outcome: RunResult | Exception) -> None:
        self.outcome = outcome
        self.released = threading.Event()
        self.cancelled = False
        self.done: Any = ()

    def progress(self) -> Progress:
        return Progress(1, 4, "shots", "simulating")

    def wait(self, timeout_seconds: float) -> bool:
        return self.released.wait(timeout_seconds)

    def finished(self) -> Any:
        return self.done

    def result(self) -> RunResult:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def cancel(self) -> None:
        self.cancelled = True
        self.released.set()


class Scripted:
    """A provider whose runs are given in advance."""

    name = "aer"

    def __init__(self, *runs: Held) -> None:
        self.runs = list(runs)
        self.tasks: list[Any] = []

    def check(self, task: Any) -> None:
        pass

    def expected_seconds(self, task: Any) -> float:
        return math.inf

    def target(self, backend_id: str) -> Any:
        """The calibration that a job keeps is that of the real machine."""
        return AerProvider().target(backend_id)

    def submit(self, task: Any) -> Held:
        self.tasks.append(task)
        return self.runs.pop(0)


def ended(outcome: RunResult | Exception) -> Held:
    run = Held(outcome)
    run.released.set()
    return run


GOOD = RunResult(counts=({"10": 40, "01": 60},), run_seconds=0.1)
