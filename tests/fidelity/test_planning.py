"""Planning shots: the formula, the promise that it keeps, and a refusal where no number of shots would do."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from qpm_lab.errors import InputError
from qpm_lab.fidelity import clopper_pearson, plan_shots

BELL = {"00": 0.5, "11": 0.5}


@pytest.mark.parametrize("half_width", [0.1, 0.03, 0.004])
def test_the_worst_case_is_the_formula(half_width: float) -> None:
    """N = 0.9604/(h·c)² + 1/(h·c), with c = 1/2 for a Bell state."""
    unit = half_width / 2
    assert plan_shots(BELL, half_width).shots == pytest.approx(0.9604 / unit**2 + 1 / unit, rel=0.01)


@pytest.mark.parametrize("fidelity", [0.0, 0.5, 0.9])
def test_a_proxy_is_planned_by_its_own_formula(fidelity: float) -> None:
    """N = 3.84(1 − F²)/h² beside the worst case, 3.84/h²."""
    plan = plan_shots(None, 0.02, method="proxy", fidelity=fidelity)
    assert plan.shots == pytest.approx(3.8415 / 0.02**2, rel=0.01)
    assert plan.shots_expected == pytest.approx(3.8415 * (1 - fidelity**2) / 0.02**2, rel=0.01)


def test_a_perfect_proxy_still_needs_shots() -> None:
    """At F = 1 the formula gives none; the exact interval of a perfect score is within the half-width."""
    shots = plan_shots(None, 0.02, method="proxy", fidelity=1.0).shots_expected or 0
    low, high = clopper_pearson(shots, shots)
    assert high - low <= 0.02


@settings(max_examples=20)
@given(st.floats(0.02, 0.2), st.floats(0, 1), st.integers(1, 6), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_half_width_is_met(half_width: float, fidelity: float, bits: int, level: float) -> None:
    """With the worst-case shots any share does; with the expected ones at least 88 % of runs at that fidelity do."""
    ideal = np.eye(2**bits)[0]
    plan = plan_shots(ideal, half_width, level, fidelity=fidelity)
    assert plan.shots is not None
    assert plan.shots_expected is not None
    assert plan.contrast is not None
    share = fidelity + (1 - fidelity) / 2**bits
    for shots, least in ((plan.shots, 0.99), (plan.shots_expected, 0.88)):
        seen = np.arange(shots + 1)
        low, high = clopper_pearson(seen, shots, 1 - level)
        met = (high - low) / 2 <= half_width * plan.contrast
        assert binom.pmf(seen, shots, share)[met].sum() >= least


def test_a_saving_never_hides_the_worst_case() -> None:
    """An expected fidelity lowers the expected shots only; what to ask for stays the worst case."""
    plan = plan_shots(BELL, 0.02, fidelity=0.97)
    assert plan.shots == plan_shots(BELL, 0.02).shots == plan.value
    assert (plan.shots_expected or 0) < (plan.shots or 0)
    assert plan_shots(BELL, 0.02).shots_expected is None


def test_a_uniform_ideal_is_refused() -> None:
    """Below a contrast of 0.05 no number of shots is named, and the reason says so."""
    plan = plan_shots(np.full(8, 1 / 8), 0.02, fidelity=0.9)
    assert (plan.shots, plan.value, plan.shots_expected) == (None, None, None)
    assert "uniform" in (plan.reason or "")


def test_qubits_measured_twice_do_not_raise_the_contrast() -> None:
    """With keys longer than the number of qubits measured the contrast is that of the qubits."""
    assert plan_shots({"00": 1.0}, 0.02, bits=1).contrast == pytest.approx(0.5)


def test_a_plan_goes_into_json() -> None:
    """The dictionary holds JSON values only."""
    plan = plan_shots(BELL, 0.02, fidelity=0.9).to_dict()
    assert json.loads(json.dumps(plan)) == plan


@pytest.mark.parametrize(
    "arguments",
    [
        {"half_width": 0},
        {"half_width": -0.1},
        {"half_width": math.nan},
        {"half_width": 2},
        {"half_width": "wide"},
        {"level": 1.0},
        {"level": 0},
        {"fidelity": 1.5},
        {"fidelity": -0.1},
        {"fidelity": math.nan},
        {"method": "mirror"},
        {"ideal": None},
        {"ideal": {"0": 0.4}},
        {"ideal": {"0": math.nan, "1": 1.0}},
        {"bits": 3},
    ],
)
def test_what_cannot_be_planned_is_an_input_error(arguments: dict[str, object]) -> None:
    """Bad arguments get an error with a message, never a number of shots."""
    with pytest.raises(InputError, match=r"\w"):
        plan_shots(**{"ideal": BELL, "half_width": 0.02, **arguments})


@pytest.mark.parametrize("half_width", [0.004, 0.01, 0.017])
def test_proxies_planned_for_a_narrow_interval_meet_it_in_the_worst_case(half_width: float) -> None:
    """At F = 0 the exact interval is as narrow as asked for, and the shots within 1 % of the formula."""
    shots = plan_shots(None, half_width, method="proxy").shots or 0
    low, high = clopper_pearson(shots // 2, shots)
    assert high - low <= half_width
    assert shots == pytest.approx(3.84 / half_width**2, rel=0.01)
