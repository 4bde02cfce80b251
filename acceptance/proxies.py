"""Clifford proxies: direct fidelity estimation from 20 to 150 qubits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from scipy.stats import binom

from acceptance.stabiliser import Noise, as_stim, choi_circuit, clifford_circuit, process_fidelity
from acceptance.table import Row, share
from qpm_lab.circuits import clifford_proxies
from qpm_lab.circuits.companions.layers import layered
from qpm_lab.circuits.companions.proxies import drawn
from qpm_lab.fidelity import clifford_proxy_fidelity, clopper_pearson

TITLE = "Clifford proxies"
INSTANCES = 2000
CHUNK = 20_000
"""Shots simulated at once."""
LEAST, MOST, WIDEST = 0.93, 0.97, 0.09
FIDELITIES = np.arange(0.01, 0.99, 0.01)


@dataclass(frozen=True, slots=True)
class Cell:
    qubits: int
    depth: int
    strength: float
    bad: float = 0.0
    """Readout error of one bad qubit; none when 0."""

    @property
    def name(self) -> str:
        return f"{self.qubits} qubits, depth {self.depth}" + (f", one qubit read wrong {self.bad:.0%}" * bool(self.bad))


CELLS = (
    Cell(20, 20, 0.002),
    Cell(50, 12, 0.001),
    Cell(50, 6, 0.0005, bad=0.3),
    Cell(100, 10, 0.0004),
    Cell(150, 8, 0.0003),
)


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """Exact coverage, then circuits with Pauli noise simulated by stim."""
    yield from _exact()
    for index, cell in enumerate(CELLS[:1] if fast else CELLS):
        yield from _Simulated(cell, seed + index).rows(fast)


def _exact() -> Iterator[Row]:
    """Summed over every number of successes, at fidelities from 0.01 to 0.98, and the widest of all intervals."""
    coverage = np.array([_binomial(f, (1 + f) / 2)[0] for f in FIDELITIES.tolist()])
    low, high = _ends()
    cell = f"{INSTANCES:,} × 1, any size, F from 0.01 to 0.98"
    yield Row("proxy coverage, mean", cell, float(coverage.mean()), 0, LEAST, MOST, 0)
    yield Row("proxy coverage, least", cell, float(coverage.min()), 0, LEAST, None, 0)
    yield Row("proxy interval, widest", cell, float((high - low).max()), 0, None, WIDEST, 0)


@cache
def _ends() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The interval for every number of successes."""
    k = np.arange(INSTANCES + 1)
    low, high = clopper_pearson(k, np.full_like(k, INSTANCES))
    return 2 * low - 1, 2 * high - 1


def _binomial(truth: float, chance: float) -> tuple[float, float]:
    """Coverage of the truth, and mean width, when one instance succeeds with this chance."""
    (low, high), weight = _ends(), binom.pmf(np.arange(INSTANCES + 1), INSTANCES, chance)
    return float(weight[(low <= truth) & (truth <= high)].sum()), float(weight @ (high - low))


class _Simulated:
    """One circuit with one noise. A shot's Pauli error is stim's, the Paulis of an instance are the generator's."""

    def __init__(self, cell: Cell, seed: int) -> None:
        self.cell, self.seed = cell, seed
        random = np.random.default_rng(seed)
        self.circuit: QuantumCircuit = clifford_circuit(cell.qubits, cell.depth, random)
        self.noise = Noise.drawn(cell.qubits, cell.strength, random)
        if cell.bad:
            self.noise = self.noise.with_bad_qubit(cell.qubits // 2, cell.bad)
        self.random = random
        self.layers = layered(self.circuit)
        self.sampler = choi_circuit(self.circuit, self.noise, readout=False).compile_sampler(seed=seed)

    def rows(self, fast: bool) -> Iterator[Row]:
        many = 200_000 if fast else 1_000_000
        truth, error = process_fidelity(self.circuit, self.noise, readout=True, shots=many, seed=self.seed + 1)
        yield self._unbiased(truth, error, 120 if fast else 300)
        yield from self._single(truth, 20_000 if fast else 100_000)
        yield from self._clustered(truth, 500 if fast else 1000)

    def _unbiased(self, truth: float, error: float, instances: int) -> Row:
        """The generated circuits themselves, run by stim: how many standard errors their mean is from the truth."""
        proxies = clifford_proxies(self.circuit, instances, self.seed)
        shares = []
        for i, proxy in enumerate(proxies):
            bits = as_stim(proxy.circuit, self.noise).compile_sampler(seed=self.seed + i).sample(20)
            keys = ["".join("01"[int(bit)] for bit in reversed(shot)) for shot in bits]
            shares.append(sum(proxy.successes({key: 1}) for key in keys) / 20)
        spread = 2 * float(np.std(shares, ddof=1)) / np.sqrt(instances)
        away = abs(2 * float(np.mean(shares)) - 1 - truth) / float(np.hypot(spread, error))
        name = f"{self.cell.name}, F = {truth:.3f}"
        return Row("proxies: mean − F, in errors", name, away, 0, None, 3.5, instances, self.seed)

    def _single(self, truth: float, instances: int) -> Iterator[Row]:
        """One shot each: binomial, so coverage follows from how often many instances succeed."""
        chunks = range(0, instances, CHUNK)
        successes = sum(int(self._successes(CHUNK, 1, start).sum()) for start in chunks)
        chance, error = share(successes, instances)
        coverage, width = _binomial(truth, chance)
        off = max(abs(_binomial(truth, chance + sign * error)[0] - coverage) for sign in (-1, 1))
        name = f"{self.cell.name}, {INSTANCES:,} × 1, F = {truth:.3f}"
        yield Row("proxy coverage", name, coverage, off, LEAST, MOST, instances, self.seed)
        yield Row("proxy interval, mean width", name, width, 0, None, WIDEST, instances, self.seed)

    def _clustered(self, truth: float, repetitions: int) -> Iterator[Row]:
        covered, widths, at_once = 0, [], CHUNK // 2000
        for start in range(0, repetitions, at_once):
            for successes in self._successes(100 * at_once, 20, CHUNK * 100 + start).reshape(at_once, 100):
                estimate = clifford_proxy_fidelity(successes, 20)
                assert estimate.low is not None
                assert estimate.high is not None
                covered += estimate.low <= truth <= estimate.high
                widths.append(estimate.high - estimate.low)
        value, error = share(covered, len(widths))
        name = f"{self.cell.name}, 100 × 20, F = {truth:.3f}"
        yield Row("proxy coverage", name, value, error, LEAST, MOST, len(widths), self.seed)
        yield Row("proxy interval, mean width", name, float(np.mean(widths)), 0, None, None, len(widths), self.seed)

    def _successes(self, instances: int, shots: int, start: int) -> NDArray[np.int64]:
        """Of each instance: shots whose error commutes with its Pauli and whose readings are right, or wrong twice."""
        draw = drawn(self.layers, instances, self.seed + 1000 + start)
        n = self.cell.qubits
        errors = self.sampler.sample(instances * shots).reshape(instances, shots, 2 * n)
        x, z = (draw.prepared & 1).astype(bool), (draw.prepared >> 1).astype(bool)
        wrong = (errors[:, :, :n] & z[:, None]).sum(axis=2) + (errors[:, :, n:] & x[:, None]).sum(axis=2)
        flips = self.random.random((instances, shots, n)) < self.noise.readout
        wrong += (flips & (draw.measured > 0)[:, None]).sum(axis=2)
        successes: NDArray[np.int64] = (wrong % 2 == 0).sum(axis=1)
        return successes
