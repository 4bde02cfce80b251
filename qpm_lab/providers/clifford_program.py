"""A circuit in the gates of a device, read as Clifford steps with their errors, and its noisy counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from qpm_lab.errors import CircuitError
from qpm_lab.providers.aer import CLIFFORD, NOISY
from qpm_lab.providers.aer_method import CLIFFORD as CLIFFORD_GATES
from qpm_lab.providers.gates import STRUCTURE, rewritten
from qpm_lab.providers.generic_device import BASIS
from qpm_lab.providers.outcomes import NotTerminal, keys_of_bits, terminal
from qpm_lab.providers.pauli_frames import flips
from qpm_lab.providers.stabilizer import Step, outcomes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

_ANGLE_TOLERANCE = 1e-6
"""Of a quarter turn, in radians. A synthesis leaves a millionth of it, and as an infidelity it would be 1e-12."""
_TURNS = ("", "s", "z", "sdg")
_ERROR_FREE = {"s", "z", "sdg"}
_HINT = f"{NOISY.id} runs any circuit, on up to {NOISY.qubits} qubits."


@dataclass(frozen=True, slots=True)
class Program:
    """A Clifford circuit that measures at its end, on the qubits that it uses."""

    steps: tuple[Step, ...]
    chances: NDArray[np.float64]
    """For each step the probability of a Pauli error after it."""
    physical: tuple[int, ...]
    """Device qubit of each of its qubits."""
    measured: Mapping[int, int]
    """Classical bit → its qubit."""
    misread: Mapping[int, float]
    """Classical bit → probability that it is read wrongly."""
    clbits: int
    depth: int
    """Operations one after the other, measurements included, barriers not."""

    @property
    def qubits(self) -> int:
        return len(self.physical)


class Chances:
    """Probabilities of errors, from a device's average errors.

    A depolarising channel of average error e on d dimensions is a Pauli error with probability e (d + 1) / d.
    """

    def __init__(self, target: Target) -> None:
        self._gates = {
            (name, where[0], where[-1]): (known.error or 0.0) * (1.25 if len(where) == 2 else 1.5)
            for name in ("sx", "x", "cx")
            for where, known in target[name].items()
        }
        self._readout = {where[0]: known.error or 0.0 for where, known in target["measure"].items()}

    def of(self, name: str, first: int, last: int) -> float:
        return 0.0 if name in _ERROR_FREE else self._gates[name, first, last]

    def readout(self, qubit: int) -> float:
        return self._readout[qubit]


def program(circuit: QuantumCircuit, asked: QuantumCircuit, chances: Chances) -> Program:
    """Reads a circuit that is on a device's qubits.

    Args:
        circuit: In the device's gates.
        asked: What it was made from, where the name of what cannot be run is looked up.
        chances: The device's errors.

    Raises:
        CircuitError: It is no Clifford circuit that measures once, at its end.
    """
    import numpy as np

    reader = _Reader(circuit)
    for each in circuit.data:
        if not reader.take(each):
            _refuse(circuit, asked)
    physical = tuple(reader.places)
    values = [chances.of(name, physical[a], physical[b]) for name, a, b in reader.steps]
    misread = {clbit: chances.readout(physical[place]) for clbit, place in reader.measured.items()}
    depth = max(reader.levels.values(), default=0)
    return Program(tuple(reader.steps), np.array(values), physical, reader.measured, misread, circuit.num_clbits, depth)


class _Reader:
    """Takes the instructions of a circuit one after the other."""

    def __init__(self, circuit: QuantumCircuit) -> None:
        self.steps: list[Step] = []
        self.measured: dict[int, int] = {}
        self.places: dict[int, int] = {}
        self.levels: dict[int, int] = {}
        self._read: set[int] = set()
        self._index = {bit: i for i, bit in enumerate(circuit.qubits)}
        self._clbits = {bit: i for i, bit in enumerate(circuit.clbits)}
        self._kept: dict[Step, Step] = {}

    def take(self, instruction: Any) -> bool:
        """Adds an instruction; False when it cannot be part of such a circuit."""
        name = instruction.name
        if name in ("barrier", "delay"):
            return True
        on = [self._index[bit] for bit in instruction.qubits]
        if name == "reset":
            return on[0] not in self.places
        a, b = self._place(on[0]), self._place(on[-1])
        self.levels[a] = self.levels[b] = max(self.levels[a], self.levels[b]) + 1
        if name == "measure":
            self.measured[self._clbits[instruction.clbits[0]]] = a
            self._read.add(a)
            return True
        if a in self._read or b in self._read or name not in BASIS:
            return False
        step = _turn(instruction.params[0]) if name == "rz" else name
        if step:
            self._add((step, a, b))
        return step is not None

    def _place(self, qubit: int) -> int:
        place = self.places.setdefault(qubit, len(self.places))
        self.levels.setdefault(place, 0)
        return place

    def _add(self, step: Step) -> None:
        # Thousands of circuits with thousands of steps each share their few hundred different ones.
        self.steps.append(self._kept.setdefault(step, step))


def _turn(angle: Any) -> str | None:
    """The quarter turn that an `rz` is, empty for a full one; None when it is between two of them."""
    try:
        quarters = float(angle) / (math.pi / 2)
    except (TypeError, ValueError):
        return None
    nearest = round(quarters)
    return _TURNS[nearest % 4] if abs(quarters - nearest) * math.pi / 2 <= _ANGLE_TOLERANCE else None


def counts(circuit: Program, shots: int, seed: int, sizes: tuple[int, ...]) -> Mapping[str, int]:
    """Noisy counts.

    Args:
        circuit: What is run.
        shots: Number of shots.
        seed: Of all that is random.
        sizes: Group sizes of the keys, see `outcomes.group_sizes`.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    ends = outcomes(circuit.steps, circuit.qubits).sample(shots, random)
    ends ^= flips(circuit.steps, circuit.chances, circuit.qubits, shots, random)
    bits = np.zeros((shots, circuit.clbits), dtype=np.uint8)
    for clbit, place in circuit.measured.items():
        bits[:, clbit] = ends[:, place] ^ (random.random(shots) < circuit.misread[clbit])
    packed = np.packbits(bits, axis=1)
    rows = packed.view(f"V{packed.shape[1]}").ravel()
    _, first, number = np.unique(rows, return_index=True, return_counts=True)
    return dict(zip(keys_of_bits(bits[first], sizes), number.tolist(), strict=True))


