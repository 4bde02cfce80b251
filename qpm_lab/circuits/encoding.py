"""Parameters and classical expressions as bytes, for the fingerprint: values stay, names go.

Numbers are their exact float64 value, -0.0 being 0.0, so `1` and `1.0` are the same angle and
`0.1 + 0.2` is not `0.3`. Every encoding carries its own length, so that two of them never run together.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

from qpm_lab.errors import CircuitError

Label = Callable[[Any], bytes]
"""Gives a parameter, bit or classical variable the name it has within the canonical form."""


def framed(kind: bytes, *parts: bytes) -> bytes:
    """`kind` and its parts, each with its length."""
    return b"%s%d[" % (kind, len(parts)) + b"".join(b"%d:%s" % (len(p), p) for p in parts) + b"]"


def encode(value: Any, label: Label) -> bytes:
    """One parameter of an operation.

    Raises:
        CircuitError: a kind of value that has no exact form.
    """
    if isinstance(value, (bool, type(None))):
        return b"k%d" % (2 if value is None else value)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, str):
        return framed(b"s", value.encode("utf-8", "surrogatepass"))
    if isinstance(value, range):
        return framed(b"r", *(b"%d" % n for n in (value.start, value.stop, value.step)))
    if isinstance(value, (list, tuple)):
        return framed(b"l", *(encode(v, label) for v in value))
    return _of_a_library(value, label)


def _number(value: complex) -> bytes:
    if isinstance(value, int) and abs(value) >= 2**53:
        return b"i%d;" % value
    if isinstance(value, complex) and value.imag != 0:
        return b"c" + struct.pack(">dd", value.real + 0.0, value.imag + 0.0)
    return b"f" + struct.pack(">d", value.real + 0.0)


def _of_a_library(value: Any, label: Label) -> bytes:
    import numpy as np
    from qiskit.circuit import ParameterExpression
    from qiskit.circuit.classical import expr

    if isinstance(value, ParameterExpression):
        return _symbolic(value, label)
    if isinstance(value, (complex, np.number)):
        return _number(complex(value))
    if isinstance(value, np.ndarray):
        exact = np.ascontiguousarray(value, dtype=complex) + 0.0
        return framed(b"a", repr(value.shape).encode(), exact.tobytes())
    if isinstance(value, expr.Expr):
        return encode_expr(value, label)
    raise CircuitError(
        f"A parameter of type {type(value).__name__} has no exact form.",
        "Give numbers, arrays or parameters to the gates of the circuit.",
    )


def _symbolic(value: Any, label: Label) -> bytes:
    from qiskit.circuit import Parameter

    if isinstance(value, Parameter):
        return framed(b"p", label(value))
    free = {p: label(p) for p in value.parameters}
    if not free:
        return _number(value.numeric())
    fresh = {name: Parameter(name.decode()) for name in free.values()}
    text = str(value.subs({p: fresh[name] for p, name in free.items()}))
    return _number(0) if text == "0" else framed(b"e", text.encode())


def encode_expr(node: Any, label: Label) -> bytes:
    """A classical expression, with its types; variables and bits by label."""
    from qiskit.circuit.classical import expr

    kind = repr(node.type).encode()
    match node:
        case expr.Var():
            return framed(b"v", kind, label(node) if node.standalone else bits(node.var, label))
        case expr.Value():
            return framed(b"n", kind, repr(node.value).encode())
        case expr.Cast():
            return framed(b"t", kind, encode_expr(node.operand, label))
        case expr.Unary():
            return framed(b"u", kind, node.op.name.encode(), encode_expr(node.operand, label))
        case expr.Binary():
            sides = encode_expr(node.left, label), encode_expr(node.right, label)
            return framed(b"b", kind, node.op.name.encode(), *sides)
        case expr.Index():
            return framed(b"x", kind, encode_expr(node.target, label), encode_expr(node.index, label))
    return framed(b"z", kind, label(node))


def bits(target: Any, label: Label) -> bytes:
    """A clbit, a register (its bits in order) or a classical variable."""
    from qiskit.circuit import ClassicalRegister

    return framed(b"g", *map(label, target)) if isinstance(target, ClassicalRegister) else label(target)


def lifted(condition: Any) -> Any:
    """The condition of a block as an expression, whichever way it was written."""
    from qiskit.circuit.classical import expr

    return expr.lift_legacy_condition(condition) if isinstance(condition, tuple) else expr.lift(condition)


def reads(node: Any) -> Iterator[Any]:
    """The clbits and standalone variables that a classical expression reads."""
    from qiskit.circuit import ClassicalRegister
    from qiskit.circuit.classical import expr

    for var in expr.iter_vars(node):
        if var.standalone:
            yield var
        elif isinstance(var.var, ClassicalRegister):
            yield from var.var
        else:
            yield var.var
