"""What three people report of the same histogram: Qiskit's plug-in, its percentile bootstrap, and the interval here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from acceptance import cases
from acceptance.comparators import percentile_bootstrap, plug_in
from qpm_lab.fidelity import hellinger_fidelity

SEED = 20_260_724
FLIPS = 0.02
"""Probability that a bit is read wrongly, the noise of every cell."""
SHOTS = {8: (300, 1_000, 10_000, 100_000), 12: (300, 1_000, 10_000, 100_000), 16: (300, 1_000, 10_000, 30_000)}
"""Numbers of shots, for each number of qubits."""
REPETITIONS = {8: 400, 12: 100, 16: 40}
CELLS = tuple((qubits, shots) for qubits, several in SHOTS.items() for shots in several)


@dataclass(frozen=True, slots=True)
class Reports:
    """Of many histograms of one random circuit with one number of shots."""

    qubits: int
    shots: int
    repetitions: int
    truth: float
    """The Hellinger fidelity of the two distributions that were drawn from and compared with."""
    plug_in: float
    """Mean of what Qiskit's `hellinger_fidelity` gives."""
    bootstrap: tuple[float, float]
    """Mean ends of its percentile bootstrap interval."""
    bootstrap_coverage: float
    ours: tuple[float, float]
    """Mean ends of `hellinger_fidelity`'s interval."""
    our_coverage: float
    valued: float
    """Share of the histograms for which a single value was given."""


def measure(qubits: int, shots: int, repetitions: int | None = None) -> Reports:
    """Draws histograms of a noisy Porter–Thomas distribution; each cell has a seed of its own."""
    repetitions = repetitions or REPETITIONS[qubits]
    draw = np.random.default_rng([SEED, qubits, shots])
    ideal = cases.porter_thomas(qubits, SEED + qubits)
    noisy = cases.readout(FLIPS, FLIPS)(ideal)
    truth = cases.hellinger(ideal, noisy)
    rows = np.array([_report(draw.multinomial(shots, noisy), ideal, draw) for _ in range(repetitions)])
    point, (low, high), (below, above) = rows[:, 0], rows[:, 1:3].T, rows[:, 3:5].T
    return Reports(
        qubits,
        shots,
        repetitions,
        truth,
        float(point.mean()),
        (float(low.mean()), float(high.mean())),
        _covered(low, high, truth),
        (float(below.mean()), float(above.mean())),
        _covered(below, above, truth),
        float(rows[:, 5].mean()),
    )


def _report(counts: Any, ideal: cases.Array, draw: np.random.Generator) -> tuple[float, ...]:
    # Outcomes never seen add nothing to the plug-in, and are never drawn again by the bootstrap.
    seen = counts > 0
    low, high = percentile_bootstrap(counts[seen], ideal[seen], draw)
    found = hellinger_fidelity(counts, ideal)
    assert found.low is not None
    assert found.high is not None
    return plug_in(counts[seen], ideal[seen]), low, high, found.low, found.high, float(found.value is not None)


def _covered(low: cases.Array, high: cases.Array, truth: float) -> float:
    return float(((low <= truth) & (truth <= high)).mean())
