"""The 156-qubit device for Clifford circuits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Statevector, random_clifford
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

from qpm_lab.circuits import Bindings
from qpm_lab.errors import CapacityError, CircuitError
from qpm_lab.providers import aer_clifford, backend, ideal_probabilities, provider_of, routed, target
from qpm_lab.providers.generic_device import Errors
from qpm_lab.providers.interface import Task
from qpm_lab.providers.routing import compact
from qpm_lab.providers.stabilizer import outcomes
from tests.providers.making import crossed, deciding, ghz, leaning, run, task

DEVICE = "aer/noisy_clifford"
STEPS = ("s", "sdg", "z", "x", "sx", "cx")


def random_steps(draw: np.random.Generator, qubits: int, number: int) -> list[tuple[str, int, int]]:
    steps = []
    for _ in range(number):
        name = STEPS[draw.integers(len(STEPS) if qubits > 1 else 5)]
        a, b = draw.permutation(qubits)[:2].tolist() if name == "cx" else [int(draw.integers(qubits))] * 2
        steps.append((name, a, b))
    return steps


def as_circuit(steps: list[tuple[str, int, int]], qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    for name, a, b in steps:
        getattr(circuit, name)(*([a] if a == b else [a, b]))
    return circuit


def there_and_back(qubits: int, seed: int) -> QuantumCircuit:
    """A random Clifford circuit and its inverse, so that every error shows; measured crosswise."""
    circuit, random = QuantumCircuit(qubits, qubits), random_clifford(qubits, seed=seed).to_circuit()
    circuit.compose(random, inplace=True)
    circuit.barrier()
    circuit.x(range(0, qubits, 2))
    circuit.barrier()
    circuit.compose(random.inverse(), inplace=True)
    circuit.measure(range(qubits), np.random.default_rng(seed).permutation(qubits).tolist())
    return circuit


@settings(max_examples=60)
@given(st.integers(1, 6), st.integers(0, 60), st.integers(0, 10**6))
def test_the_outcomes_are_those_of_the_state_vector(qubits: int, number: int, seed: int) -> None:
    """Base and directions of any circuit span exactly the outcomes that have a probability, all of them equal."""
    steps = random_steps(np.random.default_rng(seed), qubits, number)
    found = outcomes(steps, qubits)
    possible = {found.base}
    for way in found.directions:
        possible |= {each ^ way for each in possible}
    exact = Statevector(as_circuit(steps, qubits)).probabilities()
    assert len(possible) == 2 ** len(found.directions)
    assert possible == set(np.flatnonzero(exact > 1e-9).tolist())
    assert exact[found.base] == pytest.approx(1 / len(possible))


@pytest.mark.parametrize("shots", [1, 2, 4000])
def test_samples_are_even_over_the_possible_outcomes(shots: int) -> None:
    """One shot or many, only possible outcomes come, and with many shots each about as often."""
    circuit = QuantumCircuit(3)
    steps = [("sx", 0, 0), ("cx", 0, 1), ("x", 2, 2), ("sx", 1, 1)]
    exact = Statevector(as_circuit(steps, circuit.num_qubits)).probabilities()
    found = outcomes(steps, 3).sample(shots, np.random.default_rng(3)) @ (1 << np.arange(3))
    share = np.bincount(found, minlength=8) / shots
    assert not share[exact < 1e-9].any()
    assert shots < 1000 or np.abs(share - exact).max() < 5 * (0.25 / shots) ** 0.5


def aer_noise(qubits: tuple[int, ...]) -> NoiseModel:
    """The device's noise as Aer has it, of these qubits numbered from 0."""
    model, device = NoiseModel(basis_gates=["cx", "rz", "sx", "x"]), target(DEVICE)
    place = {qubit: i for i, qubit in enumerate(qubits)}
    for name, width in (("sx", 1), ("x", 1), ("cx", 2)):
        for where, known in device[name].items():
            if all(qubit in place for qubit in where):
                size = 2**width
                error = depolarizing_error(known.error * size / (size - 1), width)
                model.add_quantum_error(error, name, [place[qubit] for qubit in where], warnings=False)
    for qubit in qubits:
        wrong = device["measure"][(qubit,)].error
        model.add_readout_error(ReadoutError([[1 - wrong, wrong], [wrong, 1 - wrong]]), [place[qubit]])
    return model


