"""Randomised compiling: random Paulis around the two-qubit gates, merged into the one-qubit gates between them.

Wallman and Emerson, arXiv:1512.01098.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.companions.paulis import matrices
from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    import numpy as np

    from qpm_lab.circuits.companions.layers import Layered, Pair, Turns
    from qpm_lab.circuits.companions.paulis import Matrix
    from qpm_lab.circuits.companions.writing import Writer

    Steps = tuple[Sequence[Turns], Sequence[Sequence[Pair]]]
    """One-qubit gates and layers of pairs, in turn: one more of the former."""
    Frame = dict[int, int]
    """Qubit → the Pauli by which its state differs from the ideal one."""


class Compiling:
    """Writes steps of one circuit with fresh random Paulis; keeps the frame from one part to the next."""

    def __init__(self, layers: Layered, writer: Writer, random: np.random.Generator) -> None:
        self._layers = layers
        self._writer = writer
        self._random = random
        self._pending: Turns = {}
        self.frame: Frame = {}

    def forward(self) -> list[Any]:
        """The circuit itself; its last one-qubit gates are still to be written by `close`."""
        return self._compile((self._layers.turns, self._layers.pairs), inverse=False)

    def backward(self) -> list[Any]:
        """The inverse of the circuit, likewise, in the same two-qubit gates.

        Raises:
            CircuitError: The inverse of one of them is another gate.
        """
        turns = [{q: matrix.conj().T for q, matrix in each.items()} for each in reversed(self._layers.turns)]
        return self._compile((turns, self._layers.pairs[::-1]), inverse=True)

    def close(self, *, undo: bool) -> list[Any]:
        """The one-qubit gates still to be written, into a random frame or into none."""
        qubits = self._layers.acted
        wanted = [0] * len(qubits) if undo else self._random.integers(4, size=len(qubits)).tolist()
        return [one for qubit, pauli in zip(qubits, wanted, strict=True) for one in self.turn(qubit, pauli)]

    def turn(self, qubit: int, pauli: int) -> list[Any]:
        """What a qubit waits for, into a frame that is this Pauli."""
        paulis = matrices(1)
        waiting: Matrix = paulis[pauli] @ self._waiting(qubit) @ paulis[self.frame.get(qubit, 0)]
        self._pending.pop(qubit, None)
        self.frame[qubit] = pauli
        return self._writer.turn(qubit, waiting)

    def add(self, qubit: int, matrix: Matrix) -> None:
        """A one-qubit gate to be done on a qubit before anything else."""
        self._pending[qubit] = matrix @ self._waiting(qubit)

    def _waiting(self, qubit: int) -> Matrix:
        identity: Matrix = matrices(1)[0]
        return self._pending.get(qubit, identity)

    def _compile(self, steps: Steps, *, inverse: bool) -> list[Any]:
        turns, layers = steps
        written: list[Any] = []
        for each, layer in zip(turns, [*layers, ()], strict=True):
            for qubit, matrix in each.items():
                self.add(qubit, matrix)
            if layer:
                written += self._dressed(layer, inverse)
        return written

    def _dressed(self, layer: Sequence[Pair], inverse: bool) -> list[Any]:
        written: list[Any] = []
        for pair in layer:
            for qubit, pauli in zip(pair.qubits, self._random.integers(4, size=2).tolist(), strict=True):
                written += self.turn(qubit, pauli)
        written += self._writer.barrier + self._writer.pairs(layer) + self._writer.barrier
        for pair in layer:
            self._pass(pair, inverse)
        return written

    def _pass(self, pair: Pair, inverse: bool) -> None:
        """The frame behind a pair. As the inverse of G stands G itself, which differs from it by the Pauli G²."""
        first, second = pair.qubits
        image = int(pair.conjugation.image[self.frame[first] + 4 * self.frame[second]])
        if inverse:
            if pair.square is None:
                raise CircuitError(
                    f"The gate {pair.operation.name} is not its own inverse, so the circuit cannot be mirrored.",
                    "Use cx, cz or ecr.",
                )
            image ^= pair.square
        self.frame[second], self.frame[first] = divmod(image, 4)
