"""Twirling: runs of a circuit that differ by random Paulis, so that errors become symmetric.

It symmetrises errors and does nothing else. **It hides nothing from the vendor**: pads and Paulis are in the circuits
that the vendor runs, and pads can be recovered from the results alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.companions.layers import layered
from qpm_lab.circuits.companions.paulis import X, matrices
from qpm_lab.circuits.companions.randomised import Compiling
from qpm_lab.circuits.companions.reading import bits_of, require_number
from qpm_lab.circuits.companions.writing import Writer, filled, words
from qpm_lab.errors import CircuitError, InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

FEWEST_PADS = 32


def readout_pads(bits: int, number: int, seed: int) -> tuple[str, ...]:
    """Which bits to flip before measurement, pad by pad; each bit is flipped in exactly half of the pads.

    With equally many shots for each pad, a bit that is read as 1 when it is 0 with probability a, and as 0 when it is
    1 with probability b, errs with probability (a + b) / 2 either way: exactly, not on average over seeds. Pads are
    blocks of 2^m randomly shifted words of a linear code, 2^m being the largest power of two in `number`: errors of
    any two of the first 2^m − 1 bits are symmetric together, and those of all bits when there are at most m.

    Args:
        bits: Length of a pad: the classical bits of the circuit.
        number: How many, at least 32, an even number.
        seed: Of the random choices.

    Returns:
        Bit strings in the order of a key of counts, bit 0 rightmost.

    Raises:
        InputError: Fewer than 32 pads, an odd number of them, or no bits.
    """
    import numpy as np

    require_number(bits, "bits")
    require_number(number, "pads", 0)
    if number < FEWEST_PADS:
        raise InputError(f"Readout twirling with fewer than {FEWEST_PADS} pads is refused: {number}.", "Use 32.")
    if number % 2:
        raise InputError(f"{number} pads cannot flip each bit in exactly half of them.", "Use an even number.")
    random, block = np.random.default_rng(seed), number & -number
    pads = np.concatenate([_words(bits, block, random) for _ in range(number // block)])
    random.shuffle(pads)
    return tuple("".join(map(str, pad)) for pad in pads.tolist())


def _words(bits: int, size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """All words of a linear code with `size` words, each bit shifted at random; shape (size, bits)."""
    import numpy as np

    units = [1 << k for k in range(size.bit_length() - 1)]
    others = random.permutation([column for column in range(1, size) if column not in units]).tolist()
    columns = np.resize(np.array(units + others), bits)
    parity = np.array([number.bit_count() % 2 for number in range(size)])
    words: NDArray[np.int64] = parity[np.arange(size)[:, None] & columns] ^ random.integers(2, size=bits)
    return words


def circuit_pads(circuit: QuantumCircuit, number: int, seed: int) -> tuple[str, ...]:
    """Pads as long as a key of the circuit's counts, with 0 for classical bits that no measurement writes.

    Raises:
        CircuitError: A measurement is not at the end of the circuit, or there is none.
        InputError: As for `readout_pads`.
    """
    width = circuit.num_clbits
    written = sorted(_measured_bits(circuit))
    spread = []
    for pad in readout_pads(len(written), number, seed):
        key = ["0"] * width
        for bit, flip in zip(written, reversed(pad), strict=True):
            key[width - 1 - bit] = flip
        spread.append("".join(key))
    return tuple(spread)


def padded(circuit: QuantumCircuit, pad: str, *, gates: Collection[str] | None = None) -> QuantumCircuit:
    """The circuit with an X before the measurement of each bit that the pad flips; `unpadded` undoes it in the counts.

    Args:
        circuit: With measurements only at its end.
        pad: A bit for each classical bit of the circuit, bit 0 rightmost.
        gates: Names of the backend's gates, in which X is written; None writes `x`.

    Raises:
        CircuitError: A measurement is not at the end of the circuit, or there is none.
        InputError: The pad has another length, or flips a bit that no measurement writes.
    """
    flips = bits_of(pad, circuit.num_clbits)
    places = _measured_bits(circuit)
    if flips & ~sum(1 << bit for bit in places):
        raise InputError("The pad flips a classical bit that no measurement writes.", "Take it from circuit_pads.")
    # The first of these measurements ends the circuit: gates after it are on other qubits.
    word = _flip(gates)
    copy = circuit.copy_empty_like()
    place = {bit: i for i, bit in enumerate(circuit.clbits)}
    for each in circuit.data:
        if each.name == "measure" and flips >> place[each.clbits[0]] & 1:
            for gate in word:
                copy.append(gate, each.qubits)
        copy.append(each)
    return copy


def unpadded(counts: Mapping[str, int], pad: str) -> dict[str, int]:
    """Counts of a padded circuit as they would be without the pad; spaces in the keys stay where they are.

    Raises:
        InputError: Keys and pad do not have the same number of bits.
    """
    width, flips = len(pad.replace(" ", "")), bits_of(pad, len(pad.replace(" ", "")))
    plain: dict[str, int] = {}
    for key, shots in counts.items():
        digits = iter(format(bits_of(key, width) ^ flips, f"0{width}b"))
        new = "".join(" " if character == " " else next(digits) for character in key)
        plain[new] = plain.get(new, 0) + shots
    return plain


def pauli_twirled(
    circuit: QuantumCircuit, number: int, seed: int, *, gates: Collection[str] | None = None
) -> tuple[QuantumCircuit, ...]:
    """Variants of a circuit with random Paulis around each two-qubit gate, undone right behind it.

    All do what the circuit does. Averaged over them, a coherent error of a two-qubit gate acts as a mixture of Pauli
    errors of the same strength. The Paulis are merged into the one-qubit gates, and barriers keep them in place.

    Args:
        circuit: In the gates and on the qubits of the backend: one-qubit gates and two-qubit Clifford gates, bound,
            with measurements only at its end.
        number: How many variants.
        seed: Of the random choices.
        gates: Names of the backend's gates, in which one-qubit gates are written; None writes Qiskit's `u`.

    Returns:
        The variants, with the classical registers and measurements of the circuit.

    Raises:
        CircuitError: The circuit is not of that form, or the gates cannot make every one-qubit gate.
        InputError: `number` is not a positive whole number.
    """
    import numpy as np

    require_number(number, "variants")
    layers, random = layered(circuit), np.random.default_rng(seed)
    writer, template = Writer(layers, gates), circuit.copy_empty_like()
    end = [*writer.barrier, *layers.measurements] if layers.measurements else []
    variants = []
    for i in range(number):
        compiling = Compiling(layers, writer, random)
        body = compiling.forward() + compiling.close(undo=True)
        variants.append(filled(template, body + end, f"{circuit.name}-twirled-{i}"))
    return tuple(variants)


def _flip(gates: Collection[str] | None) -> list[Any]:
    from qiskit.circuit.library import XGate

    if gates is None or "x" in gates:
        return [XGate()]
    flip: list[Any] = words(gates)(matrices(1)[X])
    return flip


def _measured_bits(circuit: QuantumCircuit) -> set[int]:
    """The classical bits written, each once, by measurements after which nothing happens to the qubit.

    Raises:
        CircuitError: There are others, or none.
    """
    written: set[int] = set()
    ended: set[Any] = set()
    place = {bit: i for i, bit in enumerate(circuit.clbits)}
    for each in circuit.data:
        if each.name == "barrier":
            continue
        bits = {place[bit] for bit in each.clbits}
        if ended.intersection(each.qubits) or (bits and each.name != "measure") or bits & written:
            raise CircuitError("The circuit uses a measured bit before its end.", "Measure only at the end.")
        if each.name == "measure":
            ended.update(each.qubits)
            written |= bits
    if not written:
        raise CircuitError("The circuit has no measurement.", "Measure the qubits that matter.")
    return written
