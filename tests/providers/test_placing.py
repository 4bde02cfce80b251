"""Circuits as a backend executes them."""

from __future__ import annotations

import math

import pytest
from qiskit import QuantumCircuit

from qpm_lab.errors import CapacityError
from qpm_lab.providers import ideal_probabilities, routed, target
from tests.providers.making import IDEAL, dense, ghz, leaning, run

DEVICES = ("aer/noisy", "stim/noisy")
GATES = {"cx", "rz", "sx", "x"}


def inverse(circuit: QuantumCircuit) -> QuantumCircuit:
    """The inverse in the device's gates: Qiskit's has `sxdg`, which the devices have not."""
    result = circuit.copy_empty_like()
    for each in reversed(circuit.data):
        if each.name == "sx":
            result.rz(math.pi, each.qubits)
        result.append(each.operation.inverse() if each.name == "rz" else each.operation, each.qubits)
        if each.name == "sx":
            result.rz(math.pi, each.qubits)
    return result


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
        mirror.compose(inverse(half), inplace=True)
        mirror.add_register(QuantumCircuit(len(used), len(used)).cregs[0])
        mirror.measure(used, range(len(used)))
        result = run(name, mirror, shots=400)
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


@pytest.mark.parametrize("name", IDEAL)
def test_an_ideal_backend_has_nothing_to_route(name: str) -> None:
    """The circuit itself comes back."""
    circuit = leaning()
    assert routed(name, circuit) is circuit


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
