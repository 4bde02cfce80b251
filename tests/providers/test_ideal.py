"""The exact ideal distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Kraus, Statevector

from qpm_lab.providers import ideal as ideal_module
from qpm_lab.providers import ideal_probabilities, measured_bits, why_no_ideal
from tests.providers.making import crossed, deciding, dense, ghz, leaning


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(1, 5), st.integers(0, 10**6))
def test_it_is_the_distribution_of_the_state_vector(qubits: int, depth: int, seed: int) -> None:
    """Over random circuits of all standard gates it agrees with Qiskit's own state vector."""
    circuit = random_circuit(qubits, depth, max_operands=3, seed=seed)
    theirs = {k: v for k, v in Statevector(circuit).probabilities_dict().items() if v > 1e-12}
    circuit.measure_all()
    ours = ideal_probabilities(circuit).probabilities
    assert ours is not None
    assert sum(ours.values()) == pytest.approx(1)
    assert {k: v for k, v in ours.items() if v > 1e-12} == pytest.approx(theirs, abs=1e-9)


def test_measured_bits_and_registers_are_those_of_the_counts() -> None:
    """Partial and crossed measurements give the keys that the counts have."""
    assert ideal_probabilities(crossed()).probabilities == {"1 01": 1.0}


def test_unmeasured_qubits_are_summed_over() -> None:
    """Half an entangled pair alone is uniform."""
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure(1, 0)
    assert ideal_probabilities(circuit).probabilities == pytest.approx({"0": 0.5, "1": 0.5})


def test_both_ways_of_computing_agree_on_a_wide_circuit() -> None:
    """A circuit padded with idle-looking qubits goes through Aer and gives the same numbers."""
    small, wide = leaning(), QuantumCircuit(9, 3)
    wide.compose(leaning().remove_final_measurements(inplace=False), [0, 1, 2], inplace=True)
    wide.x(range(3, 9))
    wide.measure(range(3), range(3))
    few, many = ideal_probabilities(small).probabilities, ideal_probabilities(wide).probabilities
    assert many == pytest.approx(few)


@pytest.mark.parametrize(
    ("circuit", "why"),
    [(deciding(), "control flow"), (ghz(26), "26 qubits"), (dense(20, 2000), "more than 30 seconds")],
    ids=["deciding", "wide", "deep"],
)
def test_what_is_not_computed_says_why(circuit: QuantumCircuit, why: str) -> None:
    """The reason is a sentence for the card."""
    probabilities, reason = ideal_probabilities(circuit)
    assert probabilities is None
    assert reason is not None
    assert why in reason


def test_bits_that_are_never_measured_do_not_count() -> None:
    """The number of possible outcomes is set by the qubits read, not by the register's size."""
    circuit = QuantumCircuit(3, 5)
    circuit.measure(0, 4)
    assert measured_bits(circuit) == 1
    assert measured_bits(deciding()) == 3


def test_a_channel_is_a_reason_and_not_an_error() -> None:
    """What a backend can run but no unitary describes leaves the job its result."""
    circuit = QuantumCircuit(1)
    circuit.append(Kraus([np.diag([1, 0.8]), np.array([[0, 0.6], [0, 0]])]).to_instruction(), [0])
    circuit.measure_all()
    probabilities, reason = ideal_probabilities(circuit)
    assert probabilities is None
    assert reason is not None
    assert "kraus" in reason.lower()


def test_many_outcomes_come_as_an_array_and_few_as_a_dictionary() -> None:
    """Both sides of the limit: 4,096 possible outcomes are keyed, more are indexed by the key read as a number."""
    for qubits, kind in ((12, dict), (13, np.ndarray)):
        circuit = dense(qubits, 4)
        theirs = Statevector(circuit.remove_final_measurements(inplace=False)).probabilities()
        ours = ideal_probabilities(circuit).probabilities
        assert isinstance(ours, kind)
        found = ours if isinstance(ours, np.ndarray) else [ours.get(format(i, "012b"), 0.0) for i in range(2**12)]
        np.testing.assert_allclose(found, theirs, atol=1e-12)
        assert sum(found) == pytest.approx(1)


def test_few_outcomes_of_many_qubits_are_a_small_dictionary() -> None:
    """GHZ of 21 qubits has two outcomes, however many there could be."""
    assert ideal_probabilities(ghz(21)).probabilities == pytest.approx({"0" * 21: 0.5, "1" * 21: 0.5})


def test_an_array_of_two_registers_has_the_index_of_the_key_without_spaces() -> None:
    """The first register holds the low bits."""
    circuit = QuantumCircuit(QuantumRegister(14), ClassicalRegister(5, "a"), ClassicalRegister(9, "b"))
    circuit.h(range(13))
    circuit.x(13)
    circuit.measure(13, circuit.clbits[5])
    circuit.measure(range(5), range(5))
    circuit.measure(range(5, 13), range(6, 14))
    found = ideal_probabilities(circuit).probabilities
    assert isinstance(found, np.ndarray)
    assert found[0b000000001_00000] == pytest.approx(2**-13)
    assert found[0] == pytest.approx(0, abs=1e-15)


def _unmeasured() -> QuantumCircuit:
    return QuantumCircuit(2, 2)


def _open() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("t"), 0)
    circuit.measure_all()
    return circuit


def _wide_register() -> QuantumCircuit:
    circuit = QuantumCircuit(21, 26)
    circuit.h(range(21))
    circuit.measure(range(21), range(21))
    return circuit


@pytest.mark.parametrize(
    ("circuit", "why"),
    [
        (deciding(), "control flow"),
        (ghz(26), "26 qubits"),
        (dense(24, 200), "more than 30 seconds"),
        (_unmeasured(), "measures nothing"),
        (_open(), "'t' has no value"),
        (_wide_register(), "26 classical bits"),
    ],
)
def test_why_there_is_none_is_known_beforehand_in_the_same_words(
    circuit: QuantumCircuit, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is simulated to find out."""
    monkeypatch.setattr(ideal_module.exact, "probabilities", None)
    reason = why_no_ideal(circuit)
    assert reason is not None
    assert why in reason
    assert ideal_probabilities(circuit).reason == reason


def test_where_there_is_one_nothing_is_said() -> None:
    """None, also for 25 qubits."""
    assert why_no_ideal(leaning()) is None
    assert why_no_ideal(ghz(25)) is None


def test_what_does_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With need and what is free."""
    monkeypatch.setattr(ideal_module, "free_bytes", lambda: 2**30)
    assert "are free" in str(why_no_ideal(ghz(25)))
    assert why_no_ideal(ghz(23)) is None
