"""Circuits as a backend executes them: routed, and rewritten gate by gate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, random_unitary

from qpm_lab.errors import CapacityError, CircuitError
from qpm_lab.providers import ideal_probabilities, native, routed, target
from tests.providers.making import IDEAL, dense, ghz, leaning, run

DEVICES = ("aer/noisy", "aer/noisy_clifford")
GATES = {"cx", "rz", "sx", "x"}
ONE_QUBIT = [
    gate
    for gate in get_standard_gate_name_mapping().values()
    if gate.num_qubits == 1 and gate.name not in ("delay", "measure", "reset")
]


def clifford() -> QuantumCircuit:
    """Asymmetric, and with a ring of gates that a grid has to bend."""
    circuit = QuantumCircuit(5)
    circuit.x(0)
    circuit.h(1)
    for qubit in range(5):
        circuit.cx(qubit, (qubit + 1) % 5)
        circuit.s(qubit)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("name", DEVICES)
def test_a_routed_circuit_is_on_the_devices_qubits_in_its_gates(name: str) -> None:
    """As wide as the device, every pair of qubits coupled, and the distribution as it was."""
    circuit = clifford()
    placed, offered = routed(name, circuit), target(name)
    assert placed.num_qubits == offered.num_qubits
    assert set(placed.count_ops()) <= GATES | {"measure", "barrier"}
    assert placed.count_ops()["measure"] == 5
    for each in placed.data:
        if each.name == "cx":
            assert tuple(placed.find_bit(bit).index for bit in each.qubits) in offered["cx"]
    assert ideal_probabilities(placed).probabilities == pytest.approx(ideal_probabilities(circuit).probabilities)


@pytest.mark.parametrize("name", DEVICES)
def test_routing_is_what_submitting_does(name: str) -> None:
    """The same circuit always goes to the same place; routed beforehand it is neither moved nor changed."""
    placed = routed(name, clifford())
    assert routed(name, clifford()) == placed
    assert routed(name, placed) is placed
    one, two = run(name, clifford()), run(name, placed)
    assert one.counts == two.counts
    assert one.details["circuits"] == two.details["circuits"]


@pytest.mark.parametrize("name", DEVICES)
def test_a_circuit_followed_by_its_inverse_is_run_as_it_is(name: str) -> None:
    """No gate is merged or cancelled, with barriers and without."""
    for barrier in (True, False):
        half = routed(name, clifford()).remove_final_measurements(inplace=False)
        used = [i for i, bit in enumerate(half.qubits) if any(bit in each.qubits for each in half.data)]
        mirror = half.copy()
        if barrier:
            mirror.barrier()
        mirror.compose(half.inverse(), inplace=True)
        mirror.add_register(QuantumCircuit(len(used), len(used)).cregs[0])
        mirror.measure(used, range(len(used)))
        (ready,) = native(name, [mirror])
        result = run(name, ready, shots=400)
        (details,) = result.details["circuits"]
        assert details["two_qubit_gates"] == 2 * half.count_ops()["cx"]
        assert set(details["physical_qubits"]) == set(used)
        assert result.counts[0]["0" * len(used)] > 150


@pytest.mark.parametrize("name", DEVICES)
def test_circuits_on_different_qubits_of_a_device_are_one_job(name: str) -> None:
    """Each keeps its qubits and its histogram."""
    circuits = []
    for qubit in (3, 11, 7):
        circuit = QuantumCircuit(target(name).num_qubits, 1)
        circuit.x(qubit)
        circuit.measure(qubit, 0)
        circuits.append(circuit)
    result = run(name, *circuits, shots=200)
    assert [each["physical_qubits"] for each in result.details["circuits"]] == [[3], [11], [7]]
    assert all(counts["1"] > 180 for counts in result.counts)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(range(len(ONE_QUBIT))), min_size=1, max_size=8), st.integers(0, 10**6))
def test_rewriting_keeps_the_operator_and_the_two_qubit_gates(gates: list[int], seed: int) -> None:
    """Any single-qubit gates, also matrices: the same operator up to its phase, each cx in its place."""
    draw = np.random.default_rng(seed)
    circuit = QuantumCircuit(2)
    for gate in gates:
        kind = ONE_QUBIT[gate]
        circuit.append(kind.base_class(*draw.uniform(-3, 3, len(kind.params)).tolist()), [int(draw.integers(2))])
        circuit.cx(*draw.permutation(2).tolist())
    circuit.append(UnitaryGate(random_unitary(2, seed=seed)), [1])
    (simple,) = native("aer/noisy", [circuit])
    assert set(simple.count_ops()) <= GATES
    assert Operator(simple).equiv(Operator(circuit))
    assert [each.qubits for each in simple.data if each.name == "cx"] == [
        each.qubits for each in circuit.data if each.name == "cx"
    ]


def test_rewriting_merges_nothing() -> None:
    """Two gates that undo each other, with nothing between them, are both there afterwards."""
    circuit = QuantumCircuit(1)
    for _ in range(2):
        circuit.h(0)
    (simple,) = native("aer/noisy", [circuit])
    assert simple.count_ops()["sx"] == 2


def test_a_gate_between_qubits_that_the_device_does_not_have_is_named() -> None:
    """It would have to be routed, which rewriting does not do."""
    circuit = QuantumCircuit(2)
    circuit.swap(0, 1)
    with pytest.raises(CircuitError, match="swap between 2 qubits"):
        native("aer/noisy", [circuit])


@pytest.mark.parametrize("name", IDEAL)
def test_an_ideal_backend_has_nothing_to_route(name: str) -> None:
    """The circuit itself comes back."""
    circuit = leaning()
    assert routed(name, circuit) is circuit
    assert native(name, [circuit])[0] is circuit


def test_a_circuit_wider_than_the_device_is_refused() -> None:
    """With both widths, as when it is submitted."""
    with pytest.raises(CapacityError, match="21 qubits; aer/noisy takes 20"):
        routed("aer/noisy", ghz(21))


def test_rotations_go_to_the_general_device() -> None:
    """What is routed there need not be Clifford."""
    circuit = dense(4, 3)
    placed = routed("aer/noisy", circuit)
    assert ideal_probabilities(placed).probabilities == pytest.approx(
        ideal_probabilities(circuit).probabilities, abs=1e-9
    )
