"""`lab.estimator(id)`: exact expectation values within honest errors, measured once, governed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import BaseEstimatorV2, StatevectorEstimator
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Operator, SparseObservable, SparsePauliOp, Statevector

from qpm_lab import Lab
from qpm_lab.circuits.content import content_key
from qpm_lab.errors import InputError
from qpm_lab.interop.qiskit.observables import measurement_plan
from qpm_lab.interop.qiskit.templates import KEPT_CIRCUITS, Templates, measured_in
from tests.interop.qiskit_circuits import SIGMAS, random_unmeasured, rotations

PAULIS = ["".join(letters) for letters in itertools.product("IXYZ", repeat=3)]


def random_operator(rng: np.random.Generator, terms: int = 6) -> SparsePauliOp:
    labels = rng.choice(PAULIS, terms, replace=False)
    return SparsePauliOp.from_list([(label, rng.normal()) for label in labels])


def executed(lab: Lab, job: Any) -> tuple[int, int]:
    """Circuits and histograms of a run's first job."""
    result = job.jobs[0].result()
    return len(result.parts) or 1, len(result.histograms)


@pytest.mark.parametrize("seed", range(5))
def test_random_circuits_and_observables_agree_with_the_exact_values(lab: Lab, seed: int) -> None:
    """15 values within 5.5 of the reported standard errors: false alarm below 1e-5."""
    circuit = random_unmeasured(seed, qubits=3)
    operators = [random_operator(np.random.default_rng([seed, k])) for k in range(3)]
    data = lab.estimator("aer/simulator", seed=seed).run([(circuit, operators)], precision=0.02).result()[0].data
    wanted = StatevectorEstimator().run([(circuit, operators)]).result()[0].data.evs
    assert np.all(np.abs(data.evs - wanted) <= SIGMAS * data.stds + 1e-9)


@pytest.mark.parametrize(
    ("observables", "points"), [((), ()), ((), (4,)), ((3,), ()), ((3, 1), (4,)), ((4,), (4,)), ((2, 1, 2), (3, 1))]
)
def test_shapes_broadcast_as_in_qiskit(lab: Lab, observables: tuple[int, ...], points: tuple[int, ...]) -> None:
    """Values land where `StatevectorEstimator` puts them (5.5 standard errors)."""
    rng = np.random.default_rng(11)
    operators = np.empty(observables, dtype=object)
    for place in np.ndindex(observables):
        operators[place] = random_operator(rng, 4)
    pub = (rotations(measured=False), operators.tolist() if observables else operators[()], rng.random((*points, 6)))
    mine = lab.estimator("aer/simulator", seed=1).run([pub], precision=0.02).result()[0]
    theirs = StatevectorEstimator().run([pub]).result()[0]
    assert mine.data.evs.shape == mine.data.stds.shape == theirs.data.evs.shape
    assert np.all(np.abs(mine.data.evs - theirs.data.evs) <= SIGMAS * mine.data.stds + 1e-9)
    assert len(lab.jobs()) == 1


@pytest.mark.parametrize(("backend_id", "low"), [("aer/simulator", 1.0), ("aer/noisy", 0.8)])
def test_every_backend_estimates(lab: Lab, backend_id: str, low: float) -> None:
    """Correlations of a Bell pair, exact where the backend is ideal and a little less where it is noisy."""
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    data = lab.estimator(backend_id, seed=1).run([(bell, ["XX", "ZZ", "YY"])], precision=0.03).result()[0].data
    assert np.all(data.evs * [1, 1, -1] >= low)
    assert np.all(data.evs * [1, 1, -1] <= 1)


def test_the_standard_errors_are_those_of_the_values(lab: Lab) -> None:
    """Over 300 repetitions the spread of the values is what each of them says of itself, correlated terms included.

    The ratio of the two has a relative error of 1/√600 = 4 %; five times that is allowed.
    """
    bell = QuantumCircuit(2)
    bell.ry(0.7, 0)
    bell.cx(0, 1)
    operator = SparsePauliOp.from_list([("ZI", 1.0), ("IZ", 1.0), ("XX", 0.5)])
    data = [
        each.data for each in lab.estimator("aer/simulator", seed=8).run([(bell, operator, None, 0.1)] * 300).result()
    ]
    spread = np.std([each.evs for each in data])
    told = np.sqrt(np.mean([each.stds**2 for each in data]))
    assert spread / told == pytest.approx(1, abs=0.2)


