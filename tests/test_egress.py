"""What leaves holds nothing that a person named, and means the same."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3, qpy, transpile
from qiskit.circuit import AnnotatedOperation, Annotation, Clbit, Gate, InverseModifier, Parameter, Qubit, library
from qiskit.circuit.classical import expr, types
from qiskit.quantum_info import Operator, random_clifford
from qiskit_aer import AerSimulator

from qpm_lab import egress
from qpm_lab.circuits import facts, fingerprint
from qpm_lab.egress import MAX_NESTING, masked, unmask
from qpm_lab.errors import CircuitError, ProviderError

from .circuits.generated import circuits

CANARY = "canary"
SHOTS = 4000
Note = type("Note", (Annotation,), {"namespace": "canary.note"})
"""An annotation as a user would write one."""


def bits_of(circuit: QuantumCircuit) -> bytes:
    """Everything of a circuit that a client could put into a request."""
    out = io.BytesIO()
    qpy.dump(circuit, out, version=13)
    texts = (qasm3.dumps(circuit), repr(circuit.metadata), str(circuit.draw(cregbundle=False)))
    everything: bytes = out.getvalue() + "".join(texts).encode()
    return everything


def sampled(circuit: QuantumCircuit) -> dict[str, int]:
    counts: dict[str, int] = AerSimulator(seed_simulator=7).run(circuit, shots=SHOTS).result().get_counts()
    return counts


def alike(one: dict[str, int], other: dict[str, int]) -> bool:
    """Total variation distance of two samples of the same distribution; the bound is six standard deviations."""
    keys = one.keys() | other.keys()
    distance = sum(abs(one.get(key, 0) - other.get(key, 0)) for key in keys) / (2 * SHOTS)
    return distance < 6 * math.sqrt(len(keys) / (2 * SHOTS)) / 2


def two_registers() -> QuantumCircuit:
    circuit = QuantumCircuit(
        QuantumRegister(2, "canary_left"),
        QuantumRegister(1, "canary_right"),
        ClassicalRegister(1, "canary_out"),
        ClassicalRegister(2, "canary_more"),
        name="canary_circuit",
        metadata={"canary_key": "canary_value"},
    )
    circuit.ry(0.6, 0)
    circuit.append(library.CXGate(label="canary_label"), [0, 2])
    circuit.append(library.RXGate(1.1, label="canary_rx"), [1])
    circuit.barrier(label="canary_barrier")
    circuit.measure([2, 0, 1], [0, 1, 2])
    return circuit


def own_gates() -> QuantumCircuit:
    inner = QuantumCircuit(QuantumRegister(2, "canary_inner"), name="canary_inner_gate", global_phase=0.3)
    inner.h(0)
    inner.cp(0.4, 0, 1)
    outer = QuantumCircuit(2, name="canary_outer_gate")
    outer.append(inner.to_gate(label="canary_inner_label"), [1, 0])
    outer.t(0)
    circuit = QuantumCircuit(3, 3)
    circuit.h([0, 1, 2])
    circuit.append(outer.to_gate().control(1, label="canary_control"), [2, 0, 1])
    circuit.append(library.UnitaryGate(Operator(library.iSwapGate()), label="canary_matrix"), [0, 2])
    circuit.append(library.MCXGate(2, label="canary_mcx", ctrl_state=1), [0, 1, 2])
    circuit.append(AnnotatedOperation(library.SXGate(label="canary_base"), [InverseModifier()]), [1])
    circuit.append(random_clifford(2, seed=3), [1, 2])
    circuit.initialize("1", 0)
    circuit.h(1)
    circuit.measure(range(3), range(3))
    return circuit


def mid_circuit() -> QuantumCircuit:
    circuit = QuantumCircuit(
        QuantumRegister(2, "canary_q"), ClassicalRegister(2, "canary_a"), ClassicalRegister(1, "b")
    )
    circuit.ry(1.0, 0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.ry(2.0, 1)
    circuit.measure(1, 1)
    with circuit.if_test((circuit.cregs[0], 2), label="canary_if") as otherwise:
        circuit.x(0)
    with otherwise:
        circuit.append(library.RYGate(0.4, label="canary_ry"), [0])
    circuit.measure(0, 2)
    return circuit


def on_bits() -> QuantumCircuit:
    circuit = QuantumCircuit(
        QuantumRegister(2, "canary_q"), ClassicalRegister(1, "canary_a"), ClassicalRegister(1, "b")
    )
    circuit.ry(1.0, 0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.ry(2.0, 1)
    circuit.measure(1, 1)
    return circuit


def with_loops() -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="canary_loops")
    circuit.add_register(ClassicalRegister(2, "canary_c"))
    with circuit.for_loop(range(3), Parameter("canary_angle"), label="canary_for") as angle:
        circuit.rx(0.2 * angle + 0.1, 0)
        circuit.rz(angle, 0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1), label="canary_while"):
        circuit.reset(0)
        circuit.ry(0.8, 0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.x(1)
            circuit.break_loop()
    with circuit.switch(circuit.cregs[0], label="canary_switch") as case:
        with case(0, 2):
            circuit.ry(0.5, 1)
        with case(case.DEFAULT):
            circuit.ry(0.9, 1)
    circuit.measure(1, 1)
    return circuit


SAMPLED: list[Callable[[], QuantumCircuit]] = [
    two_registers,
    own_gates,
    mid_circuit,
    on_bits,
    with_loops,
]


@pytest.mark.parametrize("make", SAMPLED)
def test_no_name_leaves_and_the_distribution_stays(make: Callable[[], QuantumCircuit]) -> None:
    """In QPY, in OpenQASM 3, in the drawing; and the counts come back under the original's keys."""
    original = make()
    assert make is own_gates or CANARY.encode() in bits_of(original)
    hidden = masked(original)
    assert CANARY.encode() not in bits_of(hidden)
    assert [register.name for register in hidden.qregs] == ["q"]
    runnable = transpile(original, AerSimulator(), optimization_level=0) if make is own_gates else original
    assert alike(sampled(runnable), unmask(sampled(hidden), original))


