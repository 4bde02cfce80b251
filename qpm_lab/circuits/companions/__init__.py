"""Further circuits that are run with a job: to measure its fidelity, and to make its errors symmetric."""

from qpm_lab.circuits.companions.mirrors import Mirror, Mirrors, mirror_circuits
from qpm_lab.circuits.companions.proxies import Proxy, clifford_proxies, is_clifford
from qpm_lab.circuits.companions.twirling import circuit_pads, padded, pauli_twirled, readout_pads, unpadded

__all__ = [
    "Mirror",
    "Mirrors",
    "Proxy",
    "circuit_pads",
    "clifford_proxies",
    "is_clifford",
    "mirror_circuits",
    "padded",
    "pauli_twirled",
    "readout_pads",
    "unpadded",
]
