"""Noisy Clifford circuits simulated by stim, which shares nothing with the code that is measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray
from qiskit import QuantumCircuit

_TURNS = ("h", "s", "sx", "sdg", "x")


@dataclass(frozen=True, slots=True)
class Noise:
    """Stochastic Pauli errors, different on each qubit."""

    pair: NDArray[np.float64]
    """Depolarising strength behind a two-qubit gate, by its first qubit."""
    dephasing: NDArray[np.float64]
    """Chance of a Z behind a two-qubit gate, by its second qubit."""
    readout: NDArray[np.float64]
    """Chance that a bit is read wrongly."""
    turn: float = 0.0
    """Depolarising strength behind a one-qubit gate."""

    @classmethod
    def drawn(cls, qubits: int, strength: float, random: np.random.Generator, *, turn: float = 0.0) -> Noise:
        """Strengths that differ by a factor of nine between qubits, readout three times as bad as gates."""
        pair, dephasing, readout = strength * 3 ** random.uniform(-1, 1, size=(3, qubits))
        return cls(pair, dephasing / 2, 3 * readout, turn)

    def with_bad_qubit(self, qubit: int, readout: float) -> Noise:
        """The same with one qubit that is read wrongly far more often."""
        worse = self.readout.copy()
        worse[qubit] = readout
        return Noise(self.pair, self.dephasing, worse, self.turn)


def clifford_circuit(qubits: int, depth: int, random: np.random.Generator) -> QuantumCircuit:
    """Random one-qubit Clifford gates and cx on random pairs, layer by layer, measured."""
    circuit = QuantumCircuit(qubits, qubits)
    for _ in range(depth):
        for qubit in range(qubits):
            getattr(circuit, random.choice(_TURNS))(qubit)
        order = random.permutation(qubits).tolist()
        for first, second in zip(order[::2], order[1::2], strict=False):
            circuit.cx(first, second)
    circuit.measure(range(qubits), range(qubits))
    return circuit


def as_stim(circuit: QuantumCircuit, noise: Noise | None) -> stim.Circuit:
    """A Clifford circuit on cx in stim's words, its measurements at the end; ideal without noise."""
    place = {bit: index for index, bit in enumerate(circuit.qubits)}
    lines: list[str] = []
    for each in circuit.data:
        qubits = [place[bit] for bit in each.qubits]
        if each.name == "measure":
            flip = f"({noise.readout[qubits[0]]})" if noise else ""
            lines.append(f"M{flip} {qubits[0]}")
        elif each.name == "cx":
            lines.append(f"CX {qubits[0]} {qubits[1]}")
            if noise:
                lines.append(f"DEPOLARIZE2({noise.pair[qubits[0]]}) {qubits[0]} {qubits[1]}")
                lines.append(f"Z_ERROR({noise.dephasing[qubits[1]]}) {qubits[1]}")
        elif each.name != "barrier":
            lines.append(f"{_name(each)} {qubits[0]}")
            if noise and noise.turn:
                lines.append(f"DEPOLARIZE1({noise.turn}) {qubits[0]}")
    return stim.Circuit("\n".join(lines))


def unitary_part(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit without its measurements, on the same qubits."""
    bare = QuantumCircuit(circuit.num_qubits)
    for each in circuit.data:
        if each.name != "measure":
            bare.append(each.operation, [circuit.find_bit(bit).index for bit in each.qubits])
    return bare


def choi_circuit(circuit: QuantumCircuit, noise: Noise, *, readout: bool) -> stim.Circuit:
    """The noisy circuit on halves of Bell pairs, undone ideally and read in the Bell basis.

    Bits 0 … n − 1 are the X part of the whole circuit's Pauli error, carried to its beginning; the other n its Z part.
    With `readout`, wrong readings are in it as the depolarising errors that have the same effect on a random Pauli.
    """
    n, bare = circuit.num_qubits, unitary_part(circuit)
    pairs = " ".join(f"{n + q} {q}" for q in range(n))
    halves, own = " ".join(str(n + q) for q in range(n)), " ".join(map(str, range(n)))
    whole = stim.Circuit(f"H {halves}\nCX {pairs}") + as_stim(bare, noise)
    for qubit in range(n if readout else 0):
        whole.append("DEPOLARIZE1", [qubit], 1.5 * noise.readout[qubit])
    return whole + as_stim(bare, None).inverse() + stim.Circuit(f"CX {pairs}\nH {halves}\nM {own} {halves}")


def process_fidelity(
    circuit: QuantumCircuit, noise: Noise, *, readout: bool, shots: int, seed: int
) -> tuple[float, float]:
    """The share of shots without any error, and its standard error."""
    sampler = choi_circuit(circuit, noise, readout=readout).compile_sampler(seed=seed)
    clean = sum(int((~sampler.sample_bit_packed(10_000).any(axis=1)).sum()) for _ in range(shots // 10_000))
    share = clean / shots
    return share, float(np.sqrt(share * (1 - share) / shots))


def _name(instruction: Any) -> str:
    return _named(np.round(instruction.operation.to_matrix(), 9).tobytes())


@cache
def _named(matrix: bytes) -> str:
    shape = np.frombuffer(matrix, dtype=complex).reshape(2, 2)
    return _all_names()[str(stim.Tableau.from_unitary_matrix(shape, endian="little"))]


@cache
def _all_names() -> dict[str, str]:
    gates = stim.gate_data().values()
    return {
        str(gate.tableau): gate.name
        for gate in gates
        if gate.is_unitary and gate.is_single_qubit_gate and gate.tableau is not None
    }
