"""What others report for the same histogram: measured beside ours, never used."""

from __future__ import annotations

from typing import Any

import numpy as np

from acceptance.cases import Array, hellinger

RESAMPLES = 200


def plug_in(counts: Any, ideal: Array) -> float:
    """Qiskit's `hellinger_fidelity`: observed shares in the place of the machine's distribution, no interval."""
    return hellinger(ideal, counts / counts.sum())


def percentile_bootstrap(counts: Any, ideal: Array, draw: np.random.Generator) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the plug-in."""
    shots = int(counts.sum())
    again = draw.multinomial(shots, counts / shots, size=RESAMPLES)
    values = np.sqrt(again / shots) @ np.sqrt(ideal)
    low, high = np.percentile(values**2, [2.5, 97.5])
    return float(low), float(high)
