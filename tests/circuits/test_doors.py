"""Everything a user may call a circuit comes in, measured and bound; everything else is refused with a hint."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm2, qasm3
from qiskit.circuit import Gate, Parameter
from qiskit.quantum_info import Kraus

from qpm_lab.circuits import fingerprint, prepare, write_qpy
from qpm_lab.errors import CircuitError

from .generated import WIDTH, circuits


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    return circuit


def refusal(source: Any, **options: Any) -> CircuitError:
    with pytest.raises(CircuitError) as caught:
        prepare(source, **options)
    assert caught.value.message
    assert caught.value.hint
    return caught.value


def test_importing_the_package_loads_no_sdk() -> None:
    """Neither qiskit nor pennylane is loaded before there is a circuit."""
    code = "import sys, qpm_lab.circuits; sys.exit(bool({'qiskit', 'pennylane', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def test_every_form_of_one_circuit_has_one_fingerprint(tmp_path: Path) -> None:
    """Object, OpenQASM 2 and 3, QPY, as text, bytes or file: the same circuit."""
    circuit = bell()
    circuit.measure_all()
    two, three, stored = qasm2.dumps(circuit), qasm3.dumps(circuit), write_qpy(circuit)
    files = {"a.qasm": two.encode(), "b.qasm": b"\xef\xbb\xbf" + three.encode(), "c.qpy": stored}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    sources = [circuit, two, three, two.encode(), stored, *(tmp_path / name for name in files)]
    prints = {p.facts.fingerprint for p in prepare(sources)}
    assert prints == {fingerprint(circuit)}


def test_a_circuit_without_measurement_is_measured_in_full_and_says_so() -> None:
    """All qubits are measured into a register called meas."""
    (one,) = prepare(bell())
    expected = bell()
    expected.measure_all()
    assert one.circuit == expected
    assert one.notes == ("The circuit has no measurement, so all 2 qubits are measured.",)


def test_classical_bits_that_nothing_uses_do_not_lengthen_the_outcomes() -> None:
    """QuantumCircuit(2, 2) without a measurement gives two-bit outcomes."""
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    (one,) = prepare(circuit)
    assert [(r.name, r.size) for r in one.circuit.cregs] == [("meas", 2)]


def test_a_taken_register_name_is_avoided() -> None:
    """A quantum register called meas does not stop the measurement."""
    (one,) = prepare(QuantumCircuit(QuantumRegister(1, "meas")))
    assert one.facts.clbits == 1


def test_a_measured_circuit_stays_as_written() -> None:
    """One measurement is enough; also when it stands inside a block."""
    circuit = QuantumCircuit(2, 2)
    circuit.measure(1, 0)
    nested = QuantumCircuit(1, 2)
    with nested.if_test((0, 0)):
        nested.measure(0, 1)
    for source in (circuit, nested):
        (one,) = prepare(source)
        assert one.circuit == source
        assert one.notes == ()


@given(circuits)
@settings(max_examples=40, deadline=None)
def test_the_users_circuit_is_never_changed(circuit: QuantumCircuit) -> None:
    """Preparing copies; it measures only what was not measured."""
    before = circuit.copy()
    (one,) = prepare(circuit)
    assert circuit == before
    assert one.circuit is not circuit
    assert one.facts.qubits == WIDTH
    assert bool(one.notes) == ("measure" not in before.count_ops())


def test_facts_leave_measurements_and_barriers_out() -> None:
    """Gates are counted by name, control flow inside too; wide ones are counted."""
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.ccx(0, 1, 2)
    circuit.barrier()
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.cx(0, 1)
        circuit.x(2)
    (one,) = prepare(circuit)
    assert one.facts.gates == {"h": 1, "ccx": 1, "if_else": 1, "cx": 1, "x": 1}
    assert (one.facts.two_qubit_gates, one.facts.clbits) == (2, 3)


def rotation() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(2 * Parameter("theta"), 0)
    return circuit


@pytest.mark.parametrize("value", [0.25, np.float64(0.25), np.array(0.25)])
def test_parameters_are_bound_by_name(value: Any) -> None:
    """A name and any kind of single number will do."""
    (one,) = prepare(rotation(), parameters={"theta": value})
    assert one.circuit.data[0].params == [0.5]


def test_a_transpiled_circuit_is_measured_on_its_own_qubits() -> None:
    """Not on the idle ones of the device, and in the order they had before: the counts are those of the original."""
    from qiskit import transpile
    from qiskit.providers.fake_provider import GenericBackendV2
    from qiskit.quantum_info import Statevector

    original = QuantumCircuit(3)
    original.x(2)
    original.cx(2, 0)
    device = GenericBackendV2(6, coupling_map=[[i, i + 1] for i in range(5)], seed=1)
    there = transpile(original, device, initial_layout=[4, 0, 2], optimization_level=1, seed_transpiler=3)
    (one,) = prepare(there)
    assert one.circuit.num_clbits == 3
    assert "3 qubits it had before" in one.notes[0]
    wires = [one.circuit.find_bit(each.qubits[0]).index for each in one.circuit.data if each.name == "measure"]
    seen = Statevector(there).probabilities_dict(wires)
    assert max(seen, key=seen.get) == "101"


def test_parameters_are_bound_by_object() -> None:
    """The Parameter itself is a key too, and each circuit of a list takes what it has."""
    circuit = rotation()
    both = prepare([circuit, bell()], parameters={next(iter(circuit.parameters)): 0.25})
    assert both[0].circuit.data[0].params == [0.5]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param({}, "theta", id="open"),
        pytest.param({"theta": 1, "phi": 1}, "phi", id="unknown"),
        pytest.param({"theta": []}, "no point", id="empty"),
        pytest.param({"theta": [[1, 2], [3]]}, "real number or array", id="ragged"),
        pytest.param({"theta": ["1", "2"]}, "real number or array", id="texts"),
        pytest.param({"theta": [0.1, float("nan")]}, "nan", id="nan-within"),
        pytest.param({"theta": float("nan")}, "nan", id="nan"),
        pytest.param({"theta": float("inf")}, "inf", id="infinite"),
        pytest.param({"theta": 1j}, "real number", id="complex"),
        pytest.param({"theta": "0.5"}, "not a number", id="text"),
        pytest.param({"theta": 10**400}, "real number", id="huge"),
        pytest.param({3: 0.5}, "int", id="wrong-key"),
    ],
)
def test_a_parameter_without_finite_numbers_is_refused(values: Any, said: str) -> None:
    """The message names the parameter or the fault."""
    assert said in str(refusal(rotation(), parameters=values))


def test_an_open_parameter_is_named_with_the_fix() -> None:
    """The hint shows how to give the value."""
    error = refusal(rotation())
    assert "theta" in error.message
    assert 'parameters={"theta": 0.5}' in error.hint


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param(None, "None", id="none"),
        pytest.param(3, "int", id="number"),
        pytest.param([], "empty", id="empty-list"),
        pytest.param([None], "None", id="list-of-none"),
        pytest.param({}, "dict", id="dict"),
        pytest.param(QuantumCircuit, "type", id="class"),
        pytest.param(bell, "--args", id="function"),
        pytest.param("", "empty", id="empty-text"),
        pytest.param("bell.qasm", "pathlib.Path", id="path-as-text"),
        pytest.param(b"\xff\xfe\x00", "UTF-8", id="binary"),
        pytest.param(Path("/nowhere/x.qasm"), "no file", id="no-file"),
        pytest.param(Path("/"), "no file", id="folder"),
        pytest.param(Path("a\0b"), "no file", id="impossible-path"),
        pytest.param(QuantumCircuit(), "no qubits", id="no-qubits"),
        pytest.param(QuantumCircuit(0, 2), "no qubits", id="only-clbits"),
    ],
)
def test_what_is_no_circuit_is_refused_with_a_hint(source: Any, said: str) -> None:
    """Each wrong thing has a message of its own."""
    assert said in str(refusal(source))


def test_a_list_that_holds_itself_is_refused() -> None:
    """Nesting ends."""
    endless: list[Any] = []
    endless.append(endless)
    refusal(endless)


def test_arguments_are_for_qnodes_only() -> None:
    """A Qiskit circuit with --args is an error."""
    assert "QNode" in refusal(bell(), args=(1,)).message


def appended(operation: Any) -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.append(operation, [0])
    return circuit


def test_instructions_of_one_simulator_are_named() -> None:
    """Aer's save instructions are refused by name."""
    import_module("qiskit_aer")  # adds save_statevector to QuantumCircuit

    circuit = QuantumCircuit(1)
    circuit.save_statevector()
    error = refusal(circuit)
    assert "save_statevector" in error.message
    assert "Remove" in error.hint


