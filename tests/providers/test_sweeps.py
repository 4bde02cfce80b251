"""Sweeps: one task, many points, on every local backend."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import HamiltonianGate, get_standard_gate_name_mapping
from scipy.stats import chi2

from qpm_lab.circuits import Bindings
from qpm_lab.counts import CountsTable
from qpm_lab.errors import CapacityError, CircuitError
from qpm_lab.providers import backend, provider_of
from qpm_lab.providers.children import Processes
from qpm_lab.providers.crew import Threads
from qpm_lab.providers.interface import RunResult, Task
from qpm_lab.providers.running import FinishedRun, PiecesRun
from tests.providers.making import LOCAL

SEED = 20_261_122
FALSE_ALARM = 1e-6
"""Chance that one comparison of two equal distributions fails; with fixed seeds it happened or it never will."""


def swept(name: str, circuit: QuantumCircuit, values: Sequence[Sequence[float]], shots: int = 1000) -> Task:
    """A sweep over the circuit's parameters in their own order."""
    rows = np.array(values, dtype=float)
    bindings = Bindings(tuple(p.name for p in circuit.parameters), rows, (len(rows),))
    return Task(backend(name), (circuit,), shots, SEED, bindings=(bindings,))


def run(task: Task) -> RunResult:
    provider = provider_of(task.backend.id)
    provider.check(task)
    return provider.submit(task).result()


def plain(task: Task) -> RunResult:
    """The same points as circuits of their own."""
    (template,), (bindings,) = task.circuits, task.bindings
    assert bindings is not None
    bound = tuple(
        template.assign_parameters(dict(zip(bindings.names, r, strict=True))) for r in bindings.values.tolist()
    )
    return run(Task(task.backend, bound, task.shots, task.seed + 1))


def assert_alike(first: RunResult, second: RunResult) -> None:
    """A chi-square test of homogeneity at each point, outcomes that are rare in both taken together."""
    assert len(first.counts) == len(second.counts)
    for one, other in zip(first.counts, second.counts, strict=True):
        assert {len(key) for key in one} == {len(key) for key in other}
        table = np.array([[c.get(key, 0) for key in sorted({*one, *other})] for c in (one, other)], dtype=float)
        rare = table.sum(axis=0) < 20
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
        table = table[:, table.sum(axis=0) > 0]
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
        statistic = ((table - expected) ** 2 / expected).sum()
        assert chi2.sf(statistic, max(1, table.shape[1] - 1)) > FALSE_ALARM


def turning() -> QuantumCircuit:
    """Two parameters in expressions, two registers, crossed wires, an idle bit."""
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(3, "x"), ClassicalRegister(1, "y"))
    circuit.ry(a, 0)
    circuit.crx(2 * a + b / 3, 0, 1)
    circuit.rzz(b, 1, 2)
    circuit.h(2)
    circuit.measure(0, 3)
    circuit.measure(1, 0)
    circuit.measure(2, 2)
    return circuit


POINTS = [(0.3 * i, 1.1 - 0.2 * i) for i in range(6)]


def deciding() -> QuantumCircuit:
    """Measures in its middle, decides, resets; its angles are open inside and outside of the decision."""
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2, 3)
    circuit.ry(a, 0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.ry(b, 1)
    circuit.reset(0)
    circuit.rx(b, 0)
    circuit.measure([0, 1], [1, 2])
    return circuit


def looping() -> QuantumCircuit:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2, 2)
    with circuit.for_loop(range(3)):
        circuit.ry(a, 0)
        circuit.cx(0, 1)
    circuit.rx(b, 1)
    circuit.measure([0, 1], [1, 0])
    return circuit


def again() -> QuantumCircuit:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1, 2)
    circuit.ry(a, 0)
    circuit.measure(0, 0)
    circuit.ry(b, 0)
    circuit.measure(0, 1)
    return circuit


@pytest.mark.parametrize("name", LOCAL)
def test_a_sweep_gives_what_its_points_give_alone(name: str) -> None:
    """On every backend the histograms of a sweep are distributed like those of its bound circuits."""
    task = swept(name, turning(), POINTS, shots=2000)
    result = run(task)
    assert isinstance(result.counts, CountsTable)
    assert result.counts.totals.tolist() == [2000] * 6
    assert_alike(result, plain(task))


