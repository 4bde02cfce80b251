"""The flag: red for coherent errors, silent under white noise; and what it says when nothing can be said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from acceptance import cases
from acceptance.cases import Array
from acceptance.table import Row, share
from qpm_lab.fidelity import dispersion, heavy_fidelity, outcome_fidelity

TITLE = "Flags: coherent errors red, white noise not; refusals; dispersion"
TROTTER = {
    "Ising 5, 12 steps, ZZ + 40 %": (5, 12, 0.4, 0.8, 0.4),
    "Ising 6, 8 steps, ZZ + 40 %": (6, 8, 0.6, 0.5, 0.4),
    "Ising 8, 12 steps, ZZ + 40 %": (8, 12, 0.4, 0.5, 0.4),
    "Ising 10, 12 steps, ZZ + 30 %": (10, 12, 0.4, 0.5, 0.3),
    "Ising 10, 12 steps, ZZ + 20 %": (10, 12, 0.4, 0.8, 0.2),
}
"""Qubits, steps, ZZ angle, field and over-rotation; in each the heavy-set fidelity is 0.96 or more."""


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """Shares of flagged histograms."""
    draw = np.random.default_rng(seed)
    yield from _coherent(draw, fast, seed)
    yield from _white(draw, fast, seed)
    for name, ideal in (("one Hadamard", np.full(2, 0.5)), ("uniform 10 qubits", np.full(1024, 1 / 1024))):
        refused = heavy_fidelity(draw.multinomial(1_000, ideal), ideal).low is None
        yield Row("refused, no interval", name, float(refused), 0, 1.0, None, 0)
    yield from _independent(draw, 300 if fast else 3_000, seed)


def _coherent(draw: np.random.Generator, fast: bool, seed: int) -> Iterator[Row]:
    repetitions = 100 if fast else 300
    for name, setting in list(TROTTER.items())[: 2 if fast else None]:
        right = cases.trotter(*setting[:-1], 0.0)
        wrong = cases.trotter(*setting)
        ideal, noisy = abs(right) ** 2, abs(wrong) ** 2
        value, error = share(_red(ideal, noisy, 1_000, repetitions, draw), repetitions)
        yield Row("red, coherent ZZ", f"{name}, 1,000 shots", value, error, 0.99, None, repetitions, seed)
        flattered = heavy_fidelity((noisy * 1e12).astype(int), ideal).value
        assert flattered is not None
        yield Row("its heavy-set fidelity", name, flattered, 0, 0.95, None, 0)
        yield Row("its state fidelity", name, float(abs(np.vdot(right, wrong)) ** 2), 0, None, 0.25, 0)


def _white(draw: np.random.Generator, fast: bool, seed: int) -> Iterator[Row]:
    ideals = {
        "Porter–Thomas 5 qubits": cases.porter_thomas(5, 51),
        "Porter–Thomas 8 qubits": cases.porter_thomas(8, 82),
        "Porter–Thomas 12 qubits": cases.porter_thomas(12, 122),
        "GHZ-10": cases.ghz(10),
        "QPE-8": cases.phase_estimation(8, 0.3123),
        "W-7": cases.w_state(7),
        "product of 8 qubits": cases.product(8, 0.09),
        "Trotter 6": abs(cases.trotter(6, 8, 0.6, 0.5, 0.0)) ** 2,
    }
    repetitions = 50 if fast else 150
    for name, ideal in list(ideals.items())[: 2 if fast else None]:
        for shots in (1_000,) if fast else (20, 100, 1_000, 1_000_000):
            for strength in (0.1,) if fast else (0.0, 0.1, 0.5, 1.0):
                noisy = cases.white(strength)(ideal)
                value, error = share(_red(ideal, noisy, shots, repetitions, draw), repetitions)
                cell = f"{name}, white {strength}, {shots:,} shots"
                yield Row("red, white noise", cell, value, error, None, 0.02, repetitions, seed)


def _red(
    ideal: Array,
    noisy: Array,
    shots: int,
    repetitions: int,
    draw: np.random.Generator,
) -> int:
    noisy = noisy / noisy.sum()
    return sum(outcome_fidelity(draw.multinomial(shots, noisy), ideal).flag == "red" for _ in range(repetitions))


def _independent(draw: np.random.Generator, repetitions: int, seed: int) -> Iterator[Row]:
    """False warnings of the dispersion test at its nominal 1 %, and one case that it should find."""
    for shots, rate in ((5, 0.3), (50, 0.02), (50, 0.5), (5_000, 0.9)):
        blocks = draw.binomial(shots, rate, size=(repetitions, 20))
        warned = sum(dispersion(block, shots).warning is not None for block in blocks)
        value, error = share(warned, repetitions)
        # The nominal level and four Monte-Carlo errors.
        most = 0.01 + 4 * (0.01 * 0.99 / repetitions) ** 0.5
        cell = f"20 blocks of {shots:,}, rate {rate}"
        yield Row("false dispersion warnings", cell, value, error, None, most, repetitions, seed)
    rates = draw.beta(90, 10, size=(repetitions, 20))
    warned = sum(dispersion(draw.binomial(1_000, rate), 1_000).warning is not None for rate in rates)
    value, error = share(warned, repetitions)
    yield Row("dispersion found", "20 blocks of 1,000, rate 0.90 ± 0.03", value, error, 0.95, None, repetitions, seed)
