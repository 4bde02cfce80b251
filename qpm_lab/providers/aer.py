"""Local simulation with Qiskit Aer: an ideal simulator and a noisy device."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from qpm_lab.circuits.remembered import Remembered
from qpm_lab.errors import CircuitError, ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.aer_method import Method, choose, may_not_end
from qpm_lab.providers.binding import bound
from qpm_lab.providers.capacity import processors, require_memory, require_qubits, require_time
from qpm_lab.providers.exact import by_qubit
from qpm_lab.providers.gates import rewritten
from qpm_lab.providers.gathering import Counts
from qpm_lab.providers.generic_device import listed
from qpm_lab.providers.interface import Running, Task
from qpm_lab.providers.outcomes import group_sizes, write_key
from qpm_lab.providers.pieces import GROUP_SECONDS, MOST_POINTS, MOST_SHOTS, Piece
from qpm_lab.providers.remembered import circuit_key, nameless
from qpm_lab.providers.running import start
from qpm_lab.providers.simulator import Latest, require_table, total_seconds
from qpm_lab.providers.swept import Swept, compiled
from qpm_lab.providers.targets import add_control_flow, gate_target

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

    from qpm_lab.circuits import Bindings

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
    description="A generic 20-qubit device on a 4 × 5 grid, simulated with its noise; stands for no particular machine",
    qubits=20,
    kind="simulator",
    local=True,
    noisy=True,
)


@dataclass(frozen=True, slots=True)
class Ready:
    """A circuit, or the template of a sweep, as Aer gets it; it is also what the cut into pieces reads."""

    circuit: QuantumCircuit
    method: Method
    kind: str
    """Only circuits of one kind share a call: those of one method and one noise model."""
    noise_model: Any = None
    details: Mapping[str, Any] | None = None
    open_bound: Callable[[QuantumCircuit], QuantumCircuit] | None = None
    """Rewrites a bound circuit, when the template could not be rewritten."""

    piece_seconds: float = GROUP_SECONDS
    releases_lock: bool = False

    @property
    def method_name(self) -> str:
        return self.method.name

    @property
    def memory_bytes(self) -> float:
        return self.method.bytes

    @property
    def shot_seconds(self) -> float:
        return self.method.shot_seconds

    @property
    def most_points(self) -> int:
        return MOST_POINTS

    @property
    def most_shots(self) -> int:
        return MOST_SHOTS

    def seconds(self, shots: int) -> float:
        return self.method.seconds(shots)

    def bound(self, bindings: Bindings, points: tuple[int, int]) -> list[QuantumCircuit]:
        """The template with the values of some points."""
        return list(bound(self.circuit, bindings[slice(*points)], self.open_bound))


AnyReady: TypeAlias = "Ready | Swept"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task's circuits as Aer gets them, with the method of each."""

    task: Task
    circuits: tuple[AnyReady, ...]

    @property
    def costs(self) -> Sequence[AnyReady]:
        return self.circuits

    def run(self, piece: Piece) -> Counts:
        ready = self.circuits[piece.circuits[0]]
        sizes = [group_sizes(self.task.circuits[i]) for i in piece.circuits]
        values = self.task.bindings[piece.circuits[0]] if self.task.bindings else None
        if isinstance(ready, Swept):
            return ready.run(piece, cast("Bindings", values), sizes[0])
        if piece.points is None or values is None:
            group = [cast(Ready, self.circuits[i]).circuit for i in piece.circuits]
            return _run(group, ready, piece, sizes)
        return _run(ready.bound(values, piece.points), ready, piece, sizes * piece.executions)

    def details(self) -> dict[str, Any]:
        return _details(self.circuits)


class AerProvider:
    """`aer/simulator` and `aer/noisy`."""

    name = "aer"

    def __init__(self) -> None:
        self._latest: Latest[Prepared] = Latest()

    def backends(self) -> Sequence[BackendInfo]:
        return (SIMULATOR, NOISY)

    def target(self, backend_id: str) -> Target:
        if backend_id != NOISY.id:
            return _ideal_target()
        from qpm_lab.providers.aer_noisy import device

        target: Target = device().target
        return target

    def routed(self, circuit: QuantumCircuit, backend_id: str) -> QuantumCircuit:
        if backend_id != NOISY.id:
            return circuit
        require_qubits(circuit.num_qubits, NOISY)
        from qpm_lab.providers.aer_noisy import routed

        return routed(circuit)

    def check(self, task: Task) -> None:
        """Refuses what does not fit into memory or would take longer than a day."""
        for circuit in task.circuits:
            require_qubits(circuit.num_qubits, task.backend)
        prepared = self.prepared(task)
        for circuit, ready in zip(task.circuits, prepared.circuits, strict=True):
            if isinstance(ready, Ready):
                _require(circuit, ready.method, task.shots)
        require_table(task)
        require_time(total_seconds(prepared))

    def submit(self, task: Task) -> Running:
        try:
            return start(self, task)
        finally:
            self._latest.forget()

    def expected_seconds(self, task: Task) -> float:
        if any(may_not_end(circuit) for circuit in task.circuits):
            return math.inf
        return total_seconds(self.prepared(task))

    def prepared(self, task: Task) -> Prepared:
        return self._latest.of(task, lambda: Prepared(task, tuple(_ready(task))))


