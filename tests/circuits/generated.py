"""Circuits for property tests: random operations on a few wires, and random legal reorderings of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from qiskit import QuantumCircuit

WIDTH = 4
Operation = tuple[str, tuple[float, ...], tuple[int, ...], tuple[int, ...]]
"""Method of QuantumCircuit, angles, qubits, clbits."""

_ANGLES = {"rx": 1, "rz": 1, "p": 1, "u": 3, "crz": 1, "rzz": 1}
_WIRES = {"h": 1, "x": 1, "sx": 1, "rx": 1, "rz": 1, "p": 1, "u": 1, "cx": 2, "cz": 2, "crz": 2, "rzz": 2, "ccx": 3}
# Multiples of 1/8: Qiskit compares angles with a tolerance, the fingerprint exactly.
_angle = st.integers(-80, 80).map(lambda n: n / 8)


@st.composite
def operations(draw: st.DrawFn, largest: int = 12) -> list[Operation]:
    """A list of gates, resets and measurements on `WIDTH` qubits and clbits."""
    return [draw(_operation()) for _ in range(draw(st.integers(0, largest)))]


@st.composite
def _operation(draw: st.DrawFn) -> Operation:
    name = draw(st.sampled_from([*_WIRES, "measure", "reset"]))
    qubits = tuple(draw(st.permutations(range(WIDTH)))[: _WIRES.get(name, 1)])
    angles = tuple(draw(_angle) for _ in range(_ANGLES.get(name, 0)))
    clbits = (draw(st.integers(0, WIDTH - 1)),) if name == "measure" else ()
    return name, angles, qubits, clbits


@st.composite
def reordered(draw: st.DrawFn, given: Sequence[Operation]) -> list[Operation]:
    """The same operations after swaps of neighbours that share no wire."""
    order = list(given)
    for _ in range(3 * len(order)):
        place = draw(st.integers(0, max(0, len(order) - 2)))
        if len(order) > 1 and _independent(order[place], order[place + 1]):
            order[place : place + 2] = order[place + 1], order[place]
    return order


def _independent(one: Operation, other: Operation) -> bool:
    return not set(one[2]) & set(other[2]) and not set(one[3]) & set(other[3])


def build(given: Sequence[Operation], **names: Any) -> QuantumCircuit:
    """A circuit of `WIDTH` qubits and clbits."""
    circuit = QuantumCircuit(WIDTH, WIDTH, **names)
    for name, angles, qubits, clbits in given:
        getattr(circuit, name)(*angles, *qubits, *clbits)
    return circuit


circuits = operations().map(build)
