"""The fingerprint follows what a circuit does on which wire, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm2, qasm3
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import HGate, QFTGate, RXGate, StatePreparation, UnitaryGate
from qiskit.converters import circuit_to_dag

from qpm_lab.circuits import fingerprint, prepare, read_qpy, write_qpy

from .generated import build, circuits, operations, reordered


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_order_of_independent_operations_does_not_matter(data: st.DataObject) -> None:
    """Any reordering of operations that share no wire keeps the fingerprint."""
    written = data.draw(operations())
    assert fingerprint(build(written)) == fingerprint(build(data.draw(reordered(written)), name="other"))


@given(circuits, circuits)
@settings(max_examples=100, deadline=None)
def test_it_is_equal_exactly_when_the_dags_are(one: QuantumCircuit, other: QuantumCircuit) -> None:
    """Qiskit's own comparison of DAGs agrees, on unrelated circuits."""
    assert (fingerprint(one) == fingerprint(other)) == (circuit_to_dag(one) == circuit_to_dag(other))


@given(operations(largest=8), st.data())
@settings(max_examples=60, deadline=None)
def test_a_swap_of_dependent_operations_changes_it(written: list[Any], data: st.DataObject) -> None:
    """Exchanging two neighbours keeps the fingerprint only if Qiskit's DAG stays the same too."""
    if len(written) < 2:
        return
    place = data.draw(st.integers(0, len(written) - 2))
    swapped = [*written[:place], written[place + 1], written[place], *written[place + 2 :]]
    one, other = build(written), build(swapped)
    assert (fingerprint(one) == fingerprint(other)) == (circuit_to_dag(one) == circuit_to_dag(other))


@given(circuits)
@settings(max_examples=40, deadline=None)
def test_it_survives_qpy(circuit: QuantumCircuit) -> None:
    """Storing and reading a circuit keeps it."""
    assert fingerprint(read_qpy(write_qpy(circuit))[0]) == fingerprint(circuit)


def small() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.rz(0.5, 2)
    circuit.measure([0, 1], [0, 1])
    return circuit


def test_names_labels_and_metadata_do_not_count() -> None:
    """Circuit, registers, labels and metadata may be called anything."""
    other = QuantumCircuit(QuantumRegister(2, "a"), QuantumRegister(1, "b"), ClassicalRegister(3, "x"), name="n")
    other.metadata = {"who": "ada"}
    other.append(HGate(label="mine"), [0])
    other.cx(0, 1)
    other.rz(0.5, 2)
    other.measure([0, 1], [0, 1])
    assert fingerprint(other) == fingerprint(small())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda c: c.h(0), id="a-gate"),
        pytest.param(lambda c: c.barrier(), id="a-barrier"),
        pytest.param(lambda c: c.measure(2, 2), id="a-measurement"),
        pytest.param(lambda c: c.rz(1e-300, 2), id="a-tiny-angle"),
        pytest.param(lambda c: c.add_register(QuantumRegister(1, "idle")), id="an-idle-qubit"),
        pytest.param(lambda c: c.add_register(ClassicalRegister(1, "idle")), id="an-idle-clbit"),
        pytest.param(lambda c: setattr(c, "global_phase", 0.25), id="global-phase"),
        pytest.param(lambda c: c.delay(5, 0), id="a-delay"),
    ],
)
def test_every_real_change_changes_it(change: Any) -> None:
    """Whatever is added to a circuit is seen."""
    changed = small()
    change(changed)
    assert fingerprint(changed) != fingerprint(small())


def pair(method: str, *first: Any) -> str:
    circuit = QuantumCircuit(3, 3)
    getattr(circuit, method)(*first)
    return fingerprint(circuit)


def test_wires_count_by_index_and_role() -> None:
    """Control and target, measured qubit and written bit are told apart."""
    assert pair("cx", 0, 1) != pair("cx", 1, 0)
    assert pair("measure", 0, 1) != pair("measure", 1, 0)
    assert pair("measure", 0, 1) != pair("measure", 0, 2)


def test_two_gates_that_share_both_wires_keep_their_direction() -> None:
    """cx(0,1) cx(0,1) is not cx(0,1) cx(1,0)."""
    one, other = QuantumCircuit(2), QuantumCircuit(2)
    one.cx([0, 0], [1, 1])
    other.cx([0, 1], [1, 0])
    assert fingerprint(one) != fingerprint(other)