def refuse_control_flow(circuit: QuantumCircuit) -> None:
    """Refuses what no router has to look at first.

    Raises:
        CircuitError: The circuit has loops or decisions.
    """
    if circuit.has_control_flow_op():
        _refuse(circuit, circuit)


def _refuse(circuit: QuantumCircuit, asked: QuantumCircuit) -> NoReturn:
    shape = terminal(circuit)
    if isinstance(shape, NotTerminal):
        raise CircuitError(f"{CLIFFORD.id} cannot run this circuit: {shape.reason}.", _HINT)
    raise CircuitError(f"{CLIFFORD.id} runs Clifford circuits only: {_culprit(asked)} is no Clifford gate.", _HINT)


def _culprit(circuit: QuantumCircuit) -> str:
    """The first instruction that is no Clifford gate by itself, with its values."""
    from qiskit import QuantumCircuit as Circuit

    tried = set()
    for each in circuit.data:
        values = ", ".join(str(value)[:20] for value in each.params[:4])
        shown = f"{each.name}({values})" if values else each.name
        if each.name in CLIFFORD_GATES | STRUCTURE or shown in tried:
            continue
        tried.add(shown)
        alone = Circuit(len(each.qubits), len(each.clbits))
        alone.append(each.operation, alone.qubits, alone.clbits)
        gates = rewritten(alone, BASIS | STRUCTURE, CLIFFORD.id)
        if any(gate.name == "rz" and _turn(gate.params[0]) is None for gate in gates.data):
            return shown
    return "one of its gates"
