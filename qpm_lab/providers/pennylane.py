"""Local simulation on PennyLane's own devices, for circuits that measure at their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import metadata
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.remembered import Remembered
from qpm_lab.counts import CountsTable
from qpm_lab.errors import CircuitError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.binding import bound
from qpm_lab.providers.capacity import require_memory, require_qubits, require_time, state_qubits, total_bytes
from qpm_lab.providers.gates import STRUCTURE, rewritten
from qpm_lab.providers.gathering import Counts
from qpm_lab.providers.interface import Running, Task
from qpm_lab.providers.outcomes import NotTerminal, Terminal, group_sizes, keys_of, terminal
from qpm_lab.providers.pieces import GROUP_SECONDS, MOST_POINTS, Piece, derived_seed
from qpm_lab.providers.remembered import circuit_key, nameless
from qpm_lab.providers.running import start
from qpm_lab.providers.simulator import Latest, require_table, total_seconds
from qpm_lab.providers.targets import gate_target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

BATCH_BYTES = 2**28
"""Memory for the samples of one call: eight bytes for each bit of each shot."""
_NAMES: Mapping[str, str] = {
    "id": "Identity", "x": "PauliX", "y": "PauliY", "z": "PauliZ", "h": "Hadamard", "s": "S", "t": "T",
    "sx": "SX", "p": "PhaseShift", "u1": "PhaseShift", "rx": "RX", "ry": "RY", "rz": "RZ", "u2": "U2",
    "cx": "CNOT", "cy": "CY", "cz": "CZ", "ch": "CH", "swap": "SWAP", "iswap": "ISWAP", "ecr": "ECR",
    "cp": "ControlledPhaseShift", "cu1": "ControlledPhaseShift", "crx": "CRX", "cry": "CRY", "crz": "CRZ",
    "rxx": "IsingXX", "ryy": "IsingYY", "rzz": "IsingZZ", "ccx": "Toffoli", "ccz": "CCZ", "cswap": "CSWAP",
    "u": "U3", "u3": "U3",
}  # fmt: skip
_ADJOINTS: Mapping[str, str] = {"sdg": "S", "tdg": "T", "sxdg": "SX"}
_MATRICES = frozenset({"unitary", "csx", "cu", "cu3", "rzx", "r", "dcx", "xx_minus_yy", "xx_plus_yy"})
GATES = frozenset(_NAMES) | frozenset(_ADJOINTS) | _MATRICES


@dataclass(frozen=True, slots=True)
class Device:
    """One PennyLane device as the model of cost and memory sees it."""

    name: str
    description: str
    bytes_per_amplitude: float
    """Peak memory over 2^qubits, measured."""
    gate_seconds: float
    amplitude_seconds: float

    def info(self) -> BackendInfo:
        return BackendInfo(
            id=f"pennylane/{self.name}",
            description=self.description,
            qubits=state_qubits(total_bytes(), self.bytes_per_amplitude),
            kind="simulator",
            local=True,
            noisy=False,
        )


DEVICES = {
    device.name: device
    for device in (
        Device("default.qubit", "PennyLane's reference simulator, in NumPy", 64, 2e-4, 3e-8),
        Device("lightning.qubit", "PennyLane's fast state-vector simulator, in C++", 48, 5e-5, 5e-9),
    )
}


@dataclass(frozen=True, slots=True)
class Ready:
    """A circuit, or the template of a sweep, as a PennyLane device gets it; the cut into pieces reads it too."""

    circuit: QuantumCircuit
    shape: Terminal
    device: Device
    kind: str
    """Its place in the task: PennyLane runs one circuit per call."""
    open_bound: Callable[[QuantumCircuit], QuantumCircuit] | None = None
    """Rewrites a bound circuit, when the template could not be rewritten."""
    shot_seconds: float = 2e-7
    piece_seconds: float = GROUP_SECONDS
    releases_lock: bool = False

    @property
    def memory_bytes(self) -> float:
        return self.device.bytes_per_amplitude * 2.0 ** len(self.shape.qubits) + BATCH_BYTES

    @property
    def most_shots(self) -> int:
        return BATCH_BYTES // (8 * max(1, len(self.shape.qubits)))

    @property
    def most_points(self) -> int:
        return MOST_POINTS

    def seconds(self, shots: int) -> float:
        device, size = self.device, 2.0 ** len(self.shape.qubits)
        gates = len(self.shape.gates) + 1
        once = gates * (device.gate_seconds + device.amplitude_seconds * size)
        return once + shots * self.shot_seconds * (1 + len(self.shape.measured) / 8)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task made ready for a PennyLane device."""

    task: Task
    costs: tuple[Ready, ...]

    def run(self, piece: Piece) -> Counts:
        place = piece.circuits[0]
        ready, sizes = self.costs[place], group_sizes(self.task.circuits[place])
        values = self.task.bindings[place] if self.task.bindings else None
        if piece.points is None or values is None:
            return [_run(ready.shape, ready.device, piece.shots, piece.seed, sizes)]
        circuits = bound(ready.circuit, values[slice(*piece.points)], ready.open_bound)
        return CountsTable.of(
            _run(_require_terminal(terminal(one), ready.device), ready.device, piece.shots, seed, sizes)
            for one, seed in zip(circuits, _seeds(piece), strict=True)
        )

    def details(self) -> dict[str, Any]:
        return {
            "method": "statevector",
            "device": self.costs[0].device.name,
            "versions": {"pennylane": metadata.version("pennylane")},
        }


