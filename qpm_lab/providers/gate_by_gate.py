"""Rewrites single-qubit gates one by one: nothing is moved, merged or cancelled.

A circuit that is followed by its inverse would be optimised away by a transpiler; here it stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError
from qpm_lab.providers.gates import STRUCTURE

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction

_KEPT_GATES = 4096


def native(circuits: Iterable[QuantumCircuit], names: frozenset[str], runner: str) -> list[QuantumCircuit]:
    """The circuits with every single-qubit gate written in `rz`, `sx` and `x`.

    Args:
        circuits: On the backend's qubits; bound.
        names: The backend's gates.
        runner: The backend's id, for the error.

    Raises:
        CircuitError: A gate of several qubits is none of the backend's, or a gate has no matrix.
    """
    return [_rewritten(circuit, names | STRUCTURE, runner) for circuit in circuits]


def _rewritten(circuit: QuantumCircuit, names: frozenset[str], runner: str) -> QuantumCircuit:
    from qiskit.circuit import CircuitInstruction as Instruction

    result: QuantumCircuit = circuit.copy_empty_like()
    # Bits are those of the circuit itself, so what `append` would check of each is known.
    append = result._append
    for each in circuit.data:
        if each.name in names:
            append(each)
        else:
            for gate in _in_basis(each, runner):
                append(Instruction(gate, each.qubits))
    return result


def _in_basis(instruction: CircuitInstruction, runner: str) -> tuple[Any, ...]:
    if len(instruction.qubits) != 1:
        raise CircuitError(
            f"{runner} has no gate {instruction.name} between {len(instruction.qubits)} qubits.",
            "Route the circuit onto the backend first.",
        )
    if instruction.is_standard_gate() and not instruction.is_parameterized():
        return _standard(instruction.name, tuple(float(value) for value in instruction.params))
    return _decomposed(instruction.operation, runner)


@lru_cache(maxsize=_KEPT_GATES)
def _standard(name: str, values: tuple[float, ...]) -> tuple[Any, ...]:
    from qiskit.circuit.library import get_standard_gate_name_mapping

    gate = get_standard_gate_name_mapping()[name].base_class(*values)
    return _decomposed(gate, name)


def _decomposed(gate: Any, runner: str) -> tuple[Any, ...]:
    try:
        matrix = gate.to_matrix()
    except Exception as error:
        raise CircuitError(
            f"{runner} cannot run {gate.name}: it has no matrix.", "Give its parameters values."
        ) from error
    return tuple(each.operation for each in _decomposer()(matrix).data)


@cache
def _decomposer() -> Any:
    from qiskit.synthesis import OneQubitEulerDecomposer

    return OneQubitEulerDecomposer("ZSXX")
