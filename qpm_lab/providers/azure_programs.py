"""Circuits as the makers of Azure's machines read them, and counts from what they write."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import checked_counts, field, unreadable, whole_counts, words

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

TITLE = "Azure Quantum"
_WHAT = "the output of the job"
REPORT = "Update qpm_lab, or report it; nothing is guessed."
_IONQ_NAMES = {"sdg": "si", "tdg": "ti", "sx": "v", "sxdg": "vi", "rxx": "xx", "ryy": "yy", "rzz": "zz", "cx": "x"}
_IONQ_SAME = ("x", "y", "z", "h", "s", "t", "rx", "ry", "rz", "swap")
IONQ_GATES = (*_IONQ_SAME, *_IONQ_NAMES)
QUANTINUUM_GATES = ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "rx", "ry", "rz", "cx", "cz")
_QUIL_NAMES = {"cx": "CNOT"} | {n: n.upper() for n in ("x", "y", "z", "h", "s", "t", "rx", "ry", "rz", "cz", "swap")}
RIGETTI_GATES = tuple(_QUIL_NAMES)


@dataclass(frozen=True, slots=True)
class Form:
    """How one maker's programs and outputs are written."""

    input: str
    """As Azure calls the program's format."""
    output: str
    """As Azure calls the output's format."""
    content_type: str
    program: Callable[[QuantumCircuit], str]
    counts: Callable[[QuantumCircuit, int, Any], dict[str, int]]
    """Of a circuit, its shots and the output."""


def form_of(backend: str) -> Form:
    """How the maker of that machine wants it.

    Raises:
        ProviderError: It is a machine of another maker.
    """
    form = _FORMS.get(backend.partition(".")[0])
    if form is None:
        raise ProviderError(
            f"{TITLE}'s machine {words(backend)!r} cannot be used here.",
            f"Use one whose name begins with {', '.join(_FORMS)}.",
        )
    return form


def counts_from(form: Form, circuit: QuantumCircuit, shots: int, output: bytes) -> dict[str, int]:
    """The histogram over all bits of the circuit, bit 0 rightmost.

    Raises:
        ProviderError: The output is not of that form; the message says what is wrong.
    """
    try:
        document = json.loads(output)
    except (ValueError, RecursionError) as error:
        raise unreadable(TITLE, _WHAT, cause=error) from error
    return form.counts(circuit, shots, document)


