"""The exact outcome distribution of a circuit on a perfect machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from qpm_lab.errors import CircuitError
from qpm_lab.providers import exact
from qpm_lab.providers.aer_method import state_vector
from qpm_lab.providers.capacity import HEADROOM, UNCHECKED_BYTES, bytes_text, free_bytes
from qpm_lab.providers.gates import STRUCTURE, rewritten
from qpm_lab.providers.outcomes import NotTerminal, Terminal, group_sizes, keys_of, terminal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

MAX_QUBITS = 25
"""A distribution of 256 MiB; each further qubit doubles that and the time."""
LONGEST_SECONDS = 30.0
"""A circuit expected to take longer is not computed for the sake of its fidelity alone."""
LARGEST_DICTIONARY = 4096
"""Outcomes; more are given as an array, of which a million takes 8 MB instead of 400."""
SMALLEST_PROBABILITY = 1e-15
_MOST_KEYED_BITS = 20
"""Bits of which all outcomes can be written as keys, where there are too many classical bits for an array."""
_BYTES_PER_AMPLITUDE = 40
"""The state, its probabilities and a copy of them; measured at 25 qubits."""
_BYTES_PER_KEY = 400


class Ideal(NamedTuple):
    """An ideal distribution, or why there is none."""

    probabilities: Mapping[str, float] | NDArray[np.float64] | None
    """Sums to 1. Key → probability in the format of the counts where few outcomes are possible, values below 1e-15
    left out; else an array of shape (2^clbits,), its index the outcome's bits without spaces, read as a number."""
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
    shape = _computable(circuit, max_qubits)
    if isinstance(shape, str):
        return Ideal(None, _sentence(shape))
    measured = shape.measured
    order = list(dict.fromkeys(measured[clbit] for clbit in sorted(measured)))
    return Ideal(_written(exact.probabilities(shape, order), circuit, measured, order))


def why_no_ideal(circuit: QuantumCircuit, *, max_qubits: int = MAX_QUBITS) -> str | None:
    """Why `ideal_probabilities` would refuse, in its words, found without simulating; None when it would not.

    Args:
        circuit: As for `ideal_probabilities`.
        max_qubits: As there.
    """
    shape = _computable(circuit, max_qubits)
    return _sentence(shape) if isinstance(shape, str) else None


def measured_bits(circuit: QuantumCircuit) -> int:
    """How many different qubits are read: of the 2^clbits keys only 2^this many can occur.

    A circuit that measures before its end, or decides on results, counts all its classical bits.
    """
    shape = terminal(circuit)
    return circuit.num_clbits if isinstance(shape, NotTerminal) else len(set(shape.measured.values()))


def _sentence(reason: str) -> str:
    return f"The ideal distribution of this circuit is not computed: {reason}."


def _computable(circuit: QuantumCircuit, max_qubits: int) -> Terminal | str:
    """The circuit in gates that can be simulated, or the reason why its distribution is not computed."""
    shape = terminal(circuit)
    if isinstance(shape, NotTerminal):
        return f"{shape.reason}; that needs a circuit that measures once, at its end"
    if reason := _too_wide(circuit, shape, max_qubits):
        return reason
    if circuit.parameters:
        return f"its parameter {circuit.parameters[0].name!r} has no value"
    try:
        simple = terminal(rewritten(circuit, exact.unitary_gates() | STRUCTURE, "The ideal simulation"))
    except CircuitError as error:
        # The backend could run it, a channel for example; that it is no unitary is no failure of the job.
        return error.message.rstrip(".")
    if isinstance(simple, NotTerminal):
        return simple.reason
    return _too_much(simple) or simple


def _too_wide(circuit: QuantumCircuit, shape: Terminal, max_qubits: int) -> str:
    qubits, read = len(shape.qubits), len(set(shape.measured.values()))
    if not read:
        return "it measures nothing"
    if qubits > max_qubits:
        return f"it has {qubits} qubits, and ideal distributions are computed up to {max_qubits}"
    if circuit.num_clbits > MAX_QUBITS and read > _MOST_KEYED_BITS:
        return f"{read} of its {circuit.num_clbits} classical bits are measured; more than {MAX_QUBITS} are too many"
    as_array = 8 * 2.0**circuit.num_clbits if circuit.num_clbits <= MAX_QUBITS else _BYTES_PER_KEY * 2.0**read
    need = _BYTES_PER_AMPLITUDE * 2.0**qubits + as_array
    if need > UNCHECKED_BYTES and need > HEADROOM * (free := free_bytes()):
        return f"its ideal distribution needs {bytes_text(need)}, and {bytes_text(free)} are free"
    return ""


def _too_much(shape: Terminal) -> str:
    if state_vector(len(shape.qubits), len(shape.gates), sampled=True).setup_seconds > LONGEST_SECONDS:
        return f"computing its ideal distribution would take more than {LONGEST_SECONDS:.0f} seconds"
    return ""


def _written(
    values: NDArray[np.float64], circuit: QuantumCircuit, measured: Mapping[int, int], order: list[int]
) -> Mapping[str, float] | NDArray[np.float64]:
    import numpy as np

    # Counted first: the places of 33 million outcomes take as much memory as they do.
    if circuit.num_clbits <= MAX_QUBITS and np.count_nonzero(values >= SMALLEST_PROBABILITY) > LARGEST_DICTIONARY:
        return _dense(values, circuit.num_clbits, measured, order)
    kept = np.flatnonzero(values >= SMALLEST_PROBABILITY)
    keys = keys_of(kept, measured, order, group_sizes(circuit))
    return dict(zip(keys, values[kept].tolist(), strict=True))


def _dense(
    values: NDArray[np.float64], clbits: int, measured: Mapping[int, int], order: list[int]
) -> NDArray[np.float64]:
    """The probabilities by classical bits instead of by `order`, shape (2^clbits,)."""
    import numpy as np

    if [measured.get(clbit) for clbit in range(clbits)] == order:
        return values
    place = {qubit: i for i, qubit in enumerate(order)}
    bits = np.arange(len(values), dtype=np.int64)
    index = np.zeros_like(bits)
    for clbit, qubit in measured.items():
        index |= ((bits >> place[qubit]) & 1) << clbit
    spread = np.zeros(2**clbits)
    spread[index] = values
    return spread
