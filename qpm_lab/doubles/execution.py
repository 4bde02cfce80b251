"""Runs what a double received: an exact simulation, so that a wrong bit order shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

MOST_QUBITS = 24


def counts_of(circuit: QuantumCircuit, shots: int, seed: int, fidelity_loss: float = 0.0) -> dict[str, int]:
    """A histogram of a measured circuit.

    Args:
        circuit: With classical bits; idle qubits are left out of the simulation.
        shots: How many.
        seed: Of the sampling.
        fidelity_loss: Share of the shots that are replaced by uniformly random bit strings.

    Returns:
        Bit strings over all classical bits without spaces, bit 0 rightmost, and how often each came.

    Raises:
        ValueError: it uses too many qubits, or cannot be simulated.
    """
    import numpy as np
    from qiskit_aer import AerSimulator

    small = _used(circuit)
    if small.num_qubits > MOST_QUBITS:
        raise ValueError(f"the double simulates at most {MOST_QUBITS} qubits, not {small.num_qubits}")
    lost = int(np.random.default_rng(seed).binomial(shots, fidelity_loss)) if fidelity_loss else 0
    counts: dict[str, int] = {}
    if shots > lost:
        result = AerSimulator().run(small, shots=shots - lost, seed_simulator=seed).result()
        if not result.success:
            raise ValueError(result.status)
        counts = {key.replace(" ", ""): n for key, n in result.get_counts().items()}
    return _with_noise(counts, lost, circuit.num_clbits, seed)


def _with_noise(counts: Mapping[str, int], lost: int, width: int, seed: int) -> dict[str, int]:
    import numpy as np

    noisy = dict(counts)
    bits = np.random.default_rng(seed + 1).integers(0, 2, size=(lost, width))
    for row in bits:
        key = "".join(map(str, row))
        noisy[key] = noisy.get(key, 0) + 1
    return noisy


def _used(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit on the qubits it uses: a device's other hundred would not fit."""
    from qiskit import QuantumCircuit as Circuit
    from qiskit.circuit import Qubit

    used = {bit for each in circuit.data if each.name != "barrier" for bit in each.qubits}
    kept = [bit for bit in circuit.qubits if bit in used] or circuit.qubits[:1]
    small = Circuit([Qubit() for _ in kept], circuit.clbits, *circuit.cregs)
    place = dict(zip(kept, small.qubits, strict=True))
    for each in circuit.data:
        if each.name not in ("barrier", "delay"):
            small.append(each.operation, [place[bit] for bit in each.qubits], each.clbits, copy=False)
    return small
