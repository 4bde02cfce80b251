"""Aer: methods, limits and the noisy device."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

from qpm_lab.errors import CapacityError, CircuitError
from qpm_lab.providers import ideal_probabilities, provider_of
from qpm_lab.providers.aer_method import bond_bound, choose
from qpm_lab.providers.outcomes import Terminal, terminal
from tests.providers.making import crossed, deciding, dense, ghz, run, task


@pytest.mark.parametrize(
    ("circuit", "method"),
    [
        (ghz(5), "statevector"),
        (ghz(100), "stabilizer"),
        (ghz(40, clifford=False), "matrix_product_state"),
        (dense(24, 60), "statevector"),
        (dense(12, 4), "statevector"),
        (deciding(), "statevector"),
    ],
)
def test_the_method_follows_from_the_circuit(circuit: QuantumCircuit, method: str) -> None:
    """Clifford and weakly entangled circuits leave the state vector when it grows large."""
    assert choose(circuit).name == method


@pytest.mark.parametrize("clifford", [True, False])
def test_a_hundred_qubits_run_when_their_circuit_allows(clifford: bool) -> None:
    """GHZ-100 gives its two outcomes by stabilizers, and with a T gate by a matrix product state."""
    result = run("aer/simulator", ghz(100, clifford=clifford), shots=100)
    assert set(result.counts[0]) == {"0" * 100, "1" * 100}
    assert result.details["method"] == ("stabilizer" if clifford else "matrix_product_state")


def test_the_method_used_is_the_method_recorded() -> None:
    """Circuits of different kinds in one task each run by their own method, in their order."""
    result = run("aer/simulator", ghz(3), ghz(30), ghz(3), shots=50)
    assert result.details["method"] == ["stabilizer", "statevector"]
    assert [len(next(iter(counts))) for counts in result.counts] == [3, 30, 3]


def test_forty_two_dense_qubits_need_64_tebibytes() -> None:
    """The refusal names need, what is free, and what would fit."""
    with pytest.raises(CapacityError, match=r"needs 64 TiB; this machine has .* free") as refused:
        provider_of("aer/simulator").check(task("aer/simulator", dense(42, 42)))
    assert "At most" in refused.value.hint


def test_a_simulation_of_days_is_refused_with_its_time() -> None:
    """Enough memory is not enough."""
    with pytest.raises(CapacityError, match=r"would take about .* days"):
        provider_of("aer/noisy").check(task("aer/noisy", dense(20, 20), shots=10**7))


@pytest.mark.parametrize("name", ["aer/simulator", "aer/noisy"])
def test_mid_circuit_decisions_and_resets_work(name: str) -> None:
    """What a circuit measured decides what it does next."""
    counts = run(name, deciding(), shots=2000).counts[0]
    likely = sorted(counts, key=lambda key: -counts[key])[:2]
    assert sorted(likely) == ["00 0", "11 1"]
    assert counts["00 0"] + counts["11 1"] >= (2000 if name == "aer/simulator" else 1500)


def test_an_instruction_without_definition_is_named() -> None:
    """The error says which instruction and what to do."""
    from qiskit.circuit import Gate

    circuit = QuantumCircuit(1)
    circuit.append(Gate("mystery", 1, []), [0])
    circuit.measure_all()
    with pytest.raises(CircuitError, match="mystery"):
        provider_of("aer/simulator").check(task("aer/simulator", circuit))


def test_noise_is_what_a_good_machine_of_today_has() -> None:
    """GHZ-5 keeps between 80 % and 97 % of its shots in its two outcomes."""
    counts = run("aer/noisy", ghz(5), shots=8000).counts[0]
    assert 0.8 < (counts["00000"] + counts["11111"]) / 8000 < 0.97
    assert len(counts) > 8


def test_the_noisy_device_says_which_device_it_was() -> None:
    """Seeds, qubits and the depth after routing are recorded, and the depth is at least the ideal one."""
    (circuit,) = run("aer/noisy", ghz(5)).details["circuits"]
    assert {"device_seed", "transpile_seed", "physical_qubits", "depth", "two_qubit_gates"} <= set(circuit)
    assert len(set(circuit["physical_qubits"])) == 5
    assert circuit["depth"] >= ghz(5).depth()


@pytest.mark.parametrize("seed", range(4))
def test_routing_keeps_the_distribution(seed: int) -> None:
    """Without its noise the routed circuit gives the distribution of the original, bit by bit."""
    from qpm_lab.providers.aer_noisy import route

    circuit = dense(5, 3, seed)
    routed, _ = route(circuit)
    before, after = ideal_probabilities(circuit).probabilities, ideal_probabilities(routed).probabilities
    assert before is not None
    assert after is not None
    assert {k: pytest.approx(v, abs=1e-9) for k, v in before.items()} == after


def test_routing_far_apart_qubits_keeps_crossed_bits() -> None:
    """Swaps move qubits, and every classical bit still reads the qubit it was meant to read."""
    from qpm_lab.providers.aer_noisy import route

    circuit = QuantumCircuit(6, 6)
    for qubit in range(6):
        circuit.ry(0.2 + 0.4 * qubit, qubit)
    for first in range(6):
        for second in range(first):
            circuit.cp(0.3 * (first + 1), first, second)
    circuit.h(range(6))
    circuit.measure(range(6), [3, 1, 5, 0, 2, 4])
    routed, qubits = route(circuit)
    before, after = ideal_probabilities(circuit).probabilities, ideal_probabilities(routed).probabilities
    assert before is not None
    assert after is not None
    assert len(qubits) >= 6
    assert max(abs(before.get(k, 0) - after.get(k, 0)) for k in {*before, *after}) < 1e-9
    assert run("aer/noisy", crossed(), shots=100).counts[0]["1 01"] > 80


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.booleans()), max_size=14))
def test_the_bond_bound_is_never_below_the_true_bond(gates: list[tuple[int, int, bool]]) -> None:
    """For gates between neighbours no cut has more Schmidt coefficients than bounded."""
    circuit = QuantumCircuit(6)
    circuit.h(range(6))
    for number, (first, _, swap) in enumerate(gates):
        second = first + 1 if first < 5 else 4
        circuit.rx(0.3 + number, first)
        if swap:
            circuit.swap(first, second)
        else:
            circuit.crx(0.7, first, second)
    state = Statevector(circuit).data
    circuit.measure_all()
    shape = terminal(circuit)
    assert isinstance(shape, Terminal)
    bounds = bond_bound(shape)
    assert bounds is not None
    for cut, bound in enumerate(bounds, start=1):
        rank = np.linalg.matrix_rank(state.reshape(2 ** (6 - cut), 2**cut), tol=1e-9)
        assert np.log2(rank) <= bound + 1e-9