def test_angles_are_exact_numbers_of_any_type() -> None:
    """1, 1.0 and numpy's 1.0 are one angle, -0.0 is 0.0, and neighbouring floats differ."""
    assert len({pair("rx", angle, 0) for angle in (1, 1.0, np.float64(1.0))}) == 1
    assert pair("rx", -0.0, 0) == pair("rx", 0.0, 0)
    assert pair("rx", 0.1 + 0.2, 0) != pair("rx", 0.3, 0)


def test_a_bound_parameter_is_its_value() -> None:
    """A circuit built with a parameter and then bound equals one built with the number."""
    theta = Parameter("θ")
    circuit = QuantumCircuit(3, 3)
    circuit.rx(2 * theta, 0)
    assert fingerprint(circuit.assign_parameters({theta: 0.25})) == pair("rx", 0.5, 0)


def parametrised(one: str, other: str) -> str:
    a, b = Parameter(one), Parameter(other)
    circuit = QuantumCircuit(2)
    circuit.rx(a, 0)
    circuit.ry(b, 1)
    circuit.rz(a - 2 * b, 0)
    return fingerprint(circuit)


def test_names_of_open_parameters_do_not_count() -> None:
    """Renaming, even so that the alphabetical order turns round, keeps it; using one twice does not."""
    assert parametrised("a", "b") == parametrised("z", "y")
    one, other, a, b = QuantumCircuit(2), QuantumCircuit(2), Parameter("a"), Parameter("b")
    one.rx(a, 0), one.rx(b, 1)
    other.rx(a, 0), other.rx(a, 1)
    assert fingerprint(one) != fingerprint(other)


def own_gate(angle: float, name: str) -> QuantumCircuit:
    inner = QuantumCircuit(2, name=name)
    inner.cx(0, 1)
    inner.rz(angle, 1)
    outer = QuantumCircuit(2)
    outer.append(inner.to_gate(), [0, 1])
    return outer


def test_a_gate_of_ones_own_is_known_by_its_definition() -> None:
    """The name of a custom gate does not count, what it does counts."""
    assert fingerprint(own_gate(0.5, "mine")) == fingerprint(own_gate(0.5, "yours"))
    assert fingerprint(own_gate(0.5, "mine")) != fingerprint(own_gate(0.6, "mine"))


def test_a_gate_that_only_borrows_a_standard_name_is_told_apart() -> None:
    """A custom gate called `h` is not Hadamard."""
    inner = QuantumCircuit(1)
    inner.x(0)
    false = Gate("h", 1, [])
    false.definition = inner
    one, other = QuantumCircuit(1), QuantumCircuit(1)
    one.append(false, [0])
    other.h(0)
    assert fingerprint(one) != fingerprint(other)


def test_gates_that_share_a_definition_are_read_once() -> None:
    """Two to the thirtieth operations in thirty shared definitions cost thirty steps."""

    def nested(levels: int) -> QuantumCircuit:
        circuit = QuantumCircuit(1)
        circuit.x(0)
        for level in range(levels):
            gate = Gate(f"g{level}", 1, [])
            gate.definition, circuit = circuit, QuantumCircuit(1)
            circuit.append(gate, [0])
            circuit.append(gate, [0])
        return circuit

    assert fingerprint(nested(30)) == fingerprint(nested(30))
    assert fingerprint(nested(30)) != fingerprint(nested(29))


def with_matrix(matrix: Any) -> str:
    circuit = QuantumCircuit(1)
    circuit.append(UnitaryGate(matrix), [0])
    return fingerprint(circuit)


def test_matrices_count_by_their_numbers() -> None:
    """Two matrices differ, a negative zero does not."""
    assert with_matrix([[0, 1], [1, 0]]) == with_matrix([[-0.0, 1], [1, -0.0]])
    assert with_matrix([[0, 1], [1, 0]]) != with_matrix([[1, 0], [0, -1]])


def dynamic(value: int = 0, *, register: int = 3, loops: range | tuple[int, ...] = range(4)) -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.h(1)
    circuit.measure(1, 1)
    with circuit.if_test((circuit.clbits[1], value)) as otherwise:
        circuit.x(2)
    with otherwise:
        circuit.y(0)
    with circuit.if_test((circuit.cregs[0], register)):
        circuit.x(0)
    with circuit.for_loop(loops) as n:
        circuit.rx(n * 0.1, 2)
        with circuit.if_test((circuit.clbits[0], True)):
            circuit.break_loop()
    with circuit.while_loop((circuit.clbits[0], True)):
        circuit.h(0)
        circuit.measure(0, 0)
    return circuit


