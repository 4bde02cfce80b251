"""Circuits as Amazon Braket's OpenQASM 3, and its results as Qiskit's histograms."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError, ProviderError
from qpm_lab.providers.answers import checked_counts, field, whole_counts, words
from qpm_lab.providers.braket_aws import TITLE

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_RESULT = "results.json"
NAMES = {
    "cp": "cphaseshift",
    "cx": "cnot",
    "cz": "cz",
    "h": "h",
    "p": "phaseshift",
    "rx": "rx",
    "ry": "ry",
    "rz": "rz",
    "s": "s",
    "sdg": "si",
    "swap": "swap",
    "sx": "v",
    "sxdg": "vi",
    "t": "t",
    "tdg": "ti",
    "x": "x",
    "y": "y",
    "z": "z",
}
"""Gates by Qiskit's names, and the same by Braket's."""


@dataclass(frozen=True, slots=True)
class Program:
    """A circuit as it is sent."""

    source: str
    """OpenQASM 3 in Braket's dialect: its own gate names, nothing included."""
    bits: Mapping[int, int]
    """Classical bit → the qubit that it is read from, by the number that the result uses."""
    width: int
    """Classical bits."""


def program(circuit: QuantumCircuit, *, placed: bool) -> Program:
    """A circuit in Braket's OpenQASM.

    Args:
        circuit: In gates of `NAMES`, measured at its end.
        placed: Whether its qubits are those of the machine (`$3`). Otherwise Braket places the used ones, which are
            numbered anew from 0: its simulators hold every qubit that is declared.

    Raises:
        CircuitError: It has an instruction that Braket's machines do not take.
    """
    lines: list[str] = []
    bits: dict[int, int] = {}
    labels = _labels(circuit, placed)
    for name, parameters, qubits, clbits in _instructions(circuit):
        if name == "measure":
            bits[clbits[0]] = labels[qubits[0]]
            continue
        numbers = [labels[qubit] for qubit in qubits]
        if set(numbers) & set(bits.values()):
            raise CircuitError(f"{TITLE} measures only at the end of a circuit.", "Move the measurements to its end.")
        lines.append(f"{_gate(name)}{_angles(parameters)} {', '.join(_qubit(each, placed) for each in numbers)};")
    measured = list(dict.fromkeys(bits.values()))
    head = ["OPENQASM 3.0;", *([] if placed else [f"qubit[{len(labels)}] q;"]), f"bit[{len(measured)}] b;"]
    reads = [f"b[{place}] = measure {_qubit(qubit, placed)};" for place, qubit in enumerate(measured)]
    return Program("\n".join([*head, *lines, *reads]) + "\n", bits, circuit.num_clbits)


def _instructions(circuit: QuantumCircuit) -> Iterator[tuple[str, Sequence[Any], list[int], list[int]]]:
    for each in circuit.data:
        if each.name != "barrier":
            qubits = [circuit.find_bit(bit).index for bit in each.qubits]
            yield each.name, each.params, qubits, [circuit.find_bit(bit).index for bit in each.clbits]


def _labels(circuit: QuantumCircuit, placed: bool) -> dict[int, int]:
    """Qubit of the circuit → its number in the program."""
    used = sorted({qubit for _, _, qubits, _ in _instructions(circuit) for qubit in qubits})
    return {qubit: qubit if placed else place for place, qubit in enumerate(used)}


def _gate(name: str) -> str:
    if name not in NAMES:
        raise CircuitError(f"{TITLE} cannot run {words(name)!r}.", "Replace it by standard gates.")
    return NAMES[name]


def _angles(parameters: Sequence[Any]) -> str:
    values = [float(each) for each in parameters]
    if not all(map(math.isfinite, values)):
        raise CircuitError("An angle of the circuit is no finite number.", "Bind its parameters to finite values.")
    return f"({', '.join(map(repr, values))})" if values else ""


def _qubit(number: int, placed: bool) -> str:
    return f"${number}" if placed else f"q[{number}]"


def histogram(document: Any, sent: Program, shots: int) -> dict[str, int]:
    """Counts over all classical bits, bit 0 rightmost, of a result document.

    Args:
        document: With `measuredQubits` and either `measurements`, one row per shot and a column per measured qubit, or
            `measurementProbabilities`.
        sent: What was run.
        shots: Of which it has to be the result.

    Raises:
        ProviderError: A field is missing, or is not what was asked for.
    """
    measured = field(document, "measuredQubits", vendor=TITLE, what=_RESULT)
    place = _places(measured, sent)
    if document.get("measurements") is not None:
        raw = _tally(document["measurements"], len(measured))
        found = checked_counts(raw, len(measured), shots, vendor=TITLE, what=_RESULT)
    else:
        shares = field(document, "measurementProbabilities", vendor=TITLE, what=_RESULT)
        if not isinstance(shares, Mapping):
            raise _wrong("measurementProbabilities", shares)
        raw = whole_counts(shares, shots, vendor=TITLE, what=_RESULT)
        found = checked_counts(raw, len(measured), shots, vendor=TITLE, what=_RESULT)
    counts: dict[str, int] = {}
    for row, count in found.items():
        key = "".join(row[place[bit]] if bit in place else "0" for bit in reversed(range(sent.width)))
        counts[key] = counts.get(key, 0) + count
    return counts


def _places(measured: Any, sent: Program) -> dict[int, int]:
    """Classical bit → its column."""
    if not isinstance(measured, list) or set(map(repr, measured)) != set(map(repr, sent.bits.values())):
        raise _wrong("measuredQubits", measured)
    return {bit: measured.index(qubit) for bit, qubit in sent.bits.items()}


def _tally(rows: Any, width: int) -> dict[str, int]:
    if not isinstance(rows, list):
        raise _wrong("measurements", rows)
    counts: dict[str, int] = {}
    for row in rows:
        if not isinstance(row, list) or len(row) != width:
            raise _wrong("measurements", row)
        key = "".join(map(str, row))
        counts[key] = counts.get(key, 0) + 1
    return counts


def _wrong(name: str, value: Any) -> ProviderError:
    return ProviderError(
        f"The field {name!r} of {TITLE}'s {_RESULT} is not what was asked for: {words(value)[:100]}.",
        "Update qpm_lab, or report it.",
    )