class PennyLaneProvider:
    """`pennylane/default.qubit` and `pennylane/lightning.qubit`."""

    name = "pennylane"

    def __init__(self) -> None:
        self._latest: Latest[Prepared] = Latest()

    def backends(self) -> Sequence[BackendInfo]:
        return _infos()

    def target(self, backend_id: str) -> Target:
        (qubits,) = [info.qubits for info in _infos() if info.id == backend_id]
        return gate_target(GATES - {"unitary"}, qubits)

    def routed(self, circuit: QuantumCircuit, backend_id: str) -> QuantumCircuit:
        return circuit

    def check(self, task: Task) -> None:
        """Refuses circuits that go on after a measurement, and what does not fit into memory."""
        for circuit in task.circuits:
            require_qubits(circuit.num_qubits, task.backend)
        prepared = self.prepared(task)
        for each in prepared.costs:
            qubits = len(each.shape.qubits)
            need = each.device.bytes_per_amplitude * 2.0**qubits
            require_memory(
                need + min(task.shots * 8.0 * qubits, BATCH_BYTES),
                f"A state vector of {qubits} qubits on {task.backend.id}",
                bytes_per_amplitude=each.device.bytes_per_amplitude,
            )
        require_table(task)
        require_time(total_seconds(prepared))

    def submit(self, task: Task) -> Running:
        try:
            return start(self, task)
        finally:
            self._latest.forget()

    def expected_seconds(self, task: Task) -> float:
        return total_seconds(self.prepared(task))

    def prepared(self, task: Task) -> Prepared:
        device = DEVICES[task.backend.id.partition("/")[2]]
        return self._latest.of(task, lambda: Prepared(task, tuple(_ready(task, device))))


_READY: Remembered[Ready] = Remembered()


@cache
def _infos() -> tuple[BackendInfo, ...]:
    return tuple(device.info() for device in DEVICES.values())


def _ready(task: Task, device: Device) -> Iterator[Ready]:
    for i, circuit in enumerate(task.circuits):
        bindings = task.bindings[i] if task.bindings else None
        try:
            key = circuit_key(task, i)
            ready = _READY.get(key and (device.name, GATES, key), partial(_kept, circuit, device), len(circuit.data))
            yield replace(ready, kind=str(i))
        except CircuitError:
            if bindings is None:
                raise
            # A gate that can be opened only once its angle is known: each point is made ready by itself.
            (first,) = bound(circuit, bindings[0:1])
            ready = _ready_one(first, device, str(i))
            yield replace(ready, circuit=circuit, open_bound=lambda c: _ready_one(c, device, "").circuit)


def _kept(circuit: QuantumCircuit, device: Device) -> Ready:
    return _ready_one(nameless(circuit), device, "")


def _ready_one(circuit: QuantumCircuit, device: Device, kind: str) -> Ready:
    _require_terminal(terminal(circuit), device)
    simple = rewritten(circuit, GATES | STRUCTURE, f"pennylane/{device.name}")
    return Ready(simple, _require_terminal(terminal(simple), device), device, kind)


def _seeds(piece: Piece) -> list[int]:
    """One for each execution of a piece."""
    return [piece.seed, *(derived_seed(piece.seed, n) for n in range(1, piece.executions))]


def _require_terminal(shape: Terminal | NotTerminal, device: Device) -> Terminal:
    if isinstance(shape, NotTerminal):
        raise CircuitError(
            f"pennylane/{device.name} cannot run this circuit: {shape.reason}.",
            "Run it on aer/simulator, which measures, resets and decides in the middle of a circuit.",
        )
    return shape


def operation(gate: Any, wires: list[int]) -> Any:
    """The PennyLane operation of one Qiskit gate.

    Qiskit's first qubit is the lowest bit of a matrix index and PennyLane's first wire the highest,
    so a matrix goes with its wires reversed.
    """
    import pennylane as qml

    if gate.name in _NAMES:
        build: Callable[..., Any] = getattr(qml, _NAMES[gate.name])
        return build(*[float(value) for value in gate.params], wires=wires)
    if gate.name in _ADJOINTS:
        return qml.adjoint(getattr(qml, _ADJOINTS[gate.name])(wires=wires))
    return qml.QubitUnitary(gate.to_matrix(), wires=wires[::-1])


def _run(shape: Terminal, device: Device, shots: int, seed: int, sizes: tuple[int, ...]) -> Mapping[str, int]:
    import numpy as np

    order = sorted(set(shape.measured.values()))
    samples = _samples(shape, order, device, shots, seed)
    weights = 1 << np.arange(len(order), dtype=np.int64)
    outcomes, counts = np.unique(samples @ weights, return_counts=True)
    keys = keys_of(outcomes, shape.measured, order, sizes)
    return dict(zip(keys, counts.tolist(), strict=True))


def _samples(shape: Terminal, order: Sequence[int], device: Device, shots: int, seed: int) -> NDArray[np.int64]:
    """Bits of the measured qubits, shape (shots, len(order))."""
    import numpy as np
    import pennylane as qml

    wire = {qubit: i for i, qubit in enumerate(shape.qubits)}
    operations = [operation(gate, [wire[q] for q in qubits]) for gate, qubits in shape.gates]
    measurement = qml.sample(wires=[wire[q] for q in order])
    tape = qml.tape.QuantumScript(operations, [measurement], shots=shots)
    simulator = qml.device(f"{device.name}", wires=len(shape.qubits), seed=seed)
    result = qml.execute([tape], simulator, diff_method=None)[0]
    return np.asarray(result, dtype=np.int64).reshape(shots, len(order))
