"""Local simulation on PennyLane's own devices, for circuits that measure at their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.batches import Call, calls, run_calls
from qpm_lab.providers.capacity import (
    Meter,
    peak_memory_bytes,
    require_memory,
    require_qubits,
    require_time,
    state_qubits,
    total_bytes,
)
from qpm_lab.providers.gates import STRUCTURE, rewritten
from qpm_lab.providers.interface import ProgressCallback, Running, RunResult, Task
from qpm_lab.providers.outcomes import Gates, NotTerminal, Terminal, group_sizes, keys_of, terminal
from qpm_lab.providers.running import start

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

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
class Prepared:
    """One circuit as a PennyLane device gets it; it is also what the batch plan reads."""

    gates: Gates
    measured: Mapping[int, int]
    qubits: tuple[int, ...]
    device: Device
    name: str
    """The place in the task: PennyLane runs one circuit per call."""
    shot_seconds: float = 2e-7

    def seconds(self, shots: int) -> float:
        device, size = self.device, 2.0 ** len(self.qubits)
        gates = len(self.gates) + 1
        once = gates * (device.gate_seconds + device.amplitude_seconds * size)
        return once + shots * self.shot_seconds * (1 + len(self.measured) / 8)


class PennyLaneProvider:
    """`pennylane/default.qubit` and `pennylane/lightning.qubit`."""

    name = "pennylane"

    def backends(self) -> Sequence[BackendInfo]:
        return _infos()

    def check(self, task: Task) -> None:
        """Refuses circuits that go on after a measurement, and what does not fit into memory."""
        for circuit in task.circuits:
            require_qubits(circuit.num_qubits, task.backend)
        prepared = _prepare(task)
        for each in prepared:
            need = each.device.bytes_per_amplitude * 2.0 ** len(each.qubits)
            require_memory(
                need + min(task.shots * 8.0 * len(each.qubits), BATCH_BYTES),
                f"A state vector of {len(each.qubits)} qubits on {task.backend.id}",
                bytes_per_amplitude=each.device.bytes_per_amplitude,
            )
        require_time(sum(each.seconds(task.shots) for each in prepared))

    def submit(self, task: Task) -> Running:
        return start(self, task)

    def expected_seconds(self, task: Task) -> float:
        return sum(each.seconds(task.shots) for each in _prepare(task))

    def simulate(self, task: Task, report: ProgressCallback) -> RunResult:
        meter = Meter.start()
        prepared = _prepare(task)
        sizes = [group_sizes(circuit) for circuit in task.circuits]
        widest = max(len(each.qubits) for each in prepared)
        plan = list(calls(prepared, task.shots, task.seed, most_shots=BATCH_BYTES // (8 * max(1, widest))))
        counts = run_calls(plan, len(sizes), lambda call: [_run(call, prepared, sizes)], report)
        return RunResult(
            counts,
            run_seconds=meter.wall_seconds(),
            cpu_seconds=meter.cpu_seconds(),
            peak_memory_bytes=peak_memory_bytes(),
            details=_details(task, len(plan)),
        )


@cache
def _infos() -> tuple[BackendInfo, ...]:
    return tuple(device.info() for device in DEVICES.values())


def _prepare(task: Task) -> list[Prepared]:
    device = DEVICES[task.backend.id.partition("/")[2]]
    return [_prepare_one(circuit, device, str(i)) for i, circuit in enumerate(task.circuits)]


def _prepare_one(circuit: QuantumCircuit, device: Device, name: str) -> Prepared:
    _require_terminal(terminal(circuit), device)
    simple = rewritten(circuit, GATES | STRUCTURE, f"pennylane/{device.name}")
    shape = _require_terminal(terminal(simple), device)
    return Prepared(shape.gates, shape.measured, shape.qubits, device, name)


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


def _run(call: Call, prepared: Sequence[Prepared], sizes: Sequence[tuple[int, ...]]) -> Mapping[str, int]:
    import numpy as np

    circuit = call.circuits[0]
    job = prepared[circuit]
    order = sorted(set(job.measured.values()))
    samples = _samples(job, order, call)
    weights = 1 << np.arange(len(order), dtype=np.int64)
    outcomes, counts = np.unique(samples @ weights, return_counts=True)
    keys = keys_of(outcomes, job.measured, order, sizes[circuit])
    return dict(zip(keys, counts.tolist(), strict=True))


def _samples(job: Prepared, order: Sequence[int], call: Call) -> NDArray[np.int64]:
    """Bits of the measured qubits, shape (shots, len(order))."""
    import numpy as np
    import pennylane as qml

    wire = {qubit: i for i, qubit in enumerate(job.qubits)}
    operations = [operation(gate, [wire[q] for q in qubits]) for gate, qubits in job.gates]
    measurement = qml.sample(wires=[wire[q] for q in order])
    tape = qml.tape.QuantumScript(operations, [measurement], shots=call.shots)
    device = qml.device(f"{job.device.name}", wires=len(job.qubits), seed=call.seed)
    result = qml.execute([tape], device, diff_method=None)[0]
    return np.asarray(result, dtype=np.int64).reshape(call.shots, len(order))


def _details(task: Task, calls_made: int) -> dict[str, Any]:
    import pennylane

    return {
        "method": "statevector",
        "device": task.backend.id.partition("/")[2],
        "calls": calls_made,
        "versions": {"pennylane": pennylane.__version__},
    }
