"""Promises about every request, checked on generated ones."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_lab.experiment import BackendInfo, CircuitFacts, Principal, Quote, Request
from qpm_lab.policy import Bundle, find_bundle, shipped_names

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NUMBERS = st.one_of(st.integers(-5, 10**6), st.integers(-(10**40), 10**40))
TEXTS = st.one_of(st.text(max_size=20), st.just("x" * 300), st.text(st.characters(), max_size=5))
LABELS = st.one_of(st.none(), TEXTS)
USERS = st.one_of(st.sampled_from(["ada", "bob", "gus", "sam", "tina", "ann", "olga", "*"]), TEXTS)
load = cache(find_bundle)


@st.composite
def circuits(draw: st.DrawFn) -> CircuitFacts:
    gates = draw(st.dictionaries(st.text(max_size=5), NUMBERS, max_size=3))
    return CircuitFacts("sha256:0", draw(NUMBERS), draw(NUMBERS), draw(NUMBERS), gates, draw(NUMBERS))


@st.composite
def backends(draw: st.DrawFn) -> BackendInfo:
    listed = load("team").backend_ids
    name = draw(st.one_of(st.sampled_from(listed), TEXTS))
    kind: Literal["simulator", "qpu"] = "qpu" if draw(st.booleans()) else "simulator"
    return BackendInfo(name, "", draw(NUMBERS), kind, draw(st.booleans()), draw(st.booleans()))


@st.composite
def requests(draw: st.DrawFn, users: st.SearchStrategy[str] = USERS) -> Request:
    return Request(
        principal=Principal(draw(users), draw(TEXTS)),
        backend=draw(backends()),
        circuits=tuple(draw(st.lists(circuits(), max_size=3))),
        shots=draw(NUMBERS),
        seed=draw(st.one_of(st.none(), NUMBERS)),
        experiment=draw(LABELS),
        project=draw(LABELS),
        cost_center=draw(LABELS),
        classification=draw(st.one_of(st.none(), st.sampled_from(["public", "internal", "confidential"]), TEXTS)),
    )


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    high = draw(st.one_of(st.none(), NUMBERS))
    currency = draw(st.sampled_from(["USD", "EUR", ""]))
    return Quote(currency, high, high, high, "", "", draw(st.booleans()), qpu_nanoseconds=abs(draw(NUMBERS)))


BUNDLES = st.sampled_from(shipped_names())


@settings(max_examples=400, deadline=None)
@given(name=BUNDLES, request=requests(), quote=quotes(), max_cost=st.one_of(st.none(), NUMBERS))
def test_no_request_makes_a_decision_raise(name: str, request: Request, quote: Quote, max_cost: int | None) -> None:
    """Every request gets an effect; without reasons it is an allowance, and every refusal says more."""
    bundle = load(name)
    decision = bundle.decide(request, quote, max_cost=max_cost)
    assert (decision.effect == "allow") == (decision.reasons == ())
    assert all(reason.message and reason.fix for reason in decision.reasons)
    for hold in bundle.holds(request, quote, NOW):
        assert 0 < hold.amount < 2**63
    if decision.effect != "deny":
        assert quote.known


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(["team", "classroom", "regulated"]), request=requests(TEXTS), quote=quotes())
def test_whoever_is_not_listed_is_denied(name: str, request: Request, quote: Quote) -> None:
    """Deny by default holds for every name that the bundle does not know (G1)."""
    bundle = load(name)
    if not bundle.members(request.principal.user).known:
        assert bundle.decide(request, quote).effect == "deny"


@settings(max_examples=200, deadline=None)
@given(
    name=BUNDLES,
    user=st.sampled_from(["ada", "gus", "sam", "tina", "ann", "olga"]),
    backend=st.sampled_from(load("team").backend_ids),
    shots=st.integers(1, 3 * 10**9),
    more=st.integers(0, 3 * 10**9),
    count=st.integers(1, 60),
    cents=st.integers(0, 30_000),
)
def test_asking_for_more_never_turns_a_refusal_into_an_allowance(
    name: str, user: str, backend: str, shots: int, more: int, count: int, cents: int
) -> None:
    """More shots at a higher price are refused wherever fewer were."""
    bundle = load(name)
    circuit = CircuitFacts("sha256:0", 3, 3, 4, {"h": 1}, 0)
    info = BackendInfo(backend, "", 30, "qpu", False, True)

    def effect(asked: int) -> str:
        labels = {"experiment": "e", "project": "p", "cost_center": "c"}
        request = Request(Principal(user), info, (circuit,) * count, asked, 1, **labels)
        nano = cents * 10**7 * asked // shots
        return bundle.decide(request, Quote("USD", nano, nano, nano, "", "")).effect

    order = {"allow": 0, "needs-approval": 1, "deny": 2}
    assert order[effect(shots)] <= order[effect(shots + more)]


@pytest.mark.parametrize("name", ["team", "classroom", "regulated"])
def test_a_backend_that_nobody_listed_is_denied(name: str) -> None:
    """An allow-list does not let a new vendor in, whoever asks (G2)."""
    bundle: Bundle = load(name)
    circuit = CircuitFacts("sha256:0", 3, 3, 4, {"h": 1}, 0)
    info = BackendInfo("brand/new", "", 30, "qpu", False, True)
    for user in ("ada", "cleo", "tina", "ben", "olga"):
        request = Request(Principal(user), info, (circuit,), 10, 1, "e", "p", "c", "public")
        assert bundle.decide(request, Quote("USD", 0, 0, 0, "", "")).effect == "deny"
