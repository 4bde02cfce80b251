"""A QNode on `qpm.lab` gives what PennyLane's own simulator gives, in one governed job per call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp

from qpm_lab import Lab
from qpm_lab.errors import InputError
from tests.interop.conftest import SHOTS, Device

FAR = 5 / SHOTS**0.5
"""Five standard deviations of a mean of ±1."""
HERMITIAN = np.array([[1.0, 0.3 - 0.2j, 0, 0.1], [0.3 + 0.2j, -0.4, 0.2, 0], [0, 0.2, 0.7, 0.5j], [0.1, 0, -0.5j, 0.2]])
H = 0.3 * qml.Z("b") + 0.7 * qml.X("a") @ qml.Y("c") - 0.2 * qml.Z("a") @ qml.Z("b") + 1.5 * qml.I("a")


def asymmetric(x: Any) -> None:
    """No two of the wires b, a, c are alike."""
    qml.RY(x, "b")
    qml.RX(0.4 + 2 * x, "a")
    qml.CNOT(["b", "c"])
    qml.StronglyEntanglingLayers(np.arange(9).reshape(1, 3, 3) / 9, wires=["c", "a", "b"])
    qml.adjoint(qml.S)("c")
    qml.ctrl(qml.RZ, control=["a", "b"], control_values=[1, 0])(0.7 * x, "c")


MEASUREMENTS: dict[str, Callable[[], Any]] = {
    "expval of one word": lambda: qml.expval(qml.X("a") @ qml.Z("c")),
    "expval of a sum": lambda: qml.expval(H),
    "expval of a matrix": lambda: qml.expval(qml.Hermitian(HERMITIAN, ["c", "a"])),
    "expval of Hadamard": lambda: qml.expval(qml.Hadamard("b")),
    "expval of a projector": lambda: qml.expval(qml.Projector([1, 0], ["a", "b"])),
    "expval of the identity": lambda: qml.expval(qml.I("b")),
    "variance of one word": lambda: qml.var(qml.Y("a") @ qml.Y("b")),
    "variance of a matrix": lambda: qml.var(qml.Hermitian(HERMITIAN, ["b", "c"])),
    "variance of a sum": lambda: qml.var(qml.X("a") + 2 * qml.Z("b")),
    "shares of all wires": lambda: qml.probs(),
    "shares of some wires, turned round": lambda: qml.probs(wires=["c", "b"]),
    "shares in another basis": lambda: qml.probs(op=qml.X("a") @ qml.Y("b")),
}


@pytest.mark.parametrize("measure", MEASUREMENTS.values(), ids=MEASUREMENTS.keys())
def test_every_statistic_agrees_with_the_exact_one(measure: Callable[[], Any], device: Device) -> None:
    """On labelled wires in an order of their own, for an asymmetric circuit."""

    def circuit(x: float) -> Any:
        asymmetric(x)
        return measure()

    exact = qml.QNode(circuit, qml.device("default.qubit", wires=["b", "a", "c"]))(0.6)
    found = qml.QNode(circuit, device(wires=["b", "a", "c"]))(0.6)
    assert np.shape(found) == np.shape(exact)
    np.testing.assert_allclose(found, exact, atol=4 * FAR)


def test_measurements_that_do_not_commute_are_one_job(device: Device, lab: Lab) -> None:
    """Z, X and a matrix on the same wire need three circuits; they are decided and recorded together."""

    @qml.qnode(device(wires=["a"]))
    def circuit() -> Any:
        qml.RY(0.4, "a")
        return qml.expval(qml.Z("a")), qml.expval(qml.X("a")), qml.expval(qml.Hermitian(HERMITIAN[:2, :2], "a"))

    np.testing.assert_allclose(circuit()[:2], [np.cos(0.4), np.sin(0.4)], atol=FAR)
    (row,) = lab.page()["jobs"]
    assert len(lab.record(row["job_id"])["results"]) == 3


def test_counts_and_samples_have_pennylanes_form(device: Device) -> None:
    """The same keys, shapes and kinds of numbers as default.qubit's."""

    def circuit() -> Any:
        qml.RX(0.5, 0)
        qml.X(1)
        return (
            qml.counts(),
            qml.counts(wires=[1], all_outcomes=True),
            qml.counts(qml.Z(0), all_outcomes=True),
            qml.counts(2 * qml.Z(1) @ qml.Z(0)),
            qml.sample(),
            qml.sample(wires=1),
            qml.sample(qml.Z(0) @ qml.Z(1)),
            qml.sample(wires=[0], dtype="int8"),
        )

    ours = qml.QNode(circuit, device(wires=2, shots=500))()
    theirs = qml.set_shots(qml.QNode(circuit, qml.device("default.qubit", wires=2, seed=1)), 500)()
    assert [set(c) for c in ours[:4]] == [set(c) for c in theirs[:4]]
    assert all(sum(c.values()) == 500 for c in ours[:4])
    assert [(s.shape, s.dtype) for s in ours[4:]] == [(s.shape, s.dtype) for s in theirs[4:]]
    np.testing.assert_array_equal(ours[4][:, 1], ours[5][:, 0])


