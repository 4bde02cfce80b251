"""The circuits that are compared; each is the same at every call."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2

SEED = 20_26


def ghz(qubits: int = 5) -> QuantumCircuit:
    """A GHZ state, measured."""
    circuit = QuantumCircuit(qubits, name="ghz")
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def ansatz(qubits: int, layers: int) -> QuantumCircuit:
    """The hardware-efficient ansatz: layers of RY and RZ with chains of CX between them; not measured."""
    return efficient_su2(qubits, reps=layers, entanglement="linear")


def angles(*shape: int) -> NDArray[np.float64]:
    """Random angles of [0, 2π)."""
    return np.random.default_rng(SEED).uniform(0, 2 * np.pi, shape)


def layered(qubits: int, depth: int, seed: int = SEED) -> QuantumCircuit:
    """Random rotations of every qubit and CX of neighbours in turn: `depth` layers, then measured."""
    draw = np.random.default_rng(seed)
    circuit = QuantumCircuit(qubits, name="layered")
    for layer in range(depth):
        if layer % 2 == 0:
            for qubit in range(qubits):
                circuit.u(*draw.uniform(0, 2 * np.pi, 3), qubit)
        else:
            for qubit in range(layer // 2 % 2, qubits - 1, 2):
                circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit
