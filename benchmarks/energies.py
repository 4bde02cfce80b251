"""H2 at 0.7414 Å in the STO-3G basis on 4 qubits (Jordan-Wigner), and its energy from counts or in PennyLane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

TERMS = {
    "IIII": -0.0970662682,
    "IIIZ": 0.1714128264, "IIZI": 0.1714128264, "IZII": -0.2234315369, "ZIII": -0.2234315369,
    "IIZZ": 0.1686889817, "IZIZ": 0.1206252348, "IZZI": 0.1659278503,
    "ZIIZ": 0.1659278503, "ZIZI": 0.1206252348, "ZZII": 0.1744128761,
    "XXYY": -0.0453026155, "XYYX": 0.0453026155, "YXXY": 0.0453026155, "YYXX": -0.0453026155,
}  # fmt: skip
"""Hartree by Pauli string, the last letter on qubit 0."""

HAMILTONIAN = SparsePauliOp.from_list(list(TERMS.items()))
BASES = ("ZZZZ", "XXYY", "XYYX", "YXXY", "YYXX")
"""What has to be measured: every term commutes qubit by qubit with one of these."""


def measured_in(basis: str, circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with each qubit turned from its basis into Z and measured."""
    turned = circuit.copy()
    for qubit, letter in enumerate(reversed(basis)):
        if letter == "Y":
            turned.sdg(qubit)
        if letter != "Z":
            turned.h(qubit)
    turned.measure_all()
    return turned


def energy(counts: Sequence[Mapping[str, int]]) -> float:
    """Hartree from one histogram for each of `BASES`."""
    total = TERMS["IIII"]
    for basis, histogram in zip(BASES, counts, strict=True):
        shots = sum(histogram.values())
        for term in _terms(basis):
            total += TERMS[term] * sum(n * _sign(term, key) for key, n in histogram.items()) / shots
    return total


def ring_cut(counts: Sequence[Mapping[str, int]]) -> float:
    """Minus the mean number of edges that are cut in a ring of the measured qubits."""
    (histogram,) = counts
    cuts = {key: sum(a != b for a, b in zip(key, key[1:] + key[:1], strict=True)) for key in histogram}
    return -sum(cuts[key] * n for key, n in histogram.items()) / sum(histogram.values())


def _terms(basis: str) -> list[str]:
    if basis != "ZZZZ":
        return [basis]
    return [term for term in TERMS if set(term) == {"I", "Z"}]


def _sign(term: str, key: str) -> int:
    return 1 - 2 * (sum(bit == "1" for letter, bit in zip(term, key, strict=True) if letter != "I") % 2)


def pennylane_energy(device: Any, shots: int) -> Callable[[NDArray[np.float64]], float]:
    """The same energy as a QNode of the same ansatz."""
    import pennylane as qml

    words = [qml.pauli.string_to_pauli_word("".join(reversed(term))) for term in TERMS]
    observable = qml.dot(list(TERMS.values()), words)

    @qml.set_shots(shots)
    @qml.qnode(device)
    def circuit(place: NDArray[np.float64]) -> Any:
        angles = iter(place)
        for layer in range(3):
            for rotation in (qml.RY, qml.RZ):
                for wire in range(4):
                    rotation(next(angles), wires=wire)
            for wire in range(3 if layer < 2 else 0):
                qml.CNOT(wires=[wire, wire + 1])
        return qml.expval(observable)

    return lambda place: float(circuit(place))
