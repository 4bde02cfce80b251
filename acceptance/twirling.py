"""Readout twirling: exactly symmetric errors, computed; too few pads refused."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from qiskit import QuantumCircuit

from acceptance.table import Row
from qpm_lab.circuits import padded, readout_pads, unpadded
from qpm_lab.errors import InputError

TITLE = "Readout twirling"
SYMMETRIC = 1e-9
CELLS = ((1, 32), (5, 32), (12, 34), (27, 48), (127, 32), (156, 64))


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """Both are exact; the fast subset has fewer sizes."""
    for bits, number in CELLS[:3] if fast else CELLS:
        for each in range(seed, seed + 3):
            cell = f"{bits} bits, {number} pads"
            yield Row("readout asymmetry", cell, _asymmetry(bits, number, each), 0, None, SYMMETRIC, 0, each)
    yield Row("few pads refused", "every number below 32", _refused(), 0, 1, None, 0)


def _asymmetry(bits: int, number: int, seed: int) -> float:
    """The largest |P(read 1 | 0) − P(read 0 | 1)| of any bit, with the pads put into circuits and undone in counts."""
    wrong = np.random.default_rng(seed).uniform(0, 0.4, size=(bits, 2))
    pads = readout_pads(bits, number, seed)
    errors = np.zeros((bits, 2))
    for prepared in (0, 1):
        for pad in pads:
            state = _state_before_measurement(bits, prepared, pad)
            chance = np.where(state, wrong[:, 1], wrong[:, 0])
            assert _undone(state, pad) == str(prepared) * bits
            errors[:, prepared] += chance / number
    return float(abs(errors[:, 0] - errors[:, 1]).max())


def _state_before_measurement(bits: int, prepared: int, pad: str) -> np.ndarray:
    """What each qubit is in: every X of the padded circuit flips it."""
    circuit = QuantumCircuit(bits, bits)
    if prepared:
        circuit.x(range(bits))
    circuit.measure(range(bits), range(bits))
    state = np.zeros(bits, dtype=bool)
    for each in padded(circuit, pad).data:
        if each.name == "x":
            state[circuit.find_bit(each.qubits[0]).index] ^= True
    return state


def _undone(state: np.ndarray, pad: str) -> str:
    key = "".join("1" if bit else "0" for bit in reversed(state.tolist()))
    return next(iter(unpadded({key: 1}, pad)))


def _refused() -> float:
    """The share of too small numbers of pads that is refused."""
    refused = 0
    for number in range(32):
        try:
            readout_pads(4, number, 1)
        except InputError:
            refused += 1
    return refused / 32
