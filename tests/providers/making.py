"""Circuits and tasks for the provider tests; asymmetric, so that a wrong bit order shows."""

from __future__ import annotations

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qpm_lab.providers import backend, provider_of
from qpm_lab.providers.interface import RunResult, Task

LOCAL = ("aer/simulator", "aer/noisy", "pennylane/default.qubit", "pennylane/lightning.qubit")
IDEAL = tuple(name for name in LOCAL if name != "aer/noisy")


def task(name: str, *circuits: QuantumCircuit, shots: int = 1000, seed: int = 5) -> Task:
    return Task(backend(name), circuits, shots, seed)


def run(name: str, *circuits: QuantumCircuit, shots: int = 1000, seed: int = 5) -> RunResult:
    """Checks and runs a task to its end."""
    work = task(name, *circuits, shots=shots, seed=seed)
    provider_of(name).check(work)
    return provider_of(name).submit(work).result()


def ghz(qubits: int, *, clifford: bool = True) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    if not clifford:
        circuit.t(0)
    circuit.measure_all()
    return circuit


def crossed() -> QuantumCircuit:
    """Gives `1 01` only: two registers, crossed wires, an idle qubit."""
    circuit = QuantumCircuit(QuantumRegister(4), ClassicalRegister(2, "a"), ClassicalRegister(1, "b"))
    circuit.x(0)
    circuit.cx(0, 3)
    circuit.measure(0, 2)
    circuit.measure(3, 0)
    circuit.measure(1, 1)
    return circuit


def leaning() -> QuantumCircuit:
    """No two of its outcomes are equally likely, and no two of its qubits alike."""
    circuit = QuantumCircuit(3)
    circuit.ry(0.6, 0)
    circuit.ry(1.9, 1)
    circuit.crx(1.2, 1, 2)
    circuit.u(0.3, 0.7, 1.1, 0)
    circuit.measure_all()
    return circuit


def dense(qubits: int, depth: int, seed: int = 1) -> QuantumCircuit:
    """Random rotations between layers of neighbouring cx."""
    draw = np.random.default_rng(seed)
    circuit = QuantumCircuit(qubits)
    for layer in range(depth):
        for qubit in range(qubits):
            circuit.u(*draw.random(3), qubit)
        for qubit in range(layer % 2, qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def deciding() -> QuantumCircuit:
    """Measures, decides and resets in its middle; gives `11 1` and `00 0` alike, never others."""
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(1, "m"), ClassicalRegister(2, "out"))
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.reset(0)
    circuit.cx(1, 0)
    circuit.measure(0, 1)
    circuit.measure(1, 2)
    return circuit


def long() -> QuantumCircuit:
    """Many seconds on any machine: dense, without an end in a test's lifetime."""
    return dense(24, 60)
