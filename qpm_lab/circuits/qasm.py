"""OpenQASM 2 and 3 in, OpenQASM 3 out.

OpenQASM 2 is read with the instruction set that Qiskit's old exporter wrote, which most files in the wild use.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from qpm_lab.circuits.limits import Limits
from qpm_lab.circuits.qasm_scan import Scan, scan
from qpm_lab.circuits.sandbox import read_apart
from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_SMALL = {2: (64 * 1024, 50_000), 3: (8 * 1024, 2_000)}
"""Version → characters and operations up to which a simple text is parsed here, in well under a second."""


def read_text(text: str, limits: Limits) -> QuantumCircuit:
    """A circuit from OpenQASM text; short simple texts are parsed here, others in a process that can be stopped.

    Raises:
        CircuitError: not OpenQASM, not supported, or beyond the limits.
    """
    text = text.removeprefix("\ufeff")
    data = text.encode("utf-8", "replace")
    if len(data) > limits.text_bytes:
        raise CircuitError(
            f"The OpenQASM text is {len(data):,} bytes long; at most {limits.text_bytes:,} are read.",
            "Split the circuit, or store it as QPY.",
        )
    if len(text) <= _SMALL[2][0]:
        found = scan(text, limits)
        if _is_small(text, found):
            return parse(text, found)
    return read_apart("qasm", data, limits)[0]


def parse_text(text: str, limits: Limits) -> QuantumCircuit:
    """Scans and parses in this process, whatever it costs."""
    return parse(text, scan(text, limits))


def _is_small(text: str, found: Scan) -> bool:
    length, work = _SMALL[found.version]
    return found.work is not None and found.work <= work and len(text) <= length


def parse(text: str, found: Scan) -> QuantumCircuit:
    """Runs Qiskit's parser of that version and translates whatever it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parse_2(text) if found.version == 2 else _parse_3(text)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # Qiskit's Rust parsers can panic, which is a BaseException
        raise CircuitError(
            f"OpenQASM {found.version} could not be read: {_said(error)}", _fix(error), cause=error
        ) from error


def _parse_2(text: str) -> QuantumCircuit:
    from qiskit import qasm2

    circuit: QuantumCircuit = qasm2.loads(
        text,
        include_path=(),
        custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS,
        custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
    )
    return circuit


def _parse_3(text: str) -> QuantumCircuit:
    from qiskit import qasm3

    circuit: QuantumCircuit = qasm3.loads(text)
    return circuit


def _said(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply."
    text = " ".join(str(getattr(error, "message", error)).split()).strip("\"'")
    return text[:300] or type(error).__name__


def _fix(error: BaseException) -> str:
    if "not supported" in str(error):
        return "Build this part in Python as a QuantumCircuit, which supports more of the language."
    return "Line and column are given as line,column; correct the text there."


def to_qasm3(circuit: QuantumCircuit) -> str:
    """The circuit as OpenQASM 3 text, for people to read: angles near a multiple of π are written as such.

    Raises:
        CircuitError: an instruction that OpenQASM 3 cannot express, by name.
    """
    from qiskit import qasm3

    try:
        text: str = qasm3.dumps(circuit)
    except Exception as error:
        raise CircuitError(
            f"The circuit cannot be written as OpenQASM 3: {_said(error)}",
            "Replace the named instruction by gates of Qiskit's circuit library.",
            cause=error,
        ) from error
    return text
