"""From a plan to all that is run for it: nothing more for most jobs, else its variants and companions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from qpm_lab import circuits, fidelity, providers
from qpm_lab.experiment import Estimate
from qpm_lab.providers.interface import Provider, Task
from qpm_lab.runner.companions import Recipe
from qpm_lab.runner.course import ROUNDS, Course, Histogram, Item, course, parts
from qpm_lab.runner.outcome import LEVEL
from qpm_lab.runner.plan import Plan
from qpm_lab.runner.twirl import VARIANTS, variants

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

MOST_AGAIN_SECONDS = 5.0
"""What dividing a circuit's shots may cost in preparing it again and again."""

Reading = Callable[[Sequence[Histogram]], Estimate]


@dataclass(frozen=True, slots=True)
class Built:
    """All that is run, and how to read it."""

    course: Course
    read: Reading | None
    """The fidelity by what the companions gave, in their order; None without companions."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a job runs that is more than its circuits as they are: made when it runs, thousands of circuits maybe."""

    plan: Plan
    task: Task

    def samples(self) -> list[Task]:
        """One of each kind of circuit, to be checked before anything is reserved.

        Raises:
            CircuitError: a circuit cannot be twirled or has no companions.
        """
        recipe, task = self.plan.companions, self.task
        found = [task]
        if self.plan.twirl is not None:
            one = self._variants(1)
            found = [replace(task, circuits=tuple(item.circuit for item in one), shots=one[0].shots, forms=())]
        if recipe is not None:
            few = replace(recipe, number=3 if recipe.method == "mirror" else 1)
            made, _ = _made(few, task.backend.id)
            found.append(replace(task, circuits=tuple(made), shots=recipe.shots, forms=()))
        return found

    def build(self, provider: Provider) -> Built:
        """Everything, in order."""
        recipe = self.plan.companions
        own = self._parts(provider) if self.plan.twirl is None else self._variants()
        if recipe is None:
            return Built(course(own, (), 0), None)
        made, read = _made(recipe, self.task.backend.id)
        return Built(course(own, made, recipe.shots), read)

    def shipped(self) -> Built:
        """The same for a vendor: whole circuits first, then companions, since each change of shots is a vendor job."""
        recipe, task = self.plan.companions, self.task
        own = (
            self._variants()
            if self.plan.twirl is not None
            else [Item(circuit, task.shots, place) for place, circuit in enumerate(task.circuits)]
        )
        own = sorted(own, key=lambda item: -item.shots)
        if recipe is None:
            return Built(Course(tuple(own)), None)
        made, read = _made(recipe, task.backend.id)
        companions = [Item(circuit, recipe.shots, place, True) for place, circuit in enumerate(made)]
        return Built(Course((*own, *companions)), read)

    def _parts(self, provider: Provider) -> list[Item]:
        task = self.task
        again = provider.expected_seconds(replace(task, shots=1))
        number = max(1, min(ROUNDS, int(MOST_AGAIN_SECONDS / max(again, 1e-9))))
        return parts(task.circuits[0], task.forms[0], task.shots, number)

    def _variants(self, number: int = VARIANTS) -> list[Item]:
        task, kind, seed = self.task, self.plan.twirl or "", self.plan.drawn_seed
        each = [
            variants(circuit, place, task.backend.id, kind, task.shots, seed + place, number)
            for place, circuit in enumerate(task.circuits)
        ]
        # Variant after variant: a machine that drifts meets every circuit alike.
        return [item for same in zip(*each, strict=True) for item in same]


def extras(plan: Plan, task: Task) -> Extras | None:
    """What a planned job runs besides; None when it runs its circuits as they are."""
    return None if plan.twirl is None and plan.companions is None else Extras(plan, task)


def samples(task: Task, further: Extras | None) -> list[Task]:
    """One of each kind of circuit of a job, to be checked before anything is reserved; see `Extras.samples`."""
    return [task] if further is None else further.samples()


def read_again(recipe: Recipe) -> Reading:
    """How companions are read that another process made: what each ends in without errors follows from the recipe.

    They are made anew only when they are read; in which gates they were written is of no matter then.
    """
    return lambda histograms: _written(recipe, None)[1](histograms)


def _made(recipe: Recipe, backend_id: str) -> tuple[list[QuantumCircuit], Reading]:
    """The companions in the backend's gates, and how to read what they give."""
    return _written(recipe, frozenset(providers.target(backend_id).operation_names))


def _written(recipe: Recipe, gates: frozenset[str] | None) -> tuple[list[QuantumCircuit], Reading]:
    if recipe.method == "proxy":
        return _proxies(recipe, gates)
    families = circuits.mirror_circuits(recipe.routed, recipe.number // 3, recipe.seed, gates=gates)
    # One of each family after another, so that all three meet the machine as it is at the time.
    mirrors = [one for same in zip(families.circuit, families.inverse, families.reference, strict=True) for one in same]

    def read(histograms: Sequence[Histogram]) -> Estimate:
        distances = [mirror.distances(counts) for mirror, counts in zip(mirrors, histograms, strict=True)]
        return fidelity.mirror_fidelity(distances[::3], distances[1::3], distances[2::3], LEVEL)

    return [mirror.circuit for mirror in mirrors], partial(_read, recipe, read)


def _proxies(recipe: Recipe, gates: frozenset[str] | None) -> tuple[list[QuantumCircuit], Reading]:
    proxies = circuits.clifford_proxies(recipe.routed, recipe.number, recipe.seed, gates=gates)

    def read(histograms: Sequence[Histogram]) -> Estimate:
        hits = [proxy.successes(counts) for proxy, counts in zip(proxies, histograms, strict=True)]
        return fidelity.clifford_proxy_fidelity(hits, recipe.shots, LEVEL)

    return [proxy.circuit for proxy in proxies], partial(_read, recipe, read)


def _read(recipe: Recipe, read: Reading, histograms: Sequence[Histogram]) -> Estimate:
    # More shots of the job itself would not help: companions have a number of their own.
    return replace(read(histograms), assumption=recipe.assumption, shots_needed=None)
