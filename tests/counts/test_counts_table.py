"""A table of counts is what a list of dictionaries would be, in less memory."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.counts import CountsTable

HISTOGRAMS = st.lists(
    st.dictionaries(
        st.text("01", min_size=3, max_size=3) | st.just("01 1"), st.integers(1, 2**40), min_size=1, max_size=5
    ),
    max_size=12,
)


@given(HISTOGRAMS)
def test_a_table_reads_as_the_dictionaries_it_was_made_of(histograms: list[dict[str, int]]) -> None:
    """By index, by iteration, by length and by its totals."""
    table = CountsTable.of(histograms)
    assert list(table) == histograms
    assert [table[i] for i in range(len(table))] == histograms
    assert [table[i] for i in range(-len(table), 0)] == histograms
    assert table.totals.tolist() == [sum(each.values()) for each in histograms]


@given(HISTOGRAMS)
def test_bytes_bring_the_same_table_back(histograms: list[dict[str, int]]) -> None:
    """What the ledger keeps is what it was."""
    table = CountsTable.of(histograms)
    assert list(CountsTable.from_bytes(table.to_bytes())) == histograms


@given(HISTOGRAMS, HISTOGRAMS, HISTOGRAMS)
def test_joined_tables_are_joined_lists(a: Any, b: Any, c: Any) -> None:
    """Also when their outcomes differ or one is empty."""
    assert list(CountsTable.join([CountsTable.of(each) for each in (a, b, c)])) == a + b + c


@given(HISTOGRAMS, st.integers(-15, 15), st.integers(-15, 15), st.sampled_from([1, 2, -1, -3]))
def test_slices_are_those_of_a_list(histograms: Any, start: int, stop: int, step: int) -> None:
    """Negative and empty ones included."""
    assert list(CountsTable.of(histograms)[start:stop:step]) == histograms[start:stop:step]


@given(HISTOGRAMS)
def test_columns_and_spread_are_those_of_the_dictionaries(histograms: list[dict[str, int]]) -> None:
    """An outcome that is missing somewhere has 0 there."""
    table = CountsTable.of(histograms)
    least, most = table.spread()
    for place, key in enumerate(table.names):
        column = [each.get(key, 0) for each in histograms]
        assert table.column(key).tolist() == column
        assert (least[place], most[place]) == (min(column), max(column))
    assert table.column("2").tolist() == [0] * len(histograms)


def test_a_matrix_of_counts_drops_what_did_not_occur() -> None:
    """Columns may come in any order."""
    keys = np.array([b"11", b"00"])
    table = CountsTable.of_matrix(keys, np.array([[0, 5], [2, 3], [5, 0]]))
    assert list(table) == [{"00": 5}, {"00": 3, "11": 2}, {"11": 5}]


def test_a_table_takes_a_few_bytes_per_count() -> None:
    """A thousand points of 64 outcomes: no more than four bytes for each count, where a dictionary takes a hundred."""
    keys = np.array([format(i, "06b").encode() for i in range(64)])
    table = CountsTable.of_matrix(keys, np.full((1000, 64), 16))
    size = sum(part.nbytes for part in (table.keys, table.indices, table.values, table.offsets))
    assert size < 4 * 64_000


def arrays(**changes: Any) -> bytes:
    parts: dict[str, Any] = {
        "keys": np.array([b"0", b"1"]),
        "indices": np.array([0, 1]),
        "values": np.array([3, 4]),
        "offsets": np.array([0, 1, 2]),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **(parts | changes))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 nothing", id="no-archive"),
        pytest.param(arrays()[:-40], id="cut-off"),
        pytest.param(arrays(indices=np.array([0, 2])), id="outcome-without-name"),
        pytest.param(arrays(indices=np.array([0, -1])), id="negative-index"),
        pytest.param(arrays(offsets=np.array([0, 2, 1])), id="rows-backwards"),
        pytest.param(arrays(offsets=np.array([0, 1])), id="rows-too-short"),
        pytest.param(arrays(values=np.array([3])), id="values-too-short"),
        pytest.param(arrays(values=np.array([0.5, 1.5])), id="parts-of-shots"),
        pytest.param(arrays(keys=np.array([[b"0", b"1"]])), id="wrong-shape"),
    ],
)
def test_bytes_that_are_no_table_are_refused(data: bytes) -> None:
    """Stored bytes are read without trust."""
    with pytest.raises(ValueError, match="table of counts"):
        CountsTable.from_bytes(data)
