"""Two errors that a fidelity may have to tell apart: a coherent one, which the flag finds, and white noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from acceptance import cases
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity import outcome_fidelity

SEED = 20_260_725
SHOTS = 1_000
REPETITIONS = 200
QUBITS, STEPS, ANGLE, FIELD = 6, 8, 0.6, 0.5
"""Of the trotterised Ising chain."""
Kind = Literal["coherent", "white"]
CELLS: tuple[tuple[Kind, float], ...] = (
    *(("coherent", strength) for strength in (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)),
    *(("white", strength) for strength in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)),
)


@dataclass(frozen=True, slots=True)
class Flagged:
    """Of many histograms of one circuit with one error."""

    kind: Kind
    strength: float
    """The share by which every ZZ angle is too large, or the probability of a uniformly random outcome."""
    state: float
    """Fidelity of the state, which no histogram can measure."""
    heavy: Estimate
    """Of the first histogram."""
    hellinger: Estimate
    """Of the first histogram."""
    red: float
    """Share of the histograms that are flagged red."""
    amber: float


def measure(kind: Kind, strength: float, repetitions: int = REPETITIONS) -> Flagged:
    """Draws histograms of 1,000 shots and looks at their flags; each cell has a seed of its own."""
    right = cases.trotter(QUBITS, STEPS, ANGLE, FIELD, 0.0)
    ideal: cases.Array = np.asarray(abs(right) ** 2)
    noisy, state = _coherent(right, strength) if kind == "coherent" else _white(ideal, strength)
    draw = np.random.default_rng([SEED, ("coherent", "white").index(kind), round(1000 * strength)])
    found = [outcome_fidelity(draw.multinomial(SHOTS, noisy / noisy.sum()), ideal) for _ in range(repetitions)]
    first = found[0]
    assert first.hellinger is not None
    red, amber = (sum(each.flag == flag for each in found) / repetitions for flag in ("red", "amber"))
    return Flagged(kind, strength, state, first, first.hellinger, red, amber)


def _coherent(right: Any, over_rotation: float) -> tuple[cases.Array, float]:
    wrong = cases.trotter(QUBITS, STEPS, ANGLE, FIELD, over_rotation)
    return np.asarray(abs(wrong) ** 2), float(abs(np.vdot(right, wrong)) ** 2)


def _white(ideal: cases.Array, strength: float) -> tuple[cases.Array, float]:
    return cases.white(strength)(ideal), 1 - strength + strength / len(ideal)
