"""The programs that Azure's machines read, as circuits, and the outputs that they write."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_IONQ_GATES = {"not": "x", "si": "sdg", "ti": "tdg", "v": "sx", "vi": "sxdg", "xx": "rxx", "yy": "ryy", "zz": "rzz"}
"""IonQ's names of gates where Qiskit has others."""
_QUIL_GATES = {"CNOT": "cx", "I": "id", "PHASE": "p"}
_QUIL_LINE = re.compile(r"(?P<gate>[A-Z]+)(\((?P<angle>[^)]*)\))?(?P<qubits>( \d+)+)")
_QUIL_MEASURE = re.compile(r"MEASURE (?P<qubit>\d+) ro\[(?P<bit>\d+)\]")
_QUIL_DECLARE = re.compile(r"DECLARE ro BIT\[(?P<bits>\d+)\]")
_MOST_PLACES = 256


def program_of(form: str, data: bytes) -> QuantumCircuit:
    """A measured circuit.

    Args:
        form: As Azure calls the program's format.
        data: The program.

    Raises:
        ValueError: It cannot be read.
    """
    if form not in _READERS:
        raise ValueError(f"the format {form!r} is not known")
    return _READERS[form](data.decode())


def _from_ionq(text: str) -> QuantumCircuit:
    """IonQ measures every qubit at the end."""
    from qiskit import QuantumCircuit

    document = json.loads(text)
    circuit = QuantumCircuit(document["qubits"], document["qubits"])
    for each in document["circuit"]:
        angles = [each["rotation"]] if "rotation" in each else []
        controls = each.get("controls", [])
        gate = _gate(_IONQ_GATES.get(each["gate"], each["gate"]), angles)
        circuit.append(gate.control(len(controls)) if controls else gate, [*controls, *each["targets"]])
    circuit.measure(circuit.qubits, circuit.clbits)
    return circuit


def _from_qasm(text: str) -> QuantumCircuit:
    from qiskit import qasm2

    try:
        return qasm2.loads(text)
    except qasm2.QASM2ParseError as error:
        raise ValueError(f"the program is no OpenQASM 2: {error}") from error


def _from_quil(text: str) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    bits = _QUIL_DECLARE.search(text)
    if bits is None or int(bits["bits"]) > _MOST_PLACES:
        raise ValueError("the program declares no memory `ro`")
    circuit = QuantumCircuit(_MOST_PLACES, int(bits["bits"]))
    for line in text.splitlines():
        if _QUIL_DECLARE.fullmatch(line) or not line:
            continue
        measured, gate = _QUIL_MEASURE.fullmatch(line), _QUIL_LINE.fullmatch(line)
        if measured:
            circuit.measure(int(measured["qubit"]), int(measured["bit"]))
        elif gate:
            name = _QUIL_GATES.get(gate["gate"], gate["gate"].lower())
            angles = [float(gate["angle"])] if gate["angle"] else []
            circuit.append(_gate(name, angles), [int(each) for each in gate["qubits"].split()])
        else:
            raise ValueError(f"the line {line[:80]!r} is no Quil that is known here")
    return circuit


def _gate(name: str, angles: list[float]) -> Any:
    from qiskit.circuit.library import get_standard_gate_name_mapping

    known = get_standard_gate_name_mapping().get(name)
    if known is None or len(known.params) != len(angles):
        raise ValueError(f"the gate {name!r} with {len(angles)} angles is not known")
    return known.base_class(*angles)


def _ionq_output(circuit: QuantumCircuit, counts: Mapping[str, int]) -> dict[str, Any]:
    """Probabilities of whole numbers, qubit 0 the lowest bit."""
    shots = sum(counts.values())
    return {"histogram": {str(int(key, 2)): count / shots for key, count in sorted(counts.items())}}


def _quantinuum_output(circuit: QuantumCircuit, counts: Mapping[str, int]) -> dict[str, Any]:
    """The shots of each register, its bit 0 rightmost; the last register stands leftmost in our keys."""
    shots = [key for key, count in counts.items() for _ in range(count)]
    found, end = {}, circuit.num_clbits
    for register in circuit.cregs:
        found[register.name] = [key[end - register.size : end] for key in shots]
        end -= register.size
    return found


def _rigetti_output(circuit: QuantumCircuit, counts: Mapping[str, int]) -> dict[str, Any]:
    """The memory after each shot, bit 0 first."""
    return {"ro": [[int(bit) for bit in reversed(key)] for key, count in counts.items() for _ in range(count)]}


_READERS: Mapping[str, Callable[[str], QuantumCircuit]] = {
    "ionq.circuit.v1": _from_ionq,
    "honeywell.openqasm.v1": _from_qasm,
    "rigetti.quil.v1": _from_quil,
}
OUTPUTS: Mapping[str, Callable[[QuantumCircuit, Mapping[str, int]], dict[str, Any]]] = {
    "ionq.circuit.v1": _ionq_output,
    "honeywell.openqasm.v1": _quantinuum_output,
    "rigetti.quil.v1": _rigetti_output,
}
"""Format of the program → what the machine writes."""
