"""Work that depends on a circuit's content alone, kept for the next job with the same circuit."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.providers.interface import Task


def circuit_key(task: Task, place: int) -> Hashable | None:
    """What tells one of a task's circuits from every other; None when that is not known."""
    form = task.forms[place] if task.forms else ""
    bindings = task.bindings[place] if task.bindings else None
    return (form, bindings.names if bindings else ()) if form else None


def nameless(circuit: QuantumCircuit) -> QuantumCircuit:
    """A copy that is safe to keep: nobody else can change it, and it tells nothing about whose it was."""
    copy: QuantumCircuit = circuit.copy(name="circuit")
    copy.metadata = {}
    return copy
