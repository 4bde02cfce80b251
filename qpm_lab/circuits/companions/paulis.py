"""Paulis and the Clifford gates that permute them, as small tables.

A Pauli on one qubit is a number: I = 0, X = 1, Z = 2, Y = 3, so that a product is an exclusive or, up to a phase. One
on two qubits is `first + 4 * second`, first being the qubit that a gate names first, as in Qiskit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.complex128]

X, Z, Y = 1, 2, 3
_TOLERANCE = 1e-7
"""A gate this near to a Clifford one is that gate: what is left is far below any error of a machine."""


@dataclass(frozen=True, slots=True, eq=False)
class Conjugation:
    """What a Clifford gate G does to Paulis: G P G† = ± image(P)."""

    image: NDArray[np.int64]
    """Pauli → Pauli, shape (4,) or (16,)."""
    negative: NDArray[np.bool_]
    """Pauli → whether the sign is −1, same shape."""


@cache
def matrices(qubits: int) -> NDArray[np.complex128]:
    """All Paulis on one or two qubits, shape (4^qubits, 2^qubits, 2^qubits)."""
    import numpy as np

    x, z = np.array([[0, 1], [1, 0]], dtype=complex), np.diag([1, -1]).astype(complex)
    single = np.array([np.eye(2), x, z, 1j * x @ z])
    return single if qubits == 1 else np.array([np.kron(b, a) for b in single for a in single])


def conjugation(gate: Matrix) -> Conjugation | None:
    """The table of a unitary on one or two qubits; None when it is not a Clifford gate."""
    import numpy as np

    dimension = len(gate)
    paulis = matrices(dimension.bit_length() - 1)
    moved = gate @ paulis @ gate.conj().T
    overlaps = np.einsum("qij,pji->pq", paulis, moved).real / dimension
    image = np.abs(overlaps).argmax(axis=1)
    signs = overlaps[np.arange(len(image)), image]
    if not np.allclose(np.abs(signs), 1, atol=_TOLERANCE):
        return None
    return Conjugation(image, signs < 0)


def as_pauli(gate: Matrix) -> int | None:
    """The Pauli that a unitary is up to a phase; None when it is none."""
    import numpy as np

    paulis = matrices(len(gate).bit_length() - 1)
    overlaps = np.abs(np.einsum("qij,ji->q", paulis, gate)) / len(gate)
    best = int(overlaps.argmax())
    return best if abs(overlaps[best] - 1) < _TOLERANCE else None


@dataclass(frozen=True, slots=True, eq=False)
class Cliffords:
    """The 24 Clifford gates on one qubit, the simplest first; the identity is number 0."""

    matrices: NDArray[np.complex128]
    """Shape (24, 2, 2)."""
    image: NDArray[np.int64]
    """Clifford, Pauli → Pauli, shape (24, 4)."""
    negative: NDArray[np.bool_]
    """Clifford, Pauli → whether the sign is −1, shape (24, 4)."""
    preparing: NDArray[np.int64]
    """Pauli, sign → a Clifford that takes |0⟩ to that eigenstate of it, shape (4, 2); for I, |0⟩ or |1⟩."""
    measuring: NDArray[np.int64]
    """Pauli → a Clifford C with C P C† = Z, shape (4,); the identity for I."""


@cache
def cliffords() -> Cliffords:
    """The group, generated from H and S."""
    import numpy as np

    found = _generated()
    tables = [table for each in found if (table := conjugation(each)) is not None]
    image = np.array([table.image for table in tables])
    negative = np.array([table.negative for table in tables])
    preparing = np.array(
        [[_first((image[:, Z] == (pauli or Z)) & (negative[:, Z] == sign)) for sign in (0, 1)] for pauli in range(4)]
    )
    measuring = [0] + [_first((image[:, pauli] == Z) & ~negative[:, pauli]) for pauli in (X, Z, Y)]
    return Cliffords(np.array(found), image, negative, preparing, np.array(measuring))


def _first(mask: NDArray[np.bool_]) -> int:
    return int(mask.argmax())


def _generated() -> list[Matrix]:
    import numpy as np

    generators = np.array([[1, 1], [1, -1]]) / np.sqrt(2), np.diag([1, 1j])
    found: list[Matrix] = [np.eye(2, dtype=complex)]
    for each in found:  # grows while it is read
        for generator in generators:
            new = generator @ each
            if all(abs(np.trace(new.conj().T @ old)) < 2 - _TOLERANCE for old in found):
                found.append(new)
    return found
