"""A sweep is one job: one decision, one reservation, one table; what was done is never lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Parameter

from qpm_lab import Lab, QuotaError
from qpm_lab.counts import CountsTable
from qpm_lab.errors import CancelledError, InputError, ProviderError
from qpm_lab.providers.interface import RunResult
from tests.runner.scripted import Held, ended

THETA, PHI = Parameter("theta"), Parameter("phi")


def turned() -> QuantumCircuit:
    """Qubit 0 turned by theta and qubit 1 by phi: an asymmetric circuit whose distribution is known."""
    circuit = QuantumCircuit(2, name="turned")
    circuit.ry(THETA, 0)
    circuit.ry(PHI, 1)
    circuit.measure_all()
    return circuit


def share_of_one(result: Any, bit: int) -> float:
    """Share of shots in which a qubit was 1."""
    return sum(n for key, n in result.counts.items() if key[-1 - bit] == "1") / result.shots


def events(lab: Lab) -> list[str]:
    return [entry.event for entry in lab.ledger.tail(0) if entry.job_id]


def used(lab: Lab, measure: str) -> set[str]:
    return {line["used"] for line in lab.budgets() if line["measure"] == measure and line["scope"] == "user"}


def test_a_sweep_is_one_job_with_one_decision_and_one_reservation(lab: Lab) -> None:
    """The ledger has one submission for all points, and the quotas count one job and all shots."""
    angles = np.linspace(0, np.pi, 21)
    job = lab.submit(turned(), shots=200, parameters={THETA: angles, PHI: 0.0})
    assert len(job.result()) == 21
    assert events(lab) == ["job.submitted", "job.started", "job.completed"]
    row = lab.ledger.job(job.id)
    assert (row.circuits, row.shots, row.total_shots) == (21, 200, 4200)
    assert used(lab, "shots") == {"4200"}
    assert lab.ledger.verify().ok


def test_each_point_has_the_counts_of_its_own_values(lab: Lab) -> None:
    """P(1) is sin²(θ/2) at every point, within six standard deviations (seed fixed)."""
    angles = np.linspace(0, np.pi, 21)
    result = lab.submit(turned(), shots=4000, seed=5, parameters={"theta": angles, "phi": 0.4}).result()
    for angle, point in zip(angles, result, strict=True):
        assert point.parameters == {"theta": angle}
        for bit, turn in ((0, angle), (1, 0.4)):
            expected = np.sin(turn / 2) ** 2
            assert abs(share_of_one(point, bit) - expected) <= 6 * np.sqrt(expected * (1 - expected) / 4000) + 1e-9


def test_two_axes_make_a_grid_in_row_major_order(lab: Lab) -> None:
    """Shapes (n, 1) and (1, m) broadcast as NumPy does, and the table names both values."""
    thetas, phis = np.array([0.0, np.pi]), np.array([0.0, np.pi, 0.0])
    job = lab.submit(turned(), shots=50, parameters={THETA: thetas[:, None], PHI: phis[None, :]})
    frame = job.result().to_frame()
    assert frame["outcome"].tolist() == ["00", "10", "00", "01", "11", "01"]
    assert list(frame.columns) == ["point", "theta", "phi", "outcome", "count", "share"]
    assert job.record()["sweep"]["shape"] == [2, 3]


def test_the_same_seed_gives_the_same_table(lab: Lab) -> None:
    """A sweep can be repeated from its record."""
    values = {THETA: np.linspace(0, 3, 40), PHI: np.linspace(3, 0, 40)}
    first = lab.submit(turned(), shots=100, parameters=values)
    again = lab.submit(turned(), shots=100, parameters=values, seed=first.record()["seed"])
    assert list(first.result().histograms) == list(again.result().histograms)


def test_another_process_reads_the_same_sweep(lab: Lab) -> None:
    """Counts, values and circuit come back from the ledger as they went in."""
    job = lab.submit(turned(), shots=100, parameters={THETA: np.linspace(0, 3, 12)[:, None], PHI: np.zeros((1, 2))})
    here, there = job.result(), Lab(lab.home).job(job.id).result()
    assert here.to_frame().equals(there.to_frame())
    assert there.bindings.shape == (12, 2)


def test_plain_and_swept_circuits_share_one_job(lab: Lab) -> None:
    """A list may mix them: one part for each circuit, one histogram for each execution."""
    plain = QuantumCircuit(1)
    plain.x(0)
    result = lab.submit([plain, turned()], shots=10, parameters={THETA: [0, 3.1, 0], PHI: 0}).result()
    assert [len(part) for part in result] == [1, 3]
    assert len(result.histograms) == 4
    assert result[0].counts == {"1": 10}


def test_a_sweep_over_a_quota_says_how_many_points_would_fit(home: Any, bundle_with: Any) -> None:
    """Exactly that many are allowed when asked for."""
    lab = Lab(home, bundle_with([{"id": "few", "measure": "shots", "scope": "user", "window": "day", "limit": 1000}]))
    with pytest.raises(QuotaError) as caught:
        lab.submit(turned(), shots=30, parameters={THETA: np.zeros(50), PHI: 0})
    reason = caught.value.decision.reasons[0]
    assert "33 of the 50 points would fit" in reason.fix
    assert len(lab.submit(turned(), shots=30, parameters={THETA: np.zeros(33), PHI: 0}).result()) == 33
    lab.close()


def half_done(points: int) -> Held:
    """A run of ten points that stands still after some."""
    run = Held(ProviderError("The machine is gone."))
    run.done = CountsTable.of([{"01": 7}] * points)
    return run


def swept(lab: Lab) -> Any:
    return lab.submit(turned(), shots=7, parameters={THETA: np.full(10, np.pi), PHI: 0})


def test_what_is_done_can_be_seen_while_it_runs(lab: Lab, scripted: Any) -> None:
    """Record and table grow with the run."""
    run = half_done(4)
    scripted(run)
    job = swept(lab)
    while run not in [live.running for live in lab.runner.live.values()]:
        pass
    assert job.record()["sweep"]["done"] == 4
    assert job.partial().to_frame()["count"].tolist() == [7] * 4
    job.cancel()


def test_a_cancelled_sweep_keeps_what_was_done(lab: Lab, scripted: Any) -> None:
    """Its shots are settled, the rest is released, and the table is there in any process."""
    run = half_done(4)
    scripted(run)
    job = swept(lab)
    while run not in [live.running for live in lab.runner.live.values()]:
        pass
    job.cancel()
    assert job.wait(30)
    assert job.status == "cancelled"
    with pytest.raises(CancelledError, match=r"4 of 10 points are kept: job\.partial\(\)"):
        Lab(lab.home).job(job.id).result()
    assert Lab(lab.home).job(job.id).partial().to_frame()["theta"].tolist() == [np.pi] * 4
    assert used(lab, "shots") == {"28"}
    assert lab.ledger.verify().ok


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(CountsTable.of([{"01": 6}]), id="too-few-shots"),
        pytest.param(CountsTable.of([{"011": 7}]), id="wrong-width"),
        pytest.param([{"01": 7}] * 11 + [{"01": 3}], id="no-table"),
    ],
)
def test_points_that_are_not_sound_are_not_kept(lab: Lab, scripted: Any, table: Any) -> None:
    """A half-done sweep is judged as strictly as a whole one."""
    run = ended(ProviderError("The machine is gone."))
    run.done = table
    scripted(run)
    job = swept(lab)
    assert job.wait(30)
    assert job.status == "failed"
    with pytest.raises(InputError, match="nothing yet"):
        job.partial()
    assert used(lab, "shots") <= {"0"}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        pytest.param(CountsTable.of([{"01": 7}] * 9), "9 histograms for 10", id="a-point-is-missing"),
        pytest.param(CountsTable.of([{"01": 7}] * 9 + [{"01": 8}]), "point 9", id="a-shot-too-many"),
        pytest.param(CountsTable.of([{"01": 7}] * 9 + [{"0x": 7}]), "'0x'", id="no-bit-string"),
    ],
)
def test_a_table_that_cannot_be_the_sweeps_is_refused(lab: Lab, scripted: Any, table: Any, said: str) -> None:
    """The provider's answer is untrusted; the message names the point or outcome."""
    scripted(ended(RunResult(table, run_seconds=0.1)))
    job = swept(lab)
    with pytest.raises(ProviderError, match="cannot be used") as caught:
        job.result()
    assert said in str(caught.value)