def test_samples_come_in_random_order(device: Device) -> None:
    """Halves of the samples of a fair coin have the same share of ones: sorted counts would not."""

    @qml.qnode(device(wires=1, shots=4000))
    def coin() -> Any:
        qml.Hadamard(0)
        return qml.sample()

    samples = coin()[:, 0]
    assert abs(samples[:2000].mean() - samples[2000:].mean()) < 5 / 4000**0.5


def test_a_shot_vector_gives_one_result_for_each_of_its_parts(device: Device, lab: Lab) -> None:
    """All parts are one job with the sum of the shots."""

    @qml.set_shots([100, (1000, 2)])
    @qml.qnode(device(wires=2))
    def circuit(x: Any) -> Any:
        qml.RY(x, 0)
        return qml.counts(), qml.expval(qml.Z(0))

    found = circuit(0.8)
    assert [sum(counts.values()) for counts, _ in found] == [100, 1000, 1000]
    for counts, value in found:
        assert value == pytest.approx((counts.get("00", 0) - counts.get("10", 0)) / sum(counts.values()))
    (row,) = lab.page()["jobs"]
    assert row["shots"] == 2100
    assert np.shape(circuit(np.array([0.1, 0.2]))[1][1]) == (2,)


def test_set_shots_overrides_those_of_the_device(device: Device, lab: Lab) -> None:
    """The shots of the tape are what is reserved."""
    node = qml.QNode(lambda: qml.counts(), device(wires=1, shots=10))
    assert qml.set_shots(node, 30)() == {"0": 30}
    assert lab.page()["jobs"][0]["shots"] == 30


def test_without_shots_nothing_runs(device: Device, lab: Lab) -> None:
    """None are made up: they are what quotas and vendors count. The hint says where to write them."""
    node = qml.QNode(lambda: qml.expval(qml.Z(0)), device(wires=1, shots=None))
    with pytest.raises(InputError, match="set_shots") as refused:
        node()
    assert refused.value.hint
    assert lab.page()["jobs"] == []


def test_the_same_seed_gives_the_same_results(device: Device, lab: Lab) -> None:
    """A new device repeats the whole sequence; within it results differ, and every job records its seed."""

    def sequence(seed: int | None) -> list[Any]:
        node = qml.QNode(lambda: [qml.Hadamard(0), qml.sample()][1], device(wires=1, shots=50, seed=seed))
        return [node()[:, 0].tolist() for _ in range(2)]

    first = sequence(3)
    assert sequence(3) == first
    assert first[0] != first[1]
    assert sequence(4) != first
    assert sequence(None) != sequence(None)
    assert all(isinstance(lab.record(row["job_id"])["seed"], int) for row in lab.page()["jobs"])


@pytest.mark.parametrize("seed", [-1, 0.5, True, "7"])
def test_a_seed_that_is_no_whole_number_is_refused(seed: Any, device: Device) -> None:
    """At the line that makes the device, not at the first run."""
    with pytest.raises(InputError, match="seed"):
        device(wires=1, seed=seed)