@pytest.mark.parametrize("make", [two_registers, mid_circuit, on_bits, with_loops])
def test_a_circuit_of_standard_operations_keeps_its_fingerprint(make: Callable[[], QuantumCircuit]) -> None:
    """Masking changes what things are called, not what they are."""
    original = make()
    assert fingerprint(masked(original)) == fingerprint(original)
    assert masked(original).name == "circuit"


@given(circuits)
@settings(max_examples=40)
def test_any_circuit_keeps_fingerprint_and_figures(circuit: QuantumCircuit) -> None:
    """Random gates, measurements and resets, in any order."""
    hidden = masked(circuit)
    assert fingerprint(hidden) == fingerprint(circuit)
    assert facts(hidden).to_dict() | {"name": ""} == facts(circuit).to_dict() | {"name": ""}


@given(st.lists(st.integers(1, 3), min_size=0, max_size=4), st.data())
def test_unmasking_is_the_exact_inverse_for_keys(sizes: list[int], data: st.DataObject) -> None:
    """However the vendor groups the bits, they come back in the registers of the original."""
    registers = [ClassicalRegister(size, f"r{n}") for n, size in enumerate(sizes)]
    circuit = QuantumCircuit(QuantumRegister(1, "x"), *registers)
    groups = ["".join(data.draw(st.sampled_from("01")) for _ in range(size)) for size in reversed(sizes)]
    assert unmask({"".join(groups): 5}, circuit) == {" ".join(groups): 5}
    assert unmask({" ".join(groups): 5}, circuit) == {" ".join(groups): 5}


@pytest.mark.parametrize("key", ["0", "0000", "0x1", "01a", "٠١٠"])
def test_a_key_that_is_none_of_the_circuits_is_refused(key: str) -> None:
    """An answer is untrusted."""
    with pytest.raises(ProviderError, match="not one of the circuit's bit strings"):
        unmask({key: 1}, two_registers())


