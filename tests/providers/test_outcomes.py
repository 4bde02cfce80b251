"""Which bit is where, and which circuits measure only at their end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit_aer import AerSimulator

from qpm_lab.providers.outcomes import (
    NotTerminal,
    Terminal,
    group_sizes,
    keys_of,
    terminal,
    write_key,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.randoms())
def test_keys_are_written_as_qiskit_writes_them(sizes: list[int], random: object) -> None:
    """For any registers and any crossing of wires our key is the one of Qiskit's own get_counts."""
    width = sum(sizes)
    registers = [ClassicalRegister(size, f"r{i}") for i, size in enumerate(sizes)]
    circuit = QuantumCircuit(QuantumRegister(width), *registers)
    order = list(range(width))
    random.shuffle(order)
    for qubit in range(0, width, 2):
        circuit.x(qubit)
    for qubit, clbit in enumerate(order[: max(1, width - 1)]):
        circuit.measure(qubit, clbit)
    (theirs,) = AerSimulator(method="statevector").run(circuit, shots=1).result().get_counts()
    shape = terminal(circuit)
    assert isinstance(shape, Terminal)
    values = np.array([sum(1 << q for q in range(0, width, 2))])
    assert keys_of(values, shape.measured, range(width), group_sizes(circuit)) == [theirs]


def test_spaces_stand_between_registers_only() -> None:
    """The last register is written first."""
    assert write_key("00111", (2, 3)) == "001 11"
    assert write_key("0", (1,)) == "0"


@pytest.mark.parametrize("kind", ["again", "reset", "if", "initialize"])
def test_a_circuit_that_goes_on_says_with_what(kind: str) -> None:
    """The instruction is named, so that the user can find it."""
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    if kind == "again":
        circuit.measure(0, 0)
        circuit.x(0)
    elif kind == "reset":
        circuit.reset(0)
    elif kind == "initialize":
        circuit.initialize([0, 1], 0)
    else:
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.x(1)
    circuit.measure(1, 1)
    shape = terminal(circuit)
    assert isinstance(shape, NotTerminal)
    assert {"again": "x", "reset": "reset", "if": "if_else", "initialize": "initialize"}[kind] in shape.reason


def test_what_changes_nothing_is_left_out() -> None:
    """Barriers, delays and resets of fresh qubits do not make a circuit a dynamic one."""
    circuit = QuantumCircuit(2, 2)
    circuit.reset([0, 1])
    circuit.barrier()
    circuit.delay(100, 0)
    circuit.x(0)
    circuit.measure(0, 1)
    circuit.barrier()
    shape = terminal(circuit)
    assert isinstance(shape, Terminal)
    assert [(gate.name, on) for gate, on in shape.gates] == [("x", (0,))]
    assert shape.measured == {1: 0}
    assert shape.qubits == (0,)
