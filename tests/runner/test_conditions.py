"""Conditions as people write them: what is read, in which one spelling, and what is refused with advice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab import circuits, providers
from qpm_lab.errors import InputError
from qpm_lab.runner.conditions import Condition, asks_fidelity, conditions, planned
from tests.runner.victims import ghz

IDEAL, NOISY = providers.backend("aer/simulator"), providers.backend("aer/noisy")
ANY = st.builds(
    Condition,
    st.sampled_from(["fidelity", "hellinger", "p"]),
    st.text("01", min_size=1, max_size=150),
    st.sampled_from([">=", "<="]),
    st.floats(0, 1),
).map(lambda c: c if c.measure == "p" else Condition(c.measure, "", c.operator, c.threshold))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("fidelity>=0.9", "fidelity>=0.9"),
        ("  Fidelity  >  .9 ", "fidelity>0.9"),
        ("fidelity >= 90%", "fidelity>=0.9"),
        ("fidelity >= 99.9 %", "fidelity>=0.999"),
        ("hellinger≥0.95", "hellinger>=0.95"),
        ("p(00)<=5%", "p(00)<=0.05"),
        ("P(01 10)<0.50", "p(0110)<0.5"),
        ("p(1_0)>=1.", "p(10)>=1"),
        ("p(0) ≤ 0", "p(0)<=0"),
        ("p(0)>=-0.0", "p(0)>=0"),
    ],
)
def test_a_condition_has_one_spelling(written: str, text: str) -> None:
    """However it was written, this is what is recorded and shown."""
    assert [condition.text for condition in conditions(written)] == [text]


@given(ANY)
def test_what_is_recorded_reads_back_as_the_same_condition(condition: Condition) -> None:
    """A job that is run again is held against exactly the same thresholds."""
    assert conditions([condition.text]) == (condition,)


@given(st.text(max_size=40) | st.from_regex(r"(fidelity|p\(0\)) ?[<>=]{1,2} ?[0-9.%-]{1,5}"))
def test_any_text_is_read_or_refused_with_advice(text: str) -> None:
    """Whatever is typed ends in a condition or in an error that says what to write."""
    found: Any = None
    try:
        (found,) = conditions(text)
    except InputError as error:
        found = error
    assert found.hint if isinstance(found, InputError) else 0 <= found.threshold <= 1


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "fidelity>=0.9"),
        ("fidelity", "fidelity>=0.9"),
        ("fidelity>=", "fidelity>=0.9"),
        ("fidelity>=high", "fidelity>=0.9"),
        ("fidelity>=0,9", "fidelity>=0.9"),
        ("fidelity>=nan", "fidelity>=0.9"),
        ("fidelity>=1e-1", "fidelity>=0.9"),
        ("fidelity==1", ">=, >, <=, <"),
        ("fidelity=>0.9", ">=, >, <=, <"),
        ("fidelty>=0.9", "Did you mean fidelity?"),
        ("xeb>=0.9", "fidelity, hellinger and p(BITS)"),
        ("fidelity>=90", "Did you mean 0.9?"),
        ("fidelity>=95.5", "Did you mean 0.955?"),
        ("fidelity>=900", "at most 1"),
        ("fidelity>=-0.5", "at most 1"),
        ("fidelity>1", "between 0 and 1"),
        ("p(0)<0", "between 0 and 1"),
        ("p>=0.5", "p(010)>=0.45"),
        ("p()>=0.5", "p(010)>=0.45"),
        ("p(02)>=0.5", "p(010)>=0.45"),
        ("fidelity(0)>=0.5", "p(BITS)"),
    ],
)
def test_what_cannot_be_read_says_what_to_write(written: str, told: str) -> None:
    """Each mistake has its own advice."""
    with pytest.raises(InputError) as refused:
        conditions([written])
    assert told in refused.value.hint


@pytest.mark.parametrize("given", [5, None, [5], {"fidelity": 0.9}, ["p(0)>=0.5"] * 17, "p(" + "0" * 3000 + ")>=0"])
def test_conditions_are_few_short_texts(given: Any) -> None:
    """What is no text, or far too much of it, is refused."""
    with pytest.raises(InputError):
        conditions(given)


def test_the_same_condition_counts_once() -> None:
    """Written twice in two ways it is one condition."""
    assert len(conditions(["fidelity>=0.9", "Fidelity >= 90%"])) == 1


@pytest.mark.parametrize(
    ("texts", "backend", "fidelity", "told"),
    [
        ("fidelity>=0.9", IDEAL, None, "p(00)>="),
        ("hellinger>=0.9", IDEAL, None, "p(00)>="),
        ("fidelity>=0.9", NOISY, "none", "p(00)>="),
        ("hellinger>=0.9", NOISY, "mirror", "set a condition on fidelity"),
        ("p(000)>=0.9", NOISY, None, "all bits"),
    ],
)
def test_a_condition_that_cannot_be_judged_is_refused_before_the_run(
    texts: str, backend: Any, fidelity: str | None, told: str
) -> None:
    """No fidelity is claimed of an ideal simulator, none is measured when it is left out, and bits are all bits."""
    with pytest.raises(InputError) as refused:
        planned(texts, backend, circuits.prepare(ghz(2)), fidelity)
    assert told in refused.value.hint


@pytest.mark.parametrize(
    ("texts", "backend", "fidelity", "asks"),
    [
        ((), IDEAL, "none", False),
        (["p(00)>=0.4", "p(11)>=0.4"], IDEAL, "none", False),
        (["fidelity>=0.9", "hellinger>=0.9"], NOISY, "auto", True),
        (["fidelity>=0.9"], NOISY, "proxy", True),
    ],
)
def test_a_condition_that_can_be_judged_is_taken(texts: Any, backend: Any, fidelity: str, asks: bool) -> None:
    """Outcomes can be judged anywhere, a fidelity where there is noise; only the latter has to be measured."""
    read = planned(texts, backend, circuits.prepare(ghz(2)), fidelity)
    assert len(read) == len(texts)
    assert asks_fidelity(read) is asks


def test_the_points_of_a_sweep_are_judged_by_outcomes_only() -> None:
    """They carry no fidelity."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter

    theta = Parameter("theta")
    circuit = QuantumCircuit(1)
    circuit.ry(theta, 0)
    sweep = circuits.prepare(circuit, parameters={theta: [0.1, 0.2]})
    assert planned("p(0)>=0.5", NOISY, sweep, None)
    with pytest.raises(InputError, match="sweep"):
        planned("fidelity>=0.5", NOISY, sweep, None)
