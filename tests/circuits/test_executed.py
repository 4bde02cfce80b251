"""What a machine executes of a circuit, counted for the vendors who charge by the gate."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import QFTGate, UnitaryGate

from qpm_lab.circuits import executed, facts
from qpm_lab.circuits.executed import Executed


def _counts(circuit: QuantumCircuit) -> tuple[int, dict[int, int], int]:
    found = executed(circuit)
    assert found.countable
    return found.one_qubit, dict(found.wide), found.measurements


def test_gates_measurements_and_resets_are_counted_and_barriers_and_delays_are_not() -> None:
    """h and x are two; cx and rzz two; a swap is three; ccx one of three qubits; two measurements and a reset."""
    circuit = QuantumCircuit(3, 2, global_phase=1)
    circuit.h(0)
    circuit.x(1)
    circuit.cx(0, 1)
    circuit.rzz(0.3, 0, 1)
    circuit.swap(1, 2)
    circuit.ccx(0, 1, 2)
    circuit.barrier()
    circuit.delay(100, 0)
    circuit.reset(0)
    circuit.measure([0, 1], [0, 1])
    assert _counts(circuit) == (2, {2: 2 + 3, 3: 1}, 3)


def test_a_loop_counts_as_often_as_it_repeats_and_every_branch_counts() -> None:
    """5 × (cx, reset), then x and cz of the two branches."""
    circuit = QuantumCircuit(2, 1)
    with circuit.for_loop(range(5)):
        circuit.cx(0, 1)
        circuit.reset(0)
    with circuit.if_test((0, 1)) as otherwise:
        circuit.x(0)
    with otherwise:
        circuit.cz(0, 1)
    assert _counts(circuit) == (1, {2: 5 + 1}, 5)


def test_loops_in_loops_multiply() -> None:
    """3 × 4 x gates."""
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(3)), circuit.for_loop((0, 7, 9, 2)):
        circuit.x(0)
    assert _counts(circuit)[0] == 12


@pytest.mark.parametrize("name", ["block", "barrier", "measure", "initialize", "cx"])
def test_a_gate_of_ones_own_counts_by_its_definition_whatever_its_name(name: str) -> None:
    """Nothing is hidden in a subroutine: 2 × (7 cx, 1 h), nested."""
    inner = QuantumCircuit(2, name=name)
    inner.h(0)
    for _ in range(7):
        inner.cx(0, 1)
    outer = QuantumCircuit(2, name="outer")
    outer.append(inner.to_gate(), [0, 1])
    circuit = QuantumCircuit(2)
    circuit.append(outer.to_gate(), [0, 1])
    circuit.append(outer.to_gate(), [1, 0])
    assert _counts(circuit) == (2, {2: 14}, 0)


def test_a_gate_under_many_controls_counts_by_its_width() -> None:
    """Four controls and a target are five qubits; vendors have a price for that."""
    circuit = QuantumCircuit(5)
    circuit.mcx([0, 1, 2, 3], 4)
    assert _counts(circuit) == (0, {5: 1}, 0)


def test_library_gates_are_taken_apart() -> None:
    """The Fourier transform of 3 qubits: 3 h, 3 controlled phases, 1 swap of three."""
    circuit = QuantumCircuit(3)
    circuit.append(QFTGate(3), range(3))
    assert _counts(circuit) == (3, {2: 3 + 3}, 0)


def test_matrices_and_states_count_what_textbooks_need_without_being_taken_apart() -> None:
    """Two qubits need 3 CNOTs, six 23/48 × 4⁶ = 1,962.7 (1,963); a state of 2 qubits 2³ and two resets."""
    circuit = QuantumCircuit(6)
    circuit.append(UnitaryGate(np.eye(4)), [0, 1])
    circuit.append(UnitaryGate(np.eye(64)), range(6))
    circuit.initialize([1, 0, 0, 0], [0, 1])
    ones = (2 * 3 + 2) + (2 * 1963 + 6) + (2 * 8 + 2 * 2)
    assert _counts(circuit) == (ones, {2: 3 + 1963 + 8}, 2)


def test_a_state_that_is_named_is_a_product_of_single_qubits() -> None:
    """A number, or letters: two gates and a reset for each of 100 qubits at most, and no power of two."""
    for state in (5, "0" * 99 + "+"):
        circuit = QuantumCircuit(100)
        circuit.initialize(state, range(100))
        assert _counts(circuit) == (200, {2: 0}, 100)


def test_a_count_that_no_record_can_hold_is_no_count() -> None:
    """Loops in loops grow beyond every number that JSON keeps."""
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(10**9)), circuit.for_loop(range(10**9)):
        circuit.x(0)
    assert executed(circuit) == Executed(countable=False)


def test_what_has_no_bound_is_not_countable() -> None:
    """A `while` repeats as often as it likes, also within a loop that runs."""
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(2)), circuit.while_loop((0, 1)):
        circuit.x(0)
    assert not executed(circuit).countable
    assert facts(circuit).to_dict()["countable"] is False


def test_what_is_nested_too_deeply_is_not_countable_instead_of_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is an end to looking, and what was not looked at does not count as nothing."""
    monkeypatch.setattr(sys.modules["qpm_lab.circuits.executed"], "MOST_LOOKED_AT", 100)
    circuit = QuantumCircuit(1)
    for _ in range(101):
        circuit.x(0)
    assert not executed(circuit).countable


def test_facts_carry_the_counts() -> None:
    """Into the record, by name."""
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ccx(0, 1, 2)
    circuit.measure(range(3), range(3))
    told = facts(circuit).to_dict()
    assert (told["one_qubit_gates"], told["measurements"], told["wide_gates"]) == (1, 3, {"2": 1, "3": 1})
