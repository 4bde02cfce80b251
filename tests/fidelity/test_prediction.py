"""Predictions from reported errors."""

from __future__ import annotations

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Delay, Measure, Parameter
from qiskit.circuit.library import CXGate, RZGate, SXGate
from qiskit.transpiler import InstructionProperties, Target

from qpm_lab.errors import InputError
from qpm_lab.fidelity import expected_success_probability


def backend(*, sx: float | None = 0.002, readout: float | None = 0.02, cx: float | None = 0.01) -> Target:
    target = Target(num_qubits=2)
    target.add_instruction(SXGate(), {(q,): InstructionProperties(error=sx) for q in range(2)})
    target.add_instruction(RZGate(Parameter("t")), {(q,): InstructionProperties(error=0.0) for q in range(2)})
    target.add_instruction(CXGate(), {(0, 1): InstructionProperties(error=cx)})
    target.add_instruction(Measure(), {(q,): InstructionProperties(error=readout) for q in range(2)})
    target.add_instruction(Delay(Parameter("d")), {(q,): None for q in range(2)})
    return target


def circuit() -> QuantumCircuit:
    made = QuantumCircuit(2, 2)
    made.sx(0)
    made.rz(0.3, 1)
    made.delay(10, 1)
    made.barrier()
    made.cx(0, 1)
    made.measure([0, 1], [0, 1])
    return made


def test_figures_worked_by_hand() -> None:
    """Average errors become process errors: sx 0.003, cx 0.0125; readout as reported, twice 0.02."""
    prediction = expected_success_probability(circuit(), backend())
    assert prediction.value == pytest.approx(0.997 * 0.9875 * 0.98**2)


def test_it_is_labelled_a_prediction_without_an_interval() -> None:
    """Nobody can take it for a measurement."""
    prediction = expected_success_probability(circuit(), backend())
    assert prediction.method == "prediction from reported errors, not a measurement"
    assert (prediction.low, prediction.high, prediction.shots) == (None, None, 0)
    assert prediction.reason == "a prediction has no interval"


@pytest.mark.parametrize("unknown", [None, float("nan"), float("inf")])
def test_errors_that_are_not_reported_are_named(unknown: float | None) -> None:
    """They count as none, and the reader is told which."""
    prediction = expected_success_probability(circuit(), backend(cx=unknown))
    assert prediction.value == pytest.approx(0.997 * 0.98**2)
    assert "cx on 0, 1" in (prediction.reason or "")


def test_without_any_reported_error_nothing_is_predicted() -> None:
    """A backend that reports none is not a perfect one."""
    made = QuantumCircuit(2)
    made.sx(0)
    prediction = expected_success_probability(made, backend(sx=None))
    assert prediction.value is None
    assert "sx on 0" in (prediction.reason or "")


def test_a_broken_gate_predicts_no_success() -> None:
    """Vendors report 1 for a gate that does not work; the factor is 0 then, not negative."""
    assert expected_success_probability(circuit(), backend(cx=1.0)).value == 0


def test_operations_the_target_does_not_have_are_refused() -> None:
    """Another gate, another pair, or control flow: the circuit is not the backend's."""
    other, turned, loop = QuantumCircuit(2), QuantumCircuit(2), QuantumCircuit(2, 1)
    other.h(0)
    turned.cx(1, 0)
    with loop.if_test((loop.clbits[0], 1)):
        loop.sx(0)
    for each in (other, turned, loop):
        with pytest.raises(InputError):
            expected_success_probability(each, backend())


def test_it_prints_as_a_prediction() -> None:
    """With its value, which a refused fidelity does not have, and as no fidelity."""
    assert str(expected_success_probability(circuit(), backend())).startswith("0.9455 predicted")
    bare = QuantumCircuit(2)
    bare.sx(0)
    assert "no prediction: the target reports no error" in str(expected_success_probability(bare, backend(sx=None)))
