"""Work that is done once for a circuit, and again as soon as anything it depends on has changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import QFTGate
from qiskit.transpiler import CouplingMap, InstructionProperties

from qpm_lab.circuits import Bindings, fingerprint, prepare_template
from qpm_lab.circuits.remembered import Remembered
from qpm_lab.providers import aer, aer_noisy, backend, provider_of
from qpm_lab.providers.interface import Task
from tests.providers.making import leaning


def _task(name: str, *circuits: QuantumCircuit, shots: int = 400) -> Task:
    return Task(backend(name), circuits, shots, 5, forms=tuple(prepare_template(c).form for c in circuits))


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The circuits that are routed anew, by name; nothing is remembered from before."""
    seen: list[str] = []
    route = aer_noisy.route

    def counted(circuit: QuantumCircuit) -> Any:
        seen.append(circuit.name)
        return route(circuit)

    monkeypatch.setattr(aer_noisy, "route", counted)
    monkeypatch.setattr(aer_noisy, "_ROUTED", Remembered())
    aer_noisy.device.cache_clear()
    yield seen
    aer_noisy.device.cache_clear()


def _run(task: Task) -> Any:
    return provider_of(task.backend.id).submit(task).result()


def test_the_same_circuit_is_routed_once_whatever_it_is_called(routed: list[str]) -> None:
    """A second job with the same content finds the work done, and gives the same counts."""
    first, second = leaning(), leaning()
    second.name, second.metadata = "another", {"owner": "bob"}
    one, two = _run(_task("aer/noisy", first)), _run(_task("aer/noisy", second))
    assert len(routed) == 1
    assert one.counts == two.counts
    assert one.details["circuits"] == two.details["circuits"]


def test_without_a_form_nothing_is_kept(routed: list[str]) -> None:
    """Who does not say what a circuit is gets it done anew."""
    for _ in range(2):
        _run(replace(_task("aer/noisy", leaning()), forms=()))
    assert len(routed) == 2


def _worse(target: Any) -> None:
    pair = min(target["cx"])
    target.update_instruction_properties("cx", pair, InstructionProperties(duration=1e-7, error=0.3))


def _slower(target: Any) -> None:
    old = target["sx"][(3,)]
    target.update_instruction_properties("sx", (3,), InstructionProperties(duration=9e-6, error=old.error))


def _another_gate(target: Any) -> None:
    from qiskit.circuit.library import CZGate

    target.add_instruction(CZGate(), {(0, 1): InstructionProperties(error=0.01, duration=1e-7)})


def _another_coupling(target: Any) -> None:
    from qiskit.circuit.library import CXGate

    target.add_instruction(CXGate(), {(0, 19): InstructionProperties(error=0.01, duration=1e-7)}, name="cx_long")


@pytest.mark.parametrize("change", [_worse, _slower, _another_gate, _another_coupling])
def test_a_change_of_the_target_means_new_work(routed: list[str], change: Any) -> None:
    """An error rate, a duration, a gate or a coupling that differs makes everything kept before useless."""
    _run(_task("aer/noisy", leaning()))
    change(aer_noisy.device().target)
    _run(_task("aer/noisy", leaning()))
    assert len(routed) == 2
    _run(_task("aer/noisy", leaning()))
    assert len(routed) == 2


