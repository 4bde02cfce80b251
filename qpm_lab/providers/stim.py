"""`stim/noisy`: a device of 156 qubits for Clifford circuits, simulated by stim with its noise.

It stands for a good superconducting machine of 2026 and for no particular one. After each `sx`, `x` and `cx` comes one
of the Pauli errors of its qubits, all equally likely, as often as its calibrated average error says; a bit is read
wrongly with the calibrated probability.

The same task with the same seed gives the same counts on the same machine with the same version of stim. stim does not
promise this across its versions, nor between processors that differ in the width of their vector instructions: the
record has the version.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.remembered import Remembered
from qpm_lab.errors import CapacityError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.binding import bound
from qpm_lab.providers.capacity import (
    HEADROOM,
    UNCHECKED_BYTES,
    bytes_text,
    free_bytes,
    require_qubits,
    require_time,
)
from qpm_lab.providers.clifford_program import RUNNER, Lines, Program, lines_of, program, refuse_control_flow
from qpm_lab.providers.gathering import Counts
from qpm_lab.providers.generic_device import Errors, draw, listed
from qpm_lab.providers.interface import Running, Task
from qpm_lab.providers.outcomes import group_sizes, keys_of_bits
from qpm_lab.providers.pieces import GROUP_SECONDS, MOST_POINTS, Piece, derived_seed
from qpm_lab.providers.remembered import circuit_key, nameless
from qpm_lab.providers.routing import TRANSPILE_SEED, on_device, placing_router
from qpm_lab.providers.running import start
from qpm_lab.providers.simulator import Latest, require_table, total_seconds
from qpm_lab.providers.targets import digest

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

NOISY = BackendInfo(
    id=RUNNER,
    description="A generic 156-qubit device on a 12 × 13 grid; Clifford circuits only, its noise as Pauli errors; "
    "stands for no particular machine",
    qubits=156,
    kind="simulator",
    local=True,
    noisy=True,
)
DEVICE_SEED = 2027
GRID = (12, 13)
ERRORS = Errors(one_qubit=(0.0001, 0.0004), two_qubit=(0.001, 0.004), readout=(0.003, 0.012))
METHOD = "stabilizer with Pauli frames"
_LINE_SECONDS = 6e-7
_LINE_SHOT_SECONDS = 1e-10
_BIT_SECONDS = 4e-8
_POINT_SECONDS = 3e-3
_PIECE_BYTES = 2**28


@dataclass(frozen=True, slots=True)
class Ready:
    """A circuit on the device, or the first point of a sweep; it is also what the cut into pieces reads."""

    circuit: QuantumCircuit
    """In the device's gates, on its qubits."""
    program: Program
    shots: int
    template: QuantumCircuit | None = None
    """Of a sweep: its points are routed one by one, as a gate may be a Clifford gate at some of them only."""
    kind: str = METHOD
    piece_seconds: float = GROUP_SECONDS
    most_points: int = MOST_POINTS

    @property
    def outcome_bytes(self) -> int:
        """Of one outcome while it is written: its bits and its key as text, several times over."""
        return 200 + 10 * self.program.clbits

    @property
    def memory_bytes(self) -> float:
        return float(min(self.shots, self.most_shots) * self.outcome_bytes)

    @property
    def most_shots(self) -> int:
        return max(1, _PIECE_BYTES // self.outcome_bytes)

    @property
    def shot_seconds(self) -> float:
        return _LINE_SHOT_SECONDS * len(self.program.lines) + _BIT_SECONDS * self.program.clbits

    @property
    def releases_lock(self) -> bool:
        """stim never does, but what is as short as this lets others run soon enough."""
        return self.seconds(self.shots) <= GROUP_SECONDS

    def seconds(self, shots: int) -> float:
        once = _LINE_SECONDS * len(self.program.lines) + (_POINT_SECONDS if self.template else 0.0)
        return once + shots * self.shot_seconds

    def details(self) -> dict[str, Any]:
        return {
            "device": "GenericBackendV2 with redrawn errors",
            "device_seed": DEVICE_SEED,
            "transpile_seed": TRANSPILE_SEED,
            "physical_qubits": list(self.program.qubits),
            "depth": _depth(self.circuit),
            "two_qubit_gates": self.circuit.count_ops().get("cx", 0),
        }


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task on the device."""

    task: Task
    costs: tuple[Ready, ...]

    def run(self, piece: Piece) -> Counts:
        return [
            counts(steps, piece.shots, derived_seed(piece.seed, *([n] if n else [])), sizes)
            for n, (steps, sizes) in enumerate(self._programs(piece))
        ]

    def _programs(self, piece: Piece) -> Iterator[tuple[Program, tuple[int, ...]]]:
        for i in piece.circuits:
            ready, sizes = self.costs[i], group_sizes(self.task.circuits[i])
            values = self.task.bindings[i] if self.task.bindings else None
            if ready.template is None or values is None or piece.points is None:
                yield ready.program, sizes
                continue
            known = lines()
            for circuit in bound(ready.template, values[slice(*piece.points)]):
                yield _placed(circuit, known)[1], sizes

    def details(self) -> dict[str, Any]:
        versions = {name: metadata.version(name) for name in ("qiskit", "stim")}
        return {"method": METHOD, "versions": versions, **listed(map(Ready.details, self.costs), len(self.costs))}


class StimProvider:
    """`stim/noisy`."""

    name = "stim"

    def __init__(self) -> None:
        self._latest: Latest[Prepared] = Latest()

    def backends(self) -> Sequence[BackendInfo]:
        return (NOISY,)

    def target(self, backend_id: str) -> Target:
        target: Target = device().target
        return target

    def routed(self, circuit: QuantumCircuit, backend_id: str) -> QuantumCircuit:
        require_qubits(circuit.num_qubits, NOISY)
        return routed(circuit)

    def check(self, task: Task) -> None:
        """Refuses what is no Clifford circuit with its readings last, what does not fit and what takes over a day."""
        for circuit in task.circuits:
            require_qubits(circuit.num_qubits, NOISY)
        prepared = self.prepared(task)
        _require_outcomes(prepared)
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
        return self._latest.of(task, lambda: Prepared(task, tuple(_ready(task))))


# stim's first call imports a part of NumPy while it holds a lock of its own: two first calls at once would wait for
# each other for ever. As stim keeps Python's lock throughout, nothing is lost.
_ONE_AT_A_TIME = threading.Lock()
_PROGRAMS: Remembered[tuple[Any, Program]] = Remembered()
_LINES: Remembered[Lines] = Remembered(most=4)
_ROUTERS: Remembered[Any] = Remembered(most=4)


def _ready(task: Task) -> Iterator[Ready]:
    known, calibrations = lines(), digest(device().target)
    for i, circuit in enumerate(task.circuits):
        bindings = task.bindings[i] if task.bindings else None
        if bindings is None:
            key = circuit_key(task, i)
            make = partial(_placed, nameless(circuit) if key else circuit, known)
            own, steps = _PROGRAMS.get(key and (calibrations, key), make, len(circuit.data))
            yield Ready(own, steps, task.shots)
        else:
            (first,) = bound(circuit, bindings[0:1])
            yield Ready(*_placed(first, known), task.shots, template=circuit)


def _placed(circuit: QuantumCircuit, known: Lines) -> tuple[QuantumCircuit, Program]:
    own = routed(circuit)
    return own, program(own, circuit, known)


def routed(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit in the device's gates and couplings, on the device's own qubits."""
    refuse_control_flow(circuit)
    return on_device(circuit, NOISY.id, device().target, _ROUTERS, lambda: placing_router(device().coupling_map))


def counts(circuit: Program, shots: int, seed: int, sizes: tuple[int, ...]) -> Mapping[str, int]:
    """Noisy counts.

    Args:
        circuit: What is run.
        shots: Number of shots.
        seed: Of all that is random, below 2^64.
        sizes: Group sizes of the keys, see `outcomes.group_sizes`.
    """
    import numpy as np
    import stim

    with _ONE_AT_A_TIME:
        packed = stim.Circuit(circuit.text).compile_sampler(seed=seed).sample(shots, bit_packed=True)
    rows = packed.view(f"V{packed.shape[1]}").ravel()
    _, first, number = np.unique(rows, return_index=True, return_counts=True)
    bits = np.unpackbits(packed[first], axis=1, bitorder="little", count=circuit.clbits)
    return dict(zip(keys_of_bits(bits, sizes), number.tolist(), strict=True))


def lines() -> Lines:
    """What the device can do, as it is calibrated now."""
    target = device().target
    return _LINES.get(digest(target), lambda: lines_of(target))


@cache
def device() -> Any:
    """The generic backend with this device's calibrations."""
    return draw(GRID, ERRORS, DEVICE_SEED, decides=False)


def _depth(circuit: QuantumCircuit) -> int:
    """Operations one after the other, barriers left out; `QuantumCircuit.depth` takes twenty times as long."""
    from qiskit.converters import circuit_to_dag

    dag = circuit_to_dag(circuit, copy_operations=False)
    dag.remove_all_ops_named("barrier")
    return int(dag.depth())


def _require_outcomes(prepared: Prepared) -> None:
    """Refuses histograms that do not fit into memory; those of a sweep are a table.

    Raises:
        CapacityError: With the memory they would need, at worst.
    """
    shots = prepared.task.shots
    plain = [each for each in prepared.costs if each.template is None]
    need = sum(each.outcome_bytes * min(float(shots), 2.0**each.program.clbits) for each in plain)
    if need > UNCHECKED_BYTES and need > HEADROOM * free_bytes():
        raise CapacityError(
            f"The outcomes of {shots:,} shots may need {bytes_text(need)}; "
            f"this machine has {bytes_text(free_bytes())} free.",
            "Take fewer shots, or measure fewer qubits.",
        )
