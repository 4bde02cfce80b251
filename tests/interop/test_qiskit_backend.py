"""`lab.backend(id)` in the hands of code written for a Qiskit backend."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2, StatevectorEstimator
from qiskit.providers import BackendV2, JobError, JobStatus, JobTimeoutError, JobV1
from qiskit.quantum_info import SparsePauliOp
from qiskit.result import Result, marginal_counts
from qiskit.transpiler import generate_preset_pass_manager
from qiskit.visualization import plot_histogram

from qpm_lab import DeniedError, Lab, QuotaError
from qpm_lab.circuits import fingerprint
from qpm_lab.errors import CancelledError, InputError
from qpm_lab.experiment import Status
from qpm_lab.interop.qiskit.statuses import JOB_STATUS, together
from tests.interop.qiskit_circuits import SIGMAS, asymmetric, exact, far_from, rotations, slow, two_registers


@pytest.mark.parametrize("backend_id", ["aer/simulator", "aer/noisy", "pennylane/default.qubit"])
def test_a_transpiled_circuit_runs_on_every_kind_of_backend(lab: Lab, backend_id: str) -> None:
    """`transpile` and a preset pass manager accept the backend, and what they make runs with Qiskit's bit order."""
    backend = lab.backend(backend_id)
    assert isinstance(backend, BackendV2)
    for circuit in (
        transpile(asymmetric(), backend),
        generate_preset_pass_manager(optimization_level=1, backend=backend).run(asymmetric()),
    ):
        counts = backend.run(circuit, shots=400, seed_simulator=5).result().get_counts()
        assert max(counts, key=counts.get) == "001"
        assert sum(counts.values()) == 400


def test_the_target_tells_what_the_backend_can_do(lab: Lab) -> None:
    """Operations, width and coupling are the machine's; an ideal simulator couples everything."""
    ideal = lab.backend("aer/simulator")
    assert ideal.coupling_map is None
    assert {"h", "cx", "measure"} <= set(ideal.operation_names)
    assert ideal.target is ideal.target


def test_a_run_is_one_governed_job_with_its_labels(lab: Lab) -> None:
    """The job id is the ledger's, and the labels given to the backend or the run are recorded."""
    backend = lab.backend("aer/simulator", experiment="family", project="chips")
    job = backend.run([asymmetric(), rotations().assign_parameters([0.1] * 6)], shots=50, cost_center="q7", name="pair")
    assert isinstance(job, JobV1)
    assert len(job.result().get_counts()) == 2
    record = lab.record(job.job_id())
    assert record["name"] == "pair"
    labels = record["labels"]
    assert (labels["experiment"], labels["project"], labels["cost_center"]) == ("family", "chips", "q7")
    assert len(record["results"]) == 2
    assert record["circuit"]["fingerprint"] == fingerprint(asymmetric())
    assert len(lab.jobs()) == 1


def test_the_result_serves_code_written_for_qiskit(lab: Lab) -> None:
    """Counts by place, name and circuit, memory, registers, a dictionary and the tools that take a result."""
    circuit, other = two_registers(), asymmetric()
    job = lab.backend("aer/simulator").run([circuit, other], shots=64, memory=True, seed=9)
    result = job.result()
    assert isinstance(result, Result)
    assert result.success
    assert set(result.get_counts(0)) == {"10 01", "11 10"}
    assert result.get_counts(other) == result.get_counts(other.name) == {"001": 64}
    assert [each.shots for each in result.results] == [64, 64]
    assert result.results[0].header["creg_sizes"] == [["a", 2], ["b", 2]]
    assert result.results[0].status == "DONE"
    memory = result.get_memory(0)
    assert {key: memory.count(key) for key in set(memory)} == result.get_counts(0)
    assert memory != sorted(memory)
    again = Result.from_dict(result.to_dict())
    assert again.get_counts(0) == result.get_counts(0)
    assert result.job_id == job.job_id()
    assert set(marginal_counts(result, indices=[0, 1]).get_counts(0)) == {"01", "10"}
    figure = plot_histogram(result.get_counts(0))
    assert figure.axes
    assert pickle.loads(pickle.dumps(result)).get_counts(1) == {"001": 64}


def test_circuits_with_equal_names_are_told_apart(lab: Lab) -> None:
    """`get_counts(circuit)` finds the circuit itself, where Qiskit's own would warn and give the first."""
    one, two = QuantumCircuit(1, 1, name="same"), QuantumCircuit(1, 1, name="same")
    two.x(0)
    one.measure(0, 0)
    two.measure(0, 0)
    result = lab.backend("aer/simulator").run([one, two], shots=10).result()
    assert result.get_counts(one) == {"0": 10}
    assert result.get_counts(two) == {"1": 10}
    with pytest.warns(UserWarning, match="multiple results"):
        assert result.get_counts("same") == {"0": 10}