def test_another_coupling_routes_another_way(routed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a line instead of a grid a ring of qubits needs more two-qubit gates, and gets them at once."""
    circuit = QuantumCircuit(4)
    circuit.h(0)
    for first, second in ((0, 1), (1, 2), (2, 3), (3, 0)):
        circuit.cp(0.5, first, second)
    circuit.measure_all()
    (before,) = _run(_task("aer/noisy", circuit)).details["circuits"]
    monkeypatch.setattr(CouplingMap, "from_grid", lambda rows, columns: CouplingMap.from_line(rows * columns))
    aer_noisy.device.cache_clear()
    (after,) = _run(_task("aer/noisy", circuit)).details["circuits"]
    assert after["two_qubit_gates"] > before["two_qubit_gates"]


def test_a_circuit_that_is_changed_after_its_job_does_not_change_what_is_kept() -> None:
    """What is kept is a copy."""
    circuit = leaning()
    task = _task("aer/simulator", circuit)
    before = _run(task).counts
    circuit.data.clear()
    assert _run(replace(task, circuits=(leaning(),))).counts == before


def test_what_is_kept_tells_nothing_about_whose_it_was() -> None:
    """Neither name nor metadata of a job's circuit are in what the next job gets."""
    circuit = leaning()
    circuit.append(QFTGate(2), [0, 1])
    circuit = circuit.copy(name="secret-project")
    circuit.metadata = {"owner": "ada"}
    for name in ("aer/simulator", "aer/noisy"):
        (ready,) = provider_of(name).prepared(_task(name, circuit)).costs
        assert "secret" not in ready.circuit.name
        assert not ready.circuit.metadata


def test_registers_are_those_of_the_job_at_hand() -> None:
    """The fingerprint ignores registers; keys are written in the registers of each job's own circuit."""
    from qiskit import ClassicalRegister, QuantumRegister

    def made(*sizes: int) -> QuantumCircuit:
        registers = [ClassicalRegister(size) for size in sizes]
        circuit = QuantumCircuit(QuantumRegister(3), *registers)
        circuit.x(1)
        circuit.measure(range(3), range(3))
        return circuit

    one, two = made(3), made(1, 2)
    assert fingerprint(one) == fingerprint(two)
    assert [list(_run(_task("aer/simulator", c)).counts[0]) for c in (one, two)] == [["010"], ["01 0"]]


@pytest.mark.parametrize("name", ["aer/simulator", "aer/noisy", "pennylane/lightning.qubit"])
def test_parameters_that_change_places_are_told_apart(name: str) -> None:
    """Two templates with one fingerprint and the same names in other places are not taken for each other."""
    a, b = Parameter("a"), Parameter("b")
    results = []
    for first, second in ((a, b), (b, a)):
        circuit = QuantumCircuit(2)
        circuit.rx(first, 0)
        circuit.ry(second, 1)
        circuit.measure_all()
        bindings = Bindings(("a", "b"), np.array([[np.pi, 0.0]]), (1,))
        (counts,) = _run(replace(_task(name, circuit), bindings=(bindings,))).counts
        results.append(max(counts, key=lambda key: counts[key]))
    assert results == ["01", "10"]


def test_columns_in_another_order_are_told_apart() -> None:
    """The order of the names in the values counts, too."""
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.rx(a, 0)
    circuit.rx(b, 1)
    circuit.measure_all()
    keys = []
    for names in (("a", "b"), ("b", "a")):
        bindings = Bindings(names, np.array([[np.pi, 0.0]]), (1,))
        keys.append(list(_run(replace(_task("aer/simulator", circuit), bindings=(bindings,))).counts[0]))
    assert keys == [["01"], ["10"]]


def test_a_sweep_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second sweep of the same template finds it compiled."""
    made: list[str] = []
    compiled = aer.compiled
    monkeypatch.setattr(aer, "_SWEPT", Remembered())
    monkeypatch.setattr(aer, "compiled", lambda circuit, names: made.append(circuit.name) or compiled(circuit, names))
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("t"), 0)
    circuit.measure_all()
    for value in (0.0, np.pi):
        bindings = Bindings(("t",), np.array([[value]]), (1,))
        _run(replace(_task("aer/simulator", circuit), bindings=(bindings,)))
    assert len(made) == 1


def test_only_the_values_used_last_are_kept() -> None:
    """The weight is bounded; what was used longest ago goes first; what alone is too heavy is not kept."""
    store: Remembered[int] = Remembered(most=10)
    for key in range(5):
        store.get(key, lambda: 1, weight=2)
    store.get(0, lambda: 2)
    store.get("new", lambda: 3, weight=2)
    assert store.get(0, lambda: 9, weight=2) == 1
    assert store.get(1, lambda: 9, weight=2) == 9
    store.get("heavy", lambda: 1, weight=11)
    assert store.get("heavy", lambda: 2, weight=11) == 2
    assert len(store) <= 5


def test_threads_share_what_is_kept() -> None:
    """Many threads asking at once all get the value, and the store stays within its bound."""
    store: Remembered[int] = Remembered(most=8)
    wrong: list[int] = []

    def ask() -> None:
        wrong.extend(n for n in range(2000) if store.get(n % 13, lambda n=n: n % 13) != n % 13)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(store) <= 8
