"""Ideal distributions and noises that the chapters on histograms measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Noise = Callable[[Array], Array]


def porter_thomas(qubits: int, seed: int) -> Array:
    """Of a random circuit: exponentially distributed probabilities."""
    values = np.random.default_rng(seed).exponential(size=2**qubits)
    return np.asarray(values / values.sum())


def ghz(qubits: int) -> Array:
    """All zeros or all ones."""
    p = np.zeros(2**qubits)
    p[[0, -1]] = 0.5
    return p


def w_state(qubits: int) -> Array:
    """One qubit of all in one."""
    p = np.zeros(2**qubits)
    p[1 << np.arange(qubits)] = 1 / qubits
    return p


def product(qubits: int, share: float) -> Array:
    """Every qubit in one with this probability, independently."""
    p = np.ones(1)
    for _ in range(qubits):
        p = np.kron(p, [1 - share, share])
    return p


def single(qubits: int) -> Array:
    """One outcome, as Bernstein and Vazirani's algorithm has."""
    p = np.zeros(2**qubits)
    p[5 % 2**qubits] = 1
    return p


def grover(qubits: int) -> Array:
    """The marked outcome with 0.95, all others alike."""
    p = np.full(2**qubits, 0.05 / (2**qubits - 1))
    p[3] = 0.95
    return p


def phase_estimation(qubits: int, phase: float) -> Array:
    """Of a phase that the register does not hold exactly."""
    size = 2**qubits
    distance = phase - np.arange(size) / size
    p = (np.sin(np.pi * size * distance) / np.sin(np.pi * distance)) ** 2
    return np.asarray(p / p.sum())


def white(strength: float) -> Noise:
    """Uniform outcomes with this probability."""
    return lambda p: (1 - strength) * p + strength / len(p)


def readout(zero_to_one: float, one_to_zero: float) -> Noise:
    """Each bit read wrongly by itself; amplitude damping before the measurement when the first is 0."""
    confusion = np.array([[1 - zero_to_one, one_to_zero], [zero_to_one, 1 - one_to_zero]])

    def noisy(p: Array) -> Array:
        qubits = len(p).bit_length() - 1
        table = p.reshape((2,) * qubits)
        for axis in range(qubits):
            table = np.moveaxis(np.tensordot(confusion, table, axes=(1, axis)), 0, axis)
        return np.asarray(table.reshape(-1))

    return noisy


def tilted(p: Array) -> Array:
    """Smoothly too much here and too little there, as a coherent error does."""
    q = p * (1 + 0.5 * np.sin(1.7 * np.arange(len(p))))
    return np.asarray(q / q.sum())


def mixed(p: Array) -> Array:
    """Bit flips, and one shot in five shifted by one."""
    return 0.8 * readout(0.03, 0.03)(p) + 0.2 * np.roll(p, 1)


def hellinger(p: Array, q: Array) -> float:
    """(Σ √(p q))²."""
    return float(np.sqrt(p * q).sum() ** 2)


def trotter(qubits: int, steps: int, angle: float, field: float, over_rotation: float) -> NDArray[np.complex128]:
    """The state of a trotterised Ising chain from all zeros, its ZZ angles too large by a factor.

    Each step applies exp(−i angle (1 + over_rotation) ZZ) to neighbouring pairs and exp(−i field X) to qubits.
    """
    bits = (np.arange(2**qubits)[:, None] >> np.arange(qubits)) & 1
    spins = 1 - 2 * bits
    phases = np.exp(-1j * angle * (1 + over_rotation) * (spins[:, 1:] * spins[:, :-1]).sum(axis=1))
    turn: Any = np.array([[np.cos(field), -1j * np.sin(field)], [-1j * np.sin(field), np.cos(field)]])
    state = np.zeros(2**qubits, dtype=complex)
    state[0] = 1
    for _ in range(steps):
        state = phases * state
        table = state.reshape((2,) * qubits)
        for axis in range(qubits):
            table = np.moveaxis(np.tensordot(turn, table, axes=(1, axis)), 0, axis)
        state = table.reshape(-1)
    return np.asarray(state)
