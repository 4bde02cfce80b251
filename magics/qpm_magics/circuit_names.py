"""Which of the user's variables are circuits, told by type name so that no SDK is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CIRCUIT_TYPES = frozenset({"QuantumCircuit", "QNode", "QuantumTape", "QuantumScript"})


def circuit_names(namespace: Mapping[str, Any], mentioned: Iterable[str] | None = None) -> list[str]:
    """Names bound to circuits, in the order of `mentioned` or of the namespace."""
    names = namespace if mentioned is None else mentioned
    return [n for n in names if not n.startswith("_") and is_circuit(namespace.get(n))]


def is_circuit(value: Any) -> bool:
    """True for circuits of Qiskit and PennyLane, and for OpenQASM text."""
    if isinstance(value, str):
        return value.lstrip().upper().startswith("OPENQASM")
    return any(kind.__name__ in CIRCUIT_TYPES for kind in type(value).__mro__)