def test_the_unitary_stays_with_its_global_phase() -> None:
    """Of gates of the user's within one another, of matrices and of controlled gates."""
    circuit = own_gates()
    bare = QuantumCircuit(3)
    for instruction in circuit.data[:7]:
        bare.append(instruction)
    hidden = masked(bare)
    assert np.allclose(Operator(hidden).data, Operator(bare).data)
    standard = library.get_standard_gate_name_mapping().keys() | {"unitary"}
    assert {instruction.name for instruction in hidden.data} <= standard


LIBRARY = [
    library.QFTGate(3),
    library.MCPhaseGate(0.3, 3),
    library.PermutationGate([2, 0, 1]),
    library.DiagonalGate([1, -1, 1j, -1j]),
    library.UCRZGate([0.1, 0.2, 0.3, 0.4]),
    library.XGate().control(2, ctrl_state=1),
    library.SXGate().inverse(annotated=True),
    library.HamiltonianGate(np.diag([1.0, 2.0]), 0.3),
    library.GlobalPhaseGate(0.4),
]


@pytest.mark.parametrize("gate", LIBRARY, ids=lambda gate: type(gate).__name__)
def test_gates_of_the_library_are_opened_exactly(gate: Gate) -> None:
    """Down to standard gates and matrices."""
    circuit = QuantumCircuit(4)
    circuit.append(gate, range(gate.num_qubits))
    hidden = masked(circuit)
    assert np.allclose(Operator(hidden).data, Operator(circuit).data)
    assert {each.name for each in hidden.data} <= library.get_standard_gate_name_mapping().keys() | {"unitary"}


def test_there_is_one_register_of_each_kind_unless_one_is_read_as_a_whole() -> None:
    """Conditions on registers are what many machines take, so they stay."""
    assert [(r.name, r.size) for r in masked(two_registers()).cregs] == [("c", 3)]
    assert [(r.name, r.size) for r in masked(on_bits()).cregs] == [("c", 2)]
    assert [(r.name, r.size) for r in masked(mid_circuit()).cregs] == [("c0", 2), ("c1", 1)]


def test_boxes_stretches_delays_and_annotations_leave_without_their_names() -> None:
    """Timing is kept."""
    circuit = QuantumCircuit(QuantumRegister(2, "canary_q"))
    stretch = circuit.add_stretch("canary_stretch")
    circuit.delay(expr.mul(2, stretch), 0)
    circuit.delay(100, 1, unit="ns")
    with circuit.box([Note()], label="canary_box", duration=50, unit="ns"):
        circuit.append(library.XGate(label="canary_x"), [0])
    hidden = masked(circuit)
    out = io.BytesIO()
    qpy.dump(hidden, out)
    assert CANARY.encode() not in out.getvalue()
    assert fingerprint(hidden) == fingerprint(circuit)
    assert hidden.data[2].operation.annotations == []


def test_variables_of_a_block_leave_without_their_names() -> None:
    """Those declared in it, those it closes over, and those a loop counts with."""
    circuit = QuantumCircuit(2, 1)
    outer = circuit.add_var("canary_outer", True)
    number = circuit.add_var("canary_number", expr.cast(circuit.cregs[0], types.Uint(8)))
    with circuit.if_test(expr.logic_and(outer, expr.less(number, 3))):
        local = circuit.add_var("canary_local", expr.logic_not(outer))
        circuit.store(outer, local)
        circuit.store(number, expr.bit_and(expr.shift_left(number, 1), 6))
    with circuit.for_loop(range(4), expr.Var.new("canary_counter", types.Uint(4))) as counter:
        local = circuit.add_var("canary_local", expr.less(counter, 2))
        with circuit.if_test(expr.index(circuit.cregs[0], 0)):
            circuit.x(0)
    circuit.measure(0, 0)
    hidden = masked(circuit)
    out = io.BytesIO()
    qpy.dump(hidden, out)
    assert CANARY.encode() not in out.getvalue()
    assert fingerprint(hidden) == fingerprint(circuit)


