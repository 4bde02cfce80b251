"""What a job runs that is more than its circuits as they are: variants of them, and companions in between.

Companions stand between parts of the job's own shots, so that a machine that drifts drifts for both alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from qpm_lab import circuits
from qpm_lab.providers.interface import Task
from qpm_lab.providers.pieces import derived_seed

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

Histogram = Mapping[str, int]
ROUNDS = 20
"""Into how many parts the job's own shots are divided among its companions, at most; each gives a block of the
dispersion test."""


@dataclass(frozen=True, slots=True)
class Item:
    """One circuit of a course."""

    circuit: QuantumCircuit
    shots: int
    place: int
    """Of the user's circuit, or of the companion."""
    is_companion: bool = False
    pad: str = ""
    """The bits that were flipped before they were read."""
    form: str = ""
    """See `Task.forms`."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The histograms of a course, as what they are."""

    own: tuple[Histogram, ...]
    """Of the user's circuits."""
    blocks: tuple[Histogram, ...]
    """The parts of a single circuit in the order in which they were taken; empty for several, or for variants,
    which may differ by more than chance."""
    companions: tuple[Histogram, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """All that is run for a job, in order."""

    items: tuple[Item, ...]

    def tasks(self, whole: Task) -> Iterator[tuple[Task, tuple[Item, ...]]]:
        """What is handed to the backend, one after the other: neighbours with the same number of shots together."""
        groups = groupby(self.items, key=lambda item: (item.is_companion, item.shots))
        for number, ((_, shots), same) in enumerate(groups, start=1):
            items = tuple(same)
            yield (
                replace(
                    whole,
                    circuits=tuple(item.circuit for item in items),
                    forms=tuple(item.form for item in items),
                    shots=shots,
                    seed=derived_seed(whole.seed, number),
                ),
                items,
            )

    def gathered(self, histograms: Sequence[Histogram]) -> Gathered:
        """Puts together what came back, one histogram per item in order."""
        own: dict[int, Counter[str]] = {}
        parts: list[Histogram] = []
        companions: dict[int, Histogram] = {}
        for item, counts in zip(self.items, histograms, strict=True):
            if item.is_companion:
                companions[item.place] = counts
                continue
            read = circuits.unpadded(counts, item.pad) if item.pad else counts
            own.setdefault(item.place, Counter()).update(read)
            parts.append(read)
        return Gathered(
            tuple(dict(own[place]) for place in sorted(own)),
            tuple(parts) if self._in_blocks else (),
            tuple(companions[place] for place in sorted(companions)),
        )

    @property
    def _in_blocks(self) -> bool:
        own = [item for item in self.items if not item.is_companion]
        return len({id(item.circuit) for item in own}) == 1 and len(own) > 1


def course(own: Sequence[Item], companions: Sequence[QuantumCircuit], shots: int) -> Course:
    """The job's own items with companions in between.

    Args:
        own: In order; a circuit without variants is divided by `parts`.
        companions: In the order in which they are read.
        shots: Of each companion.
    """
    further = [Item(circuit, shots, place, True) for place, circuit in enumerate(companions)]
    rounds = min(ROUNDS, max(len(own), 1))
    mixed: list[Item] = []
    for n in range(rounds):
        mixed += own[len(own) * n // rounds : len(own) * (n + 1) // rounds]
        # A stride takes from every family of companions in every round.
        mixed += further[n::rounds]
    return Course(tuple(mixed))


def parts(circuit: QuantumCircuit, form: str, shots: int, number: int) -> list[Item]:
    """One circuit's shots in several parts, none of them empty."""
    number = max(1, min(number, shots))
    return [Item(circuit, shots // number + (n < shots % number), 0, form=form) for n in range(number)]
