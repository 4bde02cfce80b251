"""What a vendor may see of a circuit: its gates and nothing that a person named, and the way back.

A masked circuit is built anew rather than cleaned, so that what is not carried over on purpose stays here: names of
circuit, registers, parameters, variables and gates, labels, metadata, annotations, layout. A job is called by its
random token at the vendor, never by its name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError, ProviderError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import ClassicalRegister

NAME = "circuit"
MAX_OPERATIONS = 1_000_000
"""Of the masked circuit: a few definitions within one another can stand for more than any machine takes."""
MAX_NESTING = 100
"""How deep definitions and blocks may stand in one another."""


def masked(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit as it leaves: same unitary, same bits in the same order, no name of the user's.

    It has one quantum register `q` and one classical register `c`; only when an operation reads a whole register are
    the classical registers kept apart, as `c0`, `c1` and so on. Gates outside Qiskit's standard set are opened until
    only standard gates and matrices remain. A circuit of standard gates keeps its fingerprint.

    Raises:
        CircuitError: a parameter or input has no value, or an operation has no definition to open.
    """
    from qiskit import QuantumCircuit
    from qiskit.circuit import ClassicalRegister, Clbit, QuantumRegister

    _require_bound(circuit)
    qubits = [QuantumRegister(circuit.num_qubits, "q")] if circuit.num_qubits else []
    clbits = [Clbit() for _ in circuit.clbits]
    fresh = QuantumCircuit(*qubits, clbits, name=NAME)
    bits = dict(zip((*circuit.qubits, *circuit.clbits), (*fresh.qubits, *clbits), strict=True))
    apart = _reads_registers(circuit)
    if clbits and not apart:
        fresh.add_register(ClassicalRegister(name="c", bits=clbits))
    _fill(fresh, circuit, _Names(bits, apart))
    return fresh


def unmask(counts: Mapping[str, int], circuit: QuantumCircuit) -> dict[str, int]:
    """Counts of the masked circuit under the keys of the original: its registers, joined by spaces.

    Args:
        counts: What came back, grouped in any way.
        circuit: The original, not the masked one.

    Raises:
        ProviderError: a key is not a bit string of the circuit's width.
    """
    found: dict[str, int] = {}
    for key, count in counts.items():
        bits = key.replace(" ", "")
        if len(bits) != circuit.num_clbits or bits.strip("01"):
            raise ProviderError(
                f"The vendor's answer has the outcome {key[:80]!r}, which is not one of the circuit's bit strings.",
                "Run it again; the answer was not recorded as a result.",
            )
        grouped = _grouped(bits, circuit)
        found[grouped] = found.get(grouped, 0) + count
    return found


def _grouped(bits: str, circuit: QuantumCircuit) -> str:
    """As Qiskit does; bits that are loose or shared between registers have no such order and stand together."""
    if len(circuit.cregs) < 2 or [bit for register in circuit.cregs for bit in register] != circuit.clbits:
        return bits
    parts, end = [], len(bits)
    for register in circuit.cregs:
        parts.append(bits[end - register.size : end])
        end -= register.size
    return " ".join(reversed(parts))


def _require_bound(circuit: QuantumCircuit) -> None:
    free = sorted(parameter.name for parameter in circuit.parameters)
    free += [variable.name for variable in circuit.iter_input_vars()]
    if free:
        raise CircuitError(
            f"{free[0]!r} has no value, so the circuit cannot be sent.", "Give a value to every parameter and input."
        )