def test_a_run_is_one_job_of_as_many_circuits_as_bases(lab: Lab) -> None:
    """Ten points of an operator in two bases are two sweeps of ten; pubs of the same circuit join them."""
    circuit = rotations(measured=False)
    operator = SparsePauliOp.from_list([("ZZI", 1), ("IZZ", 1), ("XII", 0.5), ("IXI", 0.5), ("III", 3)])
    estimator = lab.estimator("aer/simulator", experiment="vqe")
    job = estimator.run([(circuit, operator, np.zeros((10, 6))), (circuit, "ZII", np.zeros(6))], precision=0.1)
    result = job.result()
    assert executed(lab, job)[1] == 21
    assert len(lab.jobs()) == 1
    record = lab.record(job.job_id())
    assert record["shots"] == 100
    assert record["labels"]["experiment"] == "vqe"
    assert result.metadata == {"version": 2}
    assert result[0].metadata == {"target_precision": 0.1, "shots": 100, "circuit_metadata": {}}


def test_precision_is_shots(lab: Lab) -> None:
    """⌈1/precision²⌉; pubs of different precision are different jobs, the default is 4,096 shots."""
    circuit = rotations(measured=False).assign_parameters([0.3] * 6)
    estimator = lab.estimator("aer/simulator")
    job = estimator.run([(circuit, "ZZZ"), (circuit, "ZZZ", None, 0.03)])
    assert [each.metadata["shots"] for each in job.result()] == [4096, 1112]
    assert len(job.jobs) == 2
    assert job.result()[1].metadata["target_precision"] == 0.03
    for wrong in (0, float("inf"), float("nan")):
        with pytest.raises(InputError, match="precision"):
            estimator.run([(circuit, "ZZZ")], precision=wrong)


def test_identities_cost_nothing(lab: Lab) -> None:
    """An operator that is a number is known without a job."""
    job = lab.estimator("aer/simulator").run([(rotations(measured=False), SparsePauliOp("III", 2.5), np.zeros((2, 6)))])
    assert job.result()[0].data.evs.tolist() == [2.5, 2.5]
    assert job.result()[0].data.stds.tolist() == [0, 0]
    assert job.done()
    assert len(lab.jobs()) == 0


def test_qubits_are_not_mixed_up(lab: Lab) -> None:
    """Each qubit of an asymmetric product state, in each basis, has its own value without error."""
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.h(1)
    circuit.sdg(2)
    circuit.rx(-np.pi / 2, 2)
    observables = ["IIZ", "IXI", "YII", "YXZ", "IXZ", "YIZ"]
    data = lab.estimator("aer/simulator").run([(circuit, observables)], precision=0.1).result()[0].data
    assert np.allclose(data.evs, [Statevector(circuit).expectation_value(Operator.from_label(o)) for o in observables])
    assert np.allclose(data.stds, 0)


def test_projectors_are_measured_too(lab: Lab) -> None:
    """Qiskit's extended alphabet agrees with the operators it stands for (5.5 standard errors)."""
    circuit = random_unmeasured(5, qubits=3)
    observables = [SparseObservable.from_list([(label, 1.5), ("ZZI", 0.5)]) for label in ("01Z", "+-X", "rlI", "1+l")]
    data = lab.estimator("aer/simulator", seed=1).run([(circuit, observables)], precision=0.02).result()[0].data
    wanted = [
        Statevector(circuit).expectation_value(Operator(SparsePauliOp.from_sparse_observable(o))).real
        for o in observables
    ]
    assert np.all(np.abs(data.evs - wanted) <= SIGMAS * data.stds + 1e-9)


