"""Translation of Qiskit circuits to PennyLane."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, random_unitary

from qpm_lab.errors import CircuitError
from qpm_lab.providers import provider_of
from qpm_lab.providers.pennylane import GATES, operation
from tests.providers.making import deciding, task

STANDARD = get_standard_gate_name_mapping()


@pytest.mark.parametrize("name", sorted(GATES - {"unitary"}))
def test_every_gate_of_the_table_keeps_its_matrix(name: str) -> None:
    """With wires reversed PennyLane's matrix is Qiskit's, up to a global phase."""
    gate = STANDARD[name]
    if gate.params:
        gate = gate.base_class(*[0.3 + 0.2 * i for i in range(len(gate.params))])
    _same(gate)


def test_a_matrix_of_two_qubits_keeps_its_order() -> None:
    """The fallback by matrix does not swap the qubits."""
    _same(UnitaryGate(random_unitary(4, seed=3)))


def _same(gate: object) -> None:
    import pennylane as qml

    wires = list(range(gate.num_qubits))
    ours = qml.matrix(operation(gate, wires), wire_order=wires[::-1])
    theirs = Operator(gate).data
    overlap = np.vdot(theirs, ours)
    assert np.allclose(ours * overlap.conjugate() / abs(overlap), theirs)


@pytest.mark.parametrize("name", ["pennylane/default.qubit", "pennylane/lightning.qubit"])
def test_a_circuit_that_decides_is_refused_by_name(name: str) -> None:
    """The message names the instruction and the backend that can run it."""
    with pytest.raises(CircuitError, match="if_else") as refused:
        provider_of(name).check(task(name, deciding()))
    assert "aer/simulator" in refused.value.hint