@dataclass(slots=True)
class _Names:
    """What stands for each thing of the original, in one circuit, block or definition."""

    things: dict[Any, Any]
    """Bit, variable, stretch or loop parameter → the one that stands for it."""
    apart: bool
    """Whether classical registers are kept apart."""
    numbers: Iterator[int] = field(default_factory=itertools.count)
    registers: dict[tuple[Any, ...], ClassicalRegister] = field(default_factory=dict)
    """By their new bits: a block may have a register of its own for the same bits."""
    depth: int = 0

    def inside(self, wires: Mapping[Any, Any]) -> _Names:
        """The names within a block or definition, whose bits are its own."""
        if self.depth >= MAX_NESTING:
            raise CircuitError(f"The circuit is nested more than {MAX_NESTING} deep.", "Write it flatter.")
        return _Names({**self.things, **wires}, self.apart, self.numbers, self.registers, self.depth + 1)

    def new(self, thing: Any) -> Any:
        """Gives a variable, stretch or loop parameter its new name."""
        from qiskit.circuit import Parameter
        from qiskit.circuit.classical import expr

        name = f"v{next(self.numbers)}"
        if isinstance(thing, expr.Var):
            fresh = expr.Var.new(name, thing.type)
        else:
            fresh = expr.Stretch.new(name) if isinstance(thing, expr.Stretch) else Parameter(name)
        self.things[thing] = fresh
        return fresh

    def register(self, register: ClassicalRegister) -> ClassicalRegister:
        from qiskit.circuit import ClassicalRegister

        bits = tuple(self.things[bit] for bit in register)
        if bits not in self.registers:
            self.registers[bits] = ClassicalRegister(name=f"c{len(self.registers)}", bits=bits)
        return self.registers[bits]

    def value(self, value: Any) -> Any:
        """An angle, condition, target or duration with every name in it replaced."""
        from qiskit.circuit import ClassicalRegister, Clbit, Parameter, ParameterExpression
        from qiskit.circuit.classical import expr

        match value:
            case expr.Expr():
                return self.expression(value)
            case ClassicalRegister():
                return self.register(value)
            case Clbit() | Parameter():
                return self.things[value]
            case (condition, wanted):
                return self.value(condition), wanted
            case ParameterExpression():
                free = {each: self.things[each] for each in value.parameters}
                return value.subs(free) if free else value.numeric()
        return value

    def expression(self, node: Any) -> Any:
        from qiskit.circuit.classical import expr

        change = self.expression
        match node:
            case expr.Var(standalone=True) | expr.Stretch():
                return self.things[node]
            case expr.Var():
                return expr.Var(self.value(node.var), node.type)
            case expr.Cast():
                return expr.Cast(change(node.operand), node.type, implicit=node.implicit)
            case expr.Unary():
                return expr.Unary(node.op, change(node.operand), node.type)
            case expr.Binary():
                return expr.Binary(node.op, change(node.left), change(node.right), node.type)
            case expr.Index():
                return expr.Index(change(node.target), change(node.index), node.type)
        return node


def _reads_registers(circuit: QuantumCircuit) -> bool:
    """True when a condition, target or assignment anywhere in it is about a register as a whole."""
    for instruction in circuit.data:
        if instruction.is_standard_gate() or instruction.name in ("measure", "reset", "barrier"):
            continue
        operation = instruction.operation
        inner = operation.blocks if instruction.is_control_flow() else ()
        if instruction.clbits and not inner:
            inner = [each for each in [getattr(operation, "definition", None)] if each is not None]
        if any(map(_has_register, _read_by(operation))) or any(map(_reads_registers, inner)):
            return True
    return False


def _read_by(operation: Any) -> Iterator[Any]:
    parts = (getattr(operation, name, None) for name in ("condition", "target", "lvalue", "rvalue"))
    return (part[0] if isinstance(part, tuple) else part for part in parts)


def _has_register(part: Any) -> bool:
    from qiskit.circuit import ClassicalRegister
    from qiskit.circuit.classical import expr

    if isinstance(part, expr.Expr):
        return any(isinstance(each.var, ClassicalRegister) for each in expr.iter_vars(part))
    return isinstance(part, ClassicalRegister)


def _fill(fresh: QuantumCircuit, circuit: QuantumCircuit, names: _Names) -> None:
    """Appends all that a circuit, block or definition does."""
    _declare(fresh, circuit, names)
    fresh.global_phase += names.value(circuit.global_phase)
    for instruction in circuit.data:
        wires = [names.things[bit] for bit in (*instruction.qubits, *instruction.clbits)]
        operation = _nameless(instruction, wires, names)
        if operation is None:
            definition = _definition(instruction)
            inner = dict(zip((*definition.qubits, *definition.clbits), wires, strict=True))
            _fill(fresh, definition, names.inside(inner))
        else:
            count = len(instruction.qubits)
            fresh.append(operation, wires[:count], wires[count:], copy=False)
            if len(fresh.data) > MAX_OPERATIONS:
                raise CircuitError(f"The circuit has more than {MAX_OPERATIONS:,} operations.", "Divide it.")


