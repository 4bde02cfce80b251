"""Unitary matrices by their rows, for many parameter values at once.

Only rows that differ from the identity are written, and of those only entries that are not zero, so that
a controlled gate costs what it changes. The first qubit of a gate is the lowest bit of a row's number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Entry: TypeAlias = complex | NDArray[Any]
"""One matrix entry: a number for all points, or one number per point, shape (points,)."""
Rows: TypeAlias = Mapping[int, Mapping[int, Entry]]
"""Row → column → entry."""
Angle: TypeAlias = Any
"""A number or an array of shape (points,), in radians."""


def rows_of(matrix: NDArray[Any]) -> Rows:
    """The rows of a matrix, shape (d, d), or of one per point, shape (d, d, points)."""
    rows: dict[int, dict[int, Entry]] = {}
    if matrix.ndim == 2:
        for r, row in enumerate(matrix.tolist()):
            entries = {c: entry for c, entry in enumerate(row) if entry != 0}
            if entries != {r: 1}:
                rows[r] = entries
        return rows
    used: NDArray[np.bool_] = np.any(matrix != 0, axis=2)
    return {r: {c: matrix[r, c] for c in np.flatnonzero(used[r]).tolist()} for r in range(len(matrix))}


def dense(rows: Rows, qubits: int, points: int) -> NDArray[np.complex128]:
    """The same as one array, shape (2^qubits, 2^qubits, points)."""
    matrix = np.zeros((1 << qubits, 1 << qubits, points), dtype=complex)
    matrix[range(1 << qubits), range(1 << qubits)] = 1
    for r, row in rows.items():
        matrix[r] = 0
        for c, entry in row.items():
            matrix[r, c] = entry
    return matrix


def is_diagonal(rows: Rows) -> bool:
    """True when it changes phases only."""
    return all(row.keys() == {r} for r, row in rows.items())


def controlled(rows: Rows, controls: int, state: int) -> Rows:
    """The gate under `controls` further qubits, placed first; it acts where they read `state`."""
    return {state | r << controls: {state | c << controls: e for c, e in row.items()} for r, row in rows.items()}


def product(after: Rows, before: Rows, size: int) -> Rows:
    """The matrix product of two gates on the same qubits, with `size` rows."""
    result: dict[int, dict[int, Entry]] = {}
    for r in range(size):
        entries: dict[int, Entry] = {}
        for k, left in after.get(r, {r: 1}).items():
            for c, right in before.get(k, {k: 1}).items():
                entries[c] = entries[c] + left * right if c in entries else left * right
        if _varies(entries) or entries != {r: 1}:
            result[r] = entries
    return result


def _varies(row: Mapping[int, Entry]) -> bool:
    return any(isinstance(entry, np.ndarray) for entry in row.values())


def _phase(angle: Angle) -> Any:
    return np.cos(angle) + 1j * np.sin(angle)


def _turn(theta: Angle) -> tuple[Any, Any]:
    """cos θ/2 and −i sin θ/2."""
    return np.cos(theta / 2), -1j * np.sin(theta / 2)


def rx(theta: Angle) -> Rows:
    c, s = _turn(theta)
    return {0: {0: c, 1: s}, 1: {0: s, 1: c}}


def ry(theta: Angle) -> Rows:
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return {0: {0: c, 1: -s}, 1: {0: s, 1: c}}


def rz(theta: Angle) -> Rows:
    phase = _phase(theta / 2)
    return {0: {0: np.conj(phase)}, 1: {1: phase}}


def p(theta: Angle) -> Rows:
    return {1: {1: _phase(theta)}}


def u(theta: Angle, phi: Angle, lam: Angle) -> Rows:
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return {0: {0: c, 1: -_phase(lam) * s}, 1: {0: _phase(phi) * s, 1: _phase(phi + lam) * c}}


def u2(phi: Angle, lam: Angle) -> Rows:
    return u(np.pi / 2, phi, lam)


def r(theta: Angle, phi: Angle) -> Rows:
    c, s = _turn(theta)
    return {0: {0: c, 1: s * _phase(-phi)}, 1: {0: s * _phase(phi), 1: c}}


def cu(theta: Angle, phi: Angle, lam: Angle, gamma: Angle) -> Rows:
    phase = _phase(gamma)
    rows = u(theta, phi, lam)
    return controlled({r: {c: e * phase for c, e in row.items()} for r, row in rows.items()}, 1, 1)


def rxx(theta: Angle) -> Rows:
    c, s = _turn(theta)
    return {k: {k: c, 3 - k: s} for k in range(4)}


def ryy(theta: Angle) -> Rows:
    c, s = _turn(theta)
    return {k: {k: c, 3 - k: s if k in (1, 2) else -s} for k in range(4)}


def rzz(theta: Angle) -> Rows:
    phase = _phase(theta / 2)
    other = np.conj(phase)
    return {0: {0: other}, 1: {1: phase}, 2: {2: phase}, 3: {3: other}}


def rzx(theta: Angle) -> Rows:
    c, s = _turn(theta)
    return {k: {k: c, k ^ 2: -s if k & 1 else s} for k in range(4)}


def xx_minus_yy(theta: Angle, beta: Angle) -> Rows:
    c, s = _turn(theta)
    return {0: {0: c, 3: s * _phase(-beta)}, 3: {0: s * _phase(beta), 3: c}}


def xx_plus_yy(theta: Angle, beta: Angle) -> Rows:
    c, s = _turn(theta)
    return {1: {1: c, 2: s * _phase(-beta)}, 2: {1: s * _phase(beta), 2: c}}


BY_CLASS: Mapping[str, Callable[..., Rows]] = {
    "RXGate": rx,
    "RYGate": ry,
    "RZGate": rz,
    "PhaseGate": p,
    "U1Gate": p,
    "UGate": u,
    "U2Gate": u2,
    "U3Gate": u,
    "RGate": r,
    "CUGate": cu,
    "RXXGate": rxx,
    "RYYGate": ryy,
    "RZZGate": rzz,
    "RZXGate": rzx,
    "XXMinusYYGate": xx_minus_yy,
    "XXPlusYYGate": xx_plus_yy,
}
"""Qiskit's gates with angles, by the name of their class, with the matrices of its circuit library."""
