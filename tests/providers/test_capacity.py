"""Limits of memory and time."""

from __future__ import annotations

from pathlib import Path

import pytest

from qpm_lab.errors import CapacityError
from qpm_lab.providers import capacity


def test_a_container_has_what_its_limit_leaves(tmp_path: Path) -> None:
    """Limit minus use, with the page cache that the system gives back."""
    (tmp_path / "memory.max").write_text("4000\n")
    (tmp_path / "memory.current").write_text("1500\n")
    (tmp_path / "memory.stat").write_text("anon 900\ninactive_file 600\n")
    assert capacity._container_free_bytes(tmp_path) == 3100


@pytest.mark.parametrize("limit", ["max", "nonsense"])
def test_without_a_container_limit_the_machine_counts(tmp_path: Path, limit: str) -> None:
    """No limit, or an unreadable one, limits nothing."""
    (tmp_path / "memory.max").write_text(limit)
    (tmp_path / "memory.current").write_text("1500")
    (tmp_path / "memory.stat").write_text("")
    assert capacity._container_free_bytes(tmp_path) is None


def test_what_fits_runs_and_one_qubit_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of qubits in the hint is the largest that passes the same check."""
    monkeypatch.setattr(capacity, "free_bytes", lambda: 20 * 2**30)
    with pytest.raises(CapacityError) as refused:
        capacity.require_memory(16 * 2.0**42, "A state vector of 42 qubits", bytes_per_amplitude=16)
    assert refused.value.message == "A state vector of 42 qubits needs 64 TiB; this machine has 20 GiB free."
    assert refused.value.hint.startswith("At most 30 qubits")
    capacity.require_memory(16 * 2.0**30, "that", bytes_per_amplitude=16)
    with pytest.raises(CapacityError):
        capacity.require_memory(16 * 2.0**31, "that", bytes_per_amplitude=16)


def test_peak_memory_is_at_least_what_is_held() -> None:
    """A block that was written to shows in the peak."""
    before = capacity.peak_memory_bytes()
    block = bytearray(b"x") * (64 * 2**20)
    assert capacity.peak_memory_bytes() >= min(before, 0) + len(block)