@pytest.mark.parametrize("name", ["aer/simulator", "aer/noisy"])
@pytest.mark.parametrize("circuit", [deciding(), looping(), again()], ids=["deciding", "looping", "again"])
def test_circuits_that_go_on_after_a_measurement_take_the_plain_way(name: str, circuit: QuantumCircuit) -> None:
    """Decisions, resets, loops and early measurements are swept point by point, to the same distributions."""
    task = swept(name, circuit, POINTS, shots=1500)
    result = run(task)
    assert result.details["method"] != "vectorised"
    assert_alike(result, plain(task))


@pytest.mark.parametrize("name", sorted(n for n, g in get_standard_gate_name_mapping().items() if g.params))
def test_every_standard_gate_with_angles_is_swept_as_it_is_run(name: str) -> None:
    """Between rotations that make its phases count, each standard gate gives its bound circuits' distributions."""
    gate = get_standard_gate_name_mapping()[name]
    if name in ("delay", "global_phase"):
        gate = get_standard_gate_name_mapping()["rx"]
    angles = ParameterVector("t", len(gate.params))
    circuit = QuantumCircuit(gate.num_qubits)
    for qubit in range(gate.num_qubits):
        circuit.ry(0.7 + 0.4 * qubit, qubit)
    circuit.append(gate.base_class(*angles), range(gate.num_qubits))
    for qubit in range(gate.num_qubits):
        circuit.rx(1.1 - 0.3 * qubit, qubit)
    circuit.measure_all()
    values = np.random.default_rng(3).uniform(-6, 6, (4, len(angles)))
    task = swept("aer/simulator", circuit, values.tolist(), shots=4000)
    result = run(task)
    assert result.details["method"] == "vectorised"
    assert_alike(result, plain(task))


@pytest.mark.parametrize("seed", range(12))
def test_random_circuits_are_swept_fast_as_they_are_run_plainly(seed: int) -> None:
    """Random gates of all kinds, random measurements into several registers: the fast way and Aer agree."""
    draw = np.random.default_rng(seed)
    qubits = int(draw.integers(2, 7))
    circuit = QuantumCircuit(QuantumRegister(qubits), ClassicalRegister(2, "a"), ClassicalRegister(qubits, "b"))
    angles = ParameterVector("t", 3)
    gates = [g for n, g in get_standard_gate_name_mapping().items() if n not in ("delay", "measure", "reset")]
    for _ in range(14):
        gate = gates[draw.integers(len(gates))]
        if not 1 <= gate.num_qubits <= qubits:
            continue
        open_ones = [angles[int(draw.integers(3))] * float(draw.uniform(0.5, 2)) for _ in gate.params]
        on = draw.permutation(qubits)[: gate.num_qubits].tolist()
        circuit.append(gate.base_class(*open_ones) if gate.params else gate, on)
    for angle in angles:
        circuit.ry(angle, 0)
    for qubit in range(qubits):
        circuit.measure(qubit, int(draw.permutation(qubits + 2)[0]))
    task = swept("aer/simulator", circuit, draw.uniform(-3, 3, (5, 3)).tolist(), shots=3000)
    result = run(task)
    assert result.details["method"] == "vectorised"
    assert_alike(result, plain(task))


def test_a_wide_sweep_takes_the_plain_way_and_a_product_of_many_qubits_too() -> None:
    """Beyond the width of the fast way Aer runs each point."""
    circuit = QuantumCircuit(16)
    angle = Parameter("t")
    for qubit in range(16):
        circuit.ry(angle, qubit)
    circuit.measure_all()
    result = run(swept("aer/simulator", circuit, [[0.0], [np.pi]], shots=50))
    assert result.details["method"] == "statevector"
    assert list(result.counts) == [{"0" * 16: 50}, {"1" * 16: 50}]


def test_swept_and_bound_circuits_go_together() -> None:
    """One job may hold both; histograms come circuit after circuit, points in order."""
    flip = QuantumCircuit(1)
    flip.x(0)
    flip.measure_all()
    turn = QuantumCircuit(1)
    turn.rx(Parameter("t"), 0)
    turn.measure_all()
    bindings = Bindings(("t",), np.array([[0.0], [np.pi], [0.0]]), (3,))
    task = Task(backend("aer/simulator"), (flip, turn, flip), 10, 1, bindings=(None, bindings, None))
    result = run(task)
    assert list(result.counts) == [{"1": 10}, {"0": 10}, {"1": 10}, {"0": 10}, {"1": 10}]
    assert result.details["method"] == ["statevector", "vectorised"]


