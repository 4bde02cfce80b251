"""Sweeps of circuits that measure at their end: all points at once, exactly, with NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qpm_lab.errors import QpmError
from qpm_lab.providers.outcomes import Terminal, terminal
from qpm_lab.providers.pieces import MOST_POINTS

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.circuits import Bindings
    from qpm_lab.counts import CountsTable
    from qpm_lab.providers.pieces import Piece
    from qpm_lab.providers.vectorised import Compiled

MOST_QUBITS = 14
"""Wider states are computed faster by Aer, one point after the other."""
METHOD = "vectorised"
_PIECE_SECONDS = 0.02
_PIECE_BYTES = 2**24
_MODEL_POINTS = 256
_MOST_SHOTS = 2**62


@dataclass(frozen=True, slots=True)
class Swept:
    """A compiled template; it is also what the cut into pieces reads."""

    compiled: Compiled
    measured: Mapping[int, int]
    """Classical bit → qubit."""
    kind: str = METHOD
    method_name: str = METHOD
    piece_seconds: float = _PIECE_SECONDS
    shot_seconds: float = 0.0
    most_shots: int = _MOST_SHOTS
    releases_lock: bool = True

    @property
    def most_points(self) -> int:
        return max(1, min(MOST_POINTS, _PIECE_BYTES // self.compiled.bytes_per_point))

    @property
    def memory_bytes(self) -> int:
        """Of one piece at its peak: distributions, their cleaned copy and the counts."""
        return self.compiled.block_bytes + 3 * self.most_points * self.compiled.bytes_per_point

    def seconds(self, shots: int) -> float:
        return self.compiled.seconds(_MODEL_POINTS, shots) / _MODEL_POINTS

    def run(self, piece: Piece, bindings: Bindings, sizes: tuple[int, ...]) -> CountsTable:
        """The counts of some points."""
        from qpm_lab.providers.vectorised import counts_table, sample

        points = slice(*piece.points) if piece.points else slice(None)
        counts = sample(self.compiled.probabilities(bindings.values[points]), piece.shots, piece.seed)
        return counts_table(counts, self.measured, self.compiled.order, sizes)


def compiled(circuit: QuantumCircuit, names: tuple[str, ...]) -> Swept | None:
    """The template for the fast way; None when it has to go the plain one.

    Args:
        circuit: The template.
        names: Its open parameters in the order of the values' columns.

    Raises:
        CircuitError: an angle can never be a finite real number.
    """
    shape = terminal(circuit)
    if not isinstance(shape, Terminal):
        return None
    from qpm_lab.providers.vectorised import Compiled, compile_template

    try:
        ready = compile_template(shape, names)
    except QpmError:
        raise
    except Exception:
        # A gate is somebody's own code: what cannot be opened before its angle is known may be later.
        return None
    if not isinstance(ready, Compiled) or len(ready.qubits) > MOST_QUBITS:
        return None
    return Swept(ready, shape.measured)
