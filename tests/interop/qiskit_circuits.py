"""Circuits and bounds for the tests of the Qiskit ways in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import ParameterVector
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Statevector

SIGMAS = 5.5
"""A correct estimate is further off than this once in 2.6·10⁷ times."""


def asymmetric() -> QuantumCircuit:
    """Always reads 001: only qubit 0 is one."""
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    circuit.measure(range(3), range(3))
    return circuit


def two_registers() -> QuantumCircuit:
    """Register a reads 01 or 10 with b equal to a's highest bit, and b's upper bit always 1."""
    a, b = ClassicalRegister(2, "a"), ClassicalRegister(2, "b")
    circuit = QuantumCircuit(QuantumRegister(4, "q"), a, b)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.x(0)
    circuit.cx(1, 2)
    circuit.x(3)
    circuit.measure([0, 1], a)
    circuit.measure([2, 3], b)
    return circuit


def rotations(qubits: int = 3, measured: bool = True) -> QuantumCircuit:
    """An entangled circuit with two parameters for each qubit and no symmetry."""
    angles = ParameterVector("t", 2 * qubits)
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(angles[qubit], qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    for qubit in range(qubits):
        circuit.rx(angles[qubits + qubit] * 2 + 0.3, qubit)
    if measured:
        circuit.measure_all()
    return circuit


def random_unmeasured(seed: int, qubits: int = 4, depth: int = 6) -> QuantumCircuit:
    return random_circuit(qubits, depth, max_operands=3, seed=seed)


def slow() -> QuantumCircuit:
    """Takes seconds: with a measurement in between, every shot is simulated by itself."""
    circuit = QuantumCircuit(14, 14)
    for layer in range(4):
        for qubit in range(14):
            circuit.rx(0.1 + qubit + layer, qubit)
        for qubit in range(13):
            circuit.cx(qubit, qubit + 1)
        circuit.measure(0, 0)
    circuit.measure(range(14), range(14))
    return circuit


def exact(circuit: QuantumCircuit) -> NDArray[np.float64]:
    """Probabilities of a circuit with final measurements of all qubits, by outcome as integer."""
    bare = circuit.remove_final_measurements(inplace=False)
    probabilities: NDArray[np.float64] = Statevector(bare).probabilities()
    return probabilities


def far_from(counts: dict[Any, int], probabilities: NDArray[np.float64]) -> float:
    """The largest deviation of an observed share from its probability, in standard errors (at least one shot's)."""
    shots = sum(counts.values())
    share = np.zeros(len(probabilities))
    for key, count in counts.items():
        share[key if isinstance(key, int) else int(key, 2)] = count / shots
    error = np.sqrt(np.maximum(probabilities * (1 - probabilities), 1 / shots) / shots)
    return float(np.max(np.abs(share - probabilities) / error))
