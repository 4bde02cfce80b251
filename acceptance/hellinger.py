"""Hellinger fidelity: how often its interval covers, and how wide it is; beside what others report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from acceptance import cases
from acceptance.cases import Array, Noise
from acceptance.comparators import percentile_bootstrap, plug_in
from acceptance.table import Row, share
from qpm_lab.fidelity import hellinger_fidelity

TITLE = "Hellinger fidelity: measured coverage (nominal 0.95), width and refusals"
LEAST = 0.90
WIDEST = 0.09
LEAST_NARROW = 0.98
"""Share of runs that must be no wider than that, where what is tested is white noise or close to it."""
CIRCUITS: dict[str, Array] = {
    "Porter–Thomas 8 qubits": cases.porter_thomas(8, 81),
    "Porter–Thomas 12 qubits": cases.porter_thomas(12, 121),
    "Porter–Thomas 16 qubits": cases.porter_thomas(16, 161),
    "QPE-8": cases.phase_estimation(8, 0.3123),
    "GHZ-10": cases.ghz(10),
    "Porter–Thomas 4 qubits": cases.porter_thomas(4, 41),
    "W-7": cases.w_state(7),
    "product of 8 qubits": cases.product(8, 0.09),
    "Bernstein–Vazirani 8": cases.single(8),
    "Grover 6": cases.grover(6),
}
NOISES: dict[str, Noise] = {
    "none": lambda p: p,
    "white 0.01": cases.white(0.01),
    "white 0.3": cases.white(0.3),
    "uniform": cases.white(1.0),
    "bit flips 0.01": cases.readout(0.01, 0.01),
    "bit flips 0.02": cases.readout(0.02, 0.02),
    "damping 0.1": cases.readout(0.0, 0.1),
    "readout 0.01/0.05": cases.readout(0.01, 0.05),
    "tilt": cases.tilted,
    "mixture": cases.mixed,
}
LARGE = 4096
"""Outcomes from which a cell takes fewer repetitions."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of many histograms of one cell."""

    covered: int
    valued: int
    """How many had a value beside the interval."""
    width: tuple[float, float]
    """Mean width of the interval, and the error of that mean."""
    narrow: int
    """How many intervals were at most 0.09 wide."""
    bootstrap: int
    """How many percentile bootstrap intervals covered."""
    off: tuple[float, float]
    """Mean of the plug-in minus the truth, and the error of that mean."""


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """Coverage over circuits, noises and shots; widths and refusals of Porter–Thomas 16; the comparison."""
    draw = np.random.default_rng(seed)
    yield from _widths(draw, 20 if fast else 400, seed)
    circuits = ("Porter–Thomas 8 qubits", "GHZ-10") if fast else tuple(CIRCUITS)
    noises = ("white 0.3", "bit flips 0.02") if fast else tuple(NOISES)
    for circuit in circuits:
        ideal = CIRCUITS[circuit]
        for noise in noises:
            for shots in (1_000,) if fast else (100, 1_000, 10_000, 100_000):
                repetitions = 100 if fast or len(ideal) >= LARGE else 400
                found = measure(ideal, NOISES[noise](ideal), shots, repetitions, draw)
                value, error = share(found.covered, repetitions)
                cell = f"{circuit}, {noise}, {shots:,} shots"
                yield Row("Hellinger coverage", cell, value, error, LEAST, None, repetitions, seed)
    yield from _comparison(draw, 20 if fast else 200, seed)


def _widths(draw: np.random.Generator, repetitions: int, seed: int) -> Iterator[Row]:
    ideal = CIRCUITS["Porter–Thomas 16 qubits"]
    for noise in ("none", "white 0.01", "white 0.3", "bit flips 0.01", "bit flips 0.02"):
        many = measure(ideal, NOISES[noise](ideal), 10_000, repetitions, draw)
        cell = f"Porter–Thomas 16 qubits, {noise}, 10,000 shots"
        yield Row("Hellinger width, mean", cell, *many.width, None, WIDEST, repetitions, seed)
        value, error = share(many.narrow, repetitions)
        yield Row("Hellinger width ≤ 0.09", cell, value, error, LEAST_NARROW, None, repetitions, seed)
        few = measure(ideal, NOISES[noise](ideal), 1_000, repetitions, draw)
        value, error = share(repetitions - few.valued, repetitions)
        cell = f"Porter–Thomas 16 qubits, {noise}, 1,000 shots"
        yield Row("Hellinger refusals", cell, value, error, 1.0, None, repetitions, seed)


def _comparison(draw: np.random.Generator, repetitions: int, seed: int) -> Iterator[Row]:
    for circuit, shots in (
        ("Porter–Thomas 8 qubits", 1_000),
        ("Porter–Thomas 8 qubits", 100_000),
        ("Porter–Thomas 12 qubits", 4_000),
        ("QPE-8", 1_000),
    ):
        ideal = CIRCUITS[circuit]
        found = measure(ideal, NOISES["white 0.01"](ideal), shots, repetitions, draw, compared=True)
        cell = f"{circuit}, white 0.01, {shots:,} shots"
        for what, hits, least in (
            ("our coverage", found.covered, LEAST),
            ("bootstrap coverage", found.bootstrap, None),
        ):
            value, error = share(hits, repetitions)
            yield Row(what, cell, value, error, least, None, repetitions, seed)
        yield Row("plug-in minus truth", cell, *found.off, None, None, repetitions, seed)


def measure(
    ideal: Array, noisy: Array, shots: int, repetitions: int, draw: np.random.Generator, *, compared: bool = False
) -> Measured:
    """Draws histograms of a noisy distribution and looks how often the truth is covered."""
    truth = cases.hellinger(ideal, noisy)
    covered = valued = bootstrap = 0
    widths, offs = np.zeros(repetitions), np.zeros(repetitions)
    for place in range(repetitions):
        counts = draw.multinomial(shots, noisy)
        found = hellinger_fidelity(counts, ideal)
        assert found.low is not None
        assert found.high is not None
        covered += found.low - 1e-12 <= truth <= found.high + 1e-12
        valued += found.value is not None
        widths[place] = found.high - found.low
        if compared:
            low, high = percentile_bootstrap(counts, ideal, draw)
            bootstrap += low <= truth <= high
            offs[place] = plug_in(counts, ideal) - truth
    narrow = int((widths <= WIDEST).sum())
    return Measured(covered, valued, _mean(widths), narrow, bootstrap, _mean(offs))


def _mean(values: Array) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1)) / len(values) ** 0.5
