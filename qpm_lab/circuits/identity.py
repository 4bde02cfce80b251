"""The fingerprint: what a circuit is, whatever it is called and in whatever order it was written.

Each wire (qubit, clbit or classical variable) carries a hash. An operation's hash covers what it is, its
wires in order, and the hash each of them carried; its wires then carry that one. The last hashes of all
wires therefore commit to the whole DAG and to nothing else: two operations that share no wire may be
written in either order. One pass, without building the DAG.

Part of the identity: gates, angles (see `encoding`), the order on each wire, barriers, which qubit and which
clbit by index, the number of both, global phase (Qiskit's DAG has it too), control flow with its conditions and
blocks. A gate that is not of Qiskit's standard set is known by its definition, its name does not count; a matrix by
its numbers. Not part: every name and label, metadata, how bits are grouped in registers, the transpiler's layout.

Parameters without value are numbered by where they occur. Only when two of them occur in exactly the same
places (`a - b` in one gate and nowhere else) does the order of their names still decide.
"""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.control_flow import head, loop_parameter, read_by
from qpm_lab.circuits.encoding import encode, encode_expr, framed, reads

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_FORM = b"qpm-circuit-1"
_UNTOUCHED = bytes(32)
_BY_PARAMETERS = frozenset(
    {"UnitaryGate", "Initialize", "StatePreparation", "PermutationGate", "DiagonalGate", "PauliGate", "Delay"}
)
"""Library classes that their name, width and parameters describe in full."""


def fingerprint(circuit: QuantumCircuit) -> str:
    """Content identity of a circuit: `sha256:` and 64 hex digits.

    The same in every process and after a QPY or OpenQASM 3 round trip in which the gates stay the same.

    Raises:
        CircuitError: an operation with neither definition nor known form.
    """
    if not circuit.parameters:
        return "sha256:" + _whole(circuit, {}).digest.hex()
    blank = _whole(circuit, dict.fromkeys(circuit.parameters, b"_"))
    return "sha256:" + _whole(circuit, _numbered(circuit.parameters, blank.places)).digest.hex()


def _numbered(parameters: Iterable[Any], places: Iterable[tuple[bytes, Any]]) -> dict[Any, bytes]:
    where: defaultdict[Any, list[bytes]] = defaultdict(list)
    for digest, parameter in places:
        where[parameter].append(digest)
    ranked = sorted(parameters, key=lambda p: (sorted(where[p]), p.name))
    return {p: b"p%d" % n for n, p in enumerate(ranked)}


@dataclass(slots=True)
class _Chain:
    """The hashes carried by the wires of one circuit, block or definition."""

    labels: MutableMapping[Any, bytes]
    """Bit, variable or parameter → its name in the canonical form."""
    depth: int = 0
    last: dict[bytes, bytes] = field(default_factory=dict)
    wireless: list[bytes] = field(default_factory=list)
    places: list[tuple[bytes, Any]] = field(default_factory=list)
    """Where each parameter without value occurs: hash of the operation, parameter."""
    known: dict[int, tuple[_Chain, Any]] = field(default_factory=dict)
    """id of a definition met before → its chain, and the definition itself to keep the id taken."""
    digest: bytes = b""

    def label(self, thing: Any) -> bytes:
        return self.labels[thing]

    def step(self, key: bytes, wires: Iterable[bytes]) -> bytes:
        """Appends one operation and returns its hash."""
        parts = [b"%d:" % len(key), key]
        touched = list(wires)
        for wire in touched:
            parts += wire, b":", self.last.get(wire, _UNTOUCHED)
        digest = sha256(b"".join(parts)).digest()
        self.last.update(dict.fromkeys(touched, digest))
        if not touched:
            self.wireless.append(digest)
        return digest

    def close(self, circuit: QuantumCircuit, size: bytes) -> _Chain:
        """Walks the circuit and fixes the digest."""
        _name_variables(self.labels, circuit)
        for instruction in circuit.data:
            _append(self, instruction)
        ends = (wire + b":" + self.last[wire] for wire in sorted(self.last))
        phase = encode(circuit.global_phase, self.label)
        self.digest = sha256(framed(_FORM, size, phase, *ends, *sorted(self.wireless))).digest()
        return self


def _whole(circuit: QuantumCircuit, parameters: Mapping[Any, bytes]) -> _Chain:
    return _Chain(_labels(circuit, parameters)).close(circuit, _size(circuit))


def _labels(circuit: QuantumCircuit, parameters: Mapping[Any, bytes]) -> dict[Any, bytes]:
    labels: dict[Any, bytes] = {q: b"q%d" % n for n, q in enumerate(circuit.qubits)}
    labels.update((c, b"c%d" % n) for n, c in enumerate(circuit.clbits))
    labels.update(parameters)
    return labels


def _size(circuit: QuantumCircuit) -> bytes:
    return b"%d,%d" % (circuit.num_qubits, circuit.num_clbits)


def _name_variables(labels: MutableMapping[Any, bytes], circuit: QuantumCircuit) -> None:
    for variable in (*circuit.iter_vars(), *circuit.iter_stretches()):
        labels.setdefault(variable, b"v%d" % len(labels))


