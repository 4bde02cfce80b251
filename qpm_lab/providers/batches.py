"""Cuts a task into calls of a simulator: few enough to be fast, many enough to show progress.

The cut depends on the task alone and each call's seed on its place in it, so the same task gives the
same counts wherever and whenever it runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from qpm_lab.providers.interface import Progress, ProgressCallback

BATCH_SECONDS = 0.5
"""Expected time of one call when the work can be divided."""
BATCH_SHOTS = 2**21
"""Simulators hold all shots of a call in memory, at about 100 B each."""


class Cost(Protocol):
    """What the simulation of one circuit takes, as far as the cut depends on it."""

    @property
    def name(self) -> str:
        """The method; only circuits of the same method share a call."""

    @property
    def shot_seconds(self) -> float:
        """Expected time of one further shot."""

    def seconds(self, shots: int) -> float:
        """Expected time of all."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the simulator: some circuits, the same shots for each, one seed."""

    circuits: tuple[int, ...]
    """Places in the task."""
    shots: int
    seed: int
    method: str


def derived_seed(seed: int, *path: int) -> int:
    """A 31-bit seed for one part of a task; independent parts get independent streams."""
    if not path and 0 <= seed < 2**31:
        return seed
    import numpy as np

    sequence = np.random.SeedSequence(seed & (2**64 - 1), spawn_key=path)
    return int(sequence.generate_state(1)[0]) >> 1


def calls(costs: Sequence[Cost], shots: int, seed: int, *, most_shots: int = BATCH_SHOTS) -> Iterator[Call]:
    """The calls of a task, in order, of at most `most_shots` shots per circuit."""
    group: list[int] = []
    spent, number = 0.0, 0

    def seeded(circuits: Sequence[int], count: int) -> Call:
        nonlocal number
        path = (number,) if number else ()
        number += 1
        return Call(tuple(circuits), count, derived_seed(seed, *path), costs[circuits[0]].name)

    for i, cost in enumerate(costs):
        sizes = _batches(cost, shots, most_shots)
        full = spent + cost.seconds(shots) > BATCH_SECONDS
        if group and (full or len(sizes) > 1 or costs[group[0]].name != cost.name):
            yield seeded(group, shots)
            group, spent = [], 0.0
        if len(sizes) > 1:
            yield from (seeded([i], size) for size in sizes)
        else:
            group.append(i)
            spent += cost.seconds(shots)
    if group:
        yield seeded(group, shots)


def _batches(cost: Cost, shots: int, most_shots: int) -> list[int]:
    # Each call prepares the state anew, so a call should draw for longer than it prepares.
    seconds = max(BATCH_SECONDS, 4 * (cost.seconds(shots) - shots * cost.shot_seconds))
    size = min(most_shots, max(1, int(seconds / cost.shot_seconds)))
    number = -(-shots // size)
    each, rest = divmod(shots, number)
    return [each + (i < rest) for i in range(number)]


def run_calls(
    plan: Sequence[Call],
    circuits: int,
    run: Callable[[Call], Sequence[Mapping[str, int]]],
    report: ProgressCallback,
) -> tuple[Mapping[str, int], ...]:
    """Makes the calls, reports after each, and adds up the counts of each circuit."""
    total = sum(call.shots * len(call.circuits) for call in plan) if len(plan) > 1 else 0
    report(Progress(0, total, "shots", "simulating"))
    counts: list[Mapping[str, int]] = [{}] * circuits
    done = 0
    for call in plan:
        for i, part in zip(call.circuits, run(call), strict=True):
            counts[i] = Counter(counts[i]) + Counter(part) if counts[i] else part
        done += call.shots * len(call.circuits)
        report(Progress(done, total, "shots", "simulating") if total else Progress(message="simulated"))
    return tuple(counts)
