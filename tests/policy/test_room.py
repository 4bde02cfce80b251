"""A refusal says how much of the job would fit: exactly that does, and one more does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qpm_lab import pricing
from qpm_lab.experiment import Hold, Quote, Reason, Request, Shortage, to_nano
from qpm_lab.policy import Bundle, find_bundle

from .making import FREE, ask, circuit, price, vendor

NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
GARNET = vendor("braket/iqm_garnet")
load = cache(find_bundle)


def swept(points: int, shots: int, **more: Any) -> Request:
    return replace(ask(shots=shots, **more), circuits=(replace(circuit(), points=points),))


def with_points(request: Request, count: int) -> Request:
    return replace(request, circuits=(replace(request.circuits[0], points=count),))


def tariff(per_task: int, per_shot: int, least: int = 0) -> Any:
    """A price with a fee per point and one per shot, and a minimum, in cents."""

    def quote(request: Request) -> Quote:
        cents = max(least, request.executions * per_task + request.total_shots * per_shot)
        return price(f"{cents / 100:.2f}")

    return quote


def reasons(bundle: Bundle, request: Request, of: Any, **more: Any) -> dict[str, Reason]:
    return {r.rule: r for r in bundle.decide(request, of(request), price=of, **more).reasons}


def free(request: Request) -> Quote:
    return FREE


def test_a_sweep_over_a_rules_limit_says_what_would_fit() -> None:
    """Both ways out are figures: fewer points at these shots, or fewer shots at these points."""
    reason = reasons(load("personal"), swept(1000, 1_615_000), free)["limit.shots-per-job"]
    assert "619 of the 1,000 points would fit; or ask for at most 1,000,000 shots per point." in reason.fix
    assert reason.details["points_that_fit"] == 619
    assert reason.details["points"] == 1000
    assert reason.details["fitting_shots"] == "1000000"


def test_a_list_is_told_in_circuits() -> None:
    """Three circuits at half the limit: two fit."""
    reason = reasons(load("personal"), ask(shots=500_000_000, circuits=3), free)["limit.shots-per-job"]
    assert "2 of the 3 circuits would fit; or ask for at most 333,333,333 shots per circuit." in reason.fix


def test_where_nothing_fits_no_way_is_invented() -> None:
    """Neither one point nor one shot of each."""
    bundle = load("personal")
    reason = reasons(bundle, swept(1000, 2 * 10**9), tariff(0, 1))["limit.cost-per-job"]
    assert reason.details["points_that_fit"] == 0
    assert "of the 1,000 points" not in reason.fix
    nothing = reasons(bundle, swept(1000, 10), tariff(1100, 0))["limit.cost-per-job"]
    assert nothing.fix.endswith("Neither one point at these shots nor one shot of each point fits.")


def test_a_rule_that_no_smaller_job_passes_gets_no_such_advice() -> None:
    """A circuit that is too deep stays so with fewer points."""
    request = replace(swept(9, 10, backend=GARNET), circuits=(replace(circuit(depth=6000), points=9),))
    reason = reasons(load("personal"), request, tariff(1, 0))["limit.depth-on-hardware"]
    assert "points" not in reason.fix
    assert "points_that_fit" not in reason.details


def test_without_a_way_to_price_it_nothing_is_said_of_a_job_that_costs() -> None:
    """A share of the price would promise too much where part of it is fixed."""
    quote = price("400")
    (reason,) = load("personal").decide(swept(1000, 10, backend=GARNET), quote).reasons
    assert "points_that_fit" not in reason.details


def test_one_circuit_is_told_its_shots_with_the_fee_taken_off() -> None:
    """Ten dollars at $0.30 a task and a cent a shot are 970 shots."""
    reason = reasons(load("personal"), ask(shots=2000, backend=GARNET), tariff(30, 1))["limit.cost-per-job"]
    assert reason.fix.endswith("At most 970 shots fit.")


def agrees(bundle: Bundle, rule: str, request: Request, of: Any, **more: Any) -> None:
    """As many as said pass this rule, one more does not; the same for shots."""
    told = reasons(bundle, request, of, **more)
    assume(rule in told)
    fit = told[rule].details["points_that_fit"]
    assert 0 <= fit < request.circuits[0].points
    if fit:
        assert rule not in reasons(bundle, with_points(request, fit), of, **more)
    assert rule in reasons(bundle, with_points(request, fit + 1), of, **more)
    shots = int(told[rule].details["fitting_shots"])
    if shots:
        assert rule not in reasons(bundle, replace(request, shots=shots), of, **more)
    assert rule in reasons(bundle, replace(request, shots=shots + 1), of, **more)


TARIFFS = st.builds(tariff, st.integers(0, 500), st.integers(0, 20), st.integers(0, 900))
POINTED = settings(max_examples=60, deadline=None)


@POINTED
@given(points=st.integers(2, 10**5), excess=st.integers(1, 10**9))
def test_as_many_points_fit_under_a_limit_on_shots_as_it_says(points: int, excess: int) -> None:
    """With Cedar's own verdict on both sides of the figure."""
    agrees(load("personal"), "limit.shots-per-job", swept(points, 10**9 // points + excess), free)


@POINTED
@given(points=st.integers(100_001, 10**6), shots=st.integers(2, 10**7))
def test_as_many_points_fit_under_a_limit_on_circuits_as_it_says(points: int, shots: int) -> None:
    """Fewer shots are no way out here."""
    agrees(load("personal"), "limit.circuits-per-job", swept(points, shots), free)


@POINTED
@given(points=st.integers(2, 2000), shots=st.integers(2, 5000), of=TARIFFS)
def test_as_many_points_fit_under_a_cost_rule_as_it_says(points: int, shots: int, of: Any) -> None:
    """A fee per task and a minimum are taken as they are."""
    agrees(load("personal"), "limit.cost-per-job", swept(points, shots, backend=GARNET), of)


@POINTED
@given(points=st.integers(2, 2000), shots=st.integers(2, 5000), cents=st.integers(0, 2000))
def test_as_many_points_fit_under_the_callers_own_limit_as_it_says(points: int, shots: int, cents: int) -> None:
    """With the shipped prices, which have a fee per task."""
    request, most = swept(points, shots, backend=GARNET), cents * 10**7
    agrees(load("personal"), "caller.max-cost", request, pricing.quote, max_cost=most)


@POINTED
@given(points=st.integers(2, 5000), shots=st.integers(2, 5000), seconds=st.integers(1, 20))
def test_as_many_points_fit_under_a_job_quota_as_it_says(points: int, shots: int, seconds: int) -> None:
    """Sixty QPU seconds a job, at so many milliseconds a shot and a second a point."""

    def of(request: Request) -> Quote:
        return price("0.01", qpu_nanoseconds=request.executions * 10**9 + request.total_shots * seconds * 10**5)

    request = swept(points, shots, user="ada", backend=vendor("ibm/ibm_torino"), cost_center="c")
    agrees(load("team"), "qpu-seconds-per-job", request, of)


def short(hold: Hold, used: int, reserved: int) -> Shortage:
    return Shortage(hold, used, reserved)


@POINTED
@given(
    points=st.integers(2, 2000),
    shots=st.integers(2, 5000),
    of=TARIFFS,
    measure=st.sampled_from(["shots", "cost"]),
    used=st.integers(0, 10**6),
)
def test_as_many_points_fit_into_a_window_as_it_says(points: int, shots: int, of: Any, measure: str, used: int) -> None:
    """The holds of the smaller job are what the ledger would be asked for."""
    bundle, quota = load("team"), {"shots": "shots-per-day", "cost": "cost-per-user-day"}[measure]
    request = swept(points, shots, user="ada", backend=vendor("ibm/ibm_torino"), cost_center="c")

    def amount(smaller: Request) -> int:
        return sum(h.amount for h in bundle.holds(smaller, of(smaller), NOW) if h.quota == quota)

    holds = [h for h in bundle.holds(request, of(request), NOW) if h.quota == quota]
    assume(holds)
    settled = used * 10**5 if measure == "cost" else used * 45
    assume(settled + amount(request) > holds[0].limit)
    shortage = short(holds[0], settled, 7)
    (reason,) = bundle.shortage_reasons([shortage], NOW, request=request, quote=of(request), price=of)
    fit = reason.details["points_that_fit"]
    assert fit == 0 or amount(with_points(request, fit)) <= shortage.left
    assert amount(with_points(request, fit + 1)) > shortage.left
    assert (f"{fit:,} of the {points:,} points would fit" in reason.fix) == (fit > 0 and shortage.left > 0)


def session_hold(measure: Any, unit: str, amount: int, limit: int) -> Hold:
    return Hold(
        f"{measure}|session|1", f"session.max-{measure}", measure, "session", "vqe", "life", "", "", unit, amount, limit
    )


def said(shortage: Shortage, request: Request | None = None, of: Any = free) -> Reason:
    quote = of(request) if request else None
    (reason,) = load("personal").shortage_reasons([shortage], NOW, request=request, quote=quote, price=of)
    return reason


def test_a_session_says_how_far_it_got_and_how_to_get_a_larger_one() -> None:
    """The last step of a loop that has used its jobs."""
    reason = said(short(session_hold("jobs", "jobs", 1, 200), 199, 1), ask())
    assert reason.message == "The session 'vqe' has 200 jobs; 199 are used and 1 reserved."
    assert reason.fix == "Close it and open a larger one: lab.session(max_jobs=…) or %qsession --max-jobs N."
    assert (reason.kind, reason.details["scope"], reason.rule) == ("quota", "session", "session.max-jobs")


def test_a_session_says_what_is_left_and_what_would_fit() -> None:
    """Shots and money of an envelope, for a sweep and for one circuit."""
    reason = said(short(session_hold("shots", "shots", 10_000, 1_000_000), 993_800, 0), swept(100, 100))
    assert reason.message == (
        "The session 'vqe' has 1,000,000 shots; 993,800 are used, 6,200 are left, and this job asks for 10,000 shots."
    )
    assert reason.fix.startswith("62 of the 100 points would fit; or ask for at most 62 shots per point; or close it")
    cost = session_hold("cost", "USD", to_nano("1.3"), to_nano(5))
    reason = said(short(cost, to_nano("4.5"), 0), ask(shots=100, backend=GARNET), tariff(30, 1))
    assert "has $5.00; $4.50 are used, $0.50 are left, and this job may cost up to $1.30." in reason.message
    assert reason.fix.startswith("Stay within $0.50 (at most 20 shots), or close it and open a larger one")


def test_a_window_offers_points_shots_and_waiting() -> None:
    """All ways that help stand in one sentence."""
    bundle, request = load("team"), swept(1000, 1024, user="ada")
    (hold,) = [h for h in bundle.holds(request, FREE, NOW) if h.quota == "shots-per-day"]
    (reason,) = bundle.shortage_reasons([short(hold, 49_366_144, 0)], NOW, request=request, quote=FREE)
    assert reason.fix == (
        "619 of the 1,000 points would fit; or ask for at most 633 shots per point; "
        "or wait until 2026-11-22 23:00 UTC (in 7 hours)."
    )


@pytest.mark.parametrize("name", ["personal", "team", "classroom", "regulated"])
def test_a_kernels_life_has_an_envelope_of_jobs_and_shots(name: str) -> None:
    """A loop that runs away is stopped whatever bundle is in force (F4)."""
    user = {"classroom": "sam", "regulated": "ann"}.get(name, "ada")
    holds = load(name).holds(ask(user, notebook_run="k"), FREE, NOW)
    life = {h.measure: h.limit for h in holds if h.scope == "notebook_run"}
    assert life.keys() == {"jobs", "shots"}
    assert all(h.window == "life" for h in holds if h.scope == "notebook_run")
    if name == "personal":
        assert life["jobs"] >= 24 * 10**4
        assert life["shots"] >= 365 * 10**8
