"""Mirror circuits: a circuit and its inverse, whose survival gives the fidelity of the circuit as it is.

Proctor et al., "Establishing trust in quantum computations", arXiv:2204.07568.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.companions.layers import Layered, layered
from qpm_lab.circuits.companions.paulis import X, cliffords, matrices
from qpm_lab.circuits.companions.randomised import Compiling
from qpm_lab.circuits.companions.reading import bits_of, require_number
from qpm_lab.circuits.companions.writing import Writer, filled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit


@dataclass(frozen=True, slots=True, eq=False)
class Mirror:
    """A circuit that ends in one known bit string when nothing errs."""

    circuit: QuantumCircuit
    """Measures every used qubit into one register, the lowest qubit into its bit 0."""
    target: str
    """The bit string, in the order of a key of counts: qubit 0 of the register rightmost."""

    def distances(self, counts: Mapping[str, int]) -> NDArray[np.int64]:
        """How many shots came k bits away from the target, k = 0 … n: shape (n + 1,), as `mirror_fidelity` takes it.

        Raises:
            InputError: The keys are not bit strings of the circuit's register.
        """
        import numpy as np

        width, target = len(self.target), int(self.target, 2)
        histogram = np.zeros(width + 1, dtype=np.int64)
        for key, shots in counts.items():
            histogram[(bits_of(key, width) ^ target).bit_count()] += shots
        return histogram


@dataclass(frozen=True, slots=True, eq=False)
class Mirrors:
    """The three families of arXiv:2204.07568, equally many circuits of each."""

    circuit: tuple[Mirror, ...]
    """M1: the circuit as it was given, then its randomised inverse."""
    inverse: tuple[Mirror, ...]
    """M2: the randomised circuit, then its randomised inverse."""
    reference: tuple[Mirror, ...]
    """M3: preparation and measurement alone."""


def mirror_circuits(
    circuit: QuantumCircuit, number: int, seed: int, *, gates: Collection[str] | None = None
) -> Mirrors:
    """Circuits for mirror-circuit fidelity estimation of any circuit in a backend's gates.

    Each prepares every used qubit with a random one-qubit Clifford gate, runs its middle part, which is the identity
    without errors, and undoes the preparation up to a random flip of each bit, so that the target is uniformly random.
    Randomised means that random Paulis stand around each two-qubit gate, merged into the one-qubit gates.

    Args:
        circuit: In the gates and on the qubits of the backend: one-qubit gates and two-qubit Clifford gates that are
            their own inverse up to a Pauli (cx, cz, ecr, and others such as iswap or rzz(π/2)), bound, with
            measurements only at its end. Qubits it does not use are not touched.
        number: Circuits in each family; 30, each with 100 shots, is usual.
        seed: Of the random choices.
        gates: Names of the backend's gates, in which one-qubit gates are written; None writes Qiskit's `u`.

    Raises:
        CircuitError: The circuit is not of that form, or the gates cannot make every one-qubit gate.
        InputError: `number` is not a positive whole number.
    """
    import numpy as np

    require_number(number, "circuits in a family")
    layers = layered(circuit)
    making = _Making(layers, Writer(layers, gates), np.random.default_rng(seed))
    families = [
        tuple(making.mirror(middle, f"{circuit.name}-{name}-{i}") for i in range(number))
        for name, middle in (("mirror", making.bare), ("randomised", making.randomised), ("reference", making.empty))
    ]
    return Mirrors(*families)


class _Making:
    def __init__(self, layers: Layered, writer: Writer, random: np.random.Generator) -> None:
        self.layers = layers
        self.writer = writer
        self.random = random
        self.template = writer.template()
        self.readout = writer.readout(self.template)

    def mirror(self, middle: Callable[[Compiling], list[Any]], name: str) -> Mirror:
        qubits, barrier = self.layers.qubits, self.writer.barrier
        compiling = Compiling(self.layers, self.writer, self.random)
        prepared = self.random.integers(24, size=len(qubits)).tolist()
        flips = self.random.integers(2, size=len(qubits)).tolist()
        body = [one for q, c in zip(qubits, prepared, strict=True) for one in self.writer.clifford(q, c)]
        body += barrier + middle(compiling) + barrier
        for qubit, number, flip in zip(qubits, prepared, flips, strict=True):
            compiling.add(qubit, cliffords().matrices[number].conj().T)
            compiling.add(qubit, matrices(1)[X * flip])
            body += compiling.turn(qubit, 0)
        target = "".join(str(flip) for flip in reversed(flips))
        return Mirror(filled(self.template, body + self.readout, name), target)

    def bare(self, compiling: Compiling) -> list[Any]:
        return [*self.layers.bare, *self.writer.barrier, *compiling.backward(), *compiling.close(undo=False)]

    def randomised(self, compiling: Compiling) -> list[Any]:
        there = compiling.forward() + compiling.close(undo=False)
        # Without the barrier the last gates of the circuit and the first of its inverse would be one.
        return there + self.writer.barrier + compiling.backward() + compiling.close(undo=False)

    @staticmethod
    def empty(_: Compiling) -> list[Any]:
        return []
