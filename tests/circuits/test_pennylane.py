"""PennyLane circuits give the same probabilities in Qiskit, for every operation and basis, bits the right way round."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pennylane as qml
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator

from qpm_lab.circuits import prepare
from qpm_lab.circuits.pennylane_gates import GATES
from qpm_lab.errors import CircuitError

WIRES = 4
UNITARY = np.linalg.qr(np.arange(16).reshape(4, 4) ** 1.5 + 1j * np.eye(4))[0]
OPERATIONS = [
    *(op(wires=2) for op in (qml.X, qml.Y, qml.Z, qml.H, qml.S, qml.T, qml.SX, qml.I)),
    *(qml.adjoint(op(wires=2)) for op in (qml.S, qml.T, qml.SX)),
    *(op(0.7, wires=2) for op in (qml.RX, qml.RY, qml.RZ, qml.PhaseShift, qml.U1)),
    qml.U2(0.3, 0.9, wires=2),
    qml.U3(0.3, 0.9, 1.7, wires=2),
    qml.Rot(0.3, 0.9, 1.7, wires=2),
    qml.GlobalPhase(0.4, wires=2),
    *(op(wires=[2, 0]) for op in (qml.CNOT, qml.CY, qml.CZ, qml.CH, qml.SWAP, qml.ISWAP, qml.ECR, qml.SISWAP)),
    *(op(0.7, wires=[2, 0]) for op in (qml.CRX, qml.CRY, qml.CRZ, qml.ControlledPhaseShift, qml.PSWAP)),
    *(op(0.7, wires=[2, 0]) for op in (qml.IsingXX, qml.IsingYY, qml.IsingZZ, qml.IsingXY, qml.SingleExcitation)),
    *(op(wires=[2, 0, 3]) for op in (qml.CSWAP, qml.Toffoli, qml.CCZ)),
    qml.CRot(0.3, 0.9, 1.7, wires=[2, 0]),
    qml.MultiRZ(0.7, wires=[2, 0, 3]),
    qml.PauliRot(0.7, "XYZ", wires=[2, 0, 3]),
    qml.DoubleExcitation(0.7, wires=[3, 1, 0, 2]),
    qml.MultiControlledX(wires=[2, 0, 3], control_values=[0, 1]),
    qml.ctrl(qml.RX(0.7, wires=1), control=[2, 0], control_values=[1, 0]),
    qml.QubitUnitary(UNITARY, wires=[2, 0]),
    qml.ControlledQubitUnitary(UNITARY, wires=[3, 2, 0]),
    qml.DiagonalQubitUnitary([1, 1j, -1, -1j], wires=[2, 0]),
    qml.QFT(wires=[2, 0, 3]),
    qml.prod(qml.X(2), qml.RY(0.4, wires=0)),
    qml.pow(qml.X(2), 0.3),
    qml.exp(qml.X(2) @ qml.Z(0), 0.3j),
    qml.evolve(qml.Y(2), 0.7),
    qml.adjoint(qml.QFT(wires=[2, 0])),
    qml.GroverOperator(wires=[2, 0, 3]),
    qml.StronglyEntanglingLayers(np.arange(12).reshape(1, 4, 3) / 7, wires=range(4)),
    qml.Permute([2, 0, 1], wires=[0, 1, 2]),
    qml.FlipSign([1, 0], wires=[2, 0]),
    qml.Barrier(wires=[0, 1]),
]


def scrambled(*operations: Any) -> list[Any]:
    """An asymmetric start, the operations, and rotations that make phases visible."""
    start = [qml.RY(0.3 + 0.4 * w, wires=w) for w in range(WIRES)] + [qml.CNOT([w, w + 1]) for w in range(WIRES - 1)]
    end = [qml.RX(0.2 + 0.5 * w, wires=w) for w in range(WIRES)]
    return [*start, *operations, *end]


def reference(operations: list[Any], wires: list[Any]) -> Any:
    tape = qml.tape.QuantumScript(operations, [qml.probs(wires=wires)])
    (result,) = qml.execute([tape], qml.device("default.qubit", wires=WIRES))
    return np.asarray(result)


def translated(circuit: QuantumCircuit) -> Any:
    """Probabilities with PennyLane's order: bit 0 first."""
    bare = circuit.remove_final_measurements(inplace=False)
    bits = [bare.find_bit(i.qubits[0]).index for i in circuit.data if i.name == "measure"]
    return np.asarray(Statevector(bare).probabilities(list(reversed(bits))))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: op.name)
def test_every_operation_gives_pennylanes_probabilities(operation: Any) -> None:
    """Compared with default.qubit on a circuit in which no two wires are alike."""
    operations = scrambled(operation)
    (one,) = prepare(qml.tape.QuantumScript(operations, [qml.counts(wires=range(WIRES))]))
    np.testing.assert_allclose(translated(one.circuit), reference(operations, list(range(WIRES))), atol=1e-9)


