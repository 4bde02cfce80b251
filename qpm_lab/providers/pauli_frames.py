"""Pauli errors in a Clifford circuit, carried to its end: which outcome bits each of them flips.

An error after a gate equals another error at the end of the circuit, and of that only its X part is seen. So noisy
outcomes are perfect ones with bits flipped, and the circuit is walked once for all shots. The same idea is behind the
Pauli frames of Gidney, Quantum 5, 497 (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qpm_lab.providers.stabilizer import Step, bits_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def flips(
    steps: Sequence[Step], chances: NDArray[np.float64], qubits: int, shots: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Which bits of each shot's outcome the errors of the gates flip.

    Args:
        steps: The circuit.
        chances: For each step the probability that one of the Pauli errors of its qubits (3, or 15 for a `cx`) follows
            it, each as likely as the others; shape (len(steps),).
        qubits: Number of qubits.
        shots: Number of shots.
        random: Where the errors are drawn from.

    Returns:
        1 for a flip; shape (shots, qubits).
    """
    import numpy as np

    happened = random.binomial(shots, chances)
    found = np.zeros((shots, qubits), dtype=np.uint8)
    for place, effects in _effects(steps, happened.tolist(), qubits):
        number = int(happened[place])
        where = random.choice(shots, number, replace=False, shuffle=False)
        which = random.integers(1, 1 << len(effects), number)
        found[where] ^= bits_of(_sums(effects), qubits)[which]
    return found


def _effects(steps: Sequence[Step], happened: Sequence[int], qubits: int) -> list[tuple[int, tuple[int, ...]]]:
    """For each step with errors what an X and a Z after it, on each of its qubits, flip at the end."""
    by_x, by_z = [1 << q for q in range(qubits)], [0] * qubits
    found: list[tuple[int, tuple[int, ...]]] = []
    for place in range(len(steps) - 1, -1, -1):
        name, a, b = steps[place]
        if happened[place]:
            own = (by_x[a], by_z[a])
            found.append((place, own if a == b else (*own, by_x[b], by_z[b])))
        if name == "cx":
            by_x[a] ^= by_x[b]
            by_z[b] ^= by_z[a]
        elif name in ("s", "sdg"):
            by_x[a] ^= by_z[a]
        elif name == "sx":
            by_z[a] ^= by_x[a]
    return found


def _sums(effects: Sequence[int]) -> list[int]:
    """The effect of each product of errors; bit i of its place says whether effect i is part of it."""
    sums = [0]
    for effect in effects:
        sums += [each ^ effect for each in sums]
    return sums
