"""Distributions of whole sweeps are those of the plain way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.circuit.library import (
    Initialize,
    MCXGate,
    PauliEvolutionGate,
    PhaseGate,
    QFTGate,
    RVGate,
    RXGate,
    RZZGate,
    StatePreparation,
    UGate,
    UnitaryGate,
    XGate,
)
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Kraus, Operator, SparsePauliOp, Statevector, random_unitary

from qpm_lab.errors import CircuitError
from qpm_lab.providers.vectorised import Unsupported, compile_template
from qpm_lab.providers.vectorised.matrices import dense
from tests.providers.templates import (
    STANDARD,
    compiled,
    measured,
    names_of,
    plainly,
    random_angle,
    random_template,
    shape_of,
    values_for,
)

EXACT = 1e-12
THETA, PHI = Parameter("theta"), Parameter("phi")


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 6), st.integers(0, 25), st.integers(1, 5), st.integers(0, 2**32))
def test_every_point_has_the_distribution_of_its_bound_circuit(qubits: int, gates: int, points: int, seed: int) -> None:
    """Any standard gates, any angles, any measurement map: as by Qiskit's state vector of each point."""
    draw = np.random.default_rng(seed)
    bare = random_template(draw, qubits, gates)
    circuit = measured(bare, draw)
    values = values_for(circuit, points, draw)
    plan = compiled(circuit)
    rows = plan.probabilities(values)
    assert rows.shape == (points, 2 ** len(plan.order))
    for row, point in zip(rows, values, strict=True):
        np.testing.assert_allclose(row, plainly(bare, point, plan.order), atol=EXACT)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 10**6))
def test_a_bound_circuit_is_a_sweep_of_one_point(qubits: int, depth: int, seed: int) -> None:
    """Without parameters the one row is the circuit's distribution."""
    circuit = random_circuit(qubits, depth, max_operands=4, seed=seed)
    theirs = Statevector(circuit).probabilities()
    circuit.measure_all()
    np.testing.assert_allclose(compiled(circuit).probabilities(np.empty((1, 0)))[0], theirs, atol=EXACT)


@pytest.mark.parametrize("name", STANDARD)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_each_gate_has_qiskits_matrix_at_each_point(name: str, seed: int) -> None:
    """Open, derived or constant angles, phases included."""
    from qpm_lab.providers.vectorised.gates import Full, gate_of

    draw = np.random.default_rng(seed)
    gate = STANDARD[name].to_mutable()
    gate.params = [random_angle(draw) for _ in gate.params]
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    values = values_for(circuit, 3, draw)
    ours = gate_of(gate, {name: column for column, name in enumerate(names_of(circuit))})
    assert ours is not None
    for point in range(3):
        bound = circuit.assign_parameters(dict(zip(circuit.parameters, values[point], strict=True)))
        theirs = bound.data[0].operation.to_matrix()
        matrix = ours.matrix if isinstance(ours, Full) else dense(ours.at(values), gate.num_qubits, 3)[..., point]
        np.testing.assert_allclose(matrix, theirs, atol=EXACT)


def box() -> Gate:
    """A gate of one's own with parameters inside its definition."""
    inner = QuantumCircuit(2, name="box")
    inner.ry(THETA, 0)
    inner.cx(0, 1)
    inner.rz(PHI * THETA, 1)
    inner.h(1)
    return inner.to_gate()


OTHERS = {
    "controlled twice": RXGate(THETA).control(2, annotated=False),
    "controlled when zero": UGate(THETA, PHI, 0.3).control(2, ctrl_state=1, annotated=False),
    "controlled two-qubit gate": RZZGate(THETA).control(1, annotated=False),
    "controlled phase": PhaseGate(THETA).control(3, annotated=False),
    "controlled unitary": UnitaryGate(random_unitary(2, seed=1)).control(1, annotated=False),
    "many controls": MCXGate(5, ctrl_state=9),
    "annotated": RXGate(THETA).control(2, annotated=True),
    "rotation vector": RVGate(THETA, PHI, 0.4),
    "own gate": box(),
    "controlled own gate": box().control(1, annotated=False),
    "power": XGate().power(0.3),
    "full unitary": UnitaryGate(random_unitary(8, seed=2)),
    "evolution": PauliEvolutionGate(SparsePauliOp(["XX", "YY", "ZZ"]), THETA),
    "fourier": QFTGate(4),
    "state": StatePreparation([0.5, 0.5j, -0.1, 0.7], normalize=True),
}


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # in the comparison
@pytest.mark.parametrize("kind", OTHERS)
def test_gates_beyond_the_standard_ones_are_simulated_too(kind: str) -> None:
    """By controls, definition or matrix, whichever the gate has."""
    gate = OTHERS[kind]
    circuit = QuantumCircuit(gate.num_qubits)
    for qubit in range(gate.num_qubits if kind != "state" else 0):
        circuit.u(0.4 + qubit, 0.3, PHI, qubit)
    circuit.append(gate, range(gate.num_qubits))
    for qubit in range(gate.num_qubits):
        circuit.ry(0.7 * qubit + 0.2, qubit)
    values = values_for(circuit, 3, np.random.default_rng(3))
    ours = compiled(circuit.measure_all(inplace=False)).probabilities(values)
    for row, point in zip(ours, values, strict=True):
        np.testing.assert_allclose(row, plainly(circuit, point, range(gate.num_qubits)), atol=EXACT)


