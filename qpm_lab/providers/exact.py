"""Outcome probabilities of a circuit of unitary gates, to machine precision."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.capacity import processors
from qpm_lab.providers.outcomes import Gates, Terminal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

_SMALL_QUBITS = 6
"""Up to here NumPy is faster than starting Aer."""


def probabilities(shape: Terminal, order: Sequence[int]) -> NDArray[np.float64]:
    """The distribution of some qubits at a circuit's end.

    Args:
        shape: The circuit, its gates among `unitary_gates()`.
        order: Different qubits of it; bit i of an outcome is `order[i]`.

    Returns:
        Shape (2^len(order),), not negative, with sum 1.
    """
    import numpy as np

    place = {qubit: i for i, qubit in enumerate(shape.qubits)}
    gates = tuple((gate, tuple(place[q] for q in on)) for gate, on in shape.gates)
    compute = _by_numpy if len(place) <= _SMALL_QUBITS else _by_aer
    found = compute(gates, len(place), [place[q] for q in order])
    np.maximum(found, 0.0, out=found)
    found /= found.sum()
    return found


@cache
def unitary_gates() -> frozenset[str]:
    """Names of the gates that `probabilities` takes."""
    configuration = _simulator().configuration()
    return frozenset(configuration.basis_gates) - frozenset(configuration.custom_instructions) - {"roerror"}


def _by_numpy(gates: Gates, qubits: int, order: list[int]) -> NDArray[np.float64]:
    import numpy as np

    state = np.zeros((2,) * qubits, dtype=complex)
    state[(0,) * qubits] = 1
    for gate, on in gates:
        # Axis 0 is the highest qubit, and the first qubit of a gate the lowest bit of its matrix.
        axes = [qubits - 1 - q for q in reversed(on)]
        width = len(on)
        matrix = np.asarray(gate.to_matrix()).reshape((2,) * (2 * width))
        state = np.tensordot(matrix, state, axes=(range(width, 2 * width), axes))
        state = np.moveaxis(state, range(width), axes)
    read = [qubits - 1 - q for q in reversed(order)]
    unread = [axis for axis in range(qubits) if axis not in read]
    weights = np.transpose(state.real**2 + state.imag**2, [*read, *unread])
    return np.asarray(weights.reshape(2 ** len(order), -1).sum(axis=1))


def _by_aer(gates: Gates, qubits: int, order: list[int]) -> NDArray[np.float64]:
    import numpy as np
    from qiskit import QuantumCircuit as Circuit

    circuit = Circuit(qubits)
    for gate, on in gates:
        circuit.append(gate, list(on), copy=False)
    circuit = by_qubit(circuit)
    circuit.save_probabilities(order)
    result = _simulator().run(circuit, shots=1, max_parallel_threads=processors()).result()
    if not result.success:
        raise ProviderError(f"The ideal simulation failed: {' '.join(str(result.status).split())[:300]}")
    return np.asarray(result.data(0)["probabilities"], dtype=np.float64)


def by_qubit(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit, its operations in the order of the DAG, which follows one qubit as far as it can.

    Aer fuses gates that stand beside one another; written layer by layer, 20 qubits take it a third longer.
    """
    from qiskit.converters import circuit_to_dag, dag_to_circuit

    ordered: QuantumCircuit = dag_to_circuit(circuit_to_dag(circuit))
    return ordered


@cache
def _simulator() -> Any:
    from qiskit_aer import AerSimulator

    return AerSimulator(method="statevector")