@pytest.mark.parametrize("name", LOCAL)
def test_a_gate_that_opens_only_when_bound_is_swept(name: str) -> None:
    """Some gates have a definition only once their angle is known; each point is then rewritten by itself."""
    circuit = QuantumCircuit(1)
    circuit.append(HamiltonianGate(np.array([[0, 1], [1, 0]]), Parameter("t")), [0])
    circuit.measure_all()
    counts = run(swept(name, circuit, [[0.0], [np.pi / 2]], shots=200)).counts
    assert counts[0].get("0", 0) > 190
    assert counts[1].get("1", 0) > 180


@pytest.mark.parametrize(
    ("name", "circuit", "times"),
    [("aer/simulator", turning(), 2000), ("aer/simulator", deciding(), 40), ("aer/noisy", turning(), 100)],
)
def test_the_same_seed_gives_the_same_counts_wherever_it_runs(name: str, circuit: QuantumCircuit, times: int) -> None:
    """Inline, in threads and in child processes, whatever their number."""
    task = swept(name, circuit, POINTS * times, shots=64)
    provider = provider_of(name)
    inline = FinishedRun(lambda: _inline(task)).result()
    for crew in (Threads(1), Threads(3), Processes()):
        result = PiecesRun(provider.prepared(task), crew).result()
        assert result.details["calls"] > 1
        assert result.counts == inline.counts


def _inline(task: Task) -> RunResult:
    from qpm_lab.providers.running import simulate

    return simulate(provider_of(task.backend.id).prepared(task))


def test_a_cancelled_sweep_keeps_what_is_complete() -> None:
    """The histograms that are there are those of the whole sweep's beginning."""
    task = swept("aer/simulator", deciding(), POINTS * 40, shots=64)
    running = PiecesRun(provider_of("aer/simulator").prepared(task), Threads(1))
    while not running.finished():
        running.wait(0.01)
    running.cancel()
    kept = running.finished()
    assert len(kept) > 0
    assert kept == _inline(task).counts[: len(kept)]


def test_a_cancelled_sweep_computes_no_more() -> None:
    """When cancel returns no thread of the run is left."""
    task = swept("aer/simulator", turning(), POINTS * 20_000, shots=256)
    running = PiecesRun(provider_of("aer/simulator").prepared(task), Threads(2))
    running.wait(0.05)
    running.cancel()
    assert not [t for t in threading.enumerate() if t.name in ("qpm-simulation", "qpm-piece") and t.is_alive()]


def test_ten_thousand_points_take_little_more_memory_than_their_result() -> None:
    """What is allocated at the peak is a few times the table, whatever the number of points."""
    angles = ParameterVector("t", 6)
    circuit = QuantumCircuit(6)
    for qubit in range(6):
        circuit.ry(angles[qubit], qubit)
    circuit.measure_all()
    values = np.random.default_rng(1).uniform(0, 3, (10_000, 6))
    task = swept("aer/simulator", circuit, values.tolist(), shots=1024)
    run(swept("aer/simulator", circuit, values[:10].tolist()))
    prepared = provider_of("aer/simulator").prepared(task)
    tracemalloc.start()
    try:
        table = PiecesRun(prepared, Threads(1)).result().counts
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(table, CountsTable)
    size = table.indices.nbytes + table.values.nbytes + table.offsets.nbytes
    assert peak < 5 * size + 16 * 2**20


def test_an_expression_without_value_names_the_point() -> None:
    """A division by zero at one point is an error of the circuit, not of the simulator."""
    circuit = QuantumCircuit(1, 2)
    circuit.rx(1 / Parameter("t"), 0)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.measure(0, 1)
    with pytest.raises(CircuitError, match="t"):
        run(swept("aer/simulator", circuit, [[1.0], [0.0]]))


def test_counts_that_cannot_be_held_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million points of many outcomes are refused before they are computed, with their size."""
    from qpm_lab.providers import simulator

    monkeypatch.setattr(simulator, "free_bytes", lambda: 2**30)
    circuit = QuantumCircuit(12)
    circuit.ry(Parameter("t"), 0)
    circuit.h(range(1, 12))
    circuit.measure_all()
    task = swept("aer/simulator", circuit, np.zeros((1_000_000, 1)).tolist(), shots=4096)
    with pytest.raises(CapacityError, match="1,000,000 points"):
        provider_of("aer/simulator").check(task)
