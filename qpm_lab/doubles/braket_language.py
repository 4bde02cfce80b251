"""Braket's OpenQASM 3 as a Qiskit circuit, read with Qiskit's own reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_STANDARD = {
    "ccnot": "ccx",
    "cnot": "cx",
    "cphaseshift": "cp",
    "phaseshift": "p",
    "si": "sdg",
    "ti": "tdg",
    "v": "sx",
    "vi": "inv @ sx",
}
"""Braket's names of gates, and those of the standard file, which it does not know."""
_HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
_MEASURE = re.compile(r"b\[(\d+)\] = measure (?:q\[(\d+)\]|\$(\d+));")


def circuit_of(source: str) -> QuantumCircuit:
    """The circuit that a program describes.

    Raises:
        ValueError: It is no OpenQASM 3, includes a file, or measures a qubit twice.
    """
    from qiskit import qasm3
    from qiskit.qasm3 import QASM3ImporterError

    head, _, body = source.partition(";")
    if head.strip() not in ("OPENQASM 3", "OPENQASM 3.0") or "include" in body:
        raise ValueError("not a program in Braket's OpenQASM 3")
    measured = measured_qubits(source)
    if len(set(measured)) != len(measured):
        raise ValueError("a qubit is measured twice")
    physical = [int(number) for number in re.findall(r"\$(\d+)", body)]
    declared = f"qubit[{max(physical) + 1}] q;\n" if physical else ""
    body = re.sub(r"(?m)^(\w+)", lambda found: _STANDARD.get(found[1], found[1]), re.sub(r"\$(\d+)", r"q[\1]", body))
    try:
        return qasm3.loads(_HEAD + declared + body)
    except QASM3ImporterError as error:
        raise ValueError(error.message) from error


def measured_qubits(source: str) -> list[int]:
    """The qubit that each bit of `b` is read from."""
    found = {int(bit): int(virtual or real) for bit, virtual, real in _MEASURE.findall(source)}
    return [found[bit] for bit in range(len(found))]