def test_arrays_that_do_not_go_together_are_named_with_their_shapes(lab: Lab) -> None:
    """The message shows both, the hint how a grid is written; nothing is recorded."""
    with pytest.raises(InputError, match=r"theta \(3,\), phi \(2,\)|phi \(2,\), theta \(3,\)") as caught:
        lab.submit(turned(), parameters={THETA: [1, 2, 3], PHI: [1, 2]})
    assert "[:, None]" in caught.value.hint
    assert events(lab) == []


def test_only_some_points_of_a_large_sweep_are_in_the_record(lab: Lab) -> None:
    """A record lives in a notebook: 200 points of a line, 40 × 40 of a grid, the ends among them."""
    line = lab.submit(turned(), shots=1, parameters={THETA: np.linspace(0, 1, 1001), PHI: 0}).record
    shown = line()["sweep"]["shown"]["indices"]
    assert len(shown) == 200
    assert (shown[0], shown[-1]) == (0, 1000)
    grid = lab.submit(turned(), shots=1, parameters={THETA: np.zeros((50, 1)), PHI: np.zeros((1, 30))}).record
    assert grid()["sweep"]["shown"]["shape"] == [40, 30]


def test_the_ledger_has_the_circuit_of_each_job_and_no_other(lab: Lab) -> None:
    """Circuits that differ in names only have one fingerprint; what is read back is still the one that was run."""

    def made(first: Parameter, second: Parameter) -> QuantumCircuit:
        circuit = QuantumCircuit(2)
        circuit.ry(first, 0)
        circuit.ry(second, 1)
        circuit.measure_all()
        return circuit

    values = {THETA: [0.0, 0.0], PHI: [np.pi, np.pi]}
    for circuit in (made(THETA, PHI), made(PHI, THETA)):
        job = lab.submit(circuit, parameters=values, shots=10)
        there = Lab(lab.home).job(job.id).result()
        bound = there.circuit.assign_parameters(there[0].parameters)
        assert lab.submit(bound, shots=10).result().counts == there.counts == job.result().counts


