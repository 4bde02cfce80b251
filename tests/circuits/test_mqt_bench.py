"""Every family of MQT Bench loads."""

from __future__ import annotations

from qiskit import qasm2

from qpm_lab.circuits import prepare
from qpm_lab.errors import CircuitError

SIZES = (5, 4, 6, 3, 8, 2, 7, *range(9, 30))
"""Families take different numbers of qubits; the first that works is used."""


def built(family: str) -> object:
    from mqt.bench import BenchmarkLevel, get_benchmark

    for size in SIZES:
        try:
            return get_benchmark(family, BenchmarkLevel.INDEP, size)
        except ValueError:
            continue
    raise AssertionError(f"{family} has none of the sizes {SIZES}")


def test_every_family_loads() -> None:
    """Each family is prepared as built, and from its OpenQASM 2 text where Qiskit can write one."""
    from mqt.bench.benchmarks import get_available_benchmark_names

    refused: dict[str, str] = {}
    families = list(get_available_benchmark_names())
    as_text = 0
    for family in families:
        circuit = built(family)
        try:
            prepare(circuit)
            text = qasm2.dumps(circuit)
            prepare(text)
            as_text += 1
        except CircuitError as error:
            refused[family] = str(error)
        except (qasm2.QASM2ExportError, TypeError):  # Qiskit cannot write the matrices of some families
            continue
    assert len(families) >= 30
    assert refused == {}
    assert as_text >= len(families) - 5
