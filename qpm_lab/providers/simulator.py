"""What a local simulator offers beyond a provider, and what all of them refuse alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from qpm_lab.errors import CapacityError, ProviderError
from qpm_lab.providers.capacity import HEADROOM, UNCHECKED_BYTES, bytes_text, free_bytes
from qpm_lab.providers.gathering import Counts
from qpm_lab.providers.interface import Provider, Task
from qpm_lab.providers.pieces import Cost, Piece

COUNT_BYTES = 8
"""Of one outcome at one point in a table, at most."""


class Prepared(Protocol):
    """A task made ready for a simulator: all that is done once, however it is cut."""

    @property
    def task(self) -> Task:
        """As it was given."""

    @property
    def costs(self) -> Sequence[Cost]:
        """What one execution of each circuit takes."""

    def run(self, piece: Piece) -> Counts:
        """The histograms of one piece; the same piece always gives the same. Safe to use from several threads."""

    def details(self) -> Mapping[str, Any]:
        """JSON values worth recording: method, versions, device."""


class LocalSimulator(Provider, Protocol):
    """A provider whose runs compute here, in this process or in children of it."""

    def prepared(self, task: Task) -> Prepared:
        """The task made ready; asked again for the same task, the same."""


P = TypeVar("P", bound=Prepared)


class Latest(Generic[P]):
    """The latest task made ready, from its check until it is submitted: check, choice and run ask for the same."""

    def __init__(self) -> None:
        self._kept: P | None = None

    def of(self, task: Task, make: Callable[[], P]) -> P:
        """The task made ready, by `make` unless it is the latest one."""
        kept = self._kept
        if kept is None or kept.task is not task:
            kept = self._kept = make()
        return kept

    def forget(self) -> None:
        """Lets go of it: circuits are large."""
        self._kept = None


def simulator_error(error: Exception) -> ProviderError:
    """A simulator's own error in our tree, its text bounded."""
    text = " ".join(str(error).split())[:500]
    return ProviderError(
        f"The simulator failed: {type(error).__name__}: {text}",
        "Try another backend (%qbackends lists them), or transpile the circuit to simpler gates first.",
        cause=error,
    )


def total_seconds(prepared: Prepared) -> float:
    """Expected time of all executions, one after the other."""
    task = prepared.task
    return math.fsum(
        points * cost.seconds(task.shots) for cost, points in zip(prepared.costs, task.points, strict=True)
    )


def require_table(task: Task) -> None:
    """Refuses a sweep whose counts do not fit into memory.

    Raises:
        CapacityError: With the memory it would need, at worst.
    """
    if not task.bindings:
        return
    need = 0.0
    for circuit, points in zip(task.circuits, task.points, strict=True):
        need += points * min(float(task.shots), 2.0**circuit.num_clbits) * COUNT_BYTES
    # While the parts are joined they are there twice.
    if 2 * need > UNCHECKED_BYTES and 2 * need > HEADROOM * free_bytes():
        raise CapacityError(
            f"The counts of {task.executions:,} points may need {bytes_text(2 * need)}; "
            f"this machine has {bytes_text(free_bytes())} free.",
            "Sweep fewer points in one job, take fewer shots, or measure fewer qubits.",
        )