def test_the_table_is_covered() -> None:
    """Every entry of the gate table is among the operations compared above."""
    assert {op.name for op in OPERATIONS} >= set(GATES)


def test_state_preparation_is_translated() -> None:
    """BasisState, StatePrep and AngleEmbedding have decompositions."""
    operations = [
        qml.BasisState([1, 0], wires=[2, 0]),
        qml.StatePrep([0.6, 0.8j], wires=1),
        qml.AngleEmbedding([0.3, 0.9], wires=[3, 0]),
    ]
    (one,) = prepare(qml.tape.QuantumScript(operations, [qml.counts(wires=range(WIRES))]))
    np.testing.assert_allclose(translated(one.circuit), reference(operations, list(range(WIRES))), atol=1e-9)


def test_only_the_wires_asked_for_are_measured_in_order_of_qubits() -> None:
    """counts(wires=[3, 1]) measures qubits 1 and 3 into bits 0 and 1."""
    operations = scrambled()
    (one,) = prepare(qml.tape.QuantumScript(operations, [qml.counts(wires=[3, 1])]))
    assert one.facts.clbits == 2
    np.testing.assert_allclose(translated(one.circuit), reference(operations, [1, 3]), atol=1e-9)


def qnode(measure: Any, **device: Any) -> Any:
    @qml.qnode(qml.device("default.qubit", **device))
    def circuit(x: float, y: float = 0.4) -> Any:
        qml.RX(x, wires=0)
        qml.CRY(y, wires=[0, 1])
        return measure()

    return circuit


def test_a_qnode_is_called_with_args() -> None:
    """Arguments in order, defaults for the rest; trainable arrays are numbers."""
    node = qnode(lambda: qml.probs(wires=[0, 1]))
    (one,) = prepare(node, args=(qml.numpy.array(0.3, requires_grad=True),))
    np.testing.assert_allclose(translated(one.circuit), node(0.3), atol=1e-9)
    assert one.notes == ()


def test_missing_arguments_are_named() -> None:
    """The message names them, the hint names --args."""
    with pytest.raises(CircuitError) as caught:
        prepare(qnode(qml.counts))
    assert "x" in caught.value.message
    assert "--args" in caught.value.hint
    with pytest.raises(CircuitError, match="3 were given"):
        prepare(qnode(qml.counts), args=(1, 2, 3))


def test_wire_labels_become_qubits_in_the_devices_order_and_a_note_says_so() -> None:
    """Labels that are not 0, 1, … are listed with their qubit."""

    @qml.qnode(qml.device("default.qubit", wires=["a", "b", "spare"]))
    def circuit() -> Any:
        qml.X("b")
        qml.I("a")
        return qml.counts(wires=["b", "a"])

    (one,) = prepare(circuit)
    assert translated(one.circuit).argmax() == 0b01
    assert "'a' → 0, 'b' → 1" in one.notes[0]


def test_counts_of_all_wires_measure_the_whole_device() -> None:
    """Without wires the device decides."""
    (one,) = prepare(qnode(qml.counts, wires=3), args=(0.1,))
    assert one.facts.clbits == 3


def expectation(circuit: QuantumCircuit, bits: list[int]) -> float:
    """Mean parity of some bits."""
    probabilities = translated(circuit)
    width = len(probabilities).bit_length() - 1
    signs = [(-1) ** sum(k >> (width - 1 - b) & 1 for b in bits) for k in range(len(probabilities))]
    return float(np.dot(signs, probabilities))


def test_observables_that_do_not_commute_get_a_circuit_each() -> None:
    """X, Y and a product with Z are measured in their own bases and give PennyLane's values."""
    node = qnode(lambda: [qml.expval(qml.X(0)), qml.expval(qml.Y(0)), qml.expval(qml.Z(0) @ qml.X(1))])
    circuits = prepare(node, args=(0.7,))
    exact = node(0.7)
    assert len(circuits) == 3
    bits = [[0], [0], [0, 1]]
    found = [expectation(one.circuit, b) for one, b in zip(circuits, bits, strict=True)]
    np.testing.assert_allclose(found, exact, atol=1e-9)
    assert "Circuit 1 of 3 measures expval(X(0))" in circuits[0].notes[0]


def test_a_hamiltonian_is_taken_apart_into_bases() -> None:
    """2 X₀ + Z₀Z₁ + Y₁ needs two bases at least, and the words give back the energy."""
    energy = 2 * qml.X(0) + qml.Z(0) @ qml.Z(1) + qml.Y(1)
    node = qnode(lambda: qml.expval(energy))
    circuits = prepare(node, args=(0.7,))
    notes = " ".join(one.notes[0] for one in circuits)
    assert len(circuits) == 2
    assert all(word in notes for word in ("X(0)", "Y(1)", "Z(0) @ Z(1)"))


