"""Clifford proxies: circuits whose mean success gives the process fidelity of a circuit of any size.

Direct fidelity estimation: Flammia and Liu, arXiv:1104.4695; da Silva, Landon-Cardinal and Poulin, arXiv:1104.3835.
Proxies of circuits that are not Clifford: Merkel et al., arXiv:2503.05943.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.companions.layers import Layered, layered
from qpm_lab.circuits.companions.paulis import cliffords, conjugation
from qpm_lab.circuits.companions.reading import bits_of, require_number
from qpm_lab.circuits.companions.writing import Writer, filled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit


@dataclass(frozen=True, slots=True, eq=False)
class Proxy:
    """One instance: a Pauli's eigenstate in, the circuit, and the measurement of what the Pauli becomes."""

    circuit: QuantumCircuit
    """Measures every used qubit into one register, the lowest qubit into its bit 0."""
    mask: int
    """The bits whose parity is read: bit i of the number is bit i of the register."""
    parity: int
    """What that parity is without errors, 0 or 1."""

    def successes(self, counts: Mapping[str, int]) -> int:
        """Shots with the parity that the circuit has without errors: all of them on an ideal machine.

        Raises:
            InputError: The keys are not bit strings of the circuit's register.
        """
        width = self.circuit.num_clbits
        return sum(n for key, n in counts.items() if (bits_of(key, width) & self.mask).bit_count() % 2 == self.parity)


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """The random choices of many instances, and the Paulis they lead to; n used qubits, in their order."""

    prepared: NDArray[np.int64]
    """The Pauli each instance starts from, shape (instances, n)."""
    signs: NDArray[np.int64]
    """Which of its eigenstates each qubit is in, 0 or 1, shape (instances, n)."""
    turns: tuple[dict[int, NDArray[np.int64]], ...]
    """For each layer, qubit → the number of its random Clifford gate in each instance; all empty when the circuit
    is a Clifford circuit and runs as it is."""
    measured: NDArray[np.int64]
    """The Pauli each instance is measured in, shape (instances, n)."""
    parity: NDArray[np.int64]
    """The parity it has without errors, shape (instances,)."""


def is_clifford(circuit: QuantumCircuit) -> bool:
    """True when a circuit's proxies are the circuit itself between preparation and measurement.

    Raises:
        CircuitError: As for `clifford_proxies`.
    """
    return _is_clifford(layered(circuit))


def clifford_proxies(
    circuit: QuantumCircuit, instances: int, seed: int, *, gates: Collection[str] | None = None
) -> tuple[Proxy, ...]:
    """Random instances whose success probabilities have the mean (1 + F) / 2, F being the process fidelity.

    Each prepares a random product eigenstate of a Pauli P drawn uniformly from all 4^n on the n used qubits, the
    identity included; runs U; and measures U P U†. U is the circuit itself when it is a Clifford circuit. Otherwise
    each unbroken run of one-qubit gates is replaced by a random one-qubit Clifford gate, anew in each instance, and
    the two-qubit gates stay: F is then that of the circuit only if its own one-qubit gates err like those, and no
    coherent error adds up in the circuit that the random gates average out, as in a twirled job.

    Args:
        circuit: In the gates and on the qubits of the backend: one-qubit gates and two-qubit Clifford gates, such as
            cx, cz and ecr, bound, with measurements only at its end. Qubits it does not use are not touched.
        instances: How many; one shot of each of 2,000 gives an interval less than 0.09 wide.
        seed: Of the random choices.
        gates: Names of the backend's gates, in which one-qubit gates are written; None writes Qiskit's `u`.

    Returns:
        The instances, on the same qubits, with barriers between the layers.

    Raises:
        CircuitError: The circuit is not of that form, or the gates cannot make every one-qubit gate.
        InputError: `instances` is not a positive whole number.
    """
    require_number(instances, "instances")
    layers = layered(circuit)
    writer, draw = Writer(layers, gates), drawn(layers, instances, seed)
    template = writer.template()
    readout = writer.readout(template)
    masks = _masks(draw.measured)
    written = zip(_instances(layers, writer, draw), masks, draw.parity.tolist(), strict=True)
    return tuple(
        Proxy(filled(template, [*body, *readout], f"{circuit.name}-proxy-{i}"), mask, parity)
        for i, (body, mask, parity) in enumerate(written)
    )


