"""Intervals of all outcomes at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from acceptance import cases
from acceptance.table import Row, share
from qpm_lab.fidelity import outcome_intervals

TITLE = "Per-outcome intervals, simultaneous (nominal 0.95)"
LEAST = 0.93
LARGE = 10_000
"""Outcomes from which a cell takes fewer repetitions."""
IDEALS = {
    "1 qubit, even": np.full(2, 0.5),
    "Porter–Thomas 4 qubits": cases.porter_thomas(4, 42),
    "GHZ-8 with bit flips": cases.readout(0.02, 0.05)(cases.ghz(8)),
    "Porter–Thomas 10 qubits": cases.porter_thomas(10, 102),
    "uniform 12 qubits": np.full(4096, 1 / 4096),
    "Porter–Thomas 16 qubits": cases.porter_thomas(16, 162),
}


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """How often every interval of a histogram is right; the sanity of 127 qubits."""
    draw = np.random.default_rng(seed)
    for name, truth in IDEALS.items():
        for shots in (1_000,) if fast else (30, 1_000, 100_000):
            large = len(truth) > LARGE
            repetitions = (20 if large else 60) if fast else 100 if large else 300
            value, error = share(_right(truth, shots, repetitions, draw), repetitions)
            yield Row("all intervals cover", f"{name}, {shots:,} shots", value, error, LEAST, None, repetitions, seed)
    found = outcome_intervals({"0" * 127: 2_000, "1" * 127: 2_096}, 127)
    low, high = found["0" * 127]
    yield Row("lower end at 127 qubits", "2,000 of 4,096 shots", low, 0, 0.3, 2_000 / 4_096, 0)
    yield Row("upper end at 127 qubits", "2,000 of 4,096 shots", high, 0, 2_000 / 4_096, 0.7, 0)
    yield Row("unseen outcome, upper end", "127 qubits, 4,096 shots", found["01" * 63 + "0"][1], 0, None, 0.05, 0)


def _right(truth: cases.Array, shots: int, repetitions: int, draw: np.random.Generator) -> int:
    qubits = len(truth).bit_length() - 1
    hits = 0
    for _ in range(repetitions):
        found = outcome_intervals(draw.multinomial(shots, truth), qubits)
        hits += bool(((found.low <= truth) & (truth <= found.high)).all())
    return hits
