"""Values of parameters: numbers are put in place, arrays become a sweep as NumPy broadcasts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector

from qpm_lab.circuits import Bindings, Limits, Sweep, prepare, prepare_template
from qpm_lab.errors import CircuitError

A, B, VECTOR = Parameter("a"), Parameter("b"), ParameterVector("v", 3)


def circuit(*parameters: Any) -> QuantumCircuit:
    made = QuantumCircuit(1)
    for parameter in parameters:
        made.rx(parameter, 0)
    made.measure_all()
    return made


SHAPES = st.sampled_from([(4,), (4, 1), (1, 3), (1,), (2, 4, 3), ()])


@given(SHAPES, SHAPES)
def test_arrays_broadcast_as_numpy_does(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    """Shape and values are those of np.broadcast_arrays, or both refuse."""
    a, b = np.random.default_rng(1).random(first), np.random.default_rng(2).random(second)
    try:
        expected = np.broadcast_arrays(a, b)
    except ValueError:
        with pytest.raises(CircuitError, match="do not go together"):
            prepare(circuit(A, B), parameters={A: a, B: b})
        return
    (one,) = prepare(circuit(A, B), parameters={A: a, B: b})
    if not first and not second:
        assert one.bindings is None
        return
    assert one.bindings is not None
    for name, whole in (("a", expected[0]), ("b", expected[1])):
        if name in one.bindings.names:
            column = one.bindings.values[:, one.bindings.names.index(name)]
            shape = np.broadcast_shapes(*(s for s in (first, second) if s))
            assert np.array_equal(column, np.broadcast_to(whole, shape).ravel())


def test_numbers_beside_arrays_are_put_in_place() -> None:
    """Only what is swept stays open in the template."""
    (one,) = prepare(circuit(A, B), parameters={"a": 0.25, "b": [0.1, 0.2]})
    assert [p.name for p in one.circuit.parameters] == ["b"]
    assert one.bindings is not None
    assert (one.bindings.names, one.bindings.points, one.facts.points) == (("b",), 2, 2)


def test_a_parameter_vector_takes_one_array_with_its_elements_last() -> None:
    """Shape (5, 3) for a vector of three is a sweep of five points."""
    values = np.arange(15.0).reshape(5, 3)
    (one,) = prepare(circuit(*VECTOR), parameters={VECTOR: values})
    assert one.bindings is not None
    assert one.bindings.names == ("v[0]", "v[1]", "v[2]")
    assert np.array_equal(one.bindings.values, values)
    (bound,) = prepare(circuit(*VECTOR), parameters={VECTOR: [1, 2, 3]})
    assert bound.bindings is None
    (by_name,) = prepare(circuit(*VECTOR), parameters={"v": values})
    assert by_name.bindings is not None
    assert np.array_equal(by_name.bindings.values, values)


def test_the_names_come_in_the_order_in_which_they_were_given() -> None:
    """The first one is the axis of a chart."""
    (one,) = prepare(circuit(A, B), parameters={B: [1, 2], A: [3, 4]})
    assert one.bindings is not None
    assert one.bindings.names == ("b", "a")


def test_a_template_has_one_fingerprint_whatever_its_values() -> None:
    """Points differ in their values only; those are recorded beside it."""
    first, second = (prepare(circuit(A), parameters={A: v})[0] for v in ([0.1, 0.2], [0.3]))
    assert first.facts.fingerprint == second.facts.fingerprint


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({A: [1, 2], "a": 3}, "twice"),
        ({VECTOR: [1, 2]}, "last axis must be 3"),
        ({VECTOR: 1.0}, "last axis must be 3"),
        ({A: np.zeros((0, 3))}, "no point"),
        ({A: np.zeros(11)}, "11 points"),
        ({A: [1j]}, "real number or array"),
        ({A: [None]}, "real number or array"),
        ({A: [True, False]}, "real number or array"),
    ],
)
def test_values_that_cannot_be_are_named(parameters: Any, said: str) -> None:
    """The message says which parameter and what is wrong."""
    made = circuit(A, *VECTOR) if VECTOR in parameters else circuit(A)
    with pytest.raises(CircuitError, match=said):
        prepare(made, parameters=parameters, limits=Limits(points=10))


@pytest.mark.parametrize(
    ("names", "values", "shape"),
    [
        (("b",), [[1.0]], (1,)),
        (("a",), [[1.0, 2.0]], (1,)),
        (("a",), [[1.0]], (2,)),
        (("a",), [[np.nan]], (1,)),
        (("a",), np.zeros((0, 1)), (0,)),
        (("a",), np.zeros((11, 1)), (11,)),
    ],
)
def test_a_sweep_whose_values_do_not_fit_its_circuit_is_refused(names: Any, values: Any, shape: Any) -> None:
    """Wrong names, width, shape, numbers or too many points."""
    sweep = Sweep(circuit(A), Bindings(names, np.array(values), shape))
    with pytest.raises(CircuitError):
        prepare(sweep, limits=Limits(points=10))


def test_a_prepared_template_is_swept_again_without_new_work() -> None:
    """The circuit and its facts are the same objects; only values and the number of points change."""
    template = prepare_template(circuit(A))
    rows = np.array([[0.1], [0.2]])
    (one,) = prepare(template.swept(Bindings(("a",), rows, (2,))))
    assert one.circuit is template.circuit
    assert (one.facts.fingerprint, one.facts.points) == (template.facts.fingerprint, 2)
    with pytest.raises(CircuitError, match="open parameters"):
        prepare(template)
