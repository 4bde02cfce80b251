"""The door: whatever a user calls a circuit becomes measured, bound `QuantumCircuit`s with their facts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.binding import Bindings, Sweep, bind, check_sweep
from qpm_lab.circuits.content import content_key
from qpm_lab.circuits.facts import facts
from qpm_lab.circuits.inspection import inspect
from qpm_lab.circuits.limits import DEFAULT, Limits
from qpm_lab.circuits.loading import load_qiskit
from qpm_lab.circuits.measuring import measured
from qpm_lab.circuits.qasm import read_text
from qpm_lab.circuits.qpy import MAGIC, check_version
from qpm_lab.circuits.remembered import Remembered
from qpm_lab.circuits.sandbox import read_apart
from qpm_lab.errors import CircuitError
from qpm_lab.experiment import CircuitFacts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

ACCEPTED = "a Qiskit QuantumCircuit, OpenQASM text, a .qasm or .qpy path, a PennyLane QNode or tape, or a list of these"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A circuit as it will be run."""

    circuit: QuantumCircuit
    """Bound and measured; a copy, so that later changes of the user's own do not reach the job."""
    facts: CircuitFacts
    notes: tuple[str, ...]
    """What was done to it, in sentences for the card."""
    bindings: Bindings | None = None
    """The values of its open parameters when it is swept."""

    form: str = ""
    """Tells it from every other circuit for whoever keeps work done on it: its fingerprint, and, since that
    ignores names, where the name of each open parameter stands. Empty when that is not known."""

    def swept(self, bindings: Bindings) -> Prepared:
        """The same template with other values."""
        return replace(self, facts=replace(self.facts, points=bindings.points), bindings=bindings)


_FACTS: Remembered[CircuitFacts] = Remembered()
"""Fingerprint and depth take most of the time of a circuit that comes again and again."""


@dataclass(frozen=True, slots=True)
class _Read:
    circuit: QuantumCircuit
    notes: tuple[str, ...] = ()
    sweep: Sweep | None = None
    """Given as a sweep, not bound here."""
    prepared: Prepared | None = None
    """Given as it came out of here before."""


def prepare(
    source: Any,
    *,
    parameters: Mapping[Any, Any] | None = None,
    args: Sequence[Any] = (),
    limits: Limits = DEFAULT,
) -> tuple[Prepared, ...]:
    """Turns what a user wrote into circuits that can run.

    Args:
        source: A `QuantumCircuit`; OpenQASM 2 or 3 text; the bytes of such a text or of a QPY file; a
            `pathlib.Path` to one; a PennyLane QNode or tape; a `Sweep` or `Prepared`; or a list or tuple of any
            of these.
        parameters: Parameter or its name → number, or array for a sweep, for every circuit that has it.
        args: Arguments with which a QNode is called.
        limits: Bounds on size and reading time.

    Returns:
        One `Prepared` per circuit; a QNode that measures in several bases and a QPY file may yield several.

    Raises:
        CircuitError: the source is no circuit, is not supported or is too large; names what and what to do.
    """
    load_qiskit()
    read = _read(source, tuple(args), limits, 0)
    if len(read) > limits.circuits:
        raise CircuitError(f"{len(read):,} circuits were given.", f"Submit at most {limits.circuits:,} in one job.")
    fresh = [one for one in read if one.prepared is None]
    for one in fresh:
        inspect(one.circuit, limits)
    bound = iter(bind([one.circuit for one in fresh if one.sweep is None], parameters or {}, limits))
    return tuple(one.prepared or _finish(one.sweep or next(bound), one, limits) for one in read)


def prepare_template(circuit: QuantumCircuit, *, limits: Limits = DEFAULT) -> Prepared:
    """A circuit whose parameters stay open, to be swept again and again: see `Prepared.swept`.

    What comes out goes into `prepare`, which then has nothing left to do.

    Raises:
        CircuitError: as `prepare`.
    """
    inspect(circuit, limits)
    return _finish(circuit, _Read(circuit), limits)


def _finish(bound: QuantumCircuit | Sweep, read: _Read, limits: Limits) -> Prepared:
    template, bindings = (bound.circuit, bound.bindings) if isinstance(bound, Sweep) else (bound, None)
    circuit, note = measured(template)
    if template is not read.circuit:
        inspect(circuit, limits)
    points = bindings.points if bindings else 1
    notes = (*read.notes, *([note] if note else []))
    made = _FACTS.get(content_key(circuit), lambda: facts(circuit), len(circuit.data) + 1)
    known = replace(made, name=circuit.name or "", points=points)
    return Prepared(circuit, known, notes, bindings, _form(circuit, known.fingerprint))


