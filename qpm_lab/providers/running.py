"""Runs of local simulators: finished at once, or as a child process that can be cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from qpm_lab.errors import ProviderError, QpmError
from qpm_lab.providers.interface import Progress, ProgressCallback, Provider, Running, RunResult, Task

INLINE_SECONDS = 1.0
"""Expected time up to which a simulation runs where it is; above it a child process is worth its start."""


class LocalSimulator(Provider, Protocol):
    """A provider whose runs compute here, in this process or in a child of it."""

    def expected_seconds(self, task: Task) -> float:
        """How long the simulation should take, by a model of the circuit only."""

    def simulate(self, task: Task, report: ProgressCallback) -> RunResult:
        """Runs the task to its end in this process; the same task gives the same counts."""


class FinishedRun:
    """A run that was over when it was submitted."""

    vendor_id: str | None = None

    def __init__(self, compute: Callable[[], RunResult]) -> None:
        self._outcome: RunResult | QpmError
        try:
            self._outcome = compute()
        except QpmError as error:
            self._outcome = error
        except Exception as error:
            self._outcome = simulator_error(error)

    def progress(self) -> Progress:
        return Progress(1, 1, "runs", "done")

    def wait(self, timeout_seconds: float) -> bool:
        return True

    def result(self) -> RunResult:
        if isinstance(self._outcome, QpmError):
            raise self._outcome
        return self._outcome

    def cancel(self) -> None:
        """There is nothing left to stop."""


def simulator_error(error: Exception) -> ProviderError:
    """A simulator's own error in our tree, its text bounded."""
    text = " ".join(str(error).split())[:500]
    return ProviderError(
        f"The simulator failed: {type(error).__name__}: {text}",
        "Try another backend (%qbackends lists them), or transpile the circuit to simpler gates first.",
        cause=error,
    )


def start(provider: LocalSimulator, task: Task) -> Running:
    """Runs small work at once and starts a child process for the rest."""
    if provider.expected_seconds(task) <= INLINE_SECONDS:
        return FinishedRun(lambda: provider.simulate(task, lambda _: None))
    from qpm_lab.providers.child import ChildRun

    return ChildRun(task)
