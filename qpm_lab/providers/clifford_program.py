"""A circuit in the gates of a device as text for stim: Clifford gates, each with its error, and one reading at the end.

Thousands of circuits with thousands of gates each share their few hundred different lines, so a circuit is kept as
references to these; stim's own form of it would take ten times the memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from qpm_lab.errors import CircuitError
from qpm_lab.providers.aer import NOISY as ANY_CIRCUIT
from qpm_lab.providers.aer_method import CLIFFORD
from qpm_lab.providers.gates import STRUCTURE, rewritten
from qpm_lab.providers.generic_device import BASIS
from qpm_lab.providers.outcomes import NotTerminal, terminal

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

RUNNER = "stim/noisy"
Lines = Mapping[tuple[str, tuple[int, ...]], str]
"""Operation of a device and its qubits → stim's text for it, with its error."""
_NAMES = {"sx": "SQRT_X", "x": "X", "cx": "CX"}
_TURNS = ("", "S", "Z", "S_DAG")
"""By the number of quarters of an `rz`."""
_ANGLE_TOLERANCE = 1e-6
"""Of a quarter turn, in radians. A synthesis leaves a millionth of it, and as an infidelity it would be 1e-12."""
_NOT_READ = "MPAD 0\n"
_HINT = f"{ANY_CIRCUIT.id} runs any circuit, on up to {ANY_CIRCUIT.qubits} qubits."


@dataclass(frozen=True, slots=True)
class Program:
    """A Clifford circuit that measures at its end. Column i of what stim samples from it is classical bit i."""

    lines: tuple[str, ...]
    qubits: tuple[int, ...]
    """Device qubits that are acted upon or read, ascending."""
    clbits: int

    @property
    def text(self) -> str:
        return "".join(self.lines)


def lines_of(target: Target) -> Lines:
    """What a device can do, with its errors as Pauli errors.

    A depolarising channel of average error e on d dimensions is one of the d² − 1 Pauli errors, each as likely as the
    others, with probability e (d + 1) / d (Nielsen, Phys. Lett. A 303, 249 (2002)); a bit is read wrongly with the
    error of its measurement, 0 for 1 as often as 1 for 0.
    """
    found: dict[tuple[str, tuple[int, ...]], str] = {}
    for name, gate in _NAMES.items():
        for qubits, known in target[name].items():
            on = " ".join(map(str, qubits))
            width = len(qubits)
            chance = (known.error or 0.0) * (1 + 2.0**-width)
            found[name, qubits] = f"{gate} {on}\nDEPOLARIZE{width}({chance!r}) {on}\n"
    for qubits, known in target["measure"].items():
        found["measure", qubits] = f"M({known.error or 0.0!r}) {qubits[0]}\n"
        found |= {(turn, qubits): f"{turn} {qubits[0]}\n" for turn in _TURNS if turn}
    return found


def program(circuit: QuantumCircuit, asked: QuantumCircuit, lines: Lines) -> Program:
    """Reads a circuit that is on a device's qubits.

    Args:
        circuit: In the device's gates.
        asked: What it was made from, where the name of what cannot be run is looked up.
        lines: The device's.

    Raises:
        CircuitError: It is no Clifford circuit that measures at its end.
    """
    reader = _Reader(circuit, lines)
    if not all(map(reader.take, circuit.data)):
        _refuse(circuit, asked)
    ends = [reader.read.get(bit, _NOT_READ) for bit in circuit.clbits]
    return Program((*reader.lines, *ends), tuple(sorted(reader.touched)), circuit.num_clbits)


class _Reader:
    """Takes the instructions of a circuit one after the other."""

    def __init__(self, circuit: QuantumCircuit, lines: Lines) -> None:
        self.lines: list[str] = []
        self.read: dict[Any, str] = {}
        """Classical bit → its reading; only the last one is kept, since nothing may follow it."""
        self.touched: set[int] = set()
        self._over: set[int] = set()
        self._index = {bit: i for i, bit in enumerate(circuit.qubits)}
        self._known = lines

    def take(self, instruction: Any) -> bool:
        """Adds an instruction; False when it cannot be part of such a circuit."""
        name = instruction.name
        if name in ("barrier", "delay"):
            return True
        on = tuple([self._index[bit] for bit in instruction.qubits])
        if name == "reset":
            return on[0] not in self.touched
        self.touched.update(on)
        if name == "measure":
            self.read[instruction.clbits[0]] = self._known[name, on]
            self._over.update(on)
            return True
        if name not in BASIS or not self._over.isdisjoint(on):
            return False
        turn = _turn(instruction.params[0]) if name == "rz" else name
        if turn:
            self.lines.append(self._known[turn, on])
        return turn is not None


def _turn(angle: Any) -> str | None:
    """The quarter turn that an `rz` is, empty for a full one; None when it is between two of them."""
    try:
        quarters = float(angle) / (math.pi / 2)
    except (TypeError, ValueError):
        return None
    nearest = round(quarters)
    return _TURNS[nearest % 4] if abs(quarters - nearest) * math.pi / 2 <= _ANGLE_TOLERANCE else None


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
        raise CircuitError(f"{RUNNER} cannot run this circuit: {shape.reason}.", _HINT)
    raise CircuitError(f"{RUNNER} runs Clifford circuits only: {_culprit(asked)} is no Clifford gate.", _HINT)


def _culprit(circuit: QuantumCircuit) -> str:
    """The first instruction that is no Clifford gate by itself, with its values."""
    from qiskit import QuantumCircuit as Circuit

    tried = set()
    for each in circuit.data:
        values = ", ".join(str(value)[:20] for value in each.params[:4])
        shown = f"{each.name}({values})" if values else each.name
        if each.name in CLIFFORD | STRUCTURE or shown in tried:
            continue
        tried.add(shown)
        alone = Circuit(len(each.qubits), len(each.clbits))
        alone.append(each.operation, alone.qubits, alone.clbits)
        gates = rewritten(alone, BASIS | STRUCTURE, RUNNER)
        if any(gate.name == "rz" and _turn(gate.params[0]) is None for gate in gates.data):
            return shown
    return "one of its gates"
