"""Runs of local simulators: finished at once, or in pieces that can be followed and cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable

from qpm_lab.errors import CancelledError, ProviderError, QpmError
from qpm_lab.providers.capacity import Meter, processors
from qpm_lab.providers.crew import Crew, Threads
from qpm_lab.providers.gathering import Counts, Gathering
from qpm_lab.providers.interface import Progress, ProgressCallback, Running, RunResult, Task
from qpm_lab.providers.pieces import GROUP_SECONDS, cut
from qpm_lab.providers.simulator import LocalSimulator, Prepared, simulator_error, total_seconds

INLINE_SECONDS = 1.0
"""Expected time up to which a simulation runs where it is, as part of the call that submits it."""
ALONE_SECONDS = 0.01
"""Up to here a second thread costs more than it brings."""
HERE_SECONDS = 4.0
"""Up to here short pieces run in this process: starting a child takes more than half of it."""


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

    def finished(self) -> Counts:
        return self._outcome.counts if isinstance(self._outcome, RunResult) else ()

    def result(self) -> RunResult:
        if isinstance(self._outcome, QpmError):
            raise self._outcome
        return self._outcome

    def cancel(self) -> None:
        """There is nothing left to stop."""


class PiecesRun:
    """A run whose pieces a crew computes while the caller goes on.

    Args:
        prepared: The task.
        crew: Who computes; it belongs to this run alone.
    """

    vendor_id: str | None = None

    def __init__(self, prepared: Prepared, crew: Crew) -> None:
        self.crew = crew
        self._prepared = prepared
        self._gathering = Gathering(prepared.task, cut(prepared.costs, prepared.task))
        self._outcome: RunResult | QpmError | None = None
        self._over = threading.Event()
        threading.Thread(target=self._live, name="qpm-simulation", daemon=True).start()

    def progress(self) -> Progress:
        return self._gathering.progress()

    def wait(self, timeout_seconds: float) -> bool:
        return self._over.wait(timeout_seconds)

    def finished(self) -> Counts:
        return self._gathering.finished()

    def result(self) -> RunResult:
        self._over.wait()
        if isinstance(self._outcome, RunResult):
            return self._outcome
        raise self._outcome or ProviderError("The simulation ended without a result.", retryable=True)

    def cancel(self) -> None:
        """Returns when nothing computes any more; a finished run keeps its result, another what is complete."""
        self.crew.stop()
        self._over.wait()

    def _live(self) -> None:
        try:
            result = _result(self._prepared, self._gathering, self.crew)
            self._outcome = result or CancelledError("The simulation was cancelled.", "Submit it again to run it.")
        except QpmError as error:
            self._outcome = error
        except Exception as error:
            self._outcome = simulator_error(error)
        finally:
            self._over.set()


def simulate(prepared: Prepared, report: ProgressCallback = lambda _: None) -> RunResult:
    """Runs a task to its end in this process and in the caller's thread, or in several when that is faster."""
    divided = all(cost.releases_lock for cost in prepared.costs) and total_seconds(prepared) > ALONE_SECONDS
    threads = processors() if divided else 1
    gathering = Gathering(prepared.task, cut(prepared.costs, prepared.task), report)
    result = _result(prepared, gathering, Threads(threads))
    if result is None:
        raise ProviderError("The simulation ended without a result.", retryable=True)
    return result


def start(provider: LocalSimulator, task: Task) -> Running:
    """Runs small work at once; the rest in threads, in child processes or on a cluster."""
    seconds = provider.expected_seconds(task)
    if seconds <= INLINE_SECONDS:
        return FinishedRun(lambda: simulate(provider.prepared(task)))
    prepared = provider.prepared(task)
    return PiecesRun(prepared, _crew(prepared, seconds))


def _crew(prepared: Prepared, seconds: float) -> Crew:
    from qpm_lab.providers.cluster import Cluster, address

    if scheduler := address():
        return Cluster(scheduler)
    if all(cost.releases_lock for cost in prepared.costs):
        return Threads(processors())
    from qpm_lab.providers.children import Processes

    longest = max(cost.seconds(prepared.task.shots) for cost in prepared.costs)
    if longest <= GROUP_SECONDS and seconds <= HERE_SECONDS:
        return Threads(1)
    return Processes()


def _result(prepared: Prepared, gathering: Gathering, crew: Crew) -> RunResult | None:
    """What the crew made of it; None when it was stopped before the end."""
    meter = Meter.start()
    crew.work(prepared, gathering)
    if not gathering.is_complete:
        return None
    return RunResult(
        gathering.finished(),
        run_seconds=meter.wall_seconds(),
        cpu_seconds=gathering.cpu_seconds,
        peak_memory_bytes=gathering.peak_memory_bytes,
        details={**prepared.details(), "calls": len(gathering.pieces), "computed_in": crew.where},
    )