def drawn(layers: Layered, instances: int, seed: int) -> Draw:
    """The random choices of `clifford_proxies` and the Paulis they lead to, all instances at once."""
    import numpy as np

    random, size = np.random.default_rng(seed), (instances, len(layers.qubits))
    prepared, signs = random.integers(4, size=size), random.integers(2, size=size)
    turns: tuple[dict[int, NDArray[np.int64]], ...] = tuple({} for _ in layers.turns)
    if not _is_clifford(layers):
        turns = tuple({qubit: random.integers(24, size=instances) for qubit in each} for each in layers.turns)
    # An eigenstate of I carries no sign.
    parity = np.where(prepared == 0, 0, signs).sum(axis=1) % 2
    measured = prepared.copy()
    _propagate(layers, turns, measured, parity)
    return Draw(prepared, signs, turns, measured, parity)


def _propagate(layers: Layered, turns: tuple[dict[int, Any], ...], paulis: Any, parity: Any) -> None:
    """Takes all instances' Paulis and their signs through the circuit, in place."""
    import numpy as np

    column = {qubit: i for i, qubit in enumerate(layers.qubits)}
    own = not any(turns)
    for k, each in enumerate(layers.turns):
        for qubit, matrix in each.items():
            _turn(paulis[:, column[qubit]], parity, matrix if own else turns[k][qubit])
        for pair in layers.pairs[k] if k < len(layers.pairs) else ():
            a, b = (column[qubit] for qubit in pair.qubits)
            both = paulis[:, a] + 4 * paulis[:, b]
            parity ^= pair.conjugation.negative[both]
            paulis[:, b], paulis[:, a] = np.divmod(pair.conjugation.image[both], 4)


def _turn(paulis: Any, parity: Any, turn: Any) -> None:
    """One qubit's Paulis through the circuit's own gate, or through each instance's Clifford of that number."""
    group = cliffords()
    if turn.ndim == 1:
        parity ^= group.negative[turn, paulis]
        paulis[:] = group.image[turn, paulis]
        return
    table = conjugation(turn)
    assert table is not None
    parity ^= table.negative[paulis]
    paulis[:] = table.image[paulis]


def _is_clifford(layers: Layered) -> bool:
    return all(conjugation(matrix) is not None for turns in layers.turns for matrix in turns.values())


def _instances(layers: Layered, writer: Writer, draw: Draw) -> Iterator[list[Any]]:
    group = cliffords()
    prepared = group.preparing[draw.prepared, draw.signs].tolist()
    measured = group.measuring[draw.measured].tolist()
    bodies = _bodies(layers, writer, draw)
    for before, after in zip(prepared, measured, strict=True):
        body = [one for q, c in zip(layers.qubits, before, strict=True) for one in writer.clifford(q, c)]
        body += writer.barrier
        body += next(bodies)
        body += writer.barrier
        body += [one for q, c in zip(layers.qubits, after, strict=True) for one in writer.clifford(q, c)]
        yield body


def _bodies(layers: Layered, writer: Writer, draw: Draw) -> Iterator[list[Any]]:
    """The circuit itself, as it was given, or with its one-qubit gates drawn anew."""
    if not any(draw.turns):
        while True:
            yield list(layers.bare)
    pairs = [writer.pairs(layer) for layer in layers.pairs] + [[]]
    turns = [{qubit: numbers.tolist() for qubit, numbers in each.items()} for each in draw.turns]
    for i in range(len(draw.parity)):
        body: list[Any] = []
        for each, gates in zip(turns, pairs, strict=True):
            for qubit, numbers in each.items():
                body += writer.clifford(qubit, numbers[i])
            if gates:
                body += [*writer.barrier, *gates, *writer.barrier]
        yield body


def _masks(paulis: NDArray[np.int64]) -> list[int]:
    import numpy as np

    packed = np.packbits(paulis > 0, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
