"""What goes through the pipe to a child, and to a Dask worker, comes out as it was."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qpm_lab.circuits import Bindings
from qpm_lab.counts import CountsTable
from qpm_lab.errors import CircuitError, ProviderError, QpmError
from qpm_lab.providers import backend, wire
from qpm_lab.providers.interface import RunResult, Task

HISTOGRAMS = st.lists(st.dictionaries(st.sampled_from(["00", "01", "11"]), st.integers(1, 2**40)), max_size=4)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=1, max_size=3), st.integers(1, 9), st.booleans())
def test_a_task_comes_out_as_it_was(points: list[int | None], shots: int, known: bool) -> None:
    """Circuits, values, seed, shots, forms and processors."""
    circuits, bindings = [], []
    for n, number in enumerate(points):
        circuit = QuantumCircuit(1, 1)
        circuit.rx(0.5 if number is None else Parameter("t"), 0)
        circuit.measure(0, 0)
        circuits.append(circuit)
        values = np.arange(number or 0, dtype=float)[:, None] + n
        bindings.append(None if number is None else Bindings(("t",), values, (number,)))
    forms = tuple(f"form {n}" for n in range(len(points))) if known else ()
    task = Task(backend("aer/noisy"), tuple(circuits), shots, 2**70, bindings=tuple(bindings), forms=forms)
    found, processors = wire.read_task(wire.packed_task(task, 3), backend)
    assert processors == 3
    assert (found.backend, found.shots, found.seed) == (task.backend, shots, 2**70)
    assert found.forms == forms
    for one, other in zip(task.bindings, found.bindings, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert (one.names, one.shape) == (other.names, other.shape)
            assert np.array_equal(one.values, other.values)
    assert [c.count_ops() for c in found.circuits] == [c.count_ops() for c in circuits]


@given(HISTOGRAMS, st.booleans())
def test_a_result_comes_out_as_it_was(histograms: list[dict[str, int]], table: bool) -> None:
    """Counts as dictionaries or as a table, times and details."""
    counts = CountsTable.of(histograms) if table else tuple(histograms)
    result = RunResult(counts, 1.5, cpu_seconds=0.25, peak_memory_bytes=7, details={"method": "m"})
    found = wire.result_from(wire.result_bytes(result))
    assert isinstance(found.counts, CountsTable) == table
    assert list(found.counts) == histograms
    assert (found.run_seconds, found.cpu_seconds, found.peak_memory_bytes) == (1.5, 0.25, 7)
    assert found.details == {"method": "m"}


@pytest.mark.parametrize("error", [CircuitError("bad", "fix it"), ProviderError("gone", "again", retryable=True)])
def test_an_error_keeps_its_kind(error: QpmError) -> None:
    """Type, message, hint, and whether another attempt may succeed."""
    found = wire.error_from(wire.error_bytes(error))
    assert type(found) is type(error)
    assert (found.message, found.hint) == (error.message, error.hint)
    assert getattr(found, "retryable", None) == getattr(error, "retryable", None)


@pytest.mark.parametrize("data", [b"x" * 9, b"R" + b"\xff" * 8], ids=["kind", "length"])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    """An unknown kind or an absurd length is an error, not an allocation."""
    with pytest.raises(ProviderError, match="unreadable"):
        wire.read_frame(io.BytesIO(data))


@pytest.mark.parametrize("cut", [0, 5, 9, 12])
def test_a_stream_that_was_cut_off_is_its_end(cut: int) -> None:
    """No frame, no exception."""
    stream = io.BytesIO()
    wire.write_frame(stream, wire.RESULT, b"payload")
    assert wire.read_frame(io.BytesIO(stream.getvalue()[:cut])) is None