def compact(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit on the qubits that it uses, in their order, without barriers and delays.

    A simulator is paid, and bounded, by the qubits that a program declares.
    """
    from qiskit import ClassicalRegister, QuantumRegister
    from qiskit import QuantumCircuit as Circuit

    kept = [each for each in circuit.data if each.name not in ("barrier", "delay")]
    used = {bit for each in kept for bit in each.qubits}
    place = {bit: n for n, bit in enumerate(bit for bit in circuit.qubits if bit in used)}
    bits = {bit: n for n, bit in enumerate(circuit.clbits)}
    small = Circuit(QuantumRegister(max(len(place), 1), "q"), ClassicalRegister(len(bits), "c"))
    for each in kept:
        small.append(each.operation, [place[bit] for bit in each.qubits], [bits[bit] for bit in each.clbits])
    return small


def _steps(circuit: QuantumCircuit) -> Iterator[tuple[str, list[float], list[int], list[int]]]:
    """Name, angles, qubits and bits of each operation, by their places."""
    qubits = {bit: n for n, bit in enumerate(circuit.qubits)}
    bits = {bit: n for n, bit in enumerate(circuit.clbits)}
    for each in circuit.data:
        angles = [float(value) for value in each.operation.params]
        yield each.name, angles, [qubits[bit] for bit in each.qubits], [bits[bit] for bit in each.clbits]


def _ionq_program(circuit: QuantumCircuit) -> str:
    small = compact(circuit)
    gates: list[dict[str, Any]] = []
    measured: set[int] = set()
    for name, angles, qubits, _ in _steps(small):
        if name == "measure":
            measured.update(qubits)
        elif name in IONQ_GATES and measured.isdisjoint(qubits):
            controls = {"controls": [qubits.pop(0)]} if name == "cx" else {}
            rotation = {"rotation": angles[0]} if angles else {}
            gates.append({"gate": _IONQ_NAMES.get(name, name), **controls, "targets": qubits, **rotation})
        else:
            raise _refused("IonQ", name, measured=not measured.isdisjoint(qubits))
    return json.dumps({"gateset": "qis", "qubits": small.num_qubits, "circuit": gates})


def _refused(maker: str, name: str, *, measured: bool = False) -> ProviderError:
    why = " on a qubit that was measured before" if measured else ""
    return ProviderError(f"{maker} runs no {words(name)}{why}.", "Use a circuit without it, or aer/simulator.")


def _ionq_counts(circuit: QuantumCircuit, shots: int, document: Any) -> dict[str, int]:
    """IonQ gives the probability of each value of all qubits; qubit 0 is the lowest bit of its decimal key."""
    small = compact(circuit)
    from_qubit = {bits[0]: qubits[0] for name, _, qubits, bits in _steps(small) if name == "measure"}
    histogram = field(document, "histogram", vendor=TITLE, what=_WHAT)
    if not isinstance(histogram, Mapping):
        raise ProviderError(f"The field 'histogram' of {TITLE}'s {_WHAT} is no histogram.", REPORT)
    shares: dict[str, float] = {}
    for key, share in histogram.items():
        # The decimal digits of 64 qubits; longer ones Python takes quadratic time to read.
        if not (key.isascii() and key.isdecimal() and len(key) <= 20 and int(key) < 2**small.num_qubits):
            raise ProviderError(f"{TITLE}'s answer gives the outcome {words(key)!r}, which the circuit lacks.", REPORT)
        if isinstance(share, bool) or not isinstance(share, int | float):
            raise ProviderError(f"{TITLE}'s answer gives {words(key)} the probability {words(share)!r}.", REPORT)
        value = int(key)
        bits = [str(value >> from_qubit[n] & 1) if n in from_qubit else "0" for n in range(circuit.num_clbits)]
        outcome = "".join(reversed(bits))
        shares[outcome] = shares.get(outcome, 0.0) + share
    return whole_counts(shares, shots, vendor=TITLE, what=_WHAT)


def _quantinuum_program(circuit: QuantumCircuit) -> str:
    from qiskit import qasm2

    return str(qasm2.dumps(compact(circuit)))


def _quantinuum_counts(circuit: QuantumCircuit, shots: int, document: Any) -> dict[str, int]:
    """Quantinuum gives a bit string for each shot and register, bit 0 rightmost."""
    found = field(document, "c", vendor=TITLE, what=_WHAT)
    if not isinstance(found, list):
        raise ProviderError(f"The field 'c' of {TITLE}'s {_WHAT} is no list of shots.", REPORT)
    return checked_counts(Counter(map(str, found)), circuit.num_clbits, shots, vendor=TITLE, what=_WHAT)


def _rigetti_program(circuit: QuantumCircuit) -> str:
    lines = [f"DECLARE ro BIT[{circuit.num_clbits}]"]
    for name, angles, qubits, bits in _steps(compact(circuit)):
        if name == "measure":
            lines.append(f"MEASURE {qubits[0]} ro[{bits[0]}]")
        elif name in _QUIL_NAMES:
            with_angle = f"({angles[0]!r})" if angles else ""
            lines.append(f"{_QUIL_NAMES[name]}{with_angle} {' '.join(map(str, qubits))}")
        else:
            raise _refused("Rigetti", name)
    return "\n".join(lines) + "\n"


def _rigetti_counts(circuit: QuantumCircuit, shots: int, document: Any) -> dict[str, int]:
    """Rigetti gives a list of bits for each shot, bit 0 first."""
    found = field(document, "ro", vendor=TITLE, what=_WHAT)
    if not isinstance(found, list) or not all(isinstance(each, list) for each in found):
        raise ProviderError(f"The field 'ro' of {TITLE}'s {_WHAT} is no list of shots.", REPORT)
    keys = Counter("".join(map(str, reversed(each))) for each in found)
    return checked_counts(keys, circuit.num_clbits, shots, vendor=TITLE, what=_WHAT)


_FORMS = {
    "ionq": Form("ionq.circuit.v1", "ionq.quantum-results.v1", "application/json", _ionq_program, _ionq_counts),
    "quantinuum": Form(
        "honeywell.openqasm.v1",
        "honeywell.quantum-results.v1",
        "application/qasm",
        _quantinuum_program,
        _quantinuum_counts,
    ),
    "rigetti": Form("rigetti.quil.v1", "rigetti.quil-results.v1", "text/plain", _rigetti_program, _rigetti_counts),
}
