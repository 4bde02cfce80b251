"""Clifford proxies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_aer import AerSimulator

from qpm_lab.circuits import clifford_proxies, is_clifford
from qpm_lab.errors import CircuitError, InputError
from tests.circuits.device_circuits import device_circuit, pairs_of

SIMULATOR = AerSimulator(method="statevector", seed_simulator=11, max_parallel_threads=1)
SINGLE_GATES = [None, {"rz", "sx", "x"}, {"rz", "sx"}, {"r"}, {"rx", "rz"}, {"ry", "rz"}, {"rx", "ry"}, {"p", "sx"}]


def successes(circuit: QuantumCircuit, instances: int, seed: int, shots: int, **options: Any) -> list[int]:
    proxies = clifford_proxies(circuit, instances, seed, **options)
    result = SIMULATOR.run([proxy.circuit for proxy in proxies], shots=shots).result()
    return [proxy.successes(result.get_counts(i)) for i, proxy in enumerate(proxies)]


@settings(max_examples=25)
@given(
    qubits=st.integers(1, 6),
    depth=st.integers(0, 4),
    seed=st.integers(0, 2**32),
    gate=st.sampled_from(["cx", "cz", "ecr", "rzz"]),
    clifford=st.booleans(),
    gates=st.sampled_from(SINGLE_GATES),
)
def test_without_noise_every_shot_succeeds(
    qubits: int, depth: int, seed: int, gate: str, clifford: bool, gates: set[str] | None
) -> None:
    """Whatever the circuit, its gates and the draw: the parity is the one foretold."""
    circuit = device_circuit(qubits, depth, seed, gate=gate, clifford=clifford, spare=1)
    assert successes(circuit, 8, seed, 16, gates=gates) == [16] * 8


@pytest.mark.parametrize("clifford", [True, False])
def test_a_hundred_qubits_succeed_on_a_stabiliser_simulator(clifford: bool) -> None:
    """Proxies of large circuits are Clifford circuits, so their answer can be checked."""
    circuit = device_circuit(100, 6, 3, clifford=clifford)
    proxies = clifford_proxies(circuit, 6, 5, gates={"u"})
    stabiliser = AerSimulator(method="stabilizer", seed_simulator=1)
    clifford_gates = [_named(proxy.circuit) for proxy in proxies]
    result = stabiliser.run(clifford_gates, shots=8).result()
    assert [proxy.successes(result.get_counts(i)) for i, proxy in enumerate(proxies)] == [8] * 6


def _named(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with each `u` as the named Clifford gates that a stabiliser simulator knows."""
    from qiskit.quantum_info import Clifford, Operator
    from qiskit.synthesis import synth_clifford_full

    words: dict[tuple[float, ...], QuantumCircuit] = {}
    named = circuit.copy_empty_like()
    for each in circuit.data:
        if each.name != "u":
            named.append(each)
            continue
        key = tuple(each.params)
        if key not in words:
            words[key] = synth_clifford_full(Clifford.from_operator(Operator(each.operation)))
        for gate in words[key].data:
            named.append(gate.operation, each.qubits)
    return named


@pytest.mark.parametrize("clifford", [True, False])
def test_the_mean_success_is_that_of_the_process_fidelity(clifford: bool) -> None:
    """Over all draws the success probability is (1 + F) / 2, F being the process fidelity to the circuit.

    The error is a coherent one that only the two-qubit gates have, in a circuit whose one-qubit gates are exact.
    """
    circuit = device_circuit(2, 1, 4, clifford=clifford)
    angle = 0.9
    shares = [
        _success_probability(_with_error(proxy.circuit, angle), proxy.mask, proxy.parity)
        for proxy in clifford_proxies(circuit, 600, 8)
    ]
    truth = np.cos(angle / 2) ** 2
    estimate, error = 2 * np.mean(shares) - 1, 2 * np.std(shares) / np.sqrt(len(shares))
    assert abs(estimate - truth) < 4 * error
    assert error < 0.04


def _with_error(circuit: QuantumCircuit, angle: float) -> QuantumCircuit:
    wrong = circuit.copy_empty_like()
    for each in circuit.data:
        if each.name == "measure":
            continue
        wrong.append(each)
        if each.name == "cx":
            wrong.rzz(angle, *each.qubits)
    return wrong


def _success_probability(circuit: QuantumCircuit, mask: int, parity: int) -> float:
    from qiskit.quantum_info import Statevector

    bare = circuit.remove_final_measurements(inplace=False)
    shares = Statevector.from_instruction(bare).probabilities()
    return float(sum(p for key, p in enumerate(shares) if (key & mask).bit_count() % 2 == parity))


