"""From a template to the steps that simulate all points of its sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qpm_lab.providers.outcomes import Terminal
from qpm_lab.providers.vectorised.angles import Angle
from qpm_lab.providers.vectorised.evolution import States
from qpm_lab.providers.vectorised.gates import Constant, Full, Swept
from qpm_lab.providers.vectorised.matrices import Entry, Rows, product
from qpm_lab.providers.vectorised.steps import NoMatrix, Step, placed, steps, visible

_BLOCK_AMPLITUDES = 1 << 17
"""States of two megabytes: larger ones leave the processor's cache."""
_SHORTEST_RUN = 16
"""Fewer points at once leave NumPy with loops too short."""
_STEP_SECONDS = 2.2e-5
_AMPLITUDE_SECONDS = 1.6e-9
_MULTINOMIAL_SECONDS = 1e-7


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Why a template cannot be simulated here."""

    instruction: str
    reason: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template ready for any number of points; whether its states fit into memory is the caller's to ask."""

    qubits: tuple[int, ...]
    """The qubits that are simulated: measured, or acting on what is measured."""
    order: tuple[int, ...]
    """The measured qubits, ascending; bit i of an outcome is the value of qubit `order[i]`."""
    steps: tuple[Step, ...]
    unseen: tuple[Angle, ...]
    """Angles that no measurement sees; they have to be numbers all the same."""

    @property
    def bytes_per_point(self) -> int:
        """Memory that a further point takes: its distribution, the same while sampling, and its counts."""
        return 4 * 8 << len(self.order)

    @property
    def block_bytes(self) -> int:
        """Memory of the states, scratch space included, however many points there are."""
        return 4 * 16 * self._block() << len(self.qubits)

    def seconds(self, points: int, shots: int) -> float:
        """How long simulating and sampling should take, by a model measured on two cores."""
        blocks = -(-points // self._block())
        state = len(self.steps) * (blocks * _STEP_SECONDS + points * _AMPLITUDE_SECONDS * 2.0 ** len(self.qubits))
        return state + points * min(shots, 1 << len(self.order)) * _MULTINOMIAL_SECONDS

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Exact distributions of the measured qubits.

        Args:
            values: Shape (points, parameters), one column per name the template was compiled for.

        Returns:
            Shape (points, 2^len(order)); each row sums to 1 within rounding.

        Raises:
            CircuitError: an angle is not a finite real number at some point.
        """
        values = np.asarray(values, dtype=np.float64)
        size = self._block()
        result = np.empty((len(values), 1 << len(self.order)))
        with np.errstate(all="ignore"):  # angles are checked, and named when they overflow
            for angle in self.unseen:
                angle.at(values)
            for start in range(0, len(values), size):
                result[start : start + size] = self._evolved(values[start : start + size])
        return result

    def _block(self) -> int:
        return max(_SHORTEST_RUN, _BLOCK_AMPLITUDES >> len(self.qubits))

    def _evolved(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        states = States(len(values))
        for step in self.steps:
            if isinstance(step.gates, Full):
                states.apply_dense(step.gates.matrix, step.qubits)
            else:
                states.apply(_combined(step.gates, values), step.qubits)
        return states.probabilities(self.order)


def compile_template(shape: Terminal, names: Sequence[str] = ()) -> Compiled | Unsupported:
    """Prepares a template once for all its points.

    Args:
        shape: Gates, their parameters open or bound, and final measurements.
        names: Names of the open parameters in the order of the values' columns.

    Returns:
        The compiled template, or the instruction that has no matrix and why.

    Raises:
        CircuitError: a constant angle is not a finite real number, or a parameter is not among `names`.
    """
    order = tuple(sorted(set(shape.measured.values())))
    try:
        gates = placed(shape.gates, {name: column for column, name in enumerate(names)})
    except NoMatrix as problem:
        return Unsupported(*problem.args)
    kept, unseen = visible(gates, order)
    qubits = tuple(sorted({q for _, on in kept for q in on} | set(order)))
    angles = tuple(angle for gate in unseen if isinstance(gate, Swept) for angle in gate.angles)
    return Compiled(qubits, order, tuple(steps(kept)), angles)


def _combined(gates: Sequence[Constant | Swept], values: NDArray[np.float64]) -> Rows:
    """Rows of gates on the same qubit at every point, one after the other."""
    rows, *others = [gate.at(values) for gate in gates]
    for after in others:
        rows = product(after, rows, 2)
    return {r: {c: _complex(entry) for c, entry in row.items()} for r, row in rows.items()}


def _complex(entry: Entry) -> Entry:
    """NumPy multiplies complex numbers by complex ones without copies."""
    return entry.astype(complex, copy=False) if isinstance(entry, np.ndarray) else entry