def test_control_flow_survives_qpy_and_openqasm_3() -> None:
    """Conditions, branches, loops and breaks are the same after both round trips."""
    circuit = dynamic()
    assert fingerprint(read_qpy(write_qpy(circuit))[0]) == fingerprint(circuit)
    assert fingerprint(qasm3.loads(qasm3.dumps(circuit))) == fingerprint(circuit)


def test_conditions_branches_and_ranges_count() -> None:
    """Another value, another register value and another range are other circuits; one range has one form."""
    prints = [dynamic(), dynamic(1), dynamic(register=5), dynamic(loops=range(5))]
    assert len({fingerprint(c) for c in prints}) == 4
    assert fingerprint(dynamic(loops=(0, 1, 2, 3))) == fingerprint(dynamic())


def switched(value: int) -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    with circuit.switch(circuit.cregs[0]) as case:
        with case(value):
            circuit.x(0)
        with case(case.DEFAULT):
            circuit.y(1)
    return circuit


def test_switch_cases_count() -> None:
    """The values of a switch are part of it, and QPY keeps them."""
    assert fingerprint(switched(1)) != fingerprint(switched(2))
    assert fingerprint(read_qpy(write_qpy(switched(1)))[0]) == fingerprint(switched(1))


def test_classical_variables_count_by_use_not_by_name() -> None:
    """Stores into a variable are ordered; the variable's name is not seen."""

    def stored(name: str, value: int) -> str:
        circuit = QuantumCircuit(1, 1)
        variable = circuit.add_var(name, expr.lift(3, types.Uint(8)))
        circuit.store(variable, expr.lift(value, types.Uint(8)))
        return fingerprint(circuit)

    assert stored("a", 1) == stored("b", 1)
    assert stored("a", 1) != stored("a", 0)


def test_library_gates_survive_qpy() -> None:
    """State preparation, controlled, annotated, Fourier and Pauli gates keep their identity when stored."""
    circuit = QuantumCircuit(3)
    circuit.append(StatePreparation([0.6, 0.8]), [1])
    circuit.append(HGate().control(2, ctrl_state=1), [0, 1, 2])
    circuit.append(RXGate(0.2).control(2, ctrl_state=2, annotated=True), [0, 1, 2])
    circuit.append(QFTGate(3), [2, 0, 1])
    circuit.pauli("XYZ", [0, 1, 2])
    circuit.initialize("10", [0, 2])
    circuit.append(own_gate(0.3, "mine").to_gate(), [1, 2])
    assert fingerprint(read_qpy(write_qpy(circuit))[0]) == fingerprint(circuit)


def test_gates_defined_in_openqasm_2_survive_qpy() -> None:
    """A gate definition read from text keeps its identity when stored."""
    text = "OPENQASM 2.0; gate g(x) a,b {CX a,b; U(x/2,0,0) b;} qreg q[2]; g(0.3) q[0],q[1];"
    circuit = qasm2.loads(text)
    assert fingerprint(read_qpy(write_qpy(circuit))[0]) == fingerprint(circuit)


def test_every_process_agrees() -> None:
    """Hash seeds and addresses play no part."""
    code = (
        "from tests.circuits.test_fingerprint import dynamic, fingerprint; print(fingerprint(dynamic()))"
        if __name__.startswith("tests.")
        else "from circuits.test_fingerprint import dynamic, fingerprint; print(fingerprint(dynamic()))"
    )
    path = os.pathsep.join([*sys.path])
    seen = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {fingerprint(dynamic())}


def test_facts_are_those_of_the_circuit_as_it_is_now() -> None:
    """They are kept by content: a circuit changed in place, or another with the same gates, gets its own."""
    circuit = QuantumCircuit(2, name="first")
    circuit.rx(0.25, 0)
    before = prepare(circuit)[0].facts
    circuit.name = "second"
    assert prepare(circuit)[0].facts == replace(before, name="second")
    circuit.cx(0, 1)
    after = prepare(circuit)[0].facts
    assert (after.depth, after.gates) == (before.depth + 1, {"rx": 1, "cx": 1})
    assert after.fingerprint == fingerprint(prepare(circuit)[0].circuit) != before.fingerprint
