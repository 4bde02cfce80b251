"""What runs on a Dask worker: one piece, and the question whether any is still running."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from typing import Any, cast

from qpm_lab.errors import CancelledError, ProviderError, QpmError
from qpm_lab.providers import backend, provider_of, wire
from qpm_lab.providers.children import children
from qpm_lab.providers.interface import RunResult, Task
from qpm_lab.providers.simulator import LocalSimulator, simulator_error
from qpm_lab.providers.worker import compute

SHORT_SECONDS = 0.5
"""Expected time up to which a piece runs in the worker itself; it cannot be stopped there."""
POLL_SECONDS = 0.1
_ALL_PROCESSORS = 0
_active: Counter[str] = Counter()
_lock = threading.Lock()


@cache
def versions() -> dict[str, str]:
    """Of all that decides on the counts."""
    return {name: metadata.version(name) for name in ("qpm-lab", "qiskit", "qiskit-aer", "pennylane", "numpy")}


def active(token: str) -> int:
    """How many pieces of that run this process computes now."""
    return _active[token]


def run_piece(payload: bytes, expected: Mapping[str, str], token: str) -> tuple[bytes, bytes]:
    """A frame's kind and payload: the result of the piece, or the error."""
    with _counted(token):
        try:
            _require(expected)
            task, processors = wire.read_task(payload, backend)
            return wire.RESULT, wire.result_bytes(_computed(task, processors))
        except QpmError as error:
            return wire.ERROR, wire.error_bytes(error)
        except Exception as error:
            return wire.ERROR, wire.error_bytes(simulator_error(error))


@contextlib.contextmanager
def _counted(token: str) -> Iterator[None]:
    with _lock:
        _active[token] += 1
    try:
        yield
    finally:
        with _lock:
            _active[token] -= 1
            if not _active[token]:
                del _active[token]


def _require(expected: Mapping[str, str]) -> None:
    other = [f"{name} {has} (you have {expected.get(name)})" for name, has in versions().items()]
    differing = [text for (name, has), text in zip(versions().items(), other, strict=True) if expected.get(name) != has]
    if differing:
        raise ProviderError(
            f"The workers of the Dask cluster have other versions: {', '.join(differing)}.",
            "Install the same there and here: other versions may give other counts for the same seed.",
        )


def _computed(task: Task, processors: int) -> RunResult:
    provider = cast(LocalSimulator, provider_of(task.backend.id))
    if provider.expected_seconds(task) <= SHORT_SECONDS:
        return compute(task)
    return _in_child(task, processors)


def _in_child(task: Task, processors: int) -> RunResult:
    """In a process of its own: Aer would silence the worker, and could not be stopped."""
    from qpm_lab.providers import capacity

    child = children().take()
    over = threading.Event()
    wanted = _Wanted()

    def watch() -> None:
        while not over.wait(POLL_SECONDS):
            if not wanted():
                child.kill()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        result = child.run(task, processors or capacity.processors())
    except QpmError:
        over.set()
        watcher.join()
        child.close()
        if not wanted():
            raise CancelledError("The simulation was cancelled.") from None
        raise
    over.set()
    watcher.join()
    children().give_back(child)
    return result


class _Wanted:
    """Whether the scheduler still wants the piece that this thread computes; made in that thread."""

    def __init__(self) -> None:
        from distributed import get_worker

        self._worker: Any = get_worker()
        self._key = self._worker.get_current_task()

    def __call__(self) -> bool:
        state = self._worker.state.tasks.get(self._key)
        return state is not None and state.state not in ("cancelled", "released", "forgotten")
