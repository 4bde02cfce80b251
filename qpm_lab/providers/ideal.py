"""The exact outcome distribution of a circuit on a perfect machine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from qpm_lab.errors import CircuitError
from qpm_lab.providers.aer_method import state_vector
from qpm_lab.providers.capacity import HEADROOM, bytes_text, free_bytes
from qpm_lab.providers.gates import STRUCTURE, rewritten
from qpm_lab.providers.outcomes import Gates, NotTerminal, Terminal, group_sizes, keys_of, terminal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

MAX_QUBITS = 20
"""A million outcomes: about what a dictionary can hold without being the slowest part of a job."""
LONGEST_SECONDS = 10.0
"""A circuit expected to take longer is not computed for the sake of its fidelity alone."""
SMALLEST_PROBABILITY = 1e-15
_BYTES_PER_OUTCOME = 400
_SMALL_QUBITS = 6
"""Up to here NumPy is faster than starting Aer."""


class Ideal(NamedTuple):
    """An ideal distribution, or why there is none."""

    probabilities: Mapping[str, float] | None
    """Key → probability in the format of the counts; sums to 1, values below 1e-15 left out."""
    reason: str | None = None
    """Why `probabilities` is None: a sentence for the user."""


def ideal_probabilities(circuit: QuantumCircuit, *, max_qubits: int = MAX_QUBITS) -> Ideal:
    """Computes what a measured, bound circuit gives without noise, exactly.

    Args:
        circuit: Measures at its end; unitary gates only.
        max_qubits: Qubits acted upon or measured, at most.

    Returns:
        The distribution over the outcomes, or the reason why it is not computed.
    """
    shape = terminal(circuit)
    if isinstance(shape, NotTerminal):
        return _refusal(f"{shape.reason}; that needs a circuit that measures once, at its end")
    if reason := _too_much(shape, max_qubits):
        return _refusal(reason)
    try:
        simple = terminal(rewritten(circuit, _unitary_gates() | STRUCTURE, "The ideal simulation"))
    except CircuitError as error:
        # The backend could run it, a channel for example; that it is no unitary is no failure of the job.
        return _refusal(error.message.rstrip("."))
    if isinstance(simple, NotTerminal):
        return _refusal(simple.reason)
    order = sorted(set(shape.measured.values()))
    return Ideal(_by_key(_probabilities(simple, order), simple, order, group_sizes(circuit)))


def measured_bits(circuit: QuantumCircuit) -> int:
    """How many different qubits are read: of the 2^clbits keys only 2^this many can occur.

    A circuit that measures before its end, or decides on results, counts all its classical bits.
    """
    shape = terminal(circuit)
    return circuit.num_clbits if isinstance(shape, NotTerminal) else len(set(shape.measured.values()))


def _refusal(reason: str) -> Ideal:
    return Ideal(None, f"The ideal distribution of this circuit is not computed: {reason}.")


def _too_much(shape: Terminal, max_qubits: int) -> str:
    qubits = len(shape.qubits)
    if qubits > max_qubits:
        return f"it has {qubits} qubits, and ideal distributions are computed up to {max_qubits}"
    need = (16 + 8 + _BYTES_PER_OUTCOME) * 2.0**qubits
    if need > 2**26 and need > HEADROOM * (free := free_bytes()):
        return f"its ideal distribution needs {bytes_text(need)}, and {bytes_text(free)} are free"
    if state_vector(qubits, len(shape.gates), sampled=True).setup_seconds > LONGEST_SECONDS:
        return f"computing its ideal distribution would take more than {LONGEST_SECONDS:.0f} seconds"
    return ""


def _probabilities(shape: Terminal, order: list[int]) -> NDArray[np.float64]:
    """Probabilities of the measured qubits, shape (2^len(order),); bit i is qubit `order[i]`."""
    import numpy as np

    qubits = shape.qubits
    place = {qubit: i for i, qubit in enumerate(qubits)}
    gates = tuple((gate, tuple(place[q] for q in on)) for gate, on in shape.gates)
    evolve = _by_numpy if len(qubits) <= _SMALL_QUBITS else _by_aer
    state = evolve(gates, len(qubits))
    weights = (state.real**2 + state.imag**2).reshape((2,) * len(qubits))
    last = len(qubits) - 1
    unread = tuple(last - place[q] for q in qubits if q not in set(order))
    total = np.asarray(weights.sum(axis=unread) if unread else weights).ravel()
    return np.asarray(total / total.sum())


def _by_numpy(gates: Gates, qubits: int) -> NDArray[np.complex128]:
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
    return state.ravel()


def _by_aer(gates: Gates, qubits: int) -> NDArray[np.complex128]:
    import numpy as np
    from qiskit import QuantumCircuit as Circuit

    circuit = Circuit(qubits)
    for gate, on in gates:
        circuit.append(gate, list(on))
    circuit.save_statevector()
    result = _simulator().run(circuit, shots=1).result()
    return np.asarray(result.data(0)["statevector"])


@cache
def _simulator() -> Any:
    from qiskit_aer import AerSimulator

    return AerSimulator(method="statevector")


@cache
def _unitary_gates() -> frozenset[str]:
    configuration = _simulator().configuration()
    return frozenset(configuration.basis_gates) - frozenset(configuration.custom_instructions) - {"roerror"}


def _by_key(
    probabilities: NDArray[np.float64], shape: Terminal, order: list[int], sizes: tuple[int, ...]
) -> dict[str, float]:
    import numpy as np

    kept = np.flatnonzero(probabilities >= SMALLEST_PROBABILITY)
    keys = keys_of(kept, shape.measured, order, sizes)
    return dict(zip(keys, probabilities[kept].tolist(), strict=True))
