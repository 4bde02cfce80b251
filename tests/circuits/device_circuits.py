"""Random circuits as a backend runs them, for the tests of companions."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit import QuantumCircuit

CLIFFORD = ("h", "s", "sdg", "sx", "sxdg", "x", "y", "z", "id")


def device_circuit(
    qubits: int, depth: int, seed: int, *, gate: str = "cx", clifford: bool = False, spare: int = 0
) -> QuantumCircuit:
    """Layers of one-qubit gates and of a two-qubit gate on random pairs, on some of the qubits of a device."""
    random = np.random.default_rng(seed)
    circuit = QuantumCircuit(qubits + spare, qubits)
    places = random.permutation(qubits + spare)[:qubits].tolist()
    for _ in range(depth):
        for place in places:
            _turn(circuit, place, random, clifford)
        order = random.permutation(places).tolist()
        for first, second in zip(order[::2], order[1::2], strict=False):
            _pair(circuit, gate, first, second)
    for place in places:
        _turn(circuit, place, random, clifford)
    circuit.measure(places, range(qubits))
    return circuit


def _turn(circuit: QuantumCircuit, place: int, random: np.random.Generator, clifford: bool) -> None:
    if clifford:
        getattr(circuit, random.choice(CLIFFORD))(place)
        return
    for _ in range(2):
        circuit.rz(random.uniform(-3, 3), place)
        circuit.sx(place)


def _pair(circuit: QuantumCircuit, gate: str, first: int, second: int) -> None:
    if gate == "rzz":
        circuit.rzz(np.pi / 2, first, second)
    else:
        getattr(circuit, gate)(first, second)


def pairs_of(circuit: QuantumCircuit) -> list[tuple[Any, ...]]:
    """Its two-qubit gates with their qubits, those that do not touch each other in a fixed order."""
    level, found = [0] * circuit.num_qubits, []
    for each in circuit.data:
        if len(each.qubits) == 2 and each.name != "barrier":
            places = tuple(circuit.find_bit(bit).index for bit in each.qubits)
            layer = max(level[place] for place in places)
            for place in places:
                level[place] = layer + 1
            found.append((layer, places, each.name))
    return sorted(found)