def _append(chain: _Chain, instruction: Any) -> None:
    wires = [chain.labels[bit] for bit in (*instruction.qubits, *instruction.clbits)]
    if instruction.is_standard_gate():
        digest = chain.step(_standard_key(instruction, chain), wires)
        _note_places(chain, digest, instruction.params)
    elif instruction.is_control_flow():
        _append_control_flow(chain, instruction, wires)
    else:
        _append_other(chain, instruction.operation, wires)


def _append_other(chain: _Chain, operation: Any, wires: list[bytes]) -> None:
    from qiskit.circuit import Barrier, BreakLoopOp, ContinueLoopOp, Store

    if isinstance(operation, (Barrier, BreakLoopOp, ContinueLoopOp)):
        chain.step(operation.name.encode(), sorted(wires))
        return
    if isinstance(operation, Store):
        key = framed(b"store", *(encode_expr(e, chain.label) for e in operation.params))
        touched = {chain.label(b) for e in operation.params for b in reads(e)}
        chain.step(key, sorted(touched.union(wires)))
        return
    key, inner = _key(operation, chain)
    digest = chain.step(key, wires)
    chain.places += ((sha256(digest + place).digest(), p) for place, p in inner)
    _note_places(chain, digest, getattr(operation, "params", ()))


def _note_places(chain: _Chain, digest: bytes, params: Iterable[Any]) -> None:
    for slot, value in enumerate(params):
        for parameter in getattr(value, "parameters", ()):
            chain.places.append((digest + b"%d" % slot, parameter))


def _key(operation: Any, chain: _Chain) -> tuple[bytes, list[tuple[bytes, Any]]]:
    """What a non-standard operation is, and the places of parameters inside it."""
    from qiskit.circuit import AnnotatedOperation, ControlledGate, Measure, Reset

    name = type(operation).__name__
    if isinstance(operation, (Measure, Reset)):
        return operation.name.encode(), []
    if name in _BY_PARAMETERS and type(operation).__module__.startswith("qiskit."):
        return _library_key(operation, chain), []
    if isinstance(operation, AnnotatedOperation):
        inner, places = _bare_key(operation.base_op, chain)
        return framed(b"A", inner, *(repr(m).encode() for m in operation.modifiers)), places
    if isinstance(operation, ControlledGate):
        inner, places = _bare_key(operation.base_gate, chain)
        return framed(b"C", b"%d,%d" % (operation.num_ctrl_qubits, operation.ctrl_state), inner), places
    return _defined_key(operation, chain)


def _bare_key(operation: Any, chain: _Chain) -> tuple[bytes, list[tuple[bytes, Any]]]:
    """The key of an operation that stands inside another one, not on wires of its own."""
    from qiskit.circuit import CircuitInstruction, Qubit

    alone = CircuitInstruction(operation, [Qubit() for _ in range(operation.num_qubits)])
    return (_standard_key(alone, chain), []) if alone.is_standard_gate() else _key(operation, chain)


def _standard_key(instruction: Any, chain: _Chain) -> bytes:
    return framed(b"G", instruction.name.encode(), *(encode(p, chain.label) for p in instruction.params))


def _library_key(operation: Any, chain: _Chain) -> bytes:
    unit = getattr(operation, "unit", None) or ""
    width = b"%d" % operation.num_qubits
    values = (encode(p, chain.label) for p in operation.params)
    return framed(b"L", operation.name.encode(), width, unit.encode(), *values)


def _defined_key(operation: Any, chain: _Chain) -> tuple[bytes, list[tuple[bytes, Any]]]:
    from qiskit.quantum_info import Clifford

    if isinstance(operation, Clifford):
        return framed(b"clifford", operation.tableau.tobytes()), []
    definition = getattr(operation, "definition", None)
    if definition is None:
        values = (encode(p, chain.label) for p in getattr(operation, "params", ()))
        return framed(b"O", operation.name.encode(), *values), []
    if id(definition) not in chain.known:
        labels = _labels(definition, {p: chain.label(p) for p in definition.parameters})
        inside = _Chain(labels, chain.depth, known=chain.known).close(definition, _size(definition))
        chain.known[id(definition)] = inside, definition
    inside = chain.known[id(definition)][0]
    return framed(b"D", inside.digest), inside.places


def _append_control_flow(chain: _Chain, instruction: Any, wires: list[bytes]) -> None:
    """One hash over condition and blocks, on the wires they really touch.

    Qiskit gives a block more wires than it uses, in an order that differs between two builds of one circuit.
    """
    operation = instruction.operation
    touched = set(map(chain.label, read_by(operation)))
    blocks = [_block(chain, operation, block, wires) for block in operation.blocks]
    touched.update(wire for block in blocks for wire in block.last)
    key = framed(b"F", head(operation, chain.label), *(block.digest for block in blocks))
    digest = chain.step(key, sorted(touched))
    chain.places += ((sha256(digest + place).digest(), p) for block in blocks for place, p in block.places)


def _block(chain: _Chain, operation: Any, block: QuantumCircuit, wires: list[bytes]) -> _Chain:
    inner: dict[Any, bytes] = dict(zip((*block.qubits, *block.clbits), wires, strict=True))
    if (counter := loop_parameter(operation)) is not None:
        inner[counter] = b"loop%d" % chain.depth
    return _Chain(ChainMap(inner, chain.labels), chain.depth + 1, known=chain.known).close(block, b"block")