def test_a_broadcast_is_one_vectorised_job(device: Device, lab: Lab) -> None:
    """300 points of two circuits: one job, two sweeps, and the values of each point alone."""

    @qml.qnode(device(wires=2, shots=2000))
    def circuit(x: Any, y: Any) -> Any:
        qml.RX(x, 0)
        qml.RY(y, 1)
        qml.CNOT([0, 1])
        return qml.expval(qml.Z(0) @ qml.Z(1)), qml.probs(wires=0), qml.counts(), qml.expval(qml.X(1)), qml.sample()

    x = np.linspace(0, 3, 300)
    zz, shares, counts, _, samples = circuit(x, 0.4)
    np.testing.assert_allclose(zz, np.full(300, np.cos(0.4)), atol=6 / 2000**0.5)
    np.testing.assert_allclose(shares, np.stack([np.cos(x / 2) ** 2, np.sin(x / 2) ** 2], axis=1), atol=6 / 2000**0.5)
    assert len(counts) == 300
    assert samples.shape == (300, 2000, 2)
    (row,) = lab.page()["jobs"]
    assert [r["circuit"]["points"] for r in lab.record(row["job_id"])["results"]] == [300, 300]


def test_a_broadcast_of_matrices_is_taken_apart(device: Device) -> None:
    """Only angles can be parameters of one circuit; matrices become circuits of their own, in the same job."""
    made = device(wires=1)
    matrices = np.stack([qml.RX.compute_matrix(x) for x in (0.0, np.pi)])
    node = qml.QNode(lambda: [qml.QubitUnitary(matrices, 0), qml.expval(qml.Z(0))][1], made)
    np.testing.assert_allclose(node(), [1, -1])
    assert len(made.jobs) == 1


def test_gradients_by_parameter_shift_agree_with_the_analytic_ones(device: Device, lab: Lab) -> None:
    """All shifted circuits of a gradient are one job and, having one structure, one sweep for each group."""

    def circuit(x: Any) -> Any:
        qml.RY(x[0], 0)
        qml.CRX(x[1], [0, 1])
        qml.IsingXX(x[2], [0, 1])
        return qml.expval(0.5 * qml.Z(0) @ qml.Z(1) + qml.X(0))

    x = pnp.array([0.3, 1.2, -0.7], requires_grad=True)
    made = device(wires=2, shots=50_000)
    exact = qml.grad(qml.QNode(circuit, qml.device("default.qubit", wires=2)))(x)
    found = qml.grad(qml.QNode(circuit, made, diff_method="parameter-shift"))(x)
    np.testing.assert_allclose(found, exact, atol=0.05)
    assert len(made.jobs) == 2
    points = [r["circuit"]["points"] for r in lab.record(made.jobs[-1])["results"]]
    assert sum(points) == 2 * (2 + 4 + 2)
    assert len(points) <= 6


