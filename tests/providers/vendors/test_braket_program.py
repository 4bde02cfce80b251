"""What leaves for Amazon Braket, and how what comes back is read: no network, no client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from qpm_lab.circuits import fingerprint
from qpm_lab.doubles.braket_devices import device_document
from qpm_lab.doubles.braket_language import circuit_of, measured_qubits
from qpm_lab.errors import CircuitError, ProviderError
from qpm_lab.providers.braket import VENDOR
from qpm_lab.providers.braket_devices import ARNS, calibration
from qpm_lab.providers.braket_program import NAMES, Program, histogram, program
from qpm_lab.providers.calibrations import read_calibration
from tests.providers.vendors.conftest import lopsided

GARNET = "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet"
SHAPES = Path(__file__).with_name("shapes") / "braket" / "2019-09-01"


def test_calibration_keeps_the_machines_numbers_and_errors() -> None:
    """Garnet counts from 1: there is a qubit 0 with no coupling and no error, and 20 others."""
    document = device_document(GARNET)
    assert document is not None
    known = read_calibration(calibration(json.loads(document["deviceCapabilities"])))
    assert known["qubits"] == 21
    assert all(0 not in pair for pair in known["coupling"])
    errors = {tuple(each["qubits"]): each["error"] for each in known["gates"]["cz"]}
    assert errors[1, 2] == errors[2, 1] == pytest.approx(1 - 0.994 + 3e-5)
    readout = {each["qubits"][0]: each["error"] for each in known["gates"]["measure"]}
    assert readout[0] is None
    assert readout[7] == pytest.approx(0.02 + 7e-5)


def test_every_machine_has_an_arn_and_a_region() -> None:
    """Whatever is listed can be sent to."""
    remote = [each for each in VENDOR.backends if not each.local]
    assert {each.id for each in remote} == {f"braket/{name}" for name in ARNS}
    assert all(each.region and each.legal_seat == "US" for each in remote)


@pytest.mark.parametrize("placed", [False, True])
@pytest.mark.parametrize("gate", sorted(NAMES))
def test_gates_keep_their_meaning(gate: str, placed: bool) -> None:
    """Written in Braket's names and read again by Qiskit's reader, every gate is the same operation."""
    from qiskit.circuit.library import get_standard_gate_name_mapping
    from qiskit.quantum_info import Operator

    operation = get_standard_gate_name_mapping()[gate]
    operation = operation.base_class(*[0.3 * (n + 1) for n in range(len(operation.params))])
    circuit = QuantumCircuit(3, 3)
    circuit.append(operation, [2, 0][: operation.num_qubits])
    circuit.measure([0, 1, 2], [0, 1, 2])
    read = circuit_of(program(circuit, placed=placed).source)
    for each in (circuit, read):
        each.remove_final_measurements(inplace=True)
    assert Operator(circuit).equiv(Operator(read))


def test_what_braket_does_not_run_is_refused_before_it_is_sent() -> None:
    """A gate after a measurement, a reset and a delay each say so."""
    late, reset, delayed = QuantumCircuit(1, 1), QuantumCircuit(1, 1), QuantumCircuit(1, 1)
    late.measure(0, 0)
    late.x(0)
    reset.reset(0)
    delayed.delay(10, 0)
    for circuit, words in ((late, "only at the end"), (reset, "reset"), (delayed, "delay")):
        with pytest.raises(CircuitError, match=words):
            program(circuit, placed=False)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(4)), st.sets(st.integers(0, 3), min_size=1), st.randoms(use_true_random=False))
def test_columns_are_read_by_the_qubits_they_name(order: list[int], ones: set[int], draw: Any) -> None:
    """In whatever order a result lists its qubits, each bit gets that of its own qubit."""
    bits = dict(enumerate(order))
    columns = list(range(4))
    draw.shuffle(columns)
    row = [int(qubit in ones) for qubit in columns]
    found = histogram({"measuredQubits": columns, "measurements": [row] * 5}, Program("", bits, 6), 5)
    expected = "".join(str(int(bits.get(bit) in ones)) for bit in reversed(range(6)))
    assert found == {expected: 5}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"measuredQubits": [0], "measurements": [[0]]}, "measuredQubits"),
        ({"measuredQubits": [0, 1], "measurements": [[0, 2]]}, "outcome"),
        ({"measuredQubits": [0, 1], "measurements": [[0]]}, "measurements"),
        ({"measuredQubits": [0, 1], "measurements": [[0, 1]] * 2}, "2 shots"),
        ({"measuredQubits": [0, 1], "measurementProbabilities": {"00": 0.5}}, "sum to 0.5"),
    ],
)
def test_a_result_of_another_shape_is_refused(document: dict[str, Any], words: str) -> None:
    """Nothing is guessed from rows or qubits that were not asked for."""
    with pytest.raises(ProviderError, match=words):
        histogram(document, Program("", {0: 0, 1: 1}, 2), 1)


def test_one_qubit_may_be_read_into_two_bits() -> None:
    """Measured twice without a gate between, a qubit is sent as measured once."""
    circuit = QuantumCircuit(1, 2)
    circuit.x(0)
    circuit.measure([0, 0], [0, 1])
    sent = program(circuit, placed=False)
    assert measured_qubits(sent.source) == [0]
    assert histogram({"measuredQubits": [0], "measurements": [[1]] * 3}, sent, 3) == {"11": 3}


def test_circuits_that_differ_are_written_differently() -> None:
    """The program is made of the circuit alone, so a repeated submission is the same to the byte."""
    one, same = lopsided(), lopsided()
    assert fingerprint(one) == fingerprint(same)
    assert program(one, placed=False) == program(same, placed=False)
    assert program(one, placed=False) != program(one, placed=True)
