"""What every local backend does alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import QFTGate

from qpm_lab.errors import CapacityError
from qpm_lab.providers import ideal_probabilities, provider_of
from tests.providers.making import IDEAL, LOCAL, crossed, dense, leaning, run, task


@pytest.mark.parametrize("name", LOCAL)
def test_bits_and_registers_are_where_qiskit_puts_them(name: str) -> None:
    """Crossed measurements into two registers come back in Qiskit's order, with its spaces."""
    counts = run(name, crossed()).counts[0]
    assert max(counts, key=lambda key: counts[key]) == "1 01"


@pytest.mark.parametrize("name", IDEAL)
def test_an_ideal_backend_draws_from_the_ideal_distribution(name: str) -> None:
    """Every outcome's share lies within five standard errors of its probability."""
    shots = 20_000
    counts = run(name, leaning(), shots=shots).counts[0]
    ideal = ideal_probabilities(leaning()).probabilities
    assert ideal is not None
    assert set(counts) <= set(ideal)
    for key, p in ideal.items():
        assert abs(counts.get(key, 0) / shots - p) < 5 * (p * (1 - p) / shots) ** 0.5 + 1e-9


@pytest.mark.parametrize("name", LOCAL)
def test_the_same_seed_gives_the_same_counts_and_another_seed_others(name: str) -> None:
    """A task's counts are a function of the task."""
    first, again, other = (run(name, leaning(), seed=seed).counts for seed in (5, 5, 6))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", LOCAL)
def test_a_list_of_circuits_keeps_its_order_and_its_shots(name: str) -> None:
    """One histogram per circuit, each with all the shots asked for."""
    flipped = [QuantumCircuit(2) for _ in range(3)]
    for value, circuit in enumerate(flipped):
        for qubit in range(2):
            if value >> qubit & 1:
                circuit.x(qubit)
        circuit.measure_all()
    result = run(name, *flipped, shots=200)
    assert [sum(counts.values()) for counts in result.counts] == [200] * 3
    assert [max(c, key=lambda key: c[key]) for c in result.counts] == ["00", "01", "10"]


@pytest.mark.parametrize("name", LOCAL)
def test_composite_gates_are_opened(name: str) -> None:
    """A library gate, a gate of one's own and an initialisation run without being transpiled."""
    inner = QuantumCircuit(2, name="mine")
    inner.x(0)
    inner.cx(0, 1)
    circuit = QuantumCircuit(3)
    circuit.initialize([0, 1], 2)
    circuit.append(inner.to_gate(), [0, 1])
    circuit.append(QFTGate(2), [0, 1])
    circuit.append(QFTGate(2).inverse(), [0, 1])
    circuit.measure_all()
    counts = run(name, circuit).counts[0]
    assert max(counts, key=lambda key: counts[key]) == "111"


@pytest.mark.parametrize("name", LOCAL)
def test_a_circuit_too_large_is_refused_with_its_size(name: str) -> None:
    """The message says what it would need, before anything is allocated."""
    with pytest.raises(CapacityError, match=r"needs? [\d.]+ [TPEZ]iB|needs? 2\^\d+ B"):
        provider_of(name).check(task(name, dense(60, 60)))


@pytest.mark.parametrize("name", LOCAL)
def test_a_result_says_what_it_took(name: str) -> None:
    """Time, CPU time, memory, method and versions come with the counts."""
    result = run(name, leaning())
    assert result.run_seconds > 0
    assert result.cpu_seconds > 0
    assert result.peak_memory_bytes > 2**20
    assert {"method", "versions"} <= set(result.details)
    assert result.billed is None


@pytest.mark.parametrize("name", LOCAL)
def test_the_circuit_is_left_as_it_was(name: str) -> None:
    """Running does not change the user's circuit."""
    circuit, untouched = leaning(), leaning()
    run(name, circuit)
    assert circuit == untouched


@pytest.mark.parametrize("name", LOCAL)
def test_threads_do_not_disturb_each_other(name: str) -> None:
    """Runs side by side give what they give alone."""
    alone = [run(name, leaning(), seed=seed).counts for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: run(name, leaning(), seed=seed).counts, range(4)))
    assert together == alone