def test_a_gate_is_known_by_what_it_is_and_not_by_its_name() -> None:
    """Someone's own gate called rx is what its definition says."""
    false = Gate("rx", 1, [THETA])
    false.definition = QuantumCircuit(1)
    false.definition.ry(2 * THETA, 0)
    circuit = QuantumCircuit(1, 1)
    circuit.append(false, [0])
    circuit.measure(0, 0)
    ours = compiled(circuit).probabilities(np.array([[0.5]]))
    np.testing.assert_allclose(ours, [[np.cos(0.5) ** 2, np.sin(0.5) ** 2]], atol=EXACT)


def test_initialised_qubits_are_simulated_where_they_are_fresh() -> None:
    """The resets inside an initialisation of unused qubits change nothing."""
    circuit = QuantumCircuit(2)
    circuit.append(Initialize([0.6, 0, 0, 0.8]), [0, 1])
    circuit.ry(THETA, 1)
    circuit.measure_all()
    angle = 0.7
    c, s = np.cos(angle / 2) ** 2, np.sin(angle / 2) ** 2
    expected = [[0.36 * c, 0.64 * s, 0.36 * s, 0.64 * c]]
    np.testing.assert_allclose(compiled(circuit).probabilities(np.array([[angle]])), expected, atol=EXACT)


EXPRESSIONS = {
    "bare": THETA,
    "linear": 2 * THETA + PHI / 2 - 0.1,
    "cancelling": THETA - PHI - THETA,
    "product": 2 * (np.pi - THETA) * (np.pi - PHI),
    "powers": THETA**2 - PHI**-3 + 2**THETA,
    "functions": THETA.sin() * PHI.cos() + (THETA / 4).tan() - THETA.arctan() + PHI.exp() / 9,
    "inverse functions": (THETA / 4).arcsin() + (PHI / 4).arccos() + (1 + THETA.abs()).log(),
    "kinked": THETA.abs() + PHI.sign() + THETA.conjugate(),
    "root of a square": (THETA**2) ** 0.5,
    "through the complex numbers": (THETA**0.5) ** 2 * 1.5,
    "small and large": 1e-7 * THETA + 1e3 * PHI,
    "vector": ParameterVector("v", 3)[1] * 3 - THETA,
}


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_expressions_have_the_value_that_qiskit_gives_them(kind: str) -> None:
    """At every point, whichever way they are computed."""
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.p(EXPRESSIONS[kind], 0)
    circuit.h(0)
    circuit.measure(0, 0)
    values = values_for(circuit, 20, np.random.default_rng(4))
    for row, point in zip(compiled(circuit).probabilities(values), values, strict=True):
        np.testing.assert_allclose(row, plainly(circuit, point, [0]), atol=1e-10)


def test_an_expression_too_long_to_parse_is_left_to_qiskit() -> None:
    """Long sums of non-linear terms give the same numbers."""
    circuit = QuantumCircuit(1, 1)
    circuit.rx(sum((THETA * (k + 0.123456789)).sin() * PHI for k in range(120)), 0)
    circuit.measure(0, 0)
    values = values_for(circuit, 4, np.random.default_rng(4))
    for row, point in zip(compiled(circuit).probabilities(values), values, strict=True):
        np.testing.assert_allclose(row, plainly(circuit, point, [0]), atol=1e-9)


@pytest.mark.parametrize(
    ("expression", "bad"),
    [
        (THETA.log(), -1.0),
        (1 / THETA, 0.0),
        (THETA.arcsin(), 2.0),
        (THETA.exp(), 1e6),
        (1j * THETA, 1.0),
        (THETA, float("nan")),
        (THETA * 1000, 1e307),
        (THETA**0.5, -1.0),
    ],
    ids=str,
)
def test_an_angle_that_is_no_real_number_names_gate_and_expression(expression: object, bad: float) -> None:
    """One such point among good ones is enough."""
    circuit = QuantumCircuit(1, 1)
    circuit.rx(expression, 0)
    circuit.measure(0, 0)
    with pytest.raises(CircuitError, match=r"gate rx .*theta"):
        compiled(circuit).probabilities(np.array([[0.5], [bad]]))


def test_an_angle_that_no_measurement_sees_has_to_be_a_number_too() -> None:
    """As when the point is bound and run by itself."""
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.rz(THETA.log(), 0)
    circuit.measure(0, 0)
    with pytest.raises(CircuitError, match="gate rz"):
        compiled(circuit).probabilities(np.array([[-1.0]]))


def test_a_parameter_without_values_is_an_error() -> None:
    """The parameter is named."""
    circuit = QuantumCircuit(1, 1)
    circuit.rx(THETA + PHI, 0)
    circuit.measure(0, 0)
    with pytest.raises(CircuitError, match="phi"):
        compile_template(shape_of(circuit), ["theta"])


