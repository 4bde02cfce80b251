"""Mirror circuits: coverage under stochastic and coherent errors, and what a usual error bar does there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator

from acceptance.stabiliser import Noise, as_stim, clifford_circuit, process_fidelity, unitary_part
from acceptance.table import Row, share
from qpm_lab.circuits import clifford_proxies, mirror_circuits
from qpm_lab.circuits.companions.mirrors import Mirror
from qpm_lab.fidelity import clifford_proxy_fidelity, mirror_fidelity
from qpm_lab.fidelity.mirror import effective_polarisation

TITLE = "Mirror circuits"
CIRCUITS, SHOTS, DEEP = 30, 100, 1000
LEAST = 0.925
Histograms = NDArray[np.int64]
Simulate = Callable[[Sequence[Mirror]], Histograms]


@dataclass(frozen=True, slots=True)
class Cell:
    qubits: int
    depth: int
    strength: float
    """Of a stochastic error, or the angle of a coherent one in radians."""
    pool: int
    """Mirror circuits made of each family, from which every repetition draws 30."""


STOCHASTIC = (Cell(5, 8, 0.004, 900), Cell(5, 4, 0.03, 900), Cell(20, 6, 0.002, 600), Cell(60, 4, 0.0008, 400))
COHERENT = (Cell(2, 6, 0.12, 700), Cell(3, 4, 0.2, 700), Cell(4, 5, 0.08, 700))


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """Stochastic Pauli errors by stim, coherent ones by state vectors; then both methods on an untwirled circuit."""
    for index, cell in enumerate(STOCHASTIC[:1] if fast else STOCHASTIC):
        yield from _stochastic(_reduced(cell, fast), seed + index, 200 if fast else 1000)
    for index, cell in enumerate(() if fast else COHERENT):
        yield from _coherent(cell, seed + 100 + index, 1000)
    yield from _untwirled(seed + 200, fast)


def _reduced(cell: Cell, fast: bool) -> Cell:
    return Cell(cell.qubits, cell.depth, cell.strength, 150) if fast else cell


def _stochastic(cell: Cell, seed: int, repetitions: int) -> Iterator[Row]:
    random = np.random.default_rng(seed)
    circuit = clifford_circuit(cell.qubits, cell.depth, random)
    noise = Noise.drawn(cell.qubits, cell.strength, random, turn=cell.strength / 10)
    truth, _ = process_fidelity(circuit, noise, readout=False, shots=1_000_000, seed=seed)

    def simulate(mirrors: Sequence[Mirror]) -> Histograms:
        samples = [as_stim(m.circuit, noise).compile_sampler(seed=seed + i).sample(DEEP) for i, m in enumerate(mirrors)]
        return np.array([_distances(mirror, bits) for mirror, bits in zip(mirrors, samples, strict=True)])

    name = f"Pauli errors, {cell.qubits} qubits, depth {cell.depth}, F = {truth:.3f}"
    yield from _Coverage(circuit, truth, name, seed).rows(cell.pool, simulate, repetitions)


def _distances(mirror: Mirror, bits: NDArray[np.bool_]) -> Histograms:
    target = np.array([bit == "1" for bit in reversed(mirror.target)])
    return np.bincount((bits ^ target).sum(axis=1), minlength=len(target) + 1)


def _coherent(cell: Cell, seed: int, repetitions: int) -> Iterator[Row]:
    circuit = _rotations(cell.qubits, cell.depth, np.random.default_rng(seed))
    truth = _coherent_truth(circuit, cell.strength)
    name = f"coherent errors, {cell.qubits} qubits, depth {cell.depth}, F = {truth:.3f}"
    yield from _Coverage(circuit, truth, name, seed).rows(cell.pool, _with_angle(cell.strength, seed), repetitions)


def _with_angle(angle: float, seed: int) -> Simulate:
    simulator = _simulator(seed)

    def simulate(mirrors: Sequence[Mirror]) -> Histograms:
        result = simulator.run([_wrong(m.circuit, angle) for m in mirrors], shots=DEEP).result()
        return np.array([mirror.distances(result.get_counts(i)) for i, mirror in enumerate(mirrors)])

    return simulate


def _simulator(seed: int) -> AerSimulator:
    """For many small circuits, which threads and fused gates only slow down."""
    return AerSimulator(method="statevector", seed_simulator=seed % 2**31, max_parallel_threads=1, fusion_enable=False)


def _rotations(qubits: int, depth: int, random: np.random.Generator) -> QuantumCircuit:
    """Random one-qubit gates and cx on random pairs."""
    circuit = QuantumCircuit(qubits)
    for _ in range(depth):
        for qubit in range(qubits):
            circuit.u(*random.uniform(-3, 3, size=3), qubit)
        order = random.permutation(qubits).tolist()
        for first, second in zip(order[::2], order[1::2], strict=False):
            circuit.cx(first, second)
    return circuit


def _wrong(circuit: QuantumCircuit, angle: float) -> QuantumCircuit:
    """Each cx turns too far, and turns one of its qubits besides."""
    wrong = circuit.copy_empty_like()
    for each in circuit.data:
        wrong.append(each)
        if each.name == "cx":
            wrong.rzz(angle, *each.qubits)
            wrong.rx(angle / 2, each.qubits[1])
    return wrong


def _coherent_truth(circuit: QuantumCircuit, angle: float) -> float:
    """|tr U†V|² / 4^n, exact."""
    bare = unitary_part(circuit)
    ideal, real = Operator(bare).data, Operator(_wrong(bare, angle)).data
    return float(abs(np.trace(ideal.conj().T @ real)) ** 2 / len(ideal) ** 2)


class _Coverage:
    """Repetitions that draw circuits from a pool, and shots of each from many."""

    def __init__(self, circuit: QuantumCircuit, truth: float, name: str, seed: int) -> None:
        self.circuit, self.truth, self.name, self.seed = circuit, truth, name, seed
        self.random = np.random.default_rng(seed + 50)

    def rows(self, pool: int, simulate: Simulate, repetitions: int) -> Iterator[Row]:
        made = mirror_circuits(self.circuit, pool, self.seed)
        families = [simulate(family) for family in (made.circuit, made.inverse, made.reference)]
        covered = usual = 0
        for _ in range(repetitions):
            drawn = [self._drawn(family) for family in families]
            estimate = mirror_fidelity(drawn[0], drawn[1], drawn[2])
            assert estimate.low is not None
            assert estimate.high is not None
            covered += estimate.low <= self.truth <= estimate.high
            low, high = self._usual(drawn)
            usual += low <= self.truth <= high
        value, error = share(covered, repetitions)
        yield Row("mirror coverage", self.name, value, error, LEAST, None, repetitions, self.seed)
        value, error = share(usual, repetitions)
        yield Row("(bootstrap bar there)", self.name, value, error, None, None, repetitions, self.seed)

    def _drawn(self, family: Histograms) -> Histograms:
        chosen = family[self.random.choice(len(family), CIRCUITS, replace=False)]
        return np.array([self.random.multivariate_hypergeometric(row, SHOTS) for row in chosen])

    def _usual(self, families: list[Histograms]) -> tuple[float, float]:
        """The bar in common use: the value ± 1.96 standard deviations of 60 resamples of the circuits."""
        values = [effective_polarisation(family) for family in families]
        picks = self.random.integers(CIRCUITS, size=(3, 60, CIRCUITS))
        means = [value[pick].mean(axis=1) for value, pick in zip(values, picks, strict=True)]
        center, spread = self._fidelity(*(value.mean() for value in values)), float(np.std(self._fidelity(*means)))
        return center - 1.96 * spread, center + 1.96 * spread

    def _fidelity(self, first: Any, second: Any, third: Any) -> Any:
        uniform = 4.0**-self.circuit.num_qubits
        return 1 - (1 - uniform) * (1 - first / np.sqrt(np.maximum(second * third, 1e-9)))


def _untwirled(seed: int, fast: bool) -> Iterator[Row]:
    """A coherent error that adds up: proxies scramble it and read too high, mirrors read what is there."""
    circuit, angle = _trotter(), 0.05
    truth = _coherent_truth(circuit, angle)
    proxies = clifford_proxies(circuit, 400 if fast else 2000, seed)
    result = _simulator(seed).run([_wrong(proxy.circuit, angle) for proxy in proxies], shots=20).result()
    hits = [proxy.successes(result.get_counts(i)) for i, proxy in enumerate(proxies)]
    number = 60 if fast else 300
    made, simulate = mirror_circuits(circuit, number, seed), _with_angle(angle, seed)
    mirrored = mirror_fidelity(simulate(made.circuit), simulate(made.inverse), simulate(made.reference))
    proxy = clifford_proxy_fidelity(hits, 20)
    assert mirrored.value is not None
    assert proxy.value is not None
    name = f"untwirled, coherent, 4 qubits, F = {truth:.3f}"
    yield Row("mirror − F", name, mirrored.value - truth, 0, -0.03, 0.03, number, seed)
    yield Row("(proxies − F there)", name, proxy.value - truth, 0, None, None, len(proxies), seed)


def _trotter() -> QuantumCircuit:
    """Six small steps of an Ising chain."""
    circuit = QuantumCircuit(4)
    for _ in range(6):
        for first in (0, 2, 1):
            circuit.cx(first, first + 1)
            circuit.rz(0.1, first + 1)
            circuit.cx(first, first + 1)
        for qubit in range(4):
            circuit.rx(0.15, qubit)
    return circuit
