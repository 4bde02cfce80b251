"""Outcomes of Clifford circuits: a tableau whose columns are Python integers, one bit per generator.

Aaronson and Gottesman, Phys. Rev. A 70, 052328 (2004), without its destabilizers: a circuit that measures at its end
has outcomes that are uniform over an affine space, and n generators say which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Step = tuple[str, int, int]
"""Gate (`s`, `sdg`, `z`, `x`, `sx` or `cx`), its qubit or control, and its target (the same where it has none)."""
Row = tuple[int, int, int]
"""A Pauli operator i^e X^x Z^z as (x, z, e); bit q of x and z belongs to qubit q."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What measuring all qubits gives: each sum of `base` and some `directions`, modulo 2, equally often."""

    qubits: int
    base: int
    directions: tuple[int, ...]
    """Linearly independent; bit q belongs to qubit q."""

    def sample(self, shots: int, random: np.random.Generator) -> NDArray[np.uint8]:
        """Draws outcomes; shape (shots, qubits), column q is qubit q."""
        import numpy as np

        found = np.tile(bits_of([self.base], self.qubits), (shots, 1))
        chosen = random.integers(0, 2, (shots, len(self.directions)), dtype=np.uint8)
        if shots == 1:
            flips = [way for way, taken in zip(self.directions, chosen[0].tolist(), strict=True) if taken]
            return np.asarray(found ^ (bits_of(flips, self.qubits).sum(axis=0) & 1).astype(np.uint8))
        for way, taken in zip(bits_of(self.directions, self.qubits), chosen.T, strict=True):
            found[:, way == 1] ^= taken[:, None]
        return found


def bits_of(numbers: Sequence[int], width: int) -> NDArray[np.uint8]:
    """The bits of integers below 2^width; shape (len(numbers), width), column i is bit i."""
    import numpy as np

    size = (width + 7) // 8
    data = np.frombuffer(b"".join([each.to_bytes(size, "little") for each in numbers]), dtype=np.uint8)
    return np.unpackbits(data.reshape(len(numbers), size), axis=1, bitorder="little", count=width)


def outcomes(steps: Iterable[Step], qubits: int) -> Outcomes:
    """What a circuit that starts in |0…0⟩ gives when all its qubits are measured at its end."""
    x, z, signs = _evolved(steps, qubits)
    x_rows, z_rows = _transposed(x, qubits), _transposed(z, qubits)
    basis: dict[int, Row] = {}
    fixed: dict[int, tuple[int, int]] = {}
    for i in range(qubits):
        own_x, own_z = x_rows[i], z_rows[i]
        row = (own_x, own_z, (2 * (signs >> i & 1) + (own_x & own_z).bit_count()) & 3)
        while row[0] and (known := basis.get(row[0].bit_length())):
            row = _product(row, known)
        if row[0]:
            basis[row[0].bit_length()] = row
        else:
            _constrain(fixed, row[1], row[2] >> 1)
    return Outcomes(qubits, _solution(fixed), tuple([row[0] for row in basis.values()]))


def _evolved(steps: Iterable[Step], qubits: int) -> tuple[list[int], list[int], int]:
    """The generators Z₀ … Zₙ₋₁ carried through the circuit: columns of X and Z, and signs."""
    x, z, signs = [0] * qubits, [1 << q for q in range(qubits)], 0
    for name, a, b in steps:
        xa, za = x[a], z[a]
        if name == "s":
            signs ^= xa & za
            z[a] = za ^ xa
        elif name == "cx":
            signs ^= xa & z[b] & ~(x[b] ^ za)
            x[b] ^= xa
            z[a] = za ^ z[b]
        elif name == "sx":
            signs ^= za & ~xa
            x[a] = xa ^ za
        elif name == "z":
            signs ^= xa
        elif name == "x":
            signs ^= za
        else:
            signs ^= xa & ~za
            z[a] = za ^ xa
    return x, z, signs


def _transposed(columns: Sequence[int], size: int) -> list[int]:
    import numpy as np

    rows = np.packbits(bits_of(columns, size).T, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def _product(one: Row, other: Row) -> Row:
    exponent = one[2] + other[2] + 2 * (one[1] & other[0]).bit_count()
    return one[0] ^ other[0], one[1] ^ other[1], exponent & 3


def _constrain(fixed: dict[int, tuple[int, int]], mask: int, parity: int) -> None:
    """Adds the equation that the bits in `mask` sum to `parity`; the key is its highest bit."""
    while known := fixed.get(mask.bit_length()):
        mask, parity = mask ^ known[0], parity ^ known[1]
    fixed[mask.bit_length()] = mask, parity


def _solution(fixed: dict[int, tuple[int, int]]) -> int:
    found = 0
    for highest in sorted(fixed):
        mask, parity = fixed[highest]
        if ((mask & found).bit_count() ^ parity) & 1:
            found |= 1 << (highest - 1)
    return found
