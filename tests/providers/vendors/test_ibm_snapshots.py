"""IBM's snapshots of its machines, which run here: noise, seeds, the order of bits, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from qiskit import QuantumCircuit

from qpm_lab.errors import CapacityError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.ibm import VENDOR
from qpm_lab.providers.ibm_devices import BACKENDS, MOST_QUBITS
from qpm_lab.providers.interface import Task
from qpm_lab.providers.remote import RemoteProvider
from tests.providers.vendors.conftest import circuit, crossed


@pytest.fixture(scope="module")
def provider() -> Iterator[RemoteProvider]:
    """Without a key or an address."""
    made = RemoteProvider(VENDOR)
    yield made
    made.close()


def info(provider: RemoteProvider, backend: str) -> BackendInfo:
    return next(each for each in provider.backends() if each.id == backend)


def run(provider: RemoteProvider, name: str, made: QuantumCircuit, shots: int = 1000, seed: int = 5) -> dict[str, int]:
    """A circuit on a snapshot, as a job runs it."""
    task = Task(info(provider, f"ibm/{name}"), (made,), shots, seed)
    provider.check(task)
    return dict(provider.submit(task).result().counts[0])


def ghz(qubits: int) -> QuantumCircuit:
    chain = circuit(qubits, qubits)
    chain.h(0)
    for qubit in range(qubits - 1):
        chain.cx(qubit, qubit + 1)
    chain.measure(range(qubits), range(qubits))
    return chain


@pytest.mark.parametrize("name", [each.id for each in BACKENDS if each.local])
def test_a_snapshot_is_described_as_it_is(provider: RemoteProvider, name: str) -> None:
    """Qubits and gates in the list are those of the client's own data."""
    target, told = provider.target(name), info(provider, name)
    assert target.num_qubits == told.qubits
    assert set(told.gates) <= set(target.operation_names)


@pytest.mark.parametrize("name", ["fake_torino", "fake_kingston", "fake_sherbrooke", "fake_manila"])
def test_a_snapshot_runs_with_the_noise_of_its_machine(provider: RemoteProvider, name: str) -> None:
    """Mostly right, never perfect, and the same for the same seed."""
    counts = run(provider, name, ghz(5), shots=4000)
    right = (counts["00000"] + counts["11111"]) / 4000
    assert 0.5 < right < 1
    assert counts == run(provider, name, ghz(5), shots=4000)
    assert counts != run(provider, name, ghz(5), shots=4000, seed=6)


def test_a_snapshot_keeps_the_order_of_bits(provider: RemoteProvider) -> None:
    """Crossed wires and unread bits come out where the circuit says."""
    counts = run(provider, "fake_fez", crossed())
    assert max(counts, key=lambda key: counts[key]) == "00101"
    assert {len(key) for key in counts} == {5}


def test_a_snapshot_decides_on_measured_bits(provider: RemoteProvider) -> None:
    """As the machine behind it does."""
    deciding = circuit(2, 2)
    deciding.x(0)
    deciding.measure(0, 0)
    with deciding.if_test((deciding.clbits[0], 1)):
        deciding.x(1)
    deciding.measure(1, 1)
    counts = run(provider, "fake_torino", deciding)
    assert counts["11"] > 850


def test_a_simulation_that_does_not_fit_says_what_it_would_need(provider: RemoteProvider) -> None:
    """Instead of filling the memory."""
    with pytest.raises(CapacityError, match=f"at most {MOST_QUBITS} qubits") as caught:
        run(provider, "fake_torino", ghz(MOST_QUBITS + 2))
    assert "4 GiB" in caught.value.hint
