"""What a PennyLane measurement is, read off counts: one rule for expectation, variance, shares, samples and counts.

Every outcome has either bits or a number (an eigenvalue); everything that PennyLane asks for is a statistic of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pennylane.measurements import CountsMP, ExpectationMP, ProbabilityMP, SampleMP, VarianceMP
from pennylane.wires import Wires

from qpm_lab.errors import CircuitError
from qpm_lab.interop.pennylane.bases import Group, terms
from qpm_lab.interop.pennylane.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[Any] | list[Any]
    """One entry, or slice of the first axis, for each row of counts."""

READ = frozenset({CountsMP, ExpectationMP, ProbabilityMP, SampleMP, VarianceMP})
"""Kinds of measurements with a rule here."""
WIDEST_SPECTRUM = 24
"""Wires over which all eigenvalues or probabilities are written out."""


@dataclass(frozen=True, slots=True, eq=False)
class Parities:
    """A sum of Pauli words in their common basis."""

    factors: NDArray[np.float64]
    """Shape (words,)."""
    masks: NDArray[np.int64]
    """Which bits each word reads, shape (bits, words)."""

    def __call__(self, bits: NDArray[np.uint8]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = (1 - 2 * ((bits @ self.masks) & 1)) @ self.factors
        return values


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Eigenvalues by the number that some bits spell, the first bit being the highest."""

    columns: tuple[int, ...]
    eigenvalues: NDArray[Any]

    def __call__(self, bits: NDArray[np.uint8]) -> NDArray[Any]:
        values: NDArray[Any] = self.eigenvalues[spelled(bits, self.columns)]
        return values


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Where the counts of one measurement are, and what they mean."""

    kind: type
    values: tuple[tuple[int, Parities | Spectrum], ...]
    """Group and value of its outcomes; an expectation value may have parts in several groups."""
    group: int
    """The group whose bits it reads when it has no values."""
    columns: tuple[int, ...]
    """The bits that it reads, its first wire first."""
    wires: Wires
    """Of the group, for measurements that PennyLane itself reads off samples."""
    mids: int
    """How many bits of mid-circuit measurements stand before those wires."""


def readings(
    measurements: Sequence[Any],
    found: Sequence[Sequence[int]],
    groups: Sequence[Group],
    mids: int,
    places: Mapping[Any, int],
) -> tuple[Reading, ...]:
    """How each measurement of a tape is read.

    Args:
        measurements: The tape's.
        found: For each of them the group of each of its terms.
        groups: The groups of the tape.
        mids: Mid-circuit measurements, whose bits come first.
        places: Id of a mid-circuit measurement → its bit.

    Raises:
        CircuitError: a measurement with too many values to write out.
    """
    bit_of = [{wire: mids + n for n, wire in enumerate(group.wires)} for group in groups]
    sizes = [mids + len(group.wires) for group in groups]
    made = []
    for measurement, own in zip(measurements, found, strict=True):
        group = own[0] if own else 0
        columns = _columns(measurement, bit_of[group], places, groups[group])
        values = _values(measurement, own, bit_of, sizes, columns)
        if isinstance(measurement, ProbabilityMP) or getattr(measurement, "all_outcomes", False):
            _check_width(columns)
        made.append(Reading(type(measurement), values, group, columns, Wires(groups[group].wires), mids))
    return tuple(made)


def read(reading: Reading, measurement: Any, tallies: Sequence[Tally], rng: np.random.Generator) -> Rows:
    """One measurement of every row: an array whose first axis is the rows, or a list.

    Args:
        reading: Where its counts are.
        measurement: The tape's own, for what is not part of the structure.
        tallies: The counts of each group.
        rng: For the order of samples.
    """
    tally = tallies[reading.group]
    if reading.kind is ExpectationMP:
        return _expectation(reading, tallies)
    if reading.kind is VarianceMP:
        ((group, value),) = reading.values
        return _variance(tallies[group], value(tallies[group].bits))
    if reading.kind is ProbabilityMP:
        return tally.shares(spelled(tally.bits, reading.columns), 2 ** len(reading.columns))
    if reading.kind is CountsMP:
        return _counts(reading, tally, all_outcomes=measurement.all_outcomes)
    if reading.kind is SampleMP:
        samples = _per_outcome(reading, tally)
        dtype = measurement._dtype
        samples = samples if dtype is None else samples.astype(dtype)
        return [samples[tally.draws(n, rng)] for n in range(tally.rows)]
    shots = [tally.bits[tally.draws(n, rng)][:, reading.mids :].astype(np.int64) for n in range(tally.rows)]
    return [measurement.process_samples(samples, reading.wires) for samples in shots]


def spelled(bits: NDArray[np.uint8], columns: Sequence[int]) -> NDArray[np.intp]:
    """The numbers that some bits of each outcome spell, the first being the highest."""
    weights = 1 << np.arange(len(columns), dtype=np.intp)[::-1]
    numbers: NDArray[np.intp] = bits[:, list(columns)] @ weights
    return numbers


def _columns(measurement: Any, bit_of: Mapping[Any, int], places: Mapping[Any, int], group: Group) -> tuple[int, ...]:
    if measurement.mv is None:
        return tuple([bit_of[wire] for wire in (measurement.wires or group.wires) if wire in bit_of])
    values = measurement.mv if isinstance(measurement.mv, list) else [measurement.mv]
    every = [m for v in values for m in v.measurements]
    return tuple([places[m.meas_uid] if m.meas_uid in places else bit_of[m.wires[0]] for m in every])


def _values(
    measurement: Any,
    own: Sequence[int],
    bit_of: Sequence[Mapping[Any, int]],
    sizes: Sequence[int],
    columns: tuple[int, ...],
) -> tuple[tuple[int, Parities | Spectrum], ...]:
    words = terms(measurement)
    if words is not None:
        by_group: dict[int, list[tuple[Any, float]]] = {}
        for group, term in zip(own, words, strict=True):
            by_group.setdefault(group, []).append(term)
        return tuple((g, _parities(some, bit_of[g], sizes[g])) for g, some in by_group.items())
    spectrum = isinstance(measurement.mv, list) or isinstance(measurement, ProbabilityMP)
    if spectrum or (measurement.mv is None and measurement.obs is None and measurement._eigvals is None):
        return ()
    _check_width(columns)
    eigenvalues = np.asarray(measurement.eigvals())
    return ((own[0], Spectrum(columns, eigenvalues.real if np.iscomplexobj(eigenvalues) else eigenvalues)),)


def _parities(words: Sequence[tuple[Any, float]], bit_of: Mapping[Any, int], size: int) -> Parities:
    masks = np.zeros((size, len(words)), dtype=np.int64)
    for n, (word, _) in enumerate(words):
        masks[[bit_of[wire] for wire in word], n] = 1
    return Parities(np.array([factor for _, factor in words]), masks)


def _check_width(columns: Sequence[int]) -> None:
    if len(columns) > WIDEST_SPECTRUM:
        raise CircuitError(
            f"A measurement of {len(columns)} wires has 2^{len(columns)} values, too many to write out.",
            "Measure fewer wires, or take qml.counts().",
        )


def _expectation(reading: Reading, tallies: Sequence[Tally]) -> NDArray[np.float64]:
    means = [tallies[group].mean(value(tallies[group].bits)) for group, value in reading.values]
    return sum(means, start=np.zeros(tallies[0].rows))


def _variance(tally: Tally, value: NDArray[np.float64]) -> NDArray[np.float64]:
    variance: NDArray[np.float64] = np.maximum(tally.mean(value**2) - tally.mean(value) ** 2, 0.0)
    return variance


def _per_outcome(reading: Reading, tally: Tally) -> NDArray[Any]:
    """What one shot of each outcome is: its value, shape (outcomes,), or its bits, (outcomes, columns)."""
    if reading.values:
        ((_, value),) = reading.values
        return value(tally.bits)
    return tally.bits[:, list(reading.columns)].astype(np.int64)


def _counts(reading: Reading, tally: Tally, *, all_outcomes: bool) -> list[dict[Any, int]]:
    names = _names(reading, tally)
    empty: dict[Any, int] = dict.fromkeys(_all_names(reading), 0) if all_outcomes else {}
    found = []
    for number in range(tally.rows):
        counts: dict[Any, int] = {}
        for outcome, count in zip(*[part.tolist() for part in tally.row(number)], strict=True):
            counts[names[outcome]] = counts.get(names[outcome], 0) + count
        found.append({**empty, **dict(sorted(counts.items()))})
    return found


def _names(reading: Reading, tally: Tally) -> list[Any]:
    each = _per_outcome(reading, tally)
    if reading.values:
        return list(each.tolist())
    characters = (each + ord("0")).astype(np.uint8)
    return [row.tobytes().decode() for row in characters]


def _all_names(reading: Reading) -> list[Any]:
    if not reading.values:
        width = len(reading.columns)
        return [f"{n:0{width}b}" for n in range(2**width)]
    ((_, value),) = reading.values
    if isinstance(value, Spectrum):
        return list(np.unique(value.eigenvalues).tolist())
    return sorted({float(-value.factors[0]), float(value.factors[0])})
