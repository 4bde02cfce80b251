"""Cuts a task into pieces: few enough to be fast, many enough for progress, cancelling and several processors.

The cut depends on the task alone and each piece's seed on its place in it, so the same task gives the
same counts wherever and whenever it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from qpm_lab.providers.interface import Task

if TYPE_CHECKING:
    from qpm_lab.circuits import Bindings

GROUP_SECONDS = 0.05
"""Expected time of a piece of many circuits or points; while Aer computes it, no other thread of Python runs."""
SHOTS_SECONDS = 0.5
"""Expected time of a piece that is a part of one execution's shots: each prepares its simulator anew."""
MOST_SHOTS = 2**21
"""Simulators hold all shots of a call in memory, at about 100 B each."""
MOST_POINTS = 4096
"""Of one piece: its circuits are held in memory together."""


class Cost(Protocol):
    """What one execution of a circuit takes, as far as the cut depends on it."""

    @property
    def kind(self) -> str:
        """Only circuits of the same kind share a piece."""

    @property
    def piece_seconds(self) -> float:
        """Expected time that a piece of several circuits or points should take."""

    @property
    def most_shots(self) -> int:
        """Of one call."""

    @property
    def most_points(self) -> int:
        """Of one call, by memory."""

    @property
    def memory_bytes(self) -> float:
        """Of a piece at its peak."""

    @property
    def releases_lock(self) -> bool:
        """True when other threads of Python run while a piece is computed."""

    @property
    def shot_seconds(self) -> float:
        """Expected time of one further shot."""

    def seconds(self, shots: int) -> float:
        """Expected time of all."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a task: some of its circuits, or some points of one sweep, or some shots of one execution."""

    first: int
    """Place of its first histogram among those of the task."""
    circuits: tuple[int, ...]
    """Places in the task; one when it is a part of a sweep."""
    shots: int
    seed: int
    seconds: float
    """Expected."""
    points: tuple[int, int] | None = None
    """First and one past the last point of the sweep; None for circuits that are not swept."""
    completes: bool = True
    """False when a further piece adds shots to its execution."""

    @property
    def executions(self) -> int:
        return len(self.circuits) if self.points is None else self.points[1] - self.points[0]

    def of(self, task: Task) -> Task:
        """The piece as a task of its own."""
        bindings: tuple[Bindings | None, ...] = ()
        if self.points is not None:
            whole = task.bindings[self.circuits[0]]
            bindings = (None if whole is None else whole[slice(*self.points)],)
        return replace(
            task,
            circuits=tuple([task.circuits[i] for i in self.circuits]),
            forms=tuple([task.forms[i] for i in self.circuits]) if task.forms else (),
            shots=self.shots,
            seed=self.seed,
            bindings=bindings,
        )


def whole(task: Task) -> Piece:
    """All of a task that came from a piece."""
    points = (0, task.executions) if task.bindings and task.bindings[0] is not None else None
    return Piece(0, tuple(range(len(task.circuits))), task.shots, task.seed, 0.0, points)


def derived_seed(seed: int, *path: int) -> int:
    """A 31-bit seed for one part of a task; independent parts get independent streams."""
    if not path and 0 <= seed < 2**31:
        return seed
    import numpy as np

    sequence = np.random.SeedSequence(seed & (2**64 - 1), spawn_key=path)
    return int(sequence.generate_state(1)[0]) >> 1


def cut(costs: Sequence[Cost], task: Task) -> list[Piece]:
    """The pieces of a task in the order of their histograms."""
    pieces = _unseeded(costs, task)
    return [replace(each, seed=derived_seed(task.seed, *([n] if n else []))) for n, each in enumerate(pieces)]


def _unseeded(costs: Sequence[Cost], task: Task) -> Iterator[Piece]:
    group: list[int] = []
    spent, place = 0.0, 0
    for i, (cost, points) in enumerate(zip(costs, task.points, strict=True)):
        each = cost.seconds(task.shots)
        single = not _is_swept(task, i) and len(_sizes(cost, task.shots)) == 1
        if group and (not single or spent + each > cost.piece_seconds or costs[group[0]].kind != cost.kind):
            yield Piece(place - len(group), tuple(group), task.shots, 0, spent)
            group, spent = [], 0.0
        if single:
            group.append(i)
            spent += each
        else:
            yield from _divided(cost, task, i, place)
        place += points
    if group:
        yield Piece(place - len(group), tuple(group), task.shots, 0, spent)


def _is_swept(task: Task, circuit: int) -> bool:
    return bool(task.bindings) and task.bindings[circuit] is not None


def _divided(cost: Cost, task: Task, circuit: int, place: int) -> Iterator[Piece]:
    """The pieces of one circuit: by its points, or when one execution takes long, by shots."""
    sizes = _sizes(cost, task.shots)
    number = task.points[circuit]
    swept = _is_swept(task, circuit)
    if len(sizes) == 1:
        each = cost.seconds(task.shots)
        step = max(1, min(int(cost.piece_seconds / each) if each else number, cost.most_points, MOST_POINTS))
        for start in range(0, number, step):
            stop = min(start + step, number)
            yield Piece(place + start, (circuit,), task.shots, 0, each * (stop - start), (start, stop))
        return
    for point in range(number):
        points = (point, point + 1) if swept else None
        for n, size in enumerate(sizes, start=1):
            yield Piece(place + point, (circuit,), size, 0, cost.seconds(size), points, n == len(sizes))


def _sizes(cost: Cost, shots: int) -> list[int]:
    # Each piece prepares the state anew, so it should draw for longer than it prepares.
    seconds = max(SHOTS_SECONDS, 4 * (cost.seconds(shots) - shots * cost.shot_seconds))
    size = min(cost.most_shots, max(1, int(seconds / max(cost.shot_seconds, 1e-18))))
    number = -(-shots // size)
    each, rest = divmod(shots, number)
    return [each + (i < rest) for i in range(number)]