def test_the_registers_of_a_job_are_read_back_as_they_were(lab: Lab) -> None:
    """Also when the same gates came with other registers before."""
    for sizes in ([2], [1, 1]):
        circuit = QuantumCircuit(2)
        for size in sizes:
            circuit.add_register(ClassicalRegister(size))
        circuit.x(0)
        circuit.measure([0, 1], [0, 1])
        there = Lab(lab.home).job(lab.submit(circuit, shots=5).id).result()
        assert [register.size for register in there.circuit.cregs] == sizes


def test_a_table_of_several_sweeps_numbers_them_and_keeps_every_parameter(lab: Lab) -> None:
    """Parameters that are called like a column of the table have a column of their own."""
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("count"), 0)
    frame = lab.submit([circuit, circuit], parameters={"count": [0.0, np.pi]}, shots=3).result().to_frame()
    assert frame["circuit"].tolist() == [0, 0, 1, 1]
    assert frame["parameter.count"].tolist() == [0.0, np.pi] * 2
    assert frame["count"].tolist() == [3] * 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"parameters": np.array([0.1, 0.2])}, "must be a dictionary"),
        ({"parameters": {THETA: np.zeros(2000), PHI: 0}, "shots": 2**53}, "more than can be counted"),
        ({"parameters": {THETA: 0, PHI: 0}, "max_cost": "1e30"}, "too large"),
    ],
)
def test_what_cannot_be_asked_for_is_told_before_anything_is_recorded(lab: Lab, options: Any, said: str) -> None:
    """With the option that is wrong, not with an error from inside."""
    with pytest.raises(InputError, match=said):
        lab.submit(turned(), **options)
    assert events(lab) == []
