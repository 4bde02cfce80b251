"""Whatever is handed in as a number, list or label: used as what it means, or refused with an error for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from qiskit import QuantumCircuit

from qpm_lab.errors import InputError
from qpm_lab.fidelity import (
    DriftDetector,
    clifford_proxy_fidelity,
    clopper_pearson,
    dispersion,
    equivalence,
    expected_success_probability,
    heavy_fidelity,
    hellinger_fidelity,
    mid_p,
    mirror_fidelity,
    outcome_fidelity,
    outcome_intervals,
    plan_shots,
    simultaneous,
)
from qpm_lab.fidelity.arguments import shown

COUNTS = {"00": 4_500, "01": 150, "10": 250, "11": 5_100}
BELL = {"00": 0.5, "11": 0.5}
ROWS = [[90, 10]] * 10
HUGE = 10**400
NO_LEVEL: list[Any] = [
    HUGE,
    10**5000,
    -HUGE,
    None,
    "0.95",
    True,
    1j,
    [0.95],
    np.array(0.95),
    float("nan"),
    Fraction(3, 2),
]


def test_a_labelled_column_is_read_by_its_labels() -> None:
    """A pandas Series in any order says what its dictionary says, as counts and as ideal."""
    mixed = {"11": 5_100, "01": 150, "00": 4_500, "10": 250}
    truth = heavy_fidelity(COUNTS, BELL)
    assert heavy_fidelity(pd.Series(mixed), BELL) == truth
    assert heavy_fidelity(COUNTS, pd.Series({"11": 0.5, "01": 0.0, "10": 0.0, "00": 0.5})) == truth
    assert hellinger_fidelity(pd.Series(mixed), pd.Series(BELL)) == hellinger_fidelity(mixed, BELL)


@pytest.mark.parametrize(
    "counts",
    [
        pd.Series([1, 2, 3, 4]),
        pd.Series([1, 2], index=["00", "00"]),
        pd.DataFrame({"00": [1], "11": [2]}),
        np.ma.array([1, 2, 3, 4], mask=[0, 0, 1, 0]),
        np.ma.array([1, 2, 3, 4]),
    ],
    ids=["numbered", "twice", "frame", "masked", "mask-free"],
)
def test_labels_that_are_no_bit_strings_and_masks_are_refused(counts: Any) -> None:
    """Numbers as labels, a label twice, a whole frame, a masked array: nothing is guessed."""
    with pytest.raises(InputError):
        heavy_fidelity(counts, BELL)
    with pytest.raises(InputError):
        outcome_intervals(counts, 2)


def test_numbers_as_keys_get_the_hint_that_helps() -> None:
    """Qiskit's QuasiDistribution has whole numbers as keys, and a method that gives bit strings."""
    with pytest.raises(InputError, match="binary_probabilities"):
        heavy_fidelity(COUNTS, {0: 0.5, 3: 0.5})


CALLS: dict[str, Callable[[Any], Any]] = {
    "heavy": lambda v: heavy_fidelity(COUNTS, BELL, v),
    "outcome": lambda v: outcome_fidelity(COUNTS, BELL, v),
    "intervals": lambda v: outcome_intervals(COUNTS, 2, v),
    "simultaneous": lambda v: simultaneous(5, 10, 2, v),
    "clopper": lambda v: clopper_pearson(5, 10, v),
    "mid_p": lambda v: mid_p(5, 10, v),
    "dispersion": lambda v: dispersion([5, 6], 10, v),
    "proxy": lambda v: clifford_proxy_fidelity([1] * 200, 1, v),
    "mirror": lambda v: mirror_fidelity(ROWS, ROWS, ROWS, v),
    "delta": lambda v: equivalence([COUNTS, COUNTS], v),
    "alpha": lambda v: equivalence([COUNTS, COUNTS], 0.1, v),
    "half width": lambda v: plan_shots(BELL, v),
    "planned level": lambda v: plan_shots(BELL, 0.1, v),
    "tolerance": lambda v: DriftDetector(0.95, v),
}


@pytest.mark.parametrize("value", NO_LEVEL, ids=shown)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_is_no_share_is_refused_everywhere(call: Callable[[Any], Any], value: Any) -> None:
    """Larger than any float, no number, a truth value, an array: an InputError and no other."""
    with pytest.raises(InputError):
        call(value)


@pytest.mark.parametrize("call", [CALLS[name] for name in CALLS if name not in ("alpha", "tolerance")])
def test_a_fraction_is_a_number(call: Callable[[Any], Any]) -> None:
    """One half as a fraction says what 0.5 says."""
    assert repr(call(Fraction(1, 2))) == repr(call(0.5))


