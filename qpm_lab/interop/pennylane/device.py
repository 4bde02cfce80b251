"""The PennyLane device `qpm.lab`: a QNode runs governed by changing the line that makes its device.

Everything that PennyLane hands to one `execute` call is one governed job (one for each number of shots, where they
differ): decided, reserved, quoted and recorded as a whole.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pennylane as qml
from pennylane.devices import ExecutionConfig
from pennylane.devices.modifiers import simulator_tracking, single_tape_support
from pennylane.measurements import Shots
from pennylane.transforms.core import CompilePipeline

from qpm_lab import providers
from qpm_lab.errors import InputError
from qpm_lab.interop.pennylane.families import Family, results
from qpm_lab.interop.pennylane.structure import Template, make_template, structure
from qpm_lab.interop.pennylane.transforms import capabilities, pipeline, qubit_order
from qpm_lab.lab import default_lab
from qpm_lab.runner.plan import find_backend

if TYPE_CHECKING:
    from qpm_lab.lab import Lab

KEPT_TEMPLATES = 256
KEPT_JOBS = 1000


@simulator_tracking
@single_tape_support
class LabDevice(qml.devices.Device):
    """A PennyLane device over a `Lab`.

    It measures with shots whatever counts can answer. Exact states, classical shadows and noise channels are refused
    by name; postselection returns the shots that pass.

    Args:
        wires: Number of wires, or their labels; None takes the wires of each circuit.
        backend: `provider/backend`, as in `Lab.submit`.
        shots: Default shots (or shot vector) of its QNodes; `qml.set_shots` overrides them. A device that is governed
            by shots and cost does not choose them: without any, execution is refused.
        seed: Makes the sequence of results repeatable; without one each job draws its own. Every job records its seed.
        lab: Default the Lab of this process, so that its jobs stand in `%qjobs`, and in an open session.
        experiment: The named series its jobs belong to.
        project: The project they count for.
        cost_center: Who pays.
        classification: `public`, `internal` or `confidential`.
        max_cost: Decimal amount that the upper quote of one job may not exceed.

    Raises:
        InputError: there is no such backend, or the seed is no whole number.

    >>> import pennylane as qml
    >>> device = qml.device("qpm.lab", wires=2, shots=100, seed=1)
    >>> @qml.qnode(device)
    ... def bell():
    ...     qml.Hadamard(0)
    ...     qml.CNOT([0, 1])
    ...     return qml.counts()
    >>> sorted(bell())
    ['00', '11']
    """

    def __init__(
        self,
        wires: Any = None,
        *,
        backend: str = "aer/simulator",
        shots: Any = None,
        seed: int | None = None,
        lab: Lab | None = None,
        experiment: str | None = None,
        project: str | None = None,
        cost_center: str | None = None,
        classification: str | None = None,
        max_cost: str | None = None,
    ) -> None:
        super().__init__(wires=wires)
        # Not by way of super(), which warns: PennyLane moves shots to the QNode, our public surface has them here too.
        self._shots = Shots(shots)
        info = find_backend(backend)
        self.backend = info.id
        ready = info.state == "ready"
        self.capabilities = capabilities(dynamic=ready and "if_else" in providers.target(info.id).operation_names)
        self._labels: dict[str, Any] = {
            "experiment": experiment,
            "project": project,
            "cost_center": cost_center,
            "classification": classification,
            "max_cost": max_cost,
        }
        self._lab = lab
        self._rng = np.random.default_rng(_checked(seed))
        self._templates: OrderedDict[Hashable, Template] = OrderedDict()
        self._jobs: deque[str] = deque(maxlen=KEPT_JOBS)

    @property
    def name(self) -> str:
        return "qpm.lab"

    @property
    def lab(self) -> Lab:
        """Where its jobs go."""
        return self._lab or default_lab()

    @property
    def jobs(self) -> tuple[str, ...]:
        """Ids of its latest jobs, the oldest first."""
        return tuple(self._jobs)

    def setup_execution_config(self, config: ExecutionConfig | None = None, circuit: Any = None) -> ExecutionConfig:
        """Fills in how mid-circuit measurements are run: by the backend where it can, else deferred to the end.

        Raises:
            InputError: postselection is to be filled up to the number of shots.
        """
        config = super().setup_execution_config(config, circuit)
        if config.mcm_config.postselect_mode == "fill-shots":
            raise InputError(
                "Postselection cannot be filled up: nobody knows beforehand how many shots that takes.",
                'Leave out postselect_mode="fill-shots": the shots that pass are returned.',
            )
        return config

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> CompilePipeline:
        """PennyLane's own transforms, up to what `execute` takes."""
        config = execution_config or ExecutionConfig()
        return pipeline(self.name, self.wires, deferred=config.mcm_config.mcm_method == "deferred")

    def execute(self, circuits: Sequence[Any], execution_config: ExecutionConfig | None = None) -> tuple[Any, ...]:
        """Runs tapes as one governed job for each number of shots among them.

        Raises:
            DeniedError: refused by a rule (QuotaError: by quotas or the envelope of a session only).
            ProviderError: the backend cannot hold or run it, or the run failed.
            CircuitError: a tape that cannot be translated; nothing was recorded.
        """
        by_shots: dict[int, list[Family]] = {}
        for family in self._families(circuits):
            by_shots.setdefault(family.shots.total_shots, []).append(family)
        found: list[Any] = [None] * len(circuits)
        for shots, families in by_shots.items():
            for place, result in self._run(families, shots, circuits):
                found[place] = result
        return tuple(found)

    def _families(self, circuits: Sequence[Any]) -> list[Family]:
        found: dict[Hashable, Family] = {}
        for place, tape in enumerate(circuits):
            key, values, points = structure(tape)
            family = found.get((key, tape.shots))
            if family is None:
                family = found[key, tape.shots] = Family(self._template(key, tape), tape.shots)
            family.add(place, values, points)
        return list(found.values())

    def _template(self, key: Hashable, tape: Any) -> Template:
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = make_template(tape, qubit_order(tape, self.wires))
            if len(self._templates) > KEPT_TEMPLATES:
                self._templates.popitem(last=False)
        self._templates.move_to_end(key)
        return template

    def _run(self, families: Sequence[Family], shots: int, circuits: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        seed = int(self._rng.integers(2**31))
        sources = [source for family in families for source in family.sources()]
        job = self.lab.submit(sources, backend=self.backend, shots=shots, seed=seed, fidelity="none", **self._labels)
        self._jobs.append(job.id)
        try:
            histograms = job.result().histograms
        except KeyboardInterrupt:
            job.cancel()
            raise
        rng = np.random.default_rng([seed, 1])
        first = 0
        for family in families:
            yield from results(family, histograms[first : first + family.executions], circuits, rng)
            first += family.executions


def _checked(seed: Any) -> int | None:
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"The seed {str(seed)[:40]!r} is not a whole number from 0 on.", "Write seed=7.")
    return int(seed)
