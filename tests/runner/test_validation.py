"""Validation: which end of which interval decides, and what the ledger, the record and the lists keep of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab import Lab
from qpm_lab.counts import CountsTable
from qpm_lab.errors import InputError, ValidationError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity import clopper_pearson
from qpm_lab.runner.conditions import conditions
from qpm_lab.runner.validation import judge
from tests.runner.victims import ghz

ENDS = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


def estimate(low: float | None, high: float | None, value: float | None = None, reason: str | None = None) -> Estimate:
    return Estimate(value, low, high, 0.95, "outcome fidelity", "exact", 1000, reason)


def judged(text: str, *estimates: Estimate) -> Any:
    return judge(conditions(text), [{"0": 1000}] * len(estimates), estimates, 1000)


@given(ENDS, st.floats(0, 1), st.sampled_from([">=", "<="]))
def test_the_end_nearer_to_the_threshold_decides(ends: Sequence[float], threshold: float, operator: str) -> None:
    """At least means the lower end, at most the upper one, whatever the value in between says."""
    low, high = ends
    (condition,) = conditions(f"fidelity{operator}{threshold:f}")
    passed = low >= condition.threshold if operator == ">=" else high <= condition.threshold
    middle = estimate(low, high, (low + high) / 2)
    assert judge([condition], [{"0": 1000}], [middle], 1000).passed is passed


@pytest.mark.parametrize(
    ("text", "passed"),
    [("fidelity>=0.9", True), ("fidelity>0.9", False), ("fidelity<=0.95", True), ("fidelity<0.95", False)],
)
def test_an_end_on_the_threshold_meets_only_what_allows_it(text: str, passed: bool) -> None:
    """Equality counts where the condition says so."""
    assert judged(text, estimate(0.9, 0.95)).passed is passed


def test_a_value_that_is_refused_may_pass_by_its_interval() -> None:
    """The interval decides; the value is what is refused."""
    assert judged("fidelity>=0.5", estimate(0.6, 0.9, None, "too few shots")).passed


def test_without_an_interval_nothing_passes() -> None:
    """The reason of the refusal is that of the verdict."""
    (verdict,) = judged("fidelity>=0", estimate(None, None, None, "almost uniform")).verdicts
    assert (verdict.passed, verdict.reason) == (False, "almost uniform")
    (verdict,) = judged("hellinger>=0", estimate(0.9, 0.95, 0.93)).verdicts
    assert verdict.passed is False
    assert "Hellinger" in verdict.reason


def test_every_circuit_has_to_meet_a_condition() -> None:
    """One that does not decides, and is named as it is indexed."""
    (verdict,) = judged("fidelity>=0.9", estimate(0.95, 0.97), estimate(0.85, 0.95), estimate(0.91, 0.93)).verdicts
    assert (verdict.passed, verdict.low) == (False, 0.85)
    assert verdict.reason is not None
    assert "result[1]" in verdict.reason


def test_the_probability_of_an_outcome_has_an_exact_interval() -> None:
    """Clopper–Pearson, with the level shared among the outcomes that the conditions name."""
    counts = [{"00": 480, "11": 500, "01": 20}]
    verdicts = judge(conditions(["p(00)>=0.4", "p(11)<=0.6", "p(11)>=0.4"]), counts, (), 1000).verdicts
    assert all(verdict.passed for verdict in verdicts)
    assert (verdicts[0].value, verdicts[0].low, verdicts[0].high) == pytest.approx(
        (0.48, *clopper_pearson(480, 1000, 0.025))
    )
    assert verdicts[1].low == verdicts[2].low
    (alone,) = judge(conditions("p(10)<=0.01"), counts, (), 1000).verdicts
    assert (alone.passed, alone.value, alone.high) == (True, 0.0, pytest.approx(clopper_pearson(0, 1000, 0.05)[1]))


@pytest.mark.parametrize("table", [False, True])
def test_every_point_of_a_sweep_has_to_meet_a_condition(table: bool) -> None:
    """The worst one decides, and the level is shared among all points."""
    points = [{"0 1": 900, "1 1": 100}, {"0 1": 600, "1 1": 400}, {"1 1": 1000}]
    counts: Any = CountsTable.of(points) if table else points
    (verdict,) = judge(conditions("p(01)>=0.5"), counts, (), 1000).verdicts
    assert (verdict.passed, verdict.value) == (False, 0.0)
    assert verdict.high == pytest.approx(clopper_pearson(0, 1000, 0.05 / 3)[1])
    assert verdict.reason is not None
    assert "histograms[2]" in verdict.reason
    (most,) = judge(conditions("p(01)<=0.95"), counts, (), 1000).verdicts
    assert (most.passed, most.value, most.reason) == (True, 0.9, None)


def events(lab: Lab, job_id: str) -> list[str]:
    return [entry.event for entry in lab.ledger.entries(job_id)]


@pytest.mark.parametrize(("text", "word"), [("p(01)>=0.4", "passed"), ("p(01)>=0.6", "failed")])
@pytest.mark.parametrize("session", [False, True])
def test_the_verdict_is_recorded_with_the_outcome(lab: Lab, text: str, word: str, session: bool) -> None:
    """Its event follows the outcome's, in the ledger of a single job and of a step in a session."""
    if session:
        with lab.session(max_jobs=3):
            job = lab.submit(ghz(2), shots=1000, seed=1, validate=text, cost_center="CC-1", experiment="bell")
    else:
        job = lab.submit(ghz(2), shots=1000, seed=1, validate=text, cost_center="CC-1", experiment="bell")
    assert sum(job.result().counts.values()) == 1000
    assert events(lab, job.id)[-2:] == ["job.completed", f"validation.{word}"]
    payload = lab.ledger.entries(job.id)[-1].payload
    facts = ("user", "provider", "backend", "experiment", "cost_center")
    assert [payload[name] for name in facts] == ["ada", "aer", "aer/simulator", "bell", "CC-1"]
    assert payload["fingerprint"] == job.record()["circuit"]["fingerprint"]
    assert payload["attempts"] == 1
    (condition,) = payload["conditions"]
    assert condition["low"] < condition["value"] < condition["high"]
    assert lab.ledger.entries(job.id)[0].payload["conditions"] == [text]
    assert lab.ledger.verify().ok