def _declare(fresh: QuantumCircuit, circuit: QuantumCircuit, names: _Names) -> None:
    for register in circuit.cregs if names.apart else ():
        if (known := names.register(register)) not in fresh.cregs:
            fresh.add_register(known)
    for thing in circuit.iter_captures():
        fresh.add_capture(names.things[thing])
    for variable in circuit.iter_input_vars():
        fresh.add_input(names.things[variable])
    for variable in circuit.iter_declared_vars():
        fresh.add_uninitialized_var(names.new(variable))
    for stretch in circuit.iter_declared_stretches():
        fresh.add_stretch(names.new(stretch))


def _nameless(instruction: Any, wires: Sequence[Any], names: _Names) -> Any | None:
    """The same operation without a name of the user's; None for one that its definition has to stand for."""
    from qiskit.circuit import Barrier, BreakLoopOp, ContinueLoopOp, Delay, Measure, Reset, Store
    from qiskit.circuit.library import UnitaryGate

    if instruction.is_standard_gate():
        # By Qiskit's own name: the object itself may be of a class of the user's, or renamed.
        return _standard_gates()[instruction.name](*map(names.value, instruction.params))
    operation = instruction.operation
    if instruction.is_control_flow():
        return _control_flow(operation, wires, names)
    match operation:
        case Measure():
            return Measure()
        case Reset():
            return Reset()
        case Barrier():
            return Barrier(operation.num_qubits)
        case BreakLoopOp():
            return BreakLoopOp(operation.num_qubits, operation.num_clbits)
        case ContinueLoopOp():
            return ContinueLoopOp(operation.num_qubits, operation.num_clbits)
        case Delay():
            return Delay(names.value(operation.duration), operation.unit)
        case Store():
            return Store(names.value(operation.lvalue), names.value(operation.rvalue))
        case UnitaryGate():
            return UnitaryGate(operation.params[0], check_input=False)
    return None


@cache
def _standard_gates() -> dict[str, Any]:
    from qiskit.circuit.library import get_standard_gate_name_mapping

    return {name: getattr(gate, "base_class", type(gate)) for name, gate in get_standard_gate_name_mapping().items()}


def _control_flow(operation: Any, wires: Sequence[Any], names: _Names) -> Any:
    from qiskit.circuit import BoxOp, ForLoopOp, IfElseOp, SwitchCaseOp, WhileLoopOp

    blocks = operation.blocks
    match operation:
        case IfElseOp() | WhileLoopOp():
            kind = IfElseOp if isinstance(operation, IfElseOp) else WhileLoopOp
            return kind(names.value(operation.condition), *(_block(each, wires, names) for each in blocks))
        case SwitchCaseOp():
            cases = [(values, _block(each, wires, names)) for values, each in operation.cases_specifier()]
            return SwitchCaseOp(names.value(operation.target), cases)
        case ForLoopOp():
            values, counter, body = operation.params
            within = names.inside({})
            fresh = None if counter is None else within.new(counter)
            return ForLoopOp(values, fresh, _block(body, wires, within))
        case BoxOp():
            return BoxOp(_block(blocks[0], wires, names), names.value(operation.duration), operation.unit)
    raise _unknown(operation)


def _block(block: QuantumCircuit, wires: Sequence[Any], names: _Names) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    fresh = QuantumCircuit(list(wires[: block.num_qubits]), list(wires[block.num_qubits :]), name=NAME)
    _fill(fresh, block, names.inside(dict(zip((*block.qubits, *block.clbits), wires, strict=True))))
    return fresh


def _definition(instruction: Any) -> QuantumCircuit:
    """What an operation outside the standard set consists of.

    Raises:
        CircuitError: nothing says so.
    """
    from qiskit import QuantumCircuit
    from qiskit.circuit import Instruction
    from qiskit.exceptions import QiskitError
    from qiskit.transpiler.passes import HighLevelSynthesis

    operation = instruction.operation
    if isinstance(operation, Instruction) and operation.definition is not None:
        return operation.definition
    alone = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    try:
        if isinstance(operation, Instruction):
            alone.unitary(operation.to_matrix(), alone.qubits)
            return alone
        alone.append(operation, alone.qubits, alone.clbits)
        opened = HighLevelSynthesis()(alone)
    except (QiskitError, AttributeError) as error:
        raise _unknown(operation) from error
    if opened.data and opened.data[0].operation is operation:
        raise _unknown(operation)
    return opened


def _unknown(operation: Any) -> CircuitError:
    return CircuitError(
        f"The operation {operation.name[:80]!r} has no definition, so it cannot be sent without its name.",
        "Give it a definition of standard gates.",
    )