def test_a_circuit_laid_out_on_a_machine_is_measured_there(lab: Lab) -> None:
    """An ISA circuit with a moved observable gives the value of the abstract one (5.5 standard errors)."""
    circuit = rotations(measured=False).assign_parameters([0.4, 0.1, 1.0, 0.2, 0.5, 0.9])
    operator = SparsePauliOp.from_list([("XIZ", 0.5), ("YYI", -1.0), ("ZZZ", 0.3)])
    isa = transpile(circuit, GenericBackendV2(7, seed=3), seed_transpiler=2, optimization_level=2)
    pub = (isa, operator.apply_layout(isa.layout))
    data = lab.estimator("aer/simulator", seed=3).run([pub], precision=0.02).result()[0].data
    wanted = StatevectorEstimator().run([(circuit, operator)]).result()[0].data.evs
    assert abs(data.evs - wanted) < SIGMAS * data.stds


def test_measurements_within_the_circuit_do_not_disturb(lab: Lab) -> None:
    """Its own classical bits, even in a register of that name, are kept apart from those of the observable."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.measure_all()
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    data = lab.estimator("aer/simulator", seed=1).run([(circuit, ["ZZ", "XI"])], precision=0.05).result()[0].data
    assert data.evs[0] == 1
    assert abs(data.evs[1]) < SIGMAS * data.stds[1]


def test_operators_that_are_not_hermitian_are_refused(lab: Lab) -> None:
    """A complex coefficient has no measured value."""
    with pytest.raises(ValueError, match="Hermitian"):
        lab.estimator("aer/simulator").run([(QuantumCircuit(1), SparsePauliOp("Z", 1j))])
    assert isinstance(lab.estimator("aer/simulator"), BaseEstimatorV2)


def test_a_circuit_changed_in_place_is_measured_anew(lab: Lab) -> None:
    """What is kept of a circuit goes by its content, so no change is missed."""
    estimator, circuit, angle = lab.estimator("aer/simulator"), QuantumCircuit(1), Parameter("a")
    circuit.rx(angle, 0)
    assert estimator.run([(circuit, "Z", 0.0)], precision=0.1).result()[0].data.evs == 1
    circuit.x(0)
    assert estimator.run([(circuit, "Z", 0.0)], precision=0.1).result()[0].data.evs == -1
    circuit.data.pop()
    assert estimator.run([(circuit, "Z", 0.0)], precision=0.1).result()[0].data.evs == 1


def test_a_gate_whose_definition_changes_is_measured_anew(lab: Lab) -> None:
    """Also a gate of the user's own, changed behind the circuit's back, and changed back."""
    inside, circuit = QuantumCircuit(1), QuantumCircuit(1)
    gate = Gate("mine", 1, [])
    gate.definition = inside
    circuit.append(gate, [0])
    estimator = lab.estimator("aer/simulator")
    definition = circuit.data[0].operation.definition
    for flips in (0, 1, 0):
        definition.clear()
        for _ in range(flips):
            definition.x(0)
        value = estimator.run([(circuit, "Z")], precision=0.1).result()[0].data.evs
        assert value == (-1) ** flips


def test_parameters_that_trade_places_are_not_confused(lab: Lab) -> None:
    """Two circuits alike but for which parameter is where are two circuits."""
    a, b = Parameter("a"), Parameter("b")
    one, two = QuantumCircuit(2), QuantumCircuit(2)
    for circuit, (first, second) in ((one, (a, b)), (two, (b, a))):
        circuit.rx(first, 0)
        circuit.rx(second, 1)
    assert content_key(one, definitions=True) != content_key(two, definitions=True)
    pubs = [(one, "IZ", {a: np.pi, b: 0.0}), (two, "IZ", {a: np.pi, b: 0.0})]
    result = lab.estimator("aer/simulator").run(pubs, precision=0.1).result()
    assert [float(each.data.evs) for each in result] == [-1, 1]


def test_templates_are_made_once_and_bounded() -> None:
    """The same content gives the same template object; the store forgets the longest unused."""
    store, basis = Templates(), ((0, "X"), (2, "Z"))
    circuit = efficient_su2(3)
    kept = store.of(circuit)[basis]
    assert store.of(circuit.copy())[basis] is kept
    for number in range(KEPT_CIRCUITS):
        other = QuantumCircuit(1)
        other.rx(number / 10, 0)
        assert store.of(other)[((0, "Z"),)].names == ()
    assert len(store) == KEPT_CIRCUITS
    assert store.of(circuit)[basis] is not kept
    assert kept.names == tuple(p.name for p in circuit.parameters)


def test_more_bases_than_one_job_takes_are_several_jobs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is split only then, and put together again in order."""
    from qpm_lab.runner import plan

    monkeypatch.setattr(plan, "MAX_CIRCUITS", 2)
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.h(1)
    observables = ["ZZ", "XZ", "YZ", "IZ", "XI"]
    job = lab.estimator("aer/noisy", seed=1).run([(circuit, observables)], precision=0.05)
    assert len(job.jobs) == 2
    assert np.abs(job.result()[0].data.evs[[1, 3, 4]] - [-1, -1, 1]).max() < 0.3


