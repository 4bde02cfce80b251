"""Mirror circuits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from qpm_lab.circuits import mirror_circuits
from qpm_lab.errors import CircuitError, InputError
from tests.circuits.device_circuits import device_circuit, pairs_of
from tests.circuits.test_proxies import SINGLE_GATES, unsuited

SIMULATOR = AerSimulator(method="statevector", seed_simulator=12, max_parallel_threads=1)


@settings(max_examples=20)
@given(
    qubits=st.integers(1, 6),
    depth=st.integers(0, 4),
    seed=st.integers(0, 2**32),
    gate=st.sampled_from(["cx", "cz", "ecr", "rzz"]),
    clifford=st.booleans(),
    gates=st.sampled_from(SINGLE_GATES),
)
def test_without_noise_the_target_comes_out_with_certainty(
    qubits: int, depth: int, seed: int, gate: str, clifford: bool, gates: set[str] | None
) -> None:
    """Whatever the circuit, its gates and the draw, in all three families."""
    circuit = device_circuit(qubits, depth, seed, gate=gate, clifford=clifford, spare=1)
    mirrors = mirror_circuits(circuit, 3, seed, gates=gates)
    every = [*mirrors.circuit, *mirrors.inverse, *mirrors.reference]
    result = SIMULATOR.run([mirror.circuit for mirror in every], shots=16).result()
    for i, mirror in enumerate(every):
        assert mirror.distances(result.get_counts(i)).tolist() == [16] + [0] * qubits


def test_the_first_family_holds_the_circuit_as_it_is() -> None:
    """Its own instructions stand in order between the first two barriers, then its pairs backwards."""
    circuit = device_circuit(4, 3, 5, spare=2)
    bare = [(each.name, each.params) for each in circuit.data if each.name != "measure"]
    for mirror in mirror_circuits(circuit, 4, 5).circuit:
        written = [(each.name, each.params) for each in mirror.circuit.data]
        walls = [i for i, (name, _) in enumerate(written) if name == "barrier"]
        assert written[walls[0] + 1 : walls[1]] == bare
        pairs = [places for _, places, _ in pairs_of(mirror.circuit)]
        assert sorted(pairs) == sorted(2 * [places for _, places, _ in pairs_of(circuit)])


def test_both_halves_of_the_second_family_have_as_many_gates() -> None:
    """The two-qubit gates of the circuit twice; the reference has none; idle qubits stay idle."""
    circuit = device_circuit(4, 3, 5, spare=2)
    mirrors = mirror_circuits(circuit, 4, 5)
    used = {bit for each in circuit.data for bit in each.qubits}
    for mirror in mirrors.inverse:
        assert len(pairs_of(mirror.circuit)) == 2 * len(pairs_of(circuit))
        assert {bit for each in mirror.circuit.data for bit in each.qubits} == used
    assert all(not pairs_of(mirror.circuit) for mirror in mirrors.reference)


def test_targets_are_uniformly_random() -> None:
    """Each bit of the target is 1 in half of the circuits, so that asymmetric readout errors average out."""
    mirrors = mirror_circuits(device_circuit(5, 1, 5), 200, 9)
    for family in (mirrors.circuit, mirrors.inverse, mirrors.reference):
        ones = np.array([[int(bit) for bit in mirror.target] for mirror in family]).sum(axis=0)
        assert (abs(ones - 100) < 30).all()


def test_distances_follow_the_order_of_keys() -> None:
    """Bit 0 is rightmost in target and key alike; spaces do not matter."""
    mirror = mirror_circuits(device_circuit(3, 1, 5), 1, 9).circuit[0]
    flipped = mirror.target[:2] + ("1" if mirror.target[2] == "0" else "0")
    assert mirror.distances({mirror.target: 3, f"{flipped[0]} {flipped[1:]}": 2}).tolist() == [3, 2, 0, 0]


def test_a_gate_whose_inverse_is_another_is_refused() -> None:
    """The inverse of dcx is no dcx, so a circuit with it has no mirror in its own gates."""
    circuit = QuantumCircuit(2)
    circuit.dcx(0, 1)
    with pytest.raises(CircuitError, match="dcx"):
        mirror_circuits(circuit, 1, 1)


@pytest.mark.parametrize("name", unsuited())
def test_circuits_without_proxies_have_no_mirrors(name: str) -> None:
    """The message names the operation that is in the way."""
    with pytest.raises(CircuitError, match=name):
        mirror_circuits(unsuited()[name], 1, 1)


def test_a_number_of_circuits_is_positive() -> None:
    """None at all is refused."""
    with pytest.raises(InputError):
        mirror_circuits(device_circuit(2, 1, 1), 0, 1)


def test_iswap_is_mirrored_by_itself() -> None:
    """Done twice it is a Pauli, which the random frame takes in."""
    from qiskit.quantum_info import Statevector

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.iswap(0, 1)
    circuit.t(1)
    circuit.iswap(0, 1)
    for mirror in mirror_circuits(circuit, 6, 2).inverse:
        state = Statevector.from_instruction(mirror.circuit.remove_final_measurements(inplace=False))
        assert state.probabilities_dict(decimals=9) == pytest.approx({mirror.target: 1.0})