def test_a_job_that_misses_its_conditions_has_a_result_and_has_not_succeeded(lab: Lab) -> None:
    """Success is validation, not completion."""
    job = lab.submit(ghz(2), shots=500, seed=1, validate="p(10)>=0.9")
    assert job.result().counts
    assert (job.status, job.succeeded) == ("completed", False)
    with pytest.raises(ValidationError) as missed:
        job.require_validation()
    assert "p(10)>=0.9" in missed.value.message
    assert missed.value.hint
    with pytest.raises(ValidationError):
        lab.job(job.id).require_validation()
    good = lab.submit(ghz(2), shots=500, seed=1, validate=["p(10)>=0.3", "p(00)<=0.1"])
    good.result()
    good.require_validation()
    assert good.succeeded


def test_a_job_without_conditions_has_no_verdict(lab: Lab) -> None:
    """Nothing follows its outcome, and completion is its success."""
    job = lab.submit(ghz(2), shots=10, seed=1)
    job.result()
    job.require_validation()
    assert job.succeeded
    assert events(lab, job.id)[-1] == "job.completed"
    assert job.record()["validation"] is None


def test_attempts_are_visible(lab: Lab) -> None:
    """Running again until it passes is possible, and each record tells which attempt it is."""
    jobs = [lab.submit(ghz(2), shots=500, seed=1, validate=text) for text in ("p(10)>=0.9", "p(10)>=0.3", "p(1_0)>=.3")]
    for job in jobs:
        job.wait()
    lab.submit(ghz(2), shots=500, seed=1).wait()
    lab.submit(ghz(3), shots=500, seed=1, validate="p(000)>=0.9").wait()
    told = [job.record()["validation"] for job in jobs]
    assert [each["attempts"] for each in told] == [1, 2, 3]
    assert told[2]["earlier"] == {"passed": 1, "failed": 1}
    assert lab.ledger.entries(jobs[2].id)[-1].payload["attempts"] == 3


def test_rates_can_be_read_from_the_lists(lab: Lab) -> None:
    """M1 and M3 by experiment, and the verdict in every list of jobs."""
    for text in ("p(10)>=0.9", "p(10)>=0.3", ()):
        lab.submit(ghz(2), shots=500, seed=1, validate=text, experiment="bell").wait()
    assert [row["validation"] for row in lab.page()["jobs"]] == [None, "passed", "failed"]
    assert lab.jobs()["validation"].dropna().tolist() == ["passed", "failed"]
    usage = lab.usage("experiment")
    assert usage[["jobs", "completed", "succeeded", "validated", "passed"]].to_numpy().tolist() == [[3, 3, 2, 2, 1]]


def test_a_condition_that_cannot_be_judged_leaves_no_trace(lab: Lab) -> None:
    """It is refused before anything is recorded, held or run."""
    before = lab.head()
    with pytest.raises(InputError, match="ideal simulator"):
        lab.submit(ghz(2), validate="fidelity>=0.9")
    assert lab.head() == before


@pytest.mark.parametrize(("threshold", "passed"), [(0.5, True), (0.999, False)])
def test_a_fidelity_condition_is_judged_by_the_interval_on_the_card(lab: Lab, threshold: float, passed: bool) -> None:
    """On a noisy backend the lower end that is shown is the one that decides."""
    condition = f"fidelity>={threshold}"
    job = lab.submit(ghz(3), backend="aer/noisy", shots=2000, seed=1, validate=condition)
    job.result()
    record = job.record()
    (told,) = record["validation"]["conditions"]
    assert (told["low"], told["high"]) == (record["fidelity"]["low"], record["fidelity"]["high"])
    assert record["validation"]["passed"] is passed is (record["fidelity"]["low"] >= threshold)


def test_in_a_session_a_condition_on_fidelity_has_it_measured(lab: Lab) -> None:
    """Where a step leaves the fidelity out, a condition on it asks for it."""
    with lab.session(max_jobs=3):
        job = lab.submit(ghz(2), backend="aer/noisy", shots=2000, seed=1, validate="fidelity>=0.5")
        assert job.result().fidelity.low is not None
    assert job.succeeded