@pytest.mark.parametrize("seed", range(3))
def test_the_noise_is_that_of_aer_with_the_same_calibrations(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With large errors every share agrees with Aer's exact density matrix within five standard errors."""
    monkeypatch.setattr(aer_clifford, "ERRORS", Errors((0.005, 0.02), (0.005, 0.03), (0.01, 0.05)))
    aer_clifford.device.cache_clear()
    try:
        circuit, shots = routed(DEVICE, there_and_back(4, seed)), 200_000
        result = run(DEVICE, circuit, shots=shots)
        small, qubits = _small(circuit)
        small.save_density_matrix()
        simulator = AerSimulator(method="density_matrix", noise_model=aer_noise(qubits))
        exact = _read(simulator.run(small).result().data()["density_matrix"].probabilities(), circuit, qubits)
    finally:
        aer_clifford.device.cache_clear()
    for key, p in exact.items():
        assert abs(result.counts[0].get(key, 0) / shots - p) < 5 * (p * (1 - p) / shots) ** 0.5


def _small(circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
    small, qubits = compact(circuit)
    return small.remove_final_measurements(inplace=False), qubits


def _read(state: np.ndarray, circuit: QuantumCircuit, qubits: tuple[int, ...]) -> dict[str, float]:
    """What reading a state's qubits with the device's readout errors gives, by classical bits."""
    reads = [each for each in circuit.data if each.name == "measure"]
    behind = {circuit.find_bit(r.clbits[0]).index: circuit.find_bit(r.qubits[0]).index for r in reads}
    found: dict[str, float] = {}
    for seen in range(2 ** len(behind)):
        total = 0.0
        for outcome, p in enumerate(state):
            for clbit, qubit in behind.items():
                wrong = target(DEVICE)["measure"][(qubit,)].error
                same = (outcome >> qubits.index(qubit) & 1) == (seen >> clbit & 1)
                p *= 1 - wrong if same else wrong
            total += p
        found[format(seen, f"0{len(behind)}b")] = total
    return found


def test_a_hundred_qubits_keep_most_of_their_entanglement() -> None:
    """GHZ-100 lies on the grid without a swap, and its two outcomes stand far out."""
    result = run(DEVICE, ghz(100), shots=4096)
    assert result.details["circuits"][0]["two_qubit_gates"] == 99
    assert sum(result.counts[0].values()) == 4096
    first, second = sorted(result.counts[0], key=lambda key: -result.counts[0][key])[:2]
    assert {first, second} == {"0" * 100, "1" * 100}


def test_many_circuits_of_one_shot_each_are_one_job() -> None:
    """Each circuit has its own shot, from its own stream."""
    circuit = QuantumCircuit(100)
    circuit.h(range(100))
    circuit.measure_all()
    counts = run(DEVICE, *([routed(DEVICE, circuit)] * 60), shots=1).counts
    assert [sum(each.values()) for each in counts] == [1] * 60
    assert len({key for each in counts for key in each}) == 60


def test_shots_cut_into_pieces_are_all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory allows few shots at a time the rest follows, with other random numbers."""
    monkeypatch.setattr(aer_clifford, "_PIECE_BYTES", 20 * 3 * 100)
    counts = run(DEVICE, ghz(3), shots=1000).counts[0]
    assert sum(counts.values()) == 1000
    assert 300 < counts["000"] < 700


def test_bits_and_registers_are_where_qiskit_puts_them() -> None:
    """Crossed measurements, two registers, an idle qubit, and one qubit read twice."""
    counts = run(DEVICE, crossed()).counts[0]
    assert max(counts, key=lambda key: counts[key]) == "1 01"
    twice = QuantumCircuit(2, 3)
    twice.x(1)
    twice.measure([1, 0, 1], [0, 1, 2])
    counts = run(DEVICE, twice, shots=5000).counts[0]
    assert max(counts, key=lambda key: counts[key]) == "101"
    assert {"001", "100"} <= set(counts)  # each reading is wrong by itself


@pytest.mark.parametrize(
    ("circuit", "name"),
    [(ghz(3, clifford=False), r": t is no"), (leaning(), r"ry\(0.6\) is no"), (deciding(), "if_else")],
    ids=["t", "ry", "deciding"],
)
def test_what_is_no_clifford_circuit_is_refused_by_name(circuit: QuantumCircuit, name: str) -> None:
    """The instruction is named, and where it would run."""
    with pytest.raises(CircuitError, match=name) as refused:
        provider_of(DEVICE).check(task(DEVICE, circuit))
    assert "aer/noisy" in refused.value.hint


def test_measuring_before_the_end_is_refused() -> None:
    """The reason says which qubit."""
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.measure(0, 1)
    with pytest.raises(CircuitError, match="before its end"):
        provider_of(DEVICE).check(task(DEVICE, circuit))


def test_gates_that_are_clifford_together_are_taken() -> None:
    """Two T gates are an S, a whole synthesis of a Clifford operator is one, and quarter turns are."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.t(0)
    circuit.t(0)
    circuit.append(random_clifford(3, seed=1).to_instruction(), [0, 1, 2])
    circuit.rx(np.pi / 2, 1)
    circuit.rzz(-np.pi / 2, 1, 2)
    circuit.measure_all()
    ideal = ideal_probabilities(circuit).probabilities
    assert isinstance(ideal, dict)
    counts = run(DEVICE, circuit, shots=4000).counts[0]
    assert sum(counts.get(key, 0) for key in ideal) > 0.85 * 4000


def test_a_circuit_wider_than_the_device_is_refused() -> None:
    """With both widths."""
    with pytest.raises(CapacityError, match="157 qubits; aer/noisy_clifford takes 156"):
        provider_of(DEVICE).check(task(DEVICE, ghz(157)))


def test_a_sweep_of_quarter_turns_runs_point_by_point() -> None:
    """Each point has its own values, and one that is no Clifford circuit is refused."""
    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("t"), 1)
    circuit.measure_all()

    def swept(*values: float) -> Task:
        bindings = Bindings(("t",), np.array(values)[:, None], (len(values),))
        return Task(backend(DEVICE), (circuit,), 500, 1, bindings=(bindings,))

    counts = provider_of(DEVICE).submit(swept(0, np.pi, 2 * np.pi)).result().counts
    assert [max(each, key=lambda key: each[key]) for each in counts] == ["00", "10", "00"]
    with pytest.raises(CircuitError, match="Clifford"):
        provider_of(DEVICE).submit(swept(0, 1.0)).result()


def test_the_same_seed_gives_the_same_counts_and_another_seed_others() -> None:
    """A task's counts are a function of the task."""
    first, again, other = (run(DEVICE, ghz(20), seed=seed).counts for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_chain_that_does_not_fit_without_swaps_is_routed_with_them() -> None:
    """A star of 30 qubits needs more two-qubit gates than it was written with, and still gives its outcomes."""
    circuit = QuantumCircuit(30)
    circuit.h(0)
    for qubit in range(1, 30):
        circuit.cx(0, qubit)
    circuit.measure_all()
    result = run(DEVICE, circuit, shots=500)
    assert result.details["circuits"][0]["two_qubit_gates"] > 29
    assert set(sorted(result.counts[0], key=lambda k: -result.counts[0][k])[:2]) == {"0" * 30, "1" * 30}
