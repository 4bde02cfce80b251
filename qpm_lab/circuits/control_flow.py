"""What a control-flow operation says apart from its blocks: condition, cases, range; for the fingerprint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qpm_lab.circuits.encoding import Label, encode, encode_expr, framed, lifted, reads


def head(operation: Any, label: Label) -> bytes:
    """Canonical bytes of the operation without its blocks."""
    from qiskit.circuit import BoxOp, ForLoopOp, SwitchCaseOp

    parts = [encode_expr(e, label) for e in _expressions(operation)]
    if isinstance(operation, ForLoopOp):
        parts.append(encode(as_range(operation.params[0]), label))
    elif isinstance(operation, SwitchCaseOp):
        parts += (framed(b"case", *map(_case, values)) for values, _ in operation.cases_specifier())
    elif isinstance(operation, BoxOp):
        parts += (encode(operation.duration, label), encode(operation.unit, label))
    return framed(operation.name.encode(), *parts)


def read_by(operation: Any) -> Iterable[Any]:
    """The clbits and variables that decide what the operation does."""
    return (thing for e in _expressions(operation) for thing in reads(e))


def loop_parameter(operation: Any) -> Any | None:
    """The parameter or variable that a `for` counts with."""
    from qiskit.circuit import ForLoopOp

    return operation.params[1] if isinstance(operation, ForLoopOp) else None


def as_range(values: Any) -> Any:
    """The indices of a `for` in one form: evenly spaced ones as a range, others as a tuple."""
    if isinstance(values, range):
        if not values[1:]:
            return tuple(values)
        return range(values[0], values[-1] + (1 if values.step > 0 else -1), values.step)
    numbers = tuple(values)
    if len(numbers) < 2 or not all(isinstance(n, int) for n in numbers) or numbers[0] == numbers[1]:
        return numbers
    step = numbers[1] - numbers[0]
    even = range(numbers[0], numbers[-1] + (1 if step > 0 else -1), step)
    return even if tuple(even) == numbers else numbers


def _expressions(operation: Any) -> list[Any]:
    from qiskit.circuit import IfElseOp, SwitchCaseOp, WhileLoopOp
    from qiskit.circuit.classical import expr

    if isinstance(operation, (IfElseOp, WhileLoopOp)):
        return [lifted(operation.condition)]
    return [expr.lift(operation.target)] if isinstance(operation, SwitchCaseOp) else []


def _case(value: Any) -> bytes:
    return b"%d" % value if isinstance(value, int) else b"default"