def test_classes_and_names_of_the_users_own_leave_as_qiskits() -> None:
    """A gate may be of a subclass, as a user would derive one, or renamed."""
    derived = type("CanaryGate", (library.RXGate,), {})
    renamed = library.RYGate(0.2).to_mutable()
    renamed.name = "canary_ry"
    bound = Parameter("canary_bound")
    circuit = QuantumCircuit(1)
    circuit.append(derived(0.1), [0])
    circuit.append(renamed, [0])
    circuit.append(library.RZGate((2 * bound).bind({bound: 0.5})), [0])
    hidden = masked(circuit)
    assert CANARY not in repr([type(each.operation).__name__ for each in hidden.data]).lower()
    assert CANARY.encode() not in bits_of(hidden)
    assert [each.params for each in hidden.data] == [[0.1], [0.2], [1.0]]


def test_loose_and_shared_bits_keep_their_places() -> None:
    """Bits need not be in a register, or may be in two."""
    bits = [Clbit() for _ in range(3)]
    circuit = QuantumCircuit([Qubit(), Qubit()], bits)
    circuit.add_register(ClassicalRegister(name="canary_alias", bits=[bits[2], bits[0]]))
    circuit.x(1)
    circuit.measure(1, 2)
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(0)
    circuit.measure(0, 0)
    hidden = masked(circuit)
    assert fingerprint(hidden) == fingerprint(circuit)
    assert unmask({"101": 3}, circuit) == {"101": 3}


def test_what_has_no_value_is_named_and_not_sent() -> None:
    """A parameter or an input."""
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("theta"), 0)
    with pytest.raises(CircuitError, match="'theta' has no value"):
        masked(circuit)
    circuit = QuantumCircuit(1)
    circuit.add_input("start", types.Bool())
    with pytest.raises(CircuitError, match="'start' has no value"):
        masked(circuit)


def test_a_gate_without_definition_is_named_and_not_sent() -> None:
    """Its name is all that there is of it; one that has a matrix leaves as that."""
    circuit = QuantumCircuit(1)
    circuit.append(Gate("mystery", 1, []), [0])
    with pytest.raises(CircuitError, match="'mystery' has no definition"):
        masked(circuit)

    def matrix(gate: Gate, dtype: Any = None, copy: Any = None) -> Any:
        return np.array([[0, 1], [1, 0]], dtype=dtype)

    # Vendors' native gates only say their matrices.
    native = type("CanaryMatrix", (Gate,), {"__array__": matrix})
    circuit = QuantumCircuit(1)
    circuit.append(native("canary_matrix", 1, []), [0])
    assert np.allclose(Operator(masked(circuit)).data, [[0, 1], [1, 0]])


def test_the_number_of_operations_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve definitions that each hold the one before twice stand for thousands of gates."""
    monkeypatch.setattr(egress, "MAX_OPERATIONS", 1000)
    circuit = QuantumCircuit(1)
    circuit.x(0)
    for _ in range(12):
        gate, circuit = circuit.to_gate(), QuantumCircuit(1)
        circuit.append(gate, [0])
        circuit.append(gate, [0])
    with pytest.raises(CircuitError, match="more than 1,000 operations"):
        masked(circuit)


def test_nesting_is_bounded() -> None:
    """A definition that goes on for ever ends with a message."""
    circuit = QuantumCircuit(1)
    circuit.x(0)
    for _ in range(MAX_NESTING + 1):
        outer = QuantumCircuit(1)
        outer.append(circuit.to_gate(), [0])
        circuit = outer
    with pytest.raises(CircuitError, match="nested more than"):
        masked(circuit)


def test_the_original_is_not_changed() -> None:
    """It stays the record's."""
    circuit = two_registers()
    before = bits_of(circuit)
    masked(circuit)
    assert circuit.name == "canary_circuit"
    assert bits_of(circuit) == before
