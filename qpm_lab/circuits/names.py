"""Which of the user's variables are circuits, told by the names of their types so that no SDK is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MAX_CIRCUITS = 1000
"""Longest list of circuits that is looked through."""
TYPES = frozenset({"QuantumCircuit", "QNode", "QuantumScript", "QuantumTape"})
SDKS = ("qiskit", "pennylane")


def circuit_names(namespace: Mapping[str, Any], mentioned: Iterable[str] | None = None) -> list[str]:
    """Names bound to circuits, in the order of `mentioned` or of the namespace; `_private` ones are left out."""
    names = namespace if mentioned is None else mentioned
    return [name for name in names if not name.startswith("_") and is_circuit(namespace.get(name))]


def is_circuit(value: Any) -> bool:
    """True for circuits of Qiskit and PennyLane, for OpenQASM text, and for lists of circuits."""
    if isinstance(value, str):
        return value.lstrip()[:8].upper() == "OPENQASM"
    if isinstance(value, list | tuple):
        return 0 < len(value) <= MAX_CIRCUITS and all(map(_is_one, value))
    return _is_one(value)


def _is_one(value: object) -> bool:
    kinds = type(value).__mro__
    return any(kind.__name__ in TYPES and kind.__module__.partition(".")[0] in SDKS for kind in kinds)
