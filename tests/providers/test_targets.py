"""What backends say they offer."""

from __future__ import annotations

import pytest
from qiskit import QuantumCircuit, transpile

from qpm_lab.errors import InputError
from qpm_lab.providers import backend, provider_of, target
from qpm_lab.providers.interface import Task
from qpm_lab.providers.targets import digest
from tests.providers.making import LOCAL, deciding, ghz, leaning, run


@pytest.mark.parametrize("name", LOCAL)
def test_what_is_transpiled_to_a_target_runs_on_its_backend(name: str) -> None:
    """The target has the backend's width, and circuits made for it are accepted and give their counts."""
    assert target(name).num_qubits == backend(name).qubits
    transpiled = transpile(leaning(), target=target(name), optimization_level=1, seed_transpiler=1)
    assert sum(run(name, transpiled, shots=100).counts[0].values()) == 100


def test_a_layout_that_was_chosen_for_the_device_is_kept() -> None:
    """Who transpiles to the device decides on its qubits; the noise is that of these qubits."""
    chosen = transpile(ghz(3), target=target("aer/noisy"), initial_layout=[7, 8, 13], seed_transpiler=1)
    (details,) = run("aer/noisy", chosen, shots=50).details["circuits"]
    assert set(details["physical_qubits"]) == {7, 8, 13}


@pytest.mark.parametrize("name", ["aer/simulator", "aer/noisy"])
def test_decisions_and_resets_are_part_of_the_target(name: str) -> None:
    """A circuit that measures, decides and resets is transpiled as it is."""
    operations = transpile(deciding(), target=target(name), optimization_level=0, seed_transpiler=1).count_ops()
    assert {"if_else", "reset", "measure"} <= set(operations)


def test_the_ideal_simulator_takes_more_qubits_than_a_state_vector_allows() -> None:
    """A hundred entangled qubits pass the transpiler."""
    assert transpile(ghz(100), target=target("aer/simulator"), optimization_level=0).num_qubits == 100


@pytest.mark.parametrize("name", LOCAL)
def test_every_gate_of_a_target_runs(name: str) -> None:
    """No gate is promised that the backend refuses."""
    offered = target(name)
    circuit = QuantumCircuit(4)
    for gate in offered.operation_names:
        operation = offered.operation_from_name(gate)
        if isinstance(operation, type) or gate in ("measure", "delay", "reset"):
            continue
        circuit.append(operation.base_class(*[0.3] * len(operation.params)), range(operation.num_qubits))
    circuit.measure_all()
    provider_of(name).check(Task(backend(name), (circuit,), 10, 1))


def test_an_unknown_backend_has_no_target() -> None:
    """The error is the one of every unknown id."""
    with pytest.raises(InputError, match="no backend"):
        target("aer/nothing")


def test_digests_of_different_targets_differ_and_of_equal_ones_do_not() -> None:
    """Content decides, not identity."""
    digests = [digest(target(name)) for name in LOCAL]
    assert len(set(digests)) == 3
    assert digests == [digest(target(name)) for name in LOCAL]