def test_paulis_are_uniform_and_the_identity_is_among_them() -> None:
    """On two qubits each of the four masks of an empty circuit comes as often as the theory asks."""
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    masks = np.bincount([proxy.mask for proxy in clifford_proxies(circuit, 4000, 1)], minlength=4)
    expected = np.array([1, 3, 3, 9]) / 16 * 4000
    assert ((masks - expected) ** 2 / expected).sum() < 16.3  # χ², 3 degrees of freedom, 0.1 %


def test_a_clifford_circuit_runs_as_it_is() -> None:
    """Its own instructions, in their order, stand in every proxy; a barrier is on either side."""
    circuit = device_circuit(3, 2, 6, clifford=True, spare=2)
    bare = [(each.name, each.qubits) for each in circuit.data if each.name != "measure"]
    assert is_clifford(circuit)
    for proxy in clifford_proxies(circuit, 5, 6):
        names = [(each.name, each.qubits) for each in proxy.circuit.data]
        walls = [i for i, (name, _) in enumerate(names) if name == "barrier"]
        assert names[walls[0] + 1 : walls[1]] == bare


def test_other_circuits_keep_their_two_qubit_gates_and_their_qubits() -> None:
    """The same pairs on the same physical qubits in the same order; idle qubits stay idle."""
    circuit = device_circuit(5, 4, 7, spare=3)
    assert not is_clifford(circuit)
    used = {bit for each in circuit.data for bit in each.qubits}
    for proxy in clifford_proxies(circuit, 5, 6):
        assert proxy.circuit.num_qubits == 8
        assert proxy.circuit.num_clbits == 5
        assert pairs_of(proxy.circuit) == pairs_of(circuit)
        assert {bit for each in proxy.circuit.data for bit in each.qubits} == used


def test_gates_are_those_of_the_backend() -> None:
    """With a backend's gates named, no other one-qubit gate is written."""
    circuit = device_circuit(4, 3, 7, gate="cz")
    proxies = clifford_proxies(circuit, 20, 6, gates={"cz", "rz", "sx", "x", "measure"})
    names = {name for proxy in proxies for name in proxy.circuit.count_ops()}
    assert names == {"cz", "rz", "sx", "x", "barrier", "measure"}


def test_a_seed_fixes_the_proxies() -> None:
    """The same seed gives the same circuits, another one others."""
    circuit = device_circuit(3, 2, 7)
    first, again, other = (clifford_proxies(circuit, 6, seed) for seed in (4, 4, 5))
    assert [p.circuit for p in first] == [p.circuit for p in again]
    assert [(p.mask, p.parity) for p in first] == [(p.mask, p.parity) for p in again]
    assert [p.circuit for p in first] != [p.circuit for p in other]


def unsuited() -> dict[str, QuantumCircuit]:
    """Circuits without proxies, by the word their refusal must name."""
    names = ("before its end", "reset", "rzz", "cp", "ccx", "if_else", "delay", "no matrix", "no qubit")
    made = {name: QuantumCircuit(3, 3) for name in names}
    made["before its end"].measure(0, 0)
    made["before its end"].x(0)
    made["reset"].reset(0)
    made["rzz"].rzz(0.3, 0, 1)
    made["cp"].cp(0.1, 0, 1)
    made["ccx"].ccx(0, 1, 2)
    with made["if_else"].if_test((made["if_else"].clbits[0], 1)):
        made["if_else"].x(0)
    made["delay"].delay(10, 0)
    made["no matrix"].rz(Parameter("t"), 0)
    return made


@pytest.mark.parametrize("name", unsuited())
def test_other_circuits_are_refused_by_name(name: str) -> None:
    """The message names the operation that has no proxy."""
    with pytest.raises(CircuitError, match=name):
        clifford_proxies(unsuited()[name], 1, 1)


@pytest.mark.parametrize("instances", [0, -1, 1.5, True])
def test_a_number_of_instances_is_a_positive_whole_number(instances: Any) -> None:
    """Anything else is refused."""
    with pytest.raises(InputError):
        clifford_proxies(device_circuit(2, 1, 1), instances, 1)


def test_gates_that_cannot_make_every_turn_are_refused() -> None:
    """A backend with rz alone has no proxies."""
    with pytest.raises(CircuitError, match="rz"):
        clifford_proxies(device_circuit(2, 1, 1), 1, 1, gates={"rz", "cx"})


@pytest.mark.parametrize("key", ["0", "000", "0x", ""])
def test_counts_of_another_circuit_are_refused(key: str) -> None:
    """Keys must be bit strings of the proxy's register."""
    proxy = clifford_proxies(device_circuit(2, 1, 1), 1, 1)[0]
    with pytest.raises(InputError):
        proxy.successes({key: 1})
