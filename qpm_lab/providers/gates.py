"""Rewrites a circuit in a given set of gates, without the transpiler's plugin discovery.

A preset pass manager loads every installed vendor's plugin when it is first built, which takes up to
ten seconds; the passes named here take two milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

CONTROL_FLOW = frozenset(["if_else", "while_loop", "for_loop", "switch_case", "break_loop", "continue_loop", "store"])
STRUCTURE = CONTROL_FLOW | {"measure", "reset", "barrier", "delay"}


def only_uses(circuit: QuantumCircuit, names: Collection[str]) -> bool:
    """True when every operation, also inside control flow, is among `names`."""
    # Counted by Qiskit itself: looking at each instruction takes most of the time of a large circuit.
    used = circuit.count_ops().keys()
    if not used <= frozenset(names):
        return False
    if used.isdisjoint(CONTROL_FLOW):
        return True
    bodies = [getattr(each.operation, "blocks", ()) for each in circuit.data if each.name in CONTROL_FLOW]
    return all(only_uses(block, names) for blocks in bodies for block in blocks)


def rewritten(circuit: QuantumCircuit, names: frozenset[str], runner: str) -> QuantumCircuit:
    """The circuit in gates among `names`; the same object when it already is.

    Raises:
        CircuitError: An instruction has no definition in those gates.
    """
    if only_uses(circuit, names):
        return circuit
    from qiskit.exceptions import QiskitError

    try:
        result: QuantumCircuit = _pass_manager(names).run(circuit)
    except QiskitError as error:
        raise CircuitError(
            f"{runner} cannot run this circuit: {error.message}",
            "Replace the instruction by standard gates, for example with circuit.decompose().",
            cause=error,
        ) from error
    return result


def translation(names: frozenset[str]) -> list[Any]:
    """The passes that unroll definitions and translate to `names`."""
    from qiskit.circuit.equivalence_library import StandardEquivalenceLibrary as library
    from qiskit.transpiler.passes import BasisTranslator, UnrollCustomDefinitions

    basis = sorted(names)
    return [UnrollCustomDefinitions(library, basis_gates=basis), BasisTranslator(library, basis)]


@cache
def _pass_manager(names: frozenset[str]) -> Any:
    from qiskit.transpiler import PassManager

    return PassManager(translation(names))