def test_columns_follow_the_names_given() -> None:
    """Any order, and columns that the circuit does not know change nothing."""
    circuit = QuantumCircuit(1, 1)
    circuit.ry(THETA, 0)
    circuit.rx(PHI, 0)
    circuit.measure(0, 0)
    values = np.array([[7.0, 0.3, 1.1]])
    ours = compiled(circuit, ["unused", "theta", "phi"]).probabilities(values)
    by_name = {"theta": 0.3, "phi": 1.1}
    row = [by_name[name] for name in names_of(circuit)]
    np.testing.assert_allclose(ours[0], plainly(circuit, row, [0]), atol=EXACT)


def test_a_template_without_gates_reads_zeros() -> None:
    """At every point."""
    circuit = QuantumCircuit(3, 2)
    circuit.measure([2, 0], [0, 1])
    assert compiled(circuit).probabilities(np.empty((4, 0))).tolist() == [[1.0, 0.0, 0.0, 0.0]] * 4


def test_parameters_without_effect_give_equal_rows() -> None:
    """A swept phase before the measurement, a global phase and a qubit that nobody reads."""
    circuit = QuantumCircuit(2, 1, global_phase=PHI)
    circuit.h(0)
    circuit.rz(THETA, 0)
    circuit.rx(THETA, 1)
    circuit.measure(0, 0)
    plan = compiled(circuit)
    assert plan.qubits == (0,)
    np.testing.assert_allclose(plan.probabilities(np.ones((3, 2))), np.full((3, 2), 0.5), atol=EXACT)


def test_no_points_give_no_rows() -> None:
    """An empty sweep is a table without rows."""
    circuit = QuantumCircuit(1, 1)
    circuit.rx(THETA, 0)
    circuit.measure(0, 0)
    assert compiled(circuit).probabilities(np.empty((0, 1))).shape == (0, 2)


def test_blocks_do_not_show() -> None:
    """A sweep longer than one block has, row by row, what its parts have."""
    circuit = QuantumCircuit(12)
    for qubit in range(12):
        circuit.ry(THETA * (qubit + 1), qubit)
        circuit.cx(qubit, (qubit + 1) % 12)
    circuit.measure_all()
    plan = compiled(circuit)
    values = np.linspace(0, 3, 100)[:, None]
    whole = plan.probabilities(values)
    parts = np.vstack([plan.probabilities(values[:37]), plan.probabilities(values[37:])])
    np.testing.assert_allclose(whole, parts, atol=EXACT)


def test_what_is_no_unitary_is_said_to_be_unsupported() -> None:
    """A channel, a reset inside a gate of one's own and a gate without content are named."""
    resetting = QuantumCircuit(1, name="resetting")
    resetting.h(0)
    resetting.reset(0)
    for operation in (
        Kraus([np.diag([1, 0.8]), np.array([[0, 0.6], [0, 0]])]).to_instruction(),
        resetting.to_instruction(),
        Gate("empty", 1, []),
    ):
        circuit = QuantumCircuit(1)
        circuit.append(operation, [0])
        circuit.measure_all()
        plan = compile_template(shape_of(circuit))
        assert isinstance(plan, Unsupported)
        assert plan.instruction in {"kraus", "reset", "empty"}
        assert plan.instruction in plan.reason


def test_definitions_are_written_out_to_a_bound_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A definition of more gates than the bound is refused with the bound."""
    monkeypatch.setattr("qpm_lab.providers.vectorised.steps.MAX_GATES", 10)
    inner = QuantumCircuit(1, name="inner")
    for _ in range(4):
        inner.h(0)
    circuit = QuantumCircuit(1)
    for _ in range(3):
        circuit.append(inner.to_gate(), [0])
    circuit.measure_all()
    plan = compile_template(shape_of(circuit))
    assert isinstance(plan, Unsupported)
    assert "more than 10 gates" in plan.reason


def test_more_points_cost_more_by_the_model() -> None:
    """Time grows with points and shots; a block's memory does not grow with the points."""
    circuit = QuantumCircuit(6)
    circuit.ry(THETA, range(6))
    circuit.measure_all()
    plan = compiled(circuit)
    assert plan.seconds(10, 100) < plan.seconds(1000, 100) < plan.seconds(100_000, 100)
    assert plan.bytes_per_point == 4 * 8 * 64
    assert plan.block_bytes >= 4 * 16 * 64


def test_qiskit_operators_agree_on_a_full_matrix_between_crossed_qubits() -> None:
    """The order of a wide gate's qubits is kept."""
    circuit = QuantumCircuit(4)
    circuit.h([0, 2])
    circuit.rx(THETA, 1)
    circuit.append(UnitaryGate(random_unitary(8, seed=4)), [3, 0, 2])
    circuit.append(UnitaryGate(Operator(random_unitary(4, seed=5))), [1, 0])
    values = np.array([[0.3], [2.0]])
    ours = compiled(circuit.measure_all(inplace=False)).probabilities(values)
    for row, point in zip(ours, values, strict=True):
        np.testing.assert_allclose(row, plainly(circuit, point, range(4)), atol=EXACT)