def test_the_same_seed_gives_the_same_counts_and_shots(lab: Lab) -> None:
    """Under either of its names, histogram and order of shots repeat."""
    backend = lab.backend("aer/simulator", memory=True)
    first = backend.run(two_registers(), shots=100, seed=4).result()
    again = backend.run(two_registers(), shots=100, seed_simulator=4).result()
    assert first.get_memory() == again.get_memory()
    assert lab.record(first.job_id)["seed"] == 4
    backend.set_options(seed_simulator=4, shots=100)
    assert backend.run(two_registers()).result().get_memory() == first.get_memory()


def test_parameter_binds_in_aers_form_are_a_sweep(lab: Lab) -> None:
    """One job, an experiment for each value, in order."""
    theta = Parameter("theta")
    circuit = QuantumCircuit(2, 2)
    circuit.rx(theta, 0)
    circuit.measure([0, 1], [0, 1])
    values = [0.0, np.pi, 0.0]
    job = lab.backend("aer/simulator").run([circuit, asymmetric()], parameter_binds=[{theta: values}, {}], shots=20)
    counts = job.result().get_counts()
    assert counts == [{"00": 20}, {"01": 20}, {"00": 20}, {"001": 20}]
    assert len(lab.jobs()) == 1


def test_metadata_of_any_kind_come_back(lab: Lab) -> None:
    """What Qiskit code hangs on its circuits reaches the result, whether or not a file can hold it."""
    for metadata in ({"of": "mine"}, {"values": np.arange(3), "call": print}):
        circuit = asymmetric()
        circuit.metadata = metadata
        result = lab.backend("aer/simulator").run(circuit, shots=None).result()
        assert result.results[0].header["metadata"] == metadata
        assert result.results[0].shots == 1024
        assert lab.sampler("aer/simulator").run([circuit]).result()[0].metadata["circuit_metadata"] == metadata


def test_circuits_without_measurement(lab: Lab) -> None:
    """Without classical bits everything is measured; bits that nothing is measured into read zero, as on a machine."""
    bare, forgotten = QuantumCircuit(2), QuantumCircuit(2, 3)
    bare.x(1)
    forgotten.x(1)
    result = lab.backend("aer/simulator").run([bare, forgotten], shots=8, memory=True).result()
    assert result.get_counts() == [{"10": 8}, {"000": 8}]
    assert result.get_memory(1) == ["000"] * 8


def test_mid_circuit_measurement_and_control_flow_run(lab: Lab) -> None:
    """A qubit is flipped back by what was measured."""
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    backend = lab.backend("aer/simulator")
    counts = backend.run(transpile(circuit, backend), shots=200, seed=1).result().get_counts()
    assert set(counts) == {"00", "11"}


def test_unknown_options_and_inputs_are_refused_by_name(lab: Lab) -> None:
    """Nothing is silently ignored."""
    backend = lab.backend("aer/simulator")
    for wrong in (
        lambda: backend.run(asymmetric(), noise_model=None),
        lambda: backend.run("OPENQASM 3;"),
        lambda: backend.run(asymmetric(), seed=1, seed_simulator=2),
        lambda: backend.run(rotations(), parameter_binds=[{}, {}]),
        lambda: lab.backend("aer/simulator", colour="red"),
        lambda: lab.backend("aer/nothing"),
        lambda: backend.run(asymmetric(), seed="seven"),
        lambda: lab.sampler("aer/simulator", seed="seven").run([asymmetric()]),
        lambda: lab.sampler("aer/simulator", colour="red"),
        lambda: lab.estimator("aer/nothing"),
    ):
        with pytest.raises(InputError) as caught:
            wrong()
        assert caught.value.hint
    assert len(lab.jobs()) == 0


def test_a_job_is_found_again_by_its_id(lab: Lab, home: Path) -> None:
    """Also by another Lab over the same home; a sweep comes back point by point."""
    backend = lab.backend("aer/simulator")
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(theta, 0)
    circuit.measure(0, 0)
    job = backend.run(circuit, parameter_binds=[{theta: [0.0, np.pi]}], shots=30)
    expected = job.result().get_counts()
    other = Lab(home=home)
    try:
        found = other.backend("aer/simulator").retrieve_job(job.job_id())
        assert found.result().get_counts() == expected == [{"0": 30}, {"1": 30}]
        assert [each.job_id() for each in other.backend("aer/simulator").jobs()] == [job.job_id()]
        assert other.backend("aer/noisy").jobs() == []
        with pytest.raises(InputError, match="ran on aer/simulator"):
            other.backend("aer/noisy").retrieve_job(job.job_id())
    finally:
        other.close()