def test_gates_without_definition_are_named() -> None:
    """Opaque gates and noise channels are refused by name, also inside a gate or block."""
    assert "oracle" in refusal(appended(Gate("oracle", 1, []))).message
    assert "kraus" in refusal(appended(Kraus([np.diag([1, 0.6]), [[0, 0.8], [0, 0]]]).to_instruction())).message
    inner = QuantumCircuit(1, name="wrapper")
    inner.append(Gate("oracle", 1, []), [0])
    assert "oracle" in refusal(appended(inner.to_instruction())).message
    block = QuantumCircuit(1, 1)
    with block.if_test((0, 1)):
        block.append(Gate("oracle", 1, []), [0])
    assert "oracle" in refusal(block).message


@pytest.mark.parametrize("angle", [float("nan"), float("inf")])
def test_angles_are_finite(angle: float) -> None:
    """A gate with an angle that is no number is named."""
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    assert "rx" in refusal(circuit).message


def test_delays_and_preparations_are_accepted() -> None:
    """Delay, initialize, reset and unitary matrices pass."""
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1))
    circuit.initialize([0.6, 0.8])
    circuit.delay(10, 0)
    circuit.reset(0)
    circuit.unitary([[0, 1], [1, 0]], 0)
    assert prepare(circuit)[0].facts.gates == {"initialize": 1, "delay": 1, "reset": 1, "unitary": 1}


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
@settings(max_examples=100, deadline=None)
def test_arbitrary_text_and_bytes_only_ever_raise_circuit_errors(source: str | bytes) -> None:
    """Nothing else escapes, whatever is thrown at the door."""
    with contextlib.suppress(CircuitError):
        assert prepare(source)
