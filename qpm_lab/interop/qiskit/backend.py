"""`lab.backend(id)`: a governed backend as Qiskit's `BackendV2`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options

from qpm_lab import __version__
from qpm_lab.circuits import DEFAULT, Sweep
from qpm_lab.circuits.binding import bind
from qpm_lab.errors import InputError
from qpm_lab.interop.qiskit.job import LabJob, Submitted
from qpm_lab.interop.qiskit.labels import LABELS, known_labels, one_seed

if TYPE_CHECKING:
    from qiskit.transpiler import Target

    from qpm_lab.lab import Lab

OWN_OPTIONS = {"shots": 1024, "seed_simulator": None, "memory": False}
PAGE = 100


class LabBackend(BackendV2):
    """A backend whose every `run` is one governed job: policy, quotas, cost, ledger.

    What was written for another `BackendV2` runs on it unchanged. A circuit need not be transpiled for it; one that
    is, runs as it stands. A circuit without classical bits is measured in full; one that has bits and measures
    nothing reads zeros.

    Args:
        lab: Whose rules, quotas and ledger the runs go through.
        backend_id: `provider/backend`.
        **options: Defaults of `run`: `shots`, `seed_simulator` (or `seed`), `memory`, and the labels `experiment`,
            `project`, `cost_center`, `classification`, `max_cost`, `name`, `fidelity` (`none` unless set to `auto`).

    Raises:
        InputError: there is no such backend or option.
    """

    def __init__(self, lab: Lab, backend_id: str, **options: Any) -> None:
        from qpm_lab import providers

        info = providers.backend(backend_id)
        super().__init__(name=info.id, description=info.description, backend_version=__version__)
        self._lab = lab
        self._target: Target | None = None
        self._options.update_options(**_known({}, options))

    @property
    def target(self) -> Target:
        """Gates, couplings and errors of the machine as its provider describes them."""
        if self._target is None:
            from qpm_lab import providers

            self._target = providers.target(self.name)
        return self._target

    @property
    def max_circuits(self) -> int:
        """Circuits that one job takes."""
        from qpm_lab.runner.plan import MAX_CIRCUITS

        return MAX_CIRCUITS

    @classmethod
    def _default_options(cls) -> Options:
        return Options(**OWN_OPTIONS, **LABELS)

    def run(
        self,
        run_input: QuantumCircuit | Sequence[QuantumCircuit],
        *,
        parameter_binds: Sequence[Mapping[Any, Any]] | Mapping[Any, Any] | None = None,
        **options: Any,
    ) -> LabJob:
        """Submits the circuits as one job and returns at once.

        Args:
            run_input: A circuit or a list of circuits.
            parameter_binds: For each circuit the values of its parameters, numbers or arrays, as Aer takes them.
                Arrays make a sweep; each of its points is an experiment of the result.
            **options: Over the backend's own: `shots`, `seed_simulator` or `seed`, the labels, and `memory`: True
                adds the single shots. Shots of one circuit are independent of each other, so the histogram's shots
                in an order drawn with the job's seed are a true sample.

        Raises:
            DeniedError: a rule refused the job (QuotaError: only quotas did).
            InputError: a circuit or option cannot be used.
            ProviderError: the backend cannot hold or run it.
        """
        circuits = _circuits(run_input)
        chosen = _known(dict(self._options), options)
        shots, memory, seed = chosen.pop("shots"), chosen.pop("memory"), one_seed(None, chosen.pop("seed_simulator"))
        source = _bound([_storable(circuit) for circuit in circuits], parameter_binds)
        job = self._lab.submit(source, backend=self.name, shots=shots, seed=seed, **chosen)
        points = [each.bindings.points if isinstance(each, Sweep) else 1 for each in source]
        rest = {"shots": int(shots), "seed": int(seed), "memory": bool(memory)}
        return LabJob(self, job, Submitted.of(circuits, points, **rest))

    def retrieve_job(self, job_id: str) -> LabJob:
        """A job of this backend by its id, from whichever process it was submitted.

        Raises:
            InputError: there is none.
        """
        job = self._lab.job(job_id)
        record = job.record()
        if record["backend"] != self.name:
            raise InputError(
                f"Job {job.id} ran on {record['backend']}.", f"Ask there: lab.backend({record['backend']!r})."
            )
        return LabJob(self, job, None)

    def jobs(self, limit: int = 10) -> list[LabJob]:
        """The newest jobs of this backend, at most `limit`."""
        found: list[LabJob] = []
        before: str | None = None
        while len(found) < limit:
            page = self._lab.page(limit=PAGE, before=before)
            ids = [row["job_id"] for row in page["jobs"] if row["backend"] == self.name]
            found += [LabJob(self, self._lab.job(job_id), None) for job_id in ids[: limit - len(found)]]
            if not page["more"]:
                break
            before = page["jobs"][-1]["job_id"]
        return found


def _known(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options given over the defaults, the seed under its one name.

    Raises:
        InputError: an option that is none.
    """
    chosen = {name: value for name, value in given.items() if (name, value) != ("shots", None)}
    if "seed" in chosen:
        seed, other = chosen.pop("seed"), chosen.get("seed_simulator")
        chosen["seed_simulator"] = seed if other is None and seed is None else one_seed(seed, other)
    own = {name: chosen.pop(name) for name in OWN_OPTIONS if name in chosen}
    labels = known_labels(chosen, (*OWN_OPTIONS, "seed"))
    return {**OWN_OPTIONS, **labels, **defaults, **own, **chosen}


def _circuits(run_input: Any) -> list[QuantumCircuit]:
    circuits = [run_input] if isinstance(run_input, QuantumCircuit) else run_input
    if not isinstance(circuits, (list, tuple)) or not all(isinstance(each, QuantumCircuit) for each in circuits):
        raise InputError(
            f"A backend runs a QuantumCircuit or a list of them, not a {type(run_input).__name__}.",
            "For OpenQASM, PennyLane and files use lab.submit(…).",
        )
    return list(circuits)


def _storable(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit itself, or a copy without its metadata when these cannot be written to the ledger."""
    if not circuit.metadata:
        return circuit
    try:
        json.dumps(circuit.metadata)
    except (TypeError, ValueError):
        bare: QuantumCircuit = circuit.copy()
        bare.metadata = {}
        return bare
    return circuit


def _bound(circuits: Sequence[QuantumCircuit], binds: Any) -> list[QuantumCircuit | Sweep]:
    if not binds:
        return list(circuits)
    each = [binds] if isinstance(binds, Mapping) else list(binds)
    if len(each) != len(circuits) or not all(isinstance(one, Mapping) for one in each):
        raise InputError(
            f"parameter_binds has {len(each)} entries for {len(circuits)} circuits.",
            "Give a list with one dictionary for each circuit, for example [{theta: [0.1, 0.2]}].",
        )
    return [bind([circuit], values, DEFAULT)[0] for circuit, values in zip(circuits, each, strict=True)]
