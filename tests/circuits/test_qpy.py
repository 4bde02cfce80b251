"""QPY as it is written: whatever a user hangs on a circuit does not keep it from being stored."""

from __future__ import annotations

import numpy as np
from qiskit import QuantumCircuit

from qpm_lab.circuits import read_qpy, write_qpy


def test_metadata_of_any_kind_is_stored_as_far_as_json_knows_it() -> None:
    """What JSON does not know becomes a short text; the rest stays what it was."""
    circuit = QuantumCircuit(1, metadata={"run": 3, "angles": np.array([0.5]), "kind": {1, 2}})
    (stored,) = read_qpy(write_qpy(circuit))
    assert stored.metadata == {"run": 3, "angles": "array([0.5])", "kind": "{1, 2}"}
