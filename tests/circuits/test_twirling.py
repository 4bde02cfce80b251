"""Readout pads and Pauli twirling."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator

import qpm_lab.circuits.companions.twirling as module
from qpm_lab.circuits import circuit_pads, padded, pauli_twirled, readout_pads, unpadded
from qpm_lab.errors import CircuitError, InputError
from tests.circuits.device_circuits import device_circuit, pairs_of
from tests.circuits.test_proxies import unsuited

SIMULATOR = AerSimulator(method="statevector", seed_simulator=13, max_parallel_threads=1)


@given(bits=st.integers(1, 200), half=st.integers(16, 100), seed=st.integers(0, 2**32))
def test_each_bit_is_flipped_in_exactly_half_of_the_pads(bits: int, half: int, seed: int) -> None:
    """Whatever their number and seed, so that readout errors become exactly symmetric."""
    pads = readout_pads(bits, 2 * half, seed)
    ones = np.array([[int(bit) for bit in pad] for pad in pads]).sum(axis=0)
    assert ones.tolist() == [half] * bits


@pytest.mark.parametrize("seed", range(3))
def test_up_to_five_bits_the_whole_readout_error_is_symmetric(seed: int) -> None:
    """With 32 pads the chance to read y for x depends on x ⊕ y alone, for correlated errors too."""
    bits = 5
    random = np.random.default_rng(seed)
    confusion = random.dirichlet(np.ones(2**bits), size=2**bits)  # true, read
    flips = np.array([int(pad, 2) for pad in readout_pads(bits, 32, seed)])
    x, y = np.indices(confusion.shape)
    twirled = np.mean([confusion[x ^ flip, y ^ flip] for flip in flips], axis=0)
    by_error = twirled[x, x ^ y]
    assert abs(by_error - by_error[0]).max() < 1e-9


def test_any_two_of_many_bits_are_symmetric_together() -> None:
    """With 64 pads every pair of 63 bits shows all four flips equally often."""
    pads = np.array([[int(bit) for bit in pad] for pad in readout_pads(63, 64, 5)])
    signs = 1 - 2 * pads
    assert (signs.T @ signs == 64 * np.eye(63)).all()


@pytest.mark.parametrize("number", [0, 2, 31])
def test_fewer_than_32_pads_are_refused(number: int) -> None:
    """The message says so."""
    with pytest.raises(InputError, match="fewer than 32 pads"):
        readout_pads(3, number, 1)


def test_an_odd_number_of_pads_is_refused() -> None:
    """It cannot be exactly symmetric."""
    with pytest.raises(InputError, match="even"):
        readout_pads(3, 33, 1)


def test_a_pad_is_undone_in_the_counts_across_registers() -> None:
    """An asymmetric circuit over two registers, one bit of which nothing writes, gives the same key with every pad."""
    a, b = ClassicalRegister(2, "a"), ClassicalRegister(3, "b")
    circuit = QuantumCircuit(4)
    circuit.add_register(a, b)
    circuit.x([0, 3])
    circuit.measure(0, b[2])
    circuit.measure(1, a[0])
    circuit.measure(3, b[0])
    circuit.measure(2, a[1])
    for pad in circuit_pads(circuit, 32, 6):
        counts = SIMULATOR.run(padded(circuit, pad), shots=10).result().get_counts()
        assert unpadded(counts, pad) == {"101 00": 10}


def test_pads_change_what_is_measured() -> None:
    """Without undoing it, the flip is seen: the X stands before the measurement, in the gates asked for."""
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    assert SIMULATOR.run(padded(circuit, "10"), shots=5).result().get_counts() == {"10": 5}
    written = padded(circuit, "10", gates={"rz", "sx"})
    assert set(written.count_ops()) <= {"rz", "sx", "measure"}
    assert SIMULATOR.run(written, shots=5).result().get_counts() == {"10": 5}


def test_a_pad_on_a_bit_that_nothing_writes_is_refused() -> None:
    """Undoing it would flip a bit that was never flipped."""
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 1)
    with pytest.raises(InputError):
        padded(circuit, "01")
    with pytest.raises(InputError):
        padded(circuit, "1")


@pytest.mark.parametrize("name", ["before its end", "if_else", "no measurement"])
def test_pads_need_measurements_at_the_end(name: str) -> None:
    """A bit used within the circuit cannot be undone afterwards; no measurement leaves nothing to flip."""
    circuit = QuantumCircuit(2, 3) if name == "no measurement" else unsuited()[name]
    with pytest.raises(CircuitError):
        padded(circuit, "000")


@given(
    counts=st.dictionaries(st.sampled_from(["".join(p) for p in product("01", repeat=4)]), st.integers(0, 9)),
    pad=st.sampled_from(["0101", "1111", "0000", "1000"]),
)
def test_a_pad_undone_twice_changes_nothing(counts: dict[str, int], pad: str) -> None:
    """Undoing a pad keeps the number of shots and is its own inverse."""
    assert unpadded(unpadded(counts, pad), pad) == counts


@pytest.mark.parametrize("clifford", [True, False])
@pytest.mark.parametrize("gate", ["cx", "cz", "ecr"])
def test_a_twirled_variant_does_what_the_circuit_does(gate: str, clifford: bool) -> None:
    """Same unitary up to a phase, same pairs, same classical register."""
    circuit = device_circuit(4, 3, 8, gate=gate, clifford=clifford, spare=1)
    ideal = Operator(circuit.remove_final_measurements(inplace=False))
    variants = pauli_twirled(circuit, 6, 3, gates={"rz", "sx", "x"})
    assert len({str(variant.data) for variant in variants}) == 6
    for variant in variants:
        assert variant.cregs == circuit.cregs
        assert pairs_of(variant) == pairs_of(circuit)
        assert [each for each in variant.data if each.name == "measure"] == circuit.data[-4:]
        assert Operator(variant.remove_final_measurements(inplace=False)).equiv(ideal)


def test_twirling_turns_a_coherent_error_into_paulis() -> None:
    """The mean of many variants of a noisy cx is diagonal in Paulis, as the noisy cx itself is not."""
    from qiskit.quantum_info import PTM, SuperOp

    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    ideal = Operator(circuit)

    def error_map(variant: QuantumCircuit) -> np.ndarray:
        noisy = variant.copy_empty_like()
        for each in variant.data:
            if each.name != "barrier":
                noisy.append(each)
            if each.name == "cx":
                noisy.rx(0.5, 0)
                noisy.ryy(0.4, 0, 1)
        return np.real(PTM(SuperOp(ideal.adjoint()) @ SuperOp(Operator(noisy))).data)

    bare = error_map(circuit)
    twirled = np.mean([error_map(variant) for variant in pauli_twirled(circuit, 600, 4)], axis=0)
    off = ~np.eye(16, dtype=bool)
    assert abs(bare[off]).max() > 0.3
    assert abs(twirled[off]).max() < 0.1
    assert np.trace(twirled) == pytest.approx(np.trace(bare))


def test_it_is_described_as_what_it_is() -> None:
    """Twirling symmetrises errors; it is never sold as a way to hide anything."""
    text = " ".join(str(part.__doc__) for part in (module, readout_pads, padded, unpadded, pauli_twirled))
    assert "hides nothing from the vendor" in text
    assert "encrypt" not in text
    assert "confidential" not in text
