"""The device behind `aer/noisy_clifford`: 156 qubits, Pauli noise, and Clifford circuits only.

It stands for a good superconducting machine of 2026 and for no particular one. After each `sx`, `x` and `cx` comes one
of the Pauli errors of its qubits, all equally likely, as often as its calibrated average error says; a bit is read
wrongly with the calibrated probability. The shots are computed by `stabilizer` and `pauli_frames`: Aer's stabilizer
method gives the same, and takes a hundred times as long for a hundred qubits.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.remembered import Remembered
from qpm_lab.providers.aer import CLIFFORD
from qpm_lab.providers.binding import bound
from qpm_lab.providers.clifford_program import Chances, Program, counts, program, refuse_control_flow
from qpm_lab.providers.gathering import Counts
from qpm_lab.providers.generic_device import Errors, draw
from qpm_lab.providers.pieces import MOST_POINTS, Piece, derived_seed
from qpm_lab.providers.remembered import nameless
from qpm_lab.providers.routing import TRANSPILE_SEED, on_device, placing_router

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.circuits import Bindings

DEVICE_SEED = 2027
GRID = (12, 13)
ERRORS = Errors(one_qubit=(0.0001, 0.0004), two_qubit=(0.001, 0.004), readout=(0.003, 0.012))
METHOD = "stabilizer with Pauli frames"
_STEP_SECONDS = 2.5e-6
_ROW_SECONDS = 4e-7
_BIT_SECONDS = 1.2e-7
_SHOT_BYTES = 20
"""Of each qubit of each shot."""
_PIECE_BYTES = 2**28


@dataclass(frozen=True, slots=True)
class Ready:
    """A circuit on the device, or the template of a sweep; it is also what the cut into pieces reads."""

    circuit: QuantumCircuit
    program: Program
    """Of the circuit; of a template at its first point."""
    details: dict[str, Any]
    open_bound: Callable[[QuantumCircuit], QuantumCircuit] | None = None
    """Routes a bound circuit of the template."""
    kind: str = METHOD
    method_name: str = METHOD
    piece_seconds: float = 0.0
    """Each circuit and point is a piece by itself."""
    releases_lock: bool = True
    most_points: int = MOST_POINTS

    @property
    def memory_bytes(self) -> float:
        return float(_PIECE_BYTES)

    @property
    def most_shots(self) -> int:
        return max(1, _PIECE_BYTES // (_SHOT_BYTES * max(1, self.program.qubits)))

    @property
    def shot_seconds(self) -> float:
        return _BIT_SECONDS * (self.program.qubits + float(self.program.chances.sum()))

    def seconds(self, shots: int) -> float:
        once = _STEP_SECONDS * len(self.program.steps) + _ROW_SECONDS * self.program.qubits**2
        return once + shots * self.shot_seconds

    def run(self, piece: Piece, bindings: Bindings | None, sizes: tuple[int, ...]) -> Counts:
        """The histograms of one circuit, or of some points of a sweep."""
        if bindings is None or piece.points is None:
            return [counts(self.program, piece.shots, piece.seed, sizes)]
        circuits = bound(self.circuit, bindings[slice(*piece.points)], self.open_bound)
        chances = Chances(device().target)
        return [
            counts(program(each, each, chances), piece.shots, derived_seed(piece.seed, *([n] if n else [])), sizes)
            for n, each in enumerate(circuits)
        ]


_READY: Remembered[tuple[Any, Program]] = Remembered()
_CHANCES: Remembered[Chances] = Remembered(most=4)
_ROUTERS: Remembered[Any] = Remembered(most=4)


def ready(circuit: QuantumCircuit, key: Hashable | None, calibrations: str) -> Ready:
    """Routes a circuit onto the device and reads it as a Clifford circuit that measures at its end.

    Raises:
        CircuitError: It is no such circuit; the message names the instruction.
    """

    chances = _CHANCES.get(calibrations, lambda: Chances(device().target))

    def make() -> tuple[QuantumCircuit, Program]:
        own = routed(nameless(circuit) if key else circuit)
        return own, program(own, circuit, chances)

    own, steps = _READY.get(key and (calibrations, key), make, len(circuit.data))
    return Ready(
        own,
        steps,
        {
            "device": "GenericBackendV2 with redrawn errors",
            "device_seed": DEVICE_SEED,
            "transpile_seed": TRANSPILE_SEED,
            "physical_qubits": list(steps.physical),
            "depth": steps.depth,
            "two_qubit_gates": sum(name == "cx" for name, *_ in steps.steps),
        },
    )


def routed(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit in the device's gates and couplings, on the device's own qubits."""
    refuse_control_flow(circuit)
    return on_device(circuit, CLIFFORD.id, device().target, _ROUTERS, lambda: placing_router(device().coupling_map))


@cache
def device() -> Any:
    """The generic backend with this device's calibrations."""
    return draw(GRID, ERRORS, DEVICE_SEED, decides=False)
