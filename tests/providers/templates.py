"""Templates for the tests of sweeps, and the plain way to their distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter, ParameterExpression
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Statevector

from qpm_lab.providers.outcomes import Terminal, terminal
from qpm_lab.providers.vectorised import Compiled, compile_template

STANDARD = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if gate.num_qubits and name not in ("delay", "measure", "reset")
}
PARAMETERS = tuple(Parameter(name) for name in ("a", "b", "θ", "two words"))


def random_template(draw: np.random.Generator, qubits: int, gates: int) -> QuantumCircuit:
    """Any standard gates, with open, derived and constant angles; no measurements yet."""
    circuit = QuantumCircuit(QuantumRegister(qubits))
    fitting = [gate for gate in STANDARD.values() if gate.num_qubits <= qubits]
    for _ in range(gates):
        gate = fitting[draw.integers(len(fitting))].to_mutable()
        gate.params = [random_angle(draw) for _ in gate.params]
        circuit.append(gate, draw.permutation(qubits)[: gate.num_qubits].tolist())
    return circuit


def random_angle(draw: np.random.Generator) -> float | ParameterExpression:
    first, second = draw.choice(len(PARAMETERS), 2, replace=False)
    x, y = PARAMETERS[first], PARAMETERS[second]
    number = float(draw.uniform(-3, 3))
    return [x, number, number * x - y / 2 + 0.1, (x * y).sin() + x**2][draw.integers(4)]


def measured(circuit: QuantumCircuit, draw: np.random.Generator) -> QuantumCircuit:
    """Measures some qubits into some bits of several registers; one qubit may end up in two bits."""
    result = circuit.copy()
    sizes = draw.integers(1, 3, size=draw.integers(1, 4)).tolist()
    for place, size in enumerate(sizes):
        result.add_register(ClassicalRegister(size, f"r{place}"))
    bits = draw.permutation(result.num_clbits)[: draw.integers(1, result.num_clbits + 1)]
    for bit in bits.tolist():
        result.measure(int(draw.integers(result.num_qubits)), bit)
    return result


def compiled(circuit: QuantumCircuit, names: Sequence[str] | None = None) -> Compiled:
    """The circuit's template; its parameters in Qiskit's order unless told otherwise."""
    plan = compile_template(shape_of(circuit), names_of(circuit) if names is None else names)
    assert isinstance(plan, Compiled), plan
    return plan


def shape_of(circuit: QuantumCircuit) -> Terminal:
    shape = terminal(circuit)
    assert isinstance(shape, Terminal)
    return shape


def names_of(circuit: QuantumCircuit) -> list[str]:
    return [parameter.name for parameter in circuit.parameters]


def values_for(circuit: QuantumCircuit, points: int, draw: np.random.Generator) -> NDArray[np.float64]:
    return draw.uniform(-3, 3, (points, len(circuit.parameters)))


def plainly(circuit: QuantumCircuit, row: Sequence[float] | NDArray[Any], order: Sequence[int]) -> NDArray[np.float64]:
    """The distribution of the qubits in `order` at one point, by Qiskit's own state vector."""
    bare = circuit.remove_final_measurements(inplace=False) if circuit.clbits else circuit
    bound = bare.assign_parameters(dict(zip(circuit.parameters, row, strict=True)))
    result: NDArray[np.float64] = Statevector(bound).probabilities(list(order))
    return result