def test_a_long_job_is_followed_and_cancelled(lab: Lab) -> None:
    """`run` returns while it runs; a cancel ends it with Qiskit's status and our error."""
    job = lab.backend("aer/simulator").run(slow(), shots=100_000)
    assert not job.in_final_state()
    with pytest.raises(JobTimeoutError):
        job.wait_for_final_state(timeout=0.01)
    with pytest.raises(TimeoutError):
        job.result(timeout=0.01)
    assert job.cancel()
    job.wait_for_final_state()
    assert job.status() == JobStatus.CANCELLED
    assert job.cancelled()
    assert not job.done()
    assert "cancel" in str(job.error_message())
    assert not job.cancel()
    with pytest.raises(CancelledError):
        job.result()
    with pytest.raises(JobError):
        job.submit()


def test_every_status_has_qiskits_word() -> None:
    """Ours map one to one; several jobs show what went wrong first and are done when all are."""
    assert set(JOB_STATUS) == set(Status)
    assert together([Status.COMPLETED, Status.RUNNING]) == JobStatus.RUNNING
    assert together([Status.COMPLETED, Status.FAILED, Status.RUNNING]) == JobStatus.ERROR
    assert together([Status.COMPLETED, Status.COMPLETED]) == together([]) == JobStatus.DONE


def test_refusals_surface_unchanged(bundle_with: Callable[[list[dict[str, Any]]], Path], home: Path) -> None:
    """A refused job raises at `run`, with the decision, on all three ways in."""
    quota = {"id": "few", "measure": "shots", "scope": "user", "window": "day", "limit": 100}
    lab = Lab(home=home, policies=bundle_with([quota]))
    bare = rotations(measured=False).assign_parameters([0.2] * 6)
    try:
        for refused in (
            lambda: lab.backend("aer/simulator").run(asymmetric(), shots=101),
            lambda: lab.sampler("aer/simulator").run([asymmetric()], shots=101),
            lambda: lab.estimator("aer/simulator").run([(bare, "ZZZ")], precision=0.01),
        ):
            with pytest.raises(QuotaError) as caught:
                refused()
            assert caught.value.decision.reasons[0].rule == "few"
            assert caught.value.hint
        with pytest.raises(DeniedError):
            lab.backend("aer/simulator").run(asymmetric(), shots=2**52)
        assert lab.backend("aer/simulator").run(asymmetric(), shots=100).result().get_counts() == {"001": 100}
    finally:
        lab.close()


def test_a_session_stops_the_loop_before_the_step_that_does_not_fit(lab: Lab) -> None:
    """All three ways in draw on the open session."""
    bare = rotations(measured=False).assign_parameters([0.2] * 6)
    with lab.session(max_jobs=3):
        lab.backend("aer/simulator").run(asymmetric(), shots=10).result()
        lab.sampler("aer/simulator").run([asymmetric()], shots=10).result()
        lab.estimator("aer/simulator").run([(bare, "ZZZ")], precision=0.1).result()
        with pytest.raises(QuotaError):
            lab.sampler("aer/simulator").run([asymmetric()], shots=10)


def test_qiskits_own_primitives_run_on_the_backend(lab: Lab) -> None:
    """`BackendSamplerV2` and `BackendEstimatorV2` agree with the exact values (5.5 σ; false alarm below 1e-5)."""
    backend = lab.backend("aer/simulator")
    circuit, angles = rotations(), np.linspace(0.1, 2.0, 12).reshape(2, 6)
    sampled = BackendSamplerV2(backend=backend, options={"seed_simulator": 3}).run([(circuit, angles)], shots=4000)
    for point in range(2):
        probabilities = exact(circuit.assign_parameters(angles[point]))
        assert far_from(sampled.result()[0].data.meas.get_counts(point), probabilities) < SIGMAS
    operator = SparsePauliOp.from_list([("XIZ", 0.5), ("YYI", -1.0), ("ZZZ", 0.3)])
    pub = (rotations(measured=False), operator, angles)
    estimated = BackendEstimatorV2(backend=backend, options={"seed_simulator": 3}).run([pub], precision=0.02).result()
    wanted = StatevectorEstimator().run([pub]).result()[0].data.evs
    assert np.all(np.abs(estimated[0].data.evs - wanted) < SIGMAS * estimated[0].data.stds)
