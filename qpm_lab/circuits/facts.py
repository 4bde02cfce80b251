"""What policy, pricing and the ledger may know of a circuit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from qpm_lab.circuits.executed import executed
from qpm_lab.circuits.identity import fingerprint
from qpm_lab.experiment import CircuitFacts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_NOT_GATES = frozenset({"measure", "barrier"})


def facts(circuit: QuantumCircuit) -> CircuitFacts:
    """Fingerprint and counts of a circuit.

    Operations within control flow are counted once per block in which they are written, however often a loop
    repeats them, and the `if`, `for`, … that holds them is counted by its own name. Gates of the user's own
    count as one operation. Two-qubit gates are all operations on two or more qubits except measurements,
    barriers and control flow itself. What prices are worked out on is counted as it is executed: see `executed`.
    """
    gates: Counter[str] = Counter()
    wide = _count(circuit, gates)
    run = executed(circuit)
    return CircuitFacts(
        fingerprint=fingerprint(circuit),
        qubits=circuit.num_qubits,
        clbits=circuit.num_clbits,
        depth=circuit.depth(),
        gates=dict(gates),
        two_qubit_gates=wide,
        name=circuit.name or "",
        one_qubit_gates=run.one_qubit,
        measurements=run.measurements,
        wide_gates={qubits: run.wide[qubits] for qubits in sorted(run.wide) if run.wide[qubits]},
        countable=run.countable,
    )


def _count(circuit: QuantumCircuit, gates: Counter[str]) -> int:
    """Adds the operations to `gates`; returns how many of them act on two or more qubits."""
    wide = 0
    for instruction in circuit.data:
        name = instruction.name
        if name in _NOT_GATES:
            continue
        gates[name] += 1
        if instruction.is_control_flow():
            wide += sum(_count(block, gates) for block in instruction.operation.blocks)
        elif len(instruction.qubits) > 1:
            wide += 1
    return wide