def _ready(task: Task) -> Iterator[AnyReady]:
    prepare = _preparing(task.backend.id)
    for i, circuit in enumerate(task.circuits):
        key = circuit_key(task, i)
        bindings = task.bindings[i] if task.bindings else None
        if bindings is None:
            yield prepare(circuit, key, task.shots)
            continue
        swept = None
        if task.backend.id == SIMULATOR.id:
            swept = _SWEPT.get(key, partial(compiled, circuit, bindings.names), len(circuit.data))
        yield swept or _template(prepare, circuit, key, task.shots, bindings)


def _preparing(backend_id: str) -> Callable[[QuantumCircuit, Hashable | None, int], Ready]:
    """What makes a circuit ready for a backend: of its circuit, its key and the number of shots."""
    if backend_id != NOISY.id:
        return _ideal
    from qpm_lab.providers.aer_noisy import ready

    return ready


def _template(
    prepare: Callable[[QuantumCircuit, Hashable | None, int], Ready],
    circuit: QuantumCircuit,
    key: Hashable | None,
    shots: int,
    bindings: Bindings,
) -> Ready:
    try:
        return prepare(circuit, key, shots)
    except CircuitError:
        # A gate that can be opened only once its angle is known: each point is made ready by itself.
        (first,) = bound(circuit, bindings[0:1])
        return replace(prepare(first, None, shots), circuit=circuit, open_bound=lambda c: prepare(c, None, 1).circuit)


_SWEPT: Remembered[Swept | None] = Remembered()
_READY: Remembered[Ready] = Remembered()


def _ideal(circuit: QuantumCircuit, key: Hashable | None, shots: int) -> Ready:
    def make() -> Ready:
        simple = rewritten(nameless(circuit) if key else circuit, names, SIMULATOR.id)
        method = choose(simple)
        return Ready(by_qubit(simple) if method.is_large else simple, method, method.name)

    names = _basis()
    return _READY.get(key and (names, key), make, len(circuit.data))


@cache
def _simulator() -> Any:
    from qiskit_aer import AerSimulator

    return AerSimulator()


@cache
def _ideal_target() -> Target:
    """Aer's own says 30 qubits, what a state vector allows; weakly entangled circuits may have more."""
    from qiskit.circuit import Reset
    from qiskit.circuit.library import Initialize, UnitaryGate

    target = gate_target(_basis(), SIMULATOR.qubits)
    target.add_instruction(Initialize, name="initialize")
    target.add_instruction(UnitaryGate, name="unitary")
    if "reset" not in target:
        target.add_instruction(Reset())
    add_control_flow(target)
    return target


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


def _run(circuits: list[QuantumCircuit], ready: Ready, piece: Piece, sizes: Sequence[tuple[int, ...]]) -> Counts:
    # One thread of shots: how Aer divides them among its own threads would decide on the counts.
    options: dict[str, Any] = {
        "shots": piece.shots,
        "seed_simulator": piece.seed,
        "method": ready.method.name,
        "max_parallel_shots": 1,
        "max_parallel_threads": processors() if ready.method.is_large else 1,
    }
    if ready.noise_model is not None:
        options["noise_model"] = ready.noise_model
    result = _simulator().run(circuits, **options).result()
    if not result.success:
        said = " ".join(str(result.status).removeprefix("ERROR: ").split())[:500]
        raise ProviderError(
            f"Aer could not run the circuit: {said}",
            "If the circuit has loops or decisions, measure a qubit outside of them as well.",
        )
    return [_written(result.data(n)["counts"], size) for n, size in enumerate(sizes)]


def _written(counts: Mapping[str, int], sizes: tuple[int, ...]) -> Mapping[str, int]:
    """Aer's hexadecimal keys as bit strings."""
    bits = f"0{sum(sizes)}b"
    return {write_key(format(int(key, 16), bits), sizes): count for key, count in counts.items()}


def _details(circuits: Sequence[AnyReady]) -> dict[str, Any]:
    import qiskit
    import qiskit_aer

    methods = sorted({each.method_name for each in circuits})
    details: dict[str, Any] = {
        "method": methods[0] if len(methods) == 1 else methods,
        "versions": {"qiskit": qiskit.__version__, "qiskit-aer": qiskit_aer.__version__},
    }
    devices = [each.details for each in circuits if not isinstance(each, Swept) and each.details]
    return {**details, **listed(devices, len(devices))} if devices else details
