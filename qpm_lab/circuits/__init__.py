"""Circuits in: Qiskit, PennyLane, OpenQASM and QPY become measured `QuantumCircuit`s with a fingerprint.

Importing this package loads neither qiskit nor pennylane; the first circuit does.
"""

from qpm_lab.circuits.binding import Bindings, Sweep
from qpm_lab.circuits.companions import (
    Mirror,
    Mirrors,
    Proxy,
    circuit_pads,
    clifford_proxies,
    is_clifford,
    mirror_circuits,
    padded,
    pauli_twirled,
    readout_pads,
    unpadded,
)
from qpm_lab.circuits.executed import executed
from qpm_lab.circuits.facts import facts
from qpm_lab.circuits.identity import fingerprint
from qpm_lab.circuits.limits import DEFAULT, Limits
from qpm_lab.circuits.prepare import Prepared, prepare, prepare_template
from qpm_lab.circuits.qasm import to_qasm3
from qpm_lab.circuits.qpy import read_qpy, write_qpy

__all__ = [
    "DEFAULT",
    "Bindings",
    "Limits",
    "Mirror",
    "Mirrors",
    "Prepared",
    "Proxy",
    "Sweep",
    "circuit_pads",
    "clifford_proxies",
    "executed",
    "facts",
    "fingerprint",
    "is_clifford",
    "mirror_circuits",
    "padded",
    "pauli_twirled",
    "prepare",
    "prepare_template",
    "read_qpy",
    "readout_pads",
    "to_qasm3",
    "unpadded",
    "write_qpy",
]