@pytest.mark.parametrize(
    "call",
    [
        lambda: plan_shots(BELL, 0.1, fidelity=HUGE),
        lambda: DriftDetector(HUGE),
        lambda: DriftDetector(True),
        lambda: DriftDetector(0.95, arl=HUGE),
        lambda: DriftDetector(np.array(0.95)),
        lambda: DriftDetector([(HUGE, 10 * HUGE)] * 5),
        lambda: DriftDetector([(2**52, 2**53)] * 2000),
        lambda: DriftDetector(0.95).update(True, 10),
        lambda: DriftDetector(0.95).update(1, True),
        lambda: DriftDetector(0.95).replay(None),
        lambda: DriftDetector(0.95).replay([5]),
        lambda: DriftDetector(0.95).replay("x"),
        lambda: DriftDetector(0.95).replay([{950, 1000}]),
        lambda: equivalence(np.array(5)),
        lambda: equivalence([COUNTS, COUNTS], 1e-320),
        lambda: equivalence([COUNTS, COUNTS], 0.1, 1e-320),
        lambda: outcome_fidelity(COUNTS, BELL, blocks=5),
        lambda: outcome_fidelity(COUNTS, BELL, blocks=COUNTS),
        lambda: mirror_fidelity([[5, 1], [5]], ROWS, ROWS),
        lambda: mirror_fidelity(np.full((30, 3), 2**63, np.uint64), *[np.full((30, 3), 5)] * 2),
        lambda: mirror_fidelity(np.full((3, 3), 2**62), *[np.full((3, 3), 5)] * 2),
        lambda: clifford_proxy_fidelity([[1], [1, 2]], 2),
        lambda: clifford_proxy_fidelity(np.full(200, 2**60), 2**62),
        lambda: clifford_proxy_fidelity(np.ma.array([1] * 200), 2),
        lambda: simultaneous(5, 10, None),
        lambda: simultaneous(5, 10, 1.5),
        lambda: expected_success_probability(None, None),
        lambda: expected_success_probability("qc", None),
    ],
)
def test_nothing_but_an_error_for_people_comes_out(call: Callable[[], Any]) -> None:
    """Too large, ragged, wrapped around, of another kind: each a clear refusal."""
    with pytest.raises(InputError) as refused:
        call()
    assert 0 < len(refused.value.message) < 300


def test_a_backend_instead_of_its_target_gets_the_hint() -> None:
    """The description of the backend is one attribute away."""
    with pytest.raises(InputError, match=r"backend\.target"):
        expected_success_probability(QuantumCircuit(1), object())


def test_a_number_of_qubits_is_no_level() -> None:
    """Mirror circuits do not need it, and it must not be taken for a level."""
    with pytest.raises(InputError, match="number of qubits"):
        mirror_fidelity(ROWS, ROWS, ROWS, 1)


def test_a_refused_history_leaves_the_detector_as_it_was() -> None:
    """The bad canary is the second; the first is not taken in either."""
    detector = DriftDetector(0.95)
    with pytest.raises(InputError, match="canary"):
        detector.replay([(950, 1000), (5, 4)])
    assert detector.state().canaries == 0


def test_rows_of_an_array_are_canaries() -> None:
    """As a baseline and as a history, in the narrow types that arrays have."""
    rows = np.array([(240, 250)] * 6, dtype=np.uint8)
    assert DriftDetector(rows).state() == DriftDetector([(240, 250)] * 6).state()
    assert DriftDetector(0.95).replay(rows) == DriftDetector(0.95).replay([(240, 250)] * 6)


def test_runs_may_come_from_a_generator_and_not_from_a_dictionary() -> None:
    """What makes the histograms is read once; a dictionary of runs is told to give its values."""
    assert equivalence(each for each in (COUNTS, COUNTS)) == equivalence([COUNTS, COUNTS])
    with pytest.raises(InputError, match="list"):
        equivalence({"a": COUNTS, "b": COUNTS})


def test_proxies_of_one_shot_may_be_given_as_two_totals_or_truth_values() -> None:
    """1,800 of 2,000 is what two thousand zeros and ones say."""
    outcomes = [1] * 1800 + [0] * 200
    one_by_one = clifford_proxy_fidelity(outcomes, 1)
    assert clifford_proxy_fidelity(1800, 2000) == one_by_one
    assert clifford_proxy_fidelity(np.array(outcomes, dtype=bool), 1) == one_by_one


@pytest.mark.parametrize(
    "make", [CALLS["heavy"], CALLS["outcome"], CALLS["proxy"], CALLS["mirror"], CALLS["planned level"]]
)
def test_a_level_of_numpy_goes_into_json(make: Callable[[Any], Any]) -> None:
    """A float of 32 bits becomes one of Python's."""
    assert json.loads(json.dumps(make(np.float32(0.95)).to_dict()))["level"] == pytest.approx(0.95)
