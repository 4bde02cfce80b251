"""`stim/noisy`: the 156-qubit device for Clifford circuits."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import stim as library
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Statevector, random_clifford
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

from qpm_lab.circuits import Bindings
from qpm_lab.errors import CapacityError, CircuitError
from qpm_lab.providers import backend, ideal_probabilities, provider_of, routed, stim, target
from qpm_lab.providers.clifford_program import program
from qpm_lab.providers.generic_device import Errors
from qpm_lab.providers.interface import Task
from qpm_lab.providers.pieces import cut, whole
from qpm_lab.providers.routing import compact
from tests.providers.making import crossed, deciding, ghz, leaning, run, task

DEVICE = "stim/noisy"


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
    monkeypatch.setattr(stim, "ERRORS", Errors((0.005, 0.02), (0.005, 0.03), (0.01, 0.05)))
    stim.device.cache_clear()
    try:
        circuit, shots = routed(DEVICE, there_and_back(4, seed)), 200_000
        result = run(DEVICE, circuit, shots=shots)
        small, qubits = _small(circuit)
        small.save_density_matrix()
        simulator = AerSimulator(method="density_matrix", noise_model=aer_noise(qubits))
        exact = _read(simulator.run(small).result().data()["density_matrix"].probabilities(), circuit, qubits)
    finally:
        stim.device.cache_clear()
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
    monkeypatch.setattr(stim, "_PIECE_BYTES", 230 * 100)
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
    with pytest.raises(CapacityError, match="157 qubits; stim/noisy takes 156"):
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


@settings(max_examples=60)
@given(st.integers(1, 5), st.integers(0, 40), st.integers(0, 10**6))
def test_every_gate_of_the_device_is_the_same_in_stim(qubits: int, number: int, seed: int) -> None:
    """Without its errors any circuit of device gates gives the outcomes of the state vector, about as often."""
    draw = np.random.default_rng(seed)
    gates = QuantumCircuit(qubits)
    for _ in range(number):
        qubit, kind = int(draw.integers(qubits)), draw.integers(4)
        if kind == 0:
            gates.rz(int(draw.integers(-4, 8)) * np.pi / 2, qubit)
        elif kind == 1 and qubits > 1:
            low = min(qubit, qubits - 2)
            gates.cx(*draw.permutation([low, low + 1]).tolist())
        else:
            getattr(gates, "sx" if kind == 2 else "x")(qubit)
    circuit = QuantumCircuit(target(DEVICE).num_qubits, qubits)
    circuit.compose(gates, range(qubits), inplace=True)
    circuit.measure(range(qubits), range(qubits))
    ideal = library.Circuit(program(circuit, circuit, stim.lines()).text).without_noise()
    drawn = ideal.compile_sampler(seed=seed).sample(2000) @ (1 << np.arange(qubits))
    share, exact = np.bincount(drawn, minlength=2**qubits) / 2000, Statevector(gates).probabilities()
    assert np.abs(share - exact).max() < 6 * (0.25 / 2000) ** 0.5
    assert not share[exact < 1e-9].any()


def test_errors_are_as_likely_as_the_calibration_says() -> None:
    """Average errors become Pauli errors: 3/2 of it on one qubit and 5/4 on two, and readings flip as calibrated."""
    lines, device = stim.lines(), target(DEVICE)
    for name, width, factor in (("sx", 1, 1.5), ("x", 1, 1.5), ("cx", 2, 1.25)):
        for where, known in device[name].items():
            (_, noise) = library.Circuit(lines[name, where])
            assert noise.name == f"DEPOLARIZE{width}"
            assert noise.gate_args_copy() == [pytest.approx(known.error * factor)]
            assert [each.value for each in noise.targets_copy()] == list(where)
    (reading,) = library.Circuit(lines["measure", (7,)])
    assert reading.gate_args_copy() == [pytest.approx(device["measure"][(7,)].error)]


def test_bits_that_are_not_read_are_zero_and_the_last_reading_counts() -> None:
    """A classical bit that is written twice has the later qubit's value, each outcome once."""
    circuit = QuantumCircuit(2, 4)
    circuit.h(0)
    circuit.x(1)
    circuit.measure([0, 1], [2, 2])
    counts = run(DEVICE, circuit, shots=2000).counts[0]
    assert sum(counts.values()) == 2000
    assert set(counts) <= {"0100", "0000"}
    assert counts["0100"] > 1900


def test_two_threads_may_use_the_device_for_the_first_time_at_once() -> None:
    """A new process whose first shots are drawn in two threads comes to its end."""
    script = (
        "from tests.providers.making import ghz, task; from qpm_lab.providers import provider_of;"
        "from qpm_lab.providers.crew import Threads; from qpm_lab.providers.gathering import Gathering;"
        "from qpm_lab.providers.pieces import cut; work = task('stim/noisy', *[ghz(100)] * 40, shots=3000);"
        "ready = provider_of('stim/noisy').prepared(work); found = Gathering(work, cut(ready.costs, work));"
        "Threads(2).work(ready, found); print(found.is_complete, len(found.pieces) > 3)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "True True\n", done.stderr


def test_a_piece_gives_the_same_wherever_it_is_computed() -> None:
    """A child gets a piece as a task of its own, with its own routing, and finds the same counts."""
    provider = provider_of(DEVICE)
    work = task(DEVICE, ghz(30), ghz(40), ghz(3), shots=3000)
    ready = provider.prepared(work)
    for piece in cut(ready.costs, work):
        alone = piece.of(work)
        assert stim.StimProvider().prepared(alone).run(whole(alone)) == ready.run(piece)


def test_many_shots_leave_the_process_and_single_shots_stay() -> None:
    """stim keeps Python's lock, so only what is short counts as letting others run."""
    short, long = (provider_of(DEVICE).prepared(task(DEVICE, ghz(100), shots=n)).costs[0] for n in (1, 10**7))
    assert short.releases_lock
    assert not long.releases_lock


def test_outcomes_that_do_not_fit_into_memory_are_refused() -> None:
    """With what they may need; the same number of shots of few bits is no problem."""
    with pytest.raises(CapacityError, match=r"outcomes of 1,000,000,000 shots may need [\d.]+ TiB"):
        provider_of(DEVICE).check(task(DEVICE, ghz(100), shots=10**9))
    provider_of(DEVICE).check(task(DEVICE, ghz(5), shots=10**9))


def test_only_the_first_circuits_of_many_are_listed_one_by_one() -> None:
    """The rest is counted."""
    details = run(DEVICE, *([ghz(2)] * 130), shots=1).details
    assert len(details["circuits"]) == 100
    assert details["circuits_not_listed"] == 30
    assert details["circuits"][0]["depth"] == run(DEVICE, routed(DEVICE, ghz(2))).details["circuits"][0]["depth"]
    assert set(details["versions"]) == {"qiskit", "stim"}