def _form(circuit: QuantumCircuit, fingerprint: str) -> str:
    if not circuit.parameters:
        return fingerprint
    if circuit.has_control_flow_op():
        return ""
    index = {bit: i for i, bit in enumerate(circuit.qubits)}
    places = [str(circuit.global_phase)]
    for each in circuit.data:
        names = [str(p) for p in each.params if getattr(p, "parameters", None)]
        if names and not each.is_standard_gate():
            return ""  # where they stand inside its definition is not told by their list
        if names:
            places.append(f"{each.name} {[index[q] for q in each.qubits]} {names}")
    return f"{fingerprint} {'; '.join(places)}"


def _read(source: Any, args: tuple[Any, ...], limits: Limits, depth: int) -> list[_Read]:
    if isinstance(source, (list, tuple)) and not hasattr(source, "_fields"):
        return _read_all(source, args, limits, depth)
    if _is_pennylane(source):
        from qpm_lab.circuits.pennylane import translate

        return [_Read(circuit, notes) for circuit, notes in translate(source, args)]
    if isinstance(source, Prepared):
        check_sweep(Sweep(source.circuit, source.bindings), limits) if source.bindings else _require_bound(source)
        return [_Read(source.circuit, prepared=source)]
    if isinstance(source, Sweep):
        return [_Read(source.circuit, sweep=check_sweep(source, limits))]
    if args:
        raise CircuitError("Only a PennyLane QNode takes arguments.", "Leave out --args for this circuit.")
    if _is_qiskit(source):
        return [_Read(source)]
    if isinstance(source, str):
        return [_Read(read_text(source, limits))]
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _read_bytes(bytes(source), limits)
    if isinstance(source, Path):
        return _read_bytes(_file_bytes(source, limits), limits)
    raise _no_circuit(source)


def _require_bound(prepared: Prepared) -> None:
    if prepared.circuit.parameters:
        raise CircuitError("The prepared circuit has open parameters.", "Give it values with .swept(bindings).")


def _read_all(sources: Sequence[Any], args: tuple[Any, ...], limits: Limits, depth: int) -> list[_Read]:
    if not sources:
        raise CircuitError("The list of circuits is empty.", "Put at least one circuit into it.")
    if len(sources) > limits.circuits or depth > limits.nesting:
        raise CircuitError("The list of circuits is too long or too deep.", f"At most {limits.circuits:,} circuits.")
    return [one for source in sources for one in _read(source, args, limits, depth + 1)]


def _read_bytes(data: bytes, limits: Limits) -> list[_Read]:
    if data.startswith(MAGIC):
        check_version(data)
        if len(data) > limits.qpy_bytes:
            raise _too_long(len(data), limits.qpy_bytes)
        circuits = read_apart("qpy", data, limits)
        if not circuits:
            raise CircuitError("The QPY file holds no circuit.", "Write it with qpy.dump(circuit, file).")
        return [_Read(circuit) for circuit in circuits]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CircuitError(
            "The bytes are neither QPY nor OpenQASM text.", "Give a .qpy file, or OpenQASM in UTF-8.", cause=error
        ) from error
    return [_Read(read_text(text, limits))]


def _file_bytes(path: Path, limits: Limits) -> bytes:
    most = max(limits.qpy_bytes, limits.text_bytes)
    try:
        if not path.is_file():
            raise CircuitError(f"There is no file {path}.", "Check the path; .qasm, .qasm3 and .qpy files are read.")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        raise CircuitError(f"The file {path} cannot be read: {error}", "Check its name and rights.") from error
    if len(data) > most:
        raise _too_long(len(data), most)
    return data


def _too_long(size: int, limit: int) -> CircuitError:
    return CircuitError(f"The file is longer than {limit:,} bytes.", f"It has at least {size:,}: split the circuits.")


def _is_qiskit(source: Any) -> bool:
    # A circuit of a library that nobody has imported cannot exist, so nothing is imported to find out.
    qiskit = sys.modules.get("qiskit")
    return qiskit is not None and isinstance(source, qiskit.QuantumCircuit)


def _is_pennylane(source: Any) -> bool:
    qml = sys.modules.get("pennylane")
    return qml is not None and isinstance(source, (qml.QNode, qml.tape.QuantumScript))


def _no_circuit(source: Any) -> CircuitError:
    if source is None:
        return CircuitError(
            "There is no circuit: the value is None.",
            "End the cell with the circuit itself, for example `qc`; methods such as measure_all() return None.",
        )
    if callable(source) and not isinstance(source, type):
        name = getattr(source, "__name__", type(source).__name__)
        return CircuitError(
            f"{name} is a function, not a circuit.",
            "Call it, or decorate it with @qml.qnode(device): a QNode is called with --args.",
        )
    return CircuitError(f"A value of type {type(source).__name__} is not a circuit.", f"Give {ACCEPTED}.")