def test_a_step_of_an_optimiser_translates_nothing_anew(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call with other numbers finds its template, and the ledger the same fingerprint."""
    from qpm_lab.interop.pennylane import device as module

    built = []
    make = module.make_template
    monkeypatch.setattr(module, "make_template", lambda *a: built.append(a) or make(*a))
    made = device(wires=3, shots=100)

    @qml.qnode(made)
    def circuit(x: Any) -> Any:
        qml.BasicEntanglerLayers(x, wires=range(3))
        qml.CRY(x[0, 1], [0, 2])
        return qml.expval(qml.Z(0) + qml.X(1))

    for x in (0.1, 0.0, np.pi):
        circuit(np.full((2, 3), x))
    assert len(built) == 1
    fingerprints = {made.lab.record(job)["circuit"]["fingerprint"] for job in made.jobs}
    assert len(fingerprints) == 1


def test_the_templates_kept_are_bounded(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest structure is forgotten first."""
    from qpm_lab.interop.pennylane import device as module

    monkeypatch.setattr(module, "KEPT_TEMPLATES", 2)
    made = device(wires=3, shots=10)
    for wire in range(3):
        qml.QNode(lambda w=wire: [qml.X(w), qml.counts()][1], made)()
    assert len(made._templates) == 2


def test_tapes_with_different_shots_become_one_job_for_each_number(device: Device) -> None:
    """A job has one number of shots; results keep the tapes' order."""
    made = device(wires=1)
    tapes = [qml.tape.QuantumScript([qml.X(0)] * n, [qml.counts()], shots=s) for n, s in [(0, 5), (1, 7), (1, 5)]]
    assert qml.execute(tapes, made) == ({"0": 5}, {"1": 7}, {"1": 5})
    assert len(made.jobs) == 2


def test_wires_need_not_be_given(device: Device) -> None:
    """Without wires the device takes those of each circuit, in PennyLane's order."""
    node = qml.QNode(lambda: [qml.X("q"), qml.CNOT(["q", 7]), qml.Z("r"), qml.counts()][3], device(shots=10))
    assert node() == {"110": 10}
    node = qml.QNode(lambda: [qml.X(1), qml.Z(0), qml.counts()][2], device(shots=10))
    assert node() == {"01": 10}
    made = device(shots=10)
    for named, outcome in ([], "1"), ([0], "01"):
        node = qml.QNode(lambda named=named: [qml.X(1), qml.GlobalPhase(0.1, wires=named), qml.counts()][2], made)
        assert node() == {outcome: 10}


@pytest.mark.parametrize("backend", ["aer/simulator", "pennylane/lightning.qubit"])
def test_mid_circuit_measurements_run_on_every_backend(backend: str, device: Device) -> None:
    """Natively where the backend can, else deferred by PennyLane: reset, conditions and their statistics."""

    def circuit(with_counts: bool = False) -> Any:
        qml.RY(1.1, 0)
        first = qml.measure(0, reset=True)
        qml.cond(first, qml.RX)(0.9, wires=1)
        second = qml.measure(1)
        qml.cond(first + second == 1, qml.X)(2)
        return (
            qml.probs(wires=[0, 1, 2]),
            qml.expval(first),
            qml.expval(first + 2 * second),
            qml.probs(op=[first, second]),
            qml.var(second),
            *([qml.counts([second, first], all_outcomes=True)] if with_counts else []),
        )

    exact = qml.QNode(circuit, qml.device("default.qubit", wires=5))()
    made = device(wires=5 if backend.startswith("pennylane") else 3, backend=backend)
    found = qml.QNode(circuit, made)(with_counts=True)
    for ours, theirs in zip(found[:5], exact, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=4 * FAR)
    assert list(found[5]) == ["00", "01", "10", "11"]
    assert found[5]["10"] == 0


def test_phases_and_conditions_that_never_hold_change_nothing(device: Device) -> None:
    """They are left out of the circuit with their angles, also under a condition."""

    @qml.qnode(device(wires=2, shots=10))
    def circuit() -> Any:
        qml.GlobalPhase(0.3)
        qml.X(0)
        first = qml.measure(0)
        qml.cond(first > 2, qml.RX)(np.pi, wires=1)
        qml.cond(first, qml.GlobalPhase)(0.3)
        qml.cond(first >= 0, qml.RX)(np.pi, wires=0)
        return qml.counts()

    assert circuit() == {"00": 10}


def test_postselected_shots_are_those_that_pass(device: Device) -> None:
    """As on hardware: fewer shots come back, and only with the outcome asked for."""

    @qml.qnode(device(wires=2), postselect_mode="hw-like")
    def circuit() -> Any:
        qml.Hadamard(0)
        qml.CNOT([0, 1])
        qml.measure(0, postselect=1)
        return qml.counts(wires=1), qml.expval(qml.Z(1))

    counts, value = circuit()
    assert set(counts) == {"1"}
    assert abs(counts["1"] - SHOTS / 2) < 5 * SHOTS**0.5 / 2
    assert value == -1
    filling = qml.QNode(circuit.func, device(wires=2), postselect_mode="fill-shots")
    with pytest.raises(InputError, match="fill"):
        filling()
