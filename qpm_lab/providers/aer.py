"""Local simulation with Qiskit Aer: an ideal simulator and a noisy device."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.aer_method import Method, choose, may_not_end
from qpm_lab.providers.batches import Call, calls, run_calls
from qpm_lab.providers.capacity import (
    Meter,
    peak_memory_bytes,
    require_memory,
    require_qubits,
    require_time,
)
from qpm_lab.providers.gates import rewritten
from qpm_lab.providers.interface import ProgressCallback, Running, RunResult, Task
from qpm_lab.providers.outcomes import group_sizes, write_key
from qpm_lab.providers.running import start

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

OUTCOME_BYTES = 400
"""Memory of one distinct outcome on its way from Aer to a dictionary."""

SIMULATOR = BackendInfo(
    id="aer/simulator",
    description="Ideal simulator; Clifford and weakly entangled circuits beyond what a state vector allows",
    qubits=500,
    kind="simulator",
    local=True,
    noisy=False,
)
NOISY = BackendInfo(
    id="aer/noisy",
    description="A generic 20-qubit device on a 4 × 5 grid, simulated with its noise",
    qubits=20,
    kind="simulator",
    local=True,
    noisy=True,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Circuits as Aer gets them, with the method of each."""

    circuits: tuple[QuantumCircuit, ...]
    methods: tuple[Method, ...]
    noise_models: tuple[Any, ...] = ()
    """One per circuit on the noisy device; none on the ideal simulator."""
    details: tuple[Mapping[str, Any], ...] = ()


class AerProvider:
    """`aer/simulator` and `aer/noisy`."""

    name = "aer"

    def __init__(self) -> None:
        self._latest: tuple[Task, Prepared] | None = None

    def backends(self) -> Sequence[BackendInfo]:
        return (SIMULATOR, NOISY)

    def check(self, task: Task) -> None:
        """Refuses what does not fit into memory or would take longer than a day."""
        for circuit in task.circuits:
            require_qubits(circuit.num_qubits, task.backend)
        prepared = self._prepared(task)
        for circuit, method in zip(task.circuits, prepared.methods, strict=True):
            _require(circuit, method, task.shots)
        require_time(sum(method.seconds(task.shots) for method in prepared.methods))

    def submit(self, task: Task) -> Running:
        return start(self, task)

    def expected_seconds(self, task: Task) -> float:
        if any(may_not_end(circuit) for circuit in task.circuits):
            return math.inf
        return sum(method.seconds(task.shots) for method in self._prepared(task).methods)

    def simulate(self, task: Task, report: ProgressCallback) -> RunResult:
        meter = Meter.start()
        prepared = self._prepared(task)
        self._latest = None
        plan = list(calls(prepared.methods, task.shots, task.seed))
        sizes = [group_sizes(circuit) for circuit in task.circuits]
        counts = run_calls(plan, len(sizes), lambda call: _run(call, prepared, sizes), report)
        return RunResult(
            counts,
            run_seconds=meter.wall_seconds(),
            cpu_seconds=meter.cpu_seconds(),
            peak_memory_bytes=peak_memory_bytes(),
            details=_details(prepared, len(plan)),
        )

    def _prepared(self, task: Task) -> Prepared:
        """Check, choice and run ask for the same; only the latest task is kept."""
        latest = self._latest
        if latest is None or latest[0] is not task:
            latest = self._latest = (task, _prepare(task))
        return latest[1]


def _prepare(task: Task) -> Prepared:
    if task.backend.id == NOISY.id:
        from qpm_lab.providers.aer_noisy import prepare

        return prepare(task.circuits, task.shots)
    circuits = tuple([rewritten(circuit, _basis(), SIMULATOR.id) for circuit in task.circuits])
    return Prepared(circuits, tuple([choose(circuit) for circuit in circuits]))


@cache
def _simulator() -> Any:
    from qiskit_aer import AerSimulator

    return AerSimulator()


@cache
def _basis() -> frozenset[str]:
    from qpm_lab.providers.gates import STRUCTURE

    return frozenset(_simulator().configuration().basis_gates) | STRUCTURE


def _require(circuit: QuantumCircuit, method: Method, shots: int) -> None:
    """Memory for the state and, at worst, for as many outcomes as there are shots."""
    outcomes = min(float(shots), 2.0**circuit.num_clbits, 2.0**method.qubits)
    kind = method.name.replace("_", " ").replace("statevector", "state vector")
    require_memory(
        method.bytes + outcomes * OUTCOME_BYTES,
        f"A {kind} of {method.qubits} qubits",
        bytes_per_amplitude=method.bytes_per_amplitude,
        per_qubit=2 if method.name == "density_matrix" else 1,
    )


def _run(call: Call, prepared: Prepared, sizes: Sequence[tuple[int, ...]]) -> list[Mapping[str, int]]:
    options: dict[str, Any] = {"shots": call.shots, "seed_simulator": call.seed, "method": call.method}
    if prepared.noise_models:
        options["noise_model"] = prepared.noise_models[call.circuits[0]]
    result = _simulator().run([prepared.circuits[i] for i in call.circuits], **options).result()
    if not result.success:
        said = " ".join(str(result.status).removeprefix("ERROR: ").split())[:500]
        raise ProviderError(
            f"Aer could not run the circuit: {said}",
            "If the circuit has loops or decisions, measure a qubit outside of them as well.",
        )
    return [_written(result.data(n)["counts"], sizes[i]) for n, i in enumerate(call.circuits)]


def _written(counts: Mapping[str, int], sizes: tuple[int, ...]) -> Mapping[str, int]:
    """Aer's hexadecimal keys as bit strings."""
    bits = f"0{sum(sizes)}b"
    return {write_key(format(int(key, 16), bits), sizes): count for key, count in counts.items()}


def _details(prepared: Prepared, calls_made: int) -> dict[str, Any]:
    import qiskit
    import qiskit_aer

    methods = sorted({method.name for method in prepared.methods})
    details: dict[str, Any] = {
        "method": methods[0] if len(methods) == 1 else methods,
        "calls": calls_made,
        "versions": {"qiskit": qiskit.__version__, "qiskit-aer": qiskit_aer.__version__},
    }
    if prepared.details:
        details["circuits"] = [dict(each) for each in prepared.details]
    return details