def test_commuting_observables_and_counts_share_a_circuit() -> None:
    """What can be read off together costs one circuit."""
    node = qnode(lambda: (qml.expval(qml.X(0)), qml.var(qml.Z(1)), qml.probs(op=qml.X(0))))
    assert len(prepare(node, args=(0.7,))) == 1


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        pytest.param(qml.state, "state", id="state"),
        pytest.param(lambda: qml.density_matrix(wires=0), "state", id="density-matrix"),
        pytest.param(lambda: qml.vn_entropy(wires=0), "vnentropy", id="entropy"),
        pytest.param(lambda: qml.purity(wires=0), "purity", id="purity"),
        pytest.param(lambda: qml.classical_shadow(wires=[0, 1]), "shadow", id="shadow"),
        pytest.param(lambda: qml.var(qml.X(0) + qml.Z(0)), "sum", id="variance-of-a-sum"),
        pytest.param(lambda: qml.expval(qml.Projector([1], wires=0)), "Pauli words", id="projector"),
        pytest.param(lambda: qml.expval(qml.SparseHamiltonian(sparse_x(), wires=[0])), "Pauli words", id="sparse"),
    ],
)
def test_measurements_that_counts_cannot_answer_are_named(measure: Any, said: str) -> None:
    """Refused by name, with what to return instead."""
    with pytest.raises(CircuitError) as caught:
        prepare(qnode(measure), args=(0.1,))
    assert said in caught.value.message
    assert caught.value.hint


def sparse_x() -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix([[0, 1], [1, 0]])


def dynamic(**measure: Any) -> Any:
    # Two wires more than the circuit has, which PennyLane needs to defer the measurements.
    @qml.qnode(qml.device("default.qubit", wires=5))
    def circuit() -> Any:
        qml.RY(1.1, wires=0)
        first = qml.measure(0, **measure)
        qml.cond(first, qml.RX)(0.9, wires=1)
        qml.cond(first == 0, qml.X)(wires=2)
        return qml.probs(wires=[0, 1, 2])

    return circuit


@pytest.mark.parametrize("reset", [False, True])
def test_mid_circuit_measurements_and_conditions_are_translated(reset: bool) -> None:
    """Run on Aer, the final bits have PennyLane's probabilities."""
    node = dynamic(reset=reset)
    (one,) = prepare(node)
    shots = 20_000
    counts = AerSimulator(seed_simulator=5).run(one.circuit, shots=shots).result().get_counts()
    found = np.zeros(8)
    for key, count in counts.items():
        found[int(key.split()[0][::-1], 2)] += count / shots
    np.testing.assert_allclose(found, node(), atol=5 * 0.5 / shots**0.5)


def test_a_condition_on_two_measurements_holds_for_the_outcomes_it_names() -> None:
    """`m0 + m1 == 1` is true for two of four outcomes; wires 0 and 1 then differ, and wire 2 shows it."""

    @qml.qnode(qml.device("default.qubit", wires=5))
    def two() -> Any:
        qml.Hadamard(0)
        qml.Hadamard(1)
        total = qml.measure(0) + qml.measure(1)
        qml.cond(total == 1, qml.X)(wires=2)
        return qml.counts(wires=[0, 1, 2])

    (one,) = prepare(two)
    counts = AerSimulator(seed_simulator=5).run(one.circuit, shots=400).result().get_counts()
    assert {key.split()[0] for key in counts} == {"000", "101", "110", "011"}


def test_postselection_is_refused_with_a_way_out() -> None:
    """A circuit handed over as such has no place to drop shots."""
    with pytest.raises(CircuitError, match="postselect"):
        prepare(dynamic(postselect=1))


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        pytest.param(functools.partial(qml.AmplitudeDamping, 0.1, wires=0), "AmplitudeDamping", id="channel"),
        pytest.param(functools.partial(qml.Snapshot), "Snapshot", id="snapshot"),
        pytest.param(functools.partial(qml.RX, float("nan"), wires=0), "RX", id="nan"),
        pytest.param(functools.partial(qml.RX, [0.1, 0.2], wires=0), "batch", id="batch"),
        pytest.param(functools.partial(qml.Displacement, 0.1, 0.2, wires=0), "Displacement", id="photonic"),
        pytest.param(functools.partial(qml.QubitUnitary, np.ones((2, 2)), wires=0), "unitary", id="not-unitary"),
    ],
)
def test_operations_that_cannot_be_translated_are_named(operation: Any, said: str) -> None:
    """Refused by name, with a hint."""
    with pytest.raises(CircuitError) as caught:
        prepare(qml.tape.QuantumScript([operation()], [qml.counts(wires=0)]))
    assert said in caught.value.message
    assert caught.value.hint


def test_an_error_in_the_users_own_function_is_told_as_such() -> None:
    """What the QNode raises is passed on, not swallowed."""

    @qml.qnode(qml.device("default.qubit", wires=1))
    def broken() -> Any:
        raise ZeroDivisionError("their own mistake")

    with pytest.raises(CircuitError, match="their own mistake"):
        prepare(broken)