def test_on_an_ideal_simulator_all_bases_are_points_of_one_circuit(lab: Lab) -> None:
    """However many terms there are, and the values are those of each basis by itself; parameters keep their names."""
    angle = Parameter("basis[0].theta")  # a name that the turns would like to have
    circuit = QuantumCircuit(3)
    circuit.ry(angle, 0)
    circuit.cx(0, 2)
    circuit.s(2)
    observables = SparsePauliOp.from_list([("XIX", 0.5), ("YIX", 0.3), ("ZIZ", 0.2), ("IXI", 1.0), ("YZY", 0.7)])
    job = lab.estimator("aer/simulator", seed=3).run([(circuit, observables, [0.4, 1.1])], precision=0.01)
    (governed,) = job.jobs
    assert len(governed.record()["sweep"]["parameters"]) == 7
    exact = StatevectorEstimator().run([(circuit, observables, [0.4, 1.1])]).result()[0].data.evs
    data = job.result()[0].data
    assert np.abs(data.evs - exact).max() < 5.5 * data.stds.max()


labels = st.text("IXYZ01+-rl", min_size=3, max_size=3)
operators = st.dictionaries(labels, st.floats(-2, 2), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(operators, min_size=1, max_size=3), st.integers(0, 20))
def test_the_bases_measure_every_operator_exactly(drawn: list[dict[str, float]], seed: int) -> None:
    """With the exact probabilities in each basis in place of shots, constants and contributions are the exact value."""
    circuit = random_unmeasured(seed, qubits=3, depth=4)
    (part,) = measurement_plan(tuple(tuple(each.items()) for each in drawn), (len(drawn),), ())
    found = part.constants.copy()
    for group in part.groups:
        turned = Statevector(measured_in(circuit, group.basis).remove_final_measurements(inplace=False))
        width = len(group.basis)
        bits = np.array([list(format(n, f"0{width}b")) for n in range(2**width)], dtype=np.uint8)
        found += turned.probabilities([qubit for qubit, _ in group.basis]) @ group.contributions(bits)
    state = Statevector(circuit)
    wanted = [
        sum(c * state.expectation_value(Operator.from_label(label)).real for label, c in each.items()) for each in drawn
    ]
    assert np.allclose(found, wanted)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("IXYZ", min_size=4, max_size=4), st.floats(0.1, 2), min_size=1, max_size=12))
def test_terms_that_need_no_basis_of_their_own_have_none(terms: dict[str, float]) -> None:
    """Never more bases than terms, none empty, and a set that commutes qubit by qubit has one."""
    (part,) = measurement_plan((tuple(terms.items()),), (), ())
    counted = [label for label in terms if label.strip("I")]
    assert sum(group.signs.shape[1] for group in part.groups) == len(counted)
    assert all(group.basis and group.signs.any(axis=1).all() for group in part.groups)
    clash = any(
        {a, b} <= set("XYZ") and a != b for one in counted for two in counted for a, b in zip(one, two, strict=True)
    )
    assert len(part.groups) == 1 or clash or not counted
