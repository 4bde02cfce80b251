"""Statistics worked out on whole tables of counts are those that PennyLane works out shot by shot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qml
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pennylane.wires import Wires

from qpm_lab.counts import CountsTable
from qpm_lab.errors import CircuitError
from qpm_lab.interop.pennylane.bases import grouped
from qpm_lab.interop.pennylane.reading import read, readings
from qpm_lab.interop.pennylane.tally import Tally

WIRES = ["b", "a", "c"]
outcomes = st.dictionaries(st.integers(0, 7), st.integers(1, 9), min_size=1)


def table(rows: list[dict[int, int]]) -> CountsTable:
    """Rows whose outcome n has the bit of wire number w in the w-th lowest bit of n, as Qiskit writes it."""
    return CountsTable.of([{f"{outcome:03b}": count for outcome, count in row.items()} for row in rows])


def samples(row: dict[int, int]) -> Any:
    """Shape (shots, wires)."""
    each = np.repeat(list(row), list(row.values()))
    return (each[:, None] >> np.arange(3)) & 1


MEASUREMENTS = [
    qml.expval(qml.Z("a") @ qml.Z("c")),
    qml.expval(-2 * qml.Z("b")),
    qml.var(0.5 * qml.Z("c") @ qml.Z("b")),
    qml.probs(wires=["c", "b"]),
    qml.probs(wires=WIRES),
    qml.expval(qml.Projector([1, 0], ["c", "a"])),
    qml.var(qml.Projector([1], ["a"])),
]


@settings(deadline=None, max_examples=25)
@given(st.lists(outcomes, min_size=1, max_size=4))
@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=str)
def test_statistics_equal_pennylanes_for_any_counts(measurement: Any, rows: list[dict[int, int]]) -> None:
    """For every row of every table, on wires in an order of their own; these observables need no rotation."""
    groups, found = grouped([measurement], WIRES, {})
    kept = [WIRES.index(wire) for wire in groups[0].wires]
    narrow = [marginal(row, kept) for row in rows]
    (reading,) = readings([measurement], found, groups, 0, {})
    measured = read(reading, measurement, [Tally.of(narrow)], np.random.default_rng(0))
    for row, value in zip(rows, measured, strict=True):
        np.testing.assert_allclose(value, measurement.process_samples(samples(row), Wires(WIRES)), atol=1e-12)


def marginal(row: dict[int, int], kept: list[int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for outcome, count in row.items():
        key = "".join(str(outcome >> place & 1) for place in reversed(kept))
        counts[key] = counts.get(key, 0) + count
    return counts


@settings(deadline=None, max_examples=50)
@given(st.lists(outcomes, min_size=1, max_size=4), st.integers(0, 2**31))
def test_draws_are_the_counts_in_another_order(rows: list[dict[int, int]], seed: int) -> None:
    """Nothing is added or lost, whatever the seed."""
    tally = Tally.of(table(rows))
    for number, row in enumerate(rows):
        drawn = tally.bits[tally.draws(number, np.random.default_rng(seed))]
        spelled, counts = np.unique(drawn @ [1, 2, 4], return_counts=True)
        assert dict(zip(spelled.tolist(), counts.tolist(), strict=True)) == row


@settings(deadline=None, max_examples=50)
@given(outcomes, st.data())
def test_the_parts_of_a_shot_vector_add_up_to_the_whole(row: dict[int, int], data: st.DataObject) -> None:
    """Each has its number of shots, and together they are the row."""
    total = sum(row.values())
    first = data.draw(st.integers(1, total))
    sizes = [first] + ([total - first] if first < total else [])
    tally = Tally.of(table([row]))
    parts = tally.parts(sizes, np.random.default_rng(0))
    assert parts.totals.tolist() == sizes
    assert (
        np.bincount(parts.indices, weights=parts.values).tolist()
        == np.bincount(tally.indices, weights=tally.values).tolist()
    )


def test_registers_are_read_from_the_right() -> None:
    """Qiskit writes the last register first, with a space between; bit 0 stands rightmost."""
    tally = Tally.of([{"10 011": 1}])
    assert tally.bits.tolist() == [[1, 1, 0, 0, 1]]


def test_words_that_commute_qubit_by_qubit_share_a_circuit() -> None:
    """Fifteen terms of the hydrogen molecule need five circuits, not fifteen."""
    letters = ["ZIII", "IZII", "IIZI", "IIIZ", "ZZII", "ZIZI", "ZIIZ", "IZZI", "IZIZ", "IIZZ"]
    letters += ["YYXX", "XXYY", "YXXY", "XYYX"]
    hamiltonian = sum(qml.pauli.string_to_pauli_word(word) for word in letters)
    groups, (places,) = grouped([qml.expval(hamiltonian)], range(4), {})
    assert len(groups) == 5
    assert len(places) == len(letters)


def test_an_observable_without_rotations_is_refused_by_name() -> None:
    """A sparse matrix cannot be measured with shots; the hint says what can."""
    from scipy.sparse import csr_matrix

    sparse = qml.SparseHamiltonian(csr_matrix(np.eye(2)), wires=["a"])
    with pytest.raises(CircuitError, match="SparseHamiltonian"):
        grouped([qml.expval(sparse)], WIRES, {})
