"""From what the user typed to a judged request: nothing here writes, sends or spends."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from qpm_lab import circuits, pricing, providers
from qpm_lab.circuits import Prepared
from qpm_lab.errors import InputError
from qpm_lab.experiment import BackendInfo, Decision, Hold, Principal, Quote, Reason, Request, Shortage
from qpm_lab.ledger import Ledger
from qpm_lab.policy import Bundle
from qpm_lab.runner import twirl
from qpm_lab.runner.companions import Price, Recipe, wanted
from qpm_lab.runner.conditions import Condition, asks_fidelity, planned, require_measurable
from qpm_lab.runner.decisions import Decisions
from qpm_lab.runner.envelope import Envelope
from qpm_lab.runner.judging import judged
from qpm_lab.runner.naming import own_name
from qpm_lab.runner.order import MOST_AMOUNT, Order, checked, classification, label, nano_amount, whole
from qpm_lab.runner.route_taken import Taken

MAX_CIRCUITS = 1000
"""Circuits in one job; their facts have to fit one ledger entry. A sweep is one circuit."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A request with its quote and the verdict of the rules; the quotas are asked at submission."""

    bundle: Bundle
    """The rules it was judged by, also if their files change meanwhile."""
    prepared: tuple[Prepared, ...]
    request: Request
    quote: Quote
    decision: Decision
    holds: tuple[Hold, ...]
    max_cost: int | None
    """The caller's own limit in nano-units of the quote's currency."""
    drawn_seed: int
    """The user's seed, or one drawn so that the job can be repeated."""
    notes: tuple[str, ...]
    fidelity: str
    """`auto`, `mirror`, `proxy`, or `none` to leave it out."""
    twirl: str | None = None
    """`readout`, `gates` or `all`."""
    companions: Recipe | None = None
    """The further circuits that measure the fidelity."""
    no_fidelity: str | None = None
    """Why nothing measures it, where that is known before the run."""
    conditions: tuple[Condition, ...] = ()
    """What the result has to meet."""
    canary: str | None = None
    """The series of canaries it belongs to."""
    envelope: Envelope | None = None
    """The session it draws from."""
    price: Price = pricing.quote
    """Quotes a request by the prices in force."""
    asked_vendor: bool = False
    """True when the vendor itself said what this request costs."""
    route: Taken | None = None
    """The route by which its backend was chosen; None when it was named."""
    stages_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def may_drop_companions(self) -> bool:
        """True when only `auto` chose them and no condition needs the fidelity."""
        recipe = self.companions
        return recipe is not None and recipe.chosen_by == "auto" and not asks_fidelity(self.conditions)


def make_plan(
    order: Order,
    *,
    bundle: Bundle,
    principal: Principal,
    at: datetime,
    decisions: Decisions,
    envelope: Envelope | None = None,
    prepared: Sequence[Prepared] | None = None,
) -> Plan:
    """Prepares the circuits, quotes them and evaluates the rules.

    Args:
        order: What the user wrote.
        bundle: The rules in force.
        principal: On whose behalf.
        at: The present; picks the windows of the quotas.
        decisions: Verdicts given before on the same facts.
        envelope: The open session, whose labels hold where the order says nothing.
        prepared: The circuits, where they are prepared already.

    Raises:
        InputError: an option or circuit cannot be used.
    """
    began = time.perf_counter()
    info = find_backend(checked(order).backend)
    prepared = tuple(prepared or circuits.prepare(order.source, parameters=order.parameters, args=order.args))
    if len(prepared) > MAX_CIRCUITS:
        raise InputError(
            f"This job has {len(prepared):,} circuits; one job takes at most {MAX_CIRCUITS:,}.",
            "Submit the list in parts.",
        )
    request = _request(order, prepared, info, principal, bundle, envelope)
    needed = planned(order.validate, info, prepared, order.fidelity)
    method = order.fidelity or ("none" if envelope and not asks_fidelity(needed) else "auto")
    seed = secrets.randbits(31) if request.seed is None else request.seed
    price = partial(decisions.quote, bundle)
    recipe = wanted(method, order.twirl, prepared, request, seed, price)
    max_cost = None if order.max_cost is None else nano_amount(order.max_cost, "--max-cost")
    middle = time.perf_counter()
    require_measurable(needed, prepared, recipe)
    decide = partial(decisions.decide, bundle, max_cost=max_cost)
    verdict = judged(request, recipe, decide, price, must=asks_fidelity(needed))
    holds = holds_of(bundle, verdict.request, verdict.quote, at, envelope, decisions)
    end = time.perf_counter()
    return Plan(
        bundle=bundle,
        prepared=prepared,
        request=verdict.request,
        quote=verdict.quote,
        decision=verdict.decision,
        holds=holds,
        max_cost=max_cost,
        drawn_seed=seed,
        notes=_notes(prepared, verdict.recipe, twirl.note(order.twirl, request.shots)),
        fidelity=method,
        twirl=order.twirl,
        companions=verdict.recipe if isinstance(verdict.recipe, Recipe) else None,
        no_fidelity=verdict.recipe if isinstance(verdict.recipe, str) else None,
        conditions=needed,
        canary=order.canary,
        envelope=envelope,
        price=price,
        stages_ms={"prepare": (middle - began) * 1e3, "decide": (end - middle) * 1e3},
    )


def find_backend(backend_id: str) -> BackendInfo:
    """A backend that can run jobs, or one that so far only has a price.

    Raises:
        InputError: there is none; the hint names the nearest ids.
    """
    if not isinstance(backend_id, str):
        raise InputError(f"A backend is named by text, not {type(backend_id).__name__}.", "Write aer/simulator.")
    try:
        return providers.backend(backend_id)
    except InputError:
        priced = {info.id: info for info in pricing.catalogue_backends()}
        if backend_id in priced:
            return priced[backend_id]
        raise


def judge_again(plan: Plan, *, bundle: Bundle, at: datetime, decisions: Decisions, max_cost: int | None = None) -> Plan:
    """The same request for a further attempt: quoted and judged as things stand now.

    Args:
        plan: As it was.
        bundle: The rules in force.
        at: The present.
        decisions: Verdicts given before on the same facts.
        max_cost: What is left of the caller's own limit; None for all of it.
    """
    price = plan.price if plan.asked_vendor else partial(decisions.quote, bundle)
    quoted = price(plan.request)
    return replace(
        plan,
        bundle=bundle,
        price=price,
        quote=quoted,
        decision=decisions.decide(
            bundle,
            plan.request,
            quoted,
            plan.max_cost if max_cost is None else max_cost,
            of_this_only=plan.asked_vendor,
        ),
        holds=holds_of(bundle, plan.request, quoted, at, plan.envelope, decisions),
    )


def without_companions(plan: Plan, why: str, *, at: datetime, decisions: Decisions) -> Plan:
    """The same plan with nothing that measures the fidelity."""
    request = replace(plan.request, companions=None)
    notes = (*notes_without_companions(plan), f"No fidelity: {why}")
    bare = replace(plan, request=request, companions=None, no_fidelity=why, notes=notes)
    return judge_again(bare, bundle=plan.bundle, at=at, decisions=decisions)


def holds_of(
    bundle: Bundle,
    request: Request,
    quoted: Quote,
    at: datetime,
    envelope: Envelope | None,
    decisions: Decisions,
) -> tuple[Hold, ...]:
    """What the job takes from the quotas, and from its session."""
    if bundle.problems:
        return ()
    return (*decisions.holds(bundle, request, quoted, at), *(envelope.holds(request, quoted) if envelope else ()))


def judge(plan: Plan, *, ledger: Ledger, at: datetime) -> Decision:
    """The whole verdict as it would be now: the rules and every quota that would not fit."""
    return with_shortages(plan, shortages(plan.holds, ledger), at=at)


def shortages(holds: Sequence[Hold], ledger: Ledger) -> tuple[Shortage, ...]:
    """The holds that would not fit as the counters stand now."""
    counters = ledger.counters([hold.counter for hold in holds])
    short = []
    for hold in holds:
        counter = counters.get(hold.counter)
        settled, reserved = (counter.settled, counter.reserved) if counter else (0, 0)
        if settled + reserved + hold.amount > hold.limit:
            short.append(Shortage(hold, settled, reserved))
    return tuple(short)


def taken(holds: Sequence[Hold], ledger: Ledger) -> dict[str, int]:
    """Counter → settled and reserved, as the counters stand now."""
    counters = ledger.counters([hold.counter for hold in holds])
    return {key: counter.settled + counter.reserved for key, counter in counters.items()}


def with_shortages(plan: Plan, found: Sequence[Shortage], *, at: datetime) -> Decision:
    """Adds the quotas that did not fit to the rules' decision; any shortage denies."""
    if not found:
        return plan.decision
    price = None if plan.asked_vendor else plan.price
    short = plan.bundle.shortage_reasons(found, at, request=plan.request, quote=plan.quote, price=price)
    reasons = (*plan.decision.reasons, *(_how_far(reason, plan.envelope) for reason in short))
    return replace(plan.decision, effect="deny", reasons=reasons)


def _how_far(reason: Reason, envelope: Envelope | None) -> Reason:
    """A loop that is stopped is told how far it got."""
    if envelope is None or reason.details.get("scope") != "session":
        return reason
    jobs = f"{envelope.done:,} job{'' if envelope.done == 1 else 's'}"
    return replace(
        reason,
        message=f"{reason.message} The loop has completed {jobs}.",
        details={**reason.details, "jobs_completed": envelope.done},
    )


def _request(
    order: Order,
    prepared: tuple[Prepared, ...],
    info: BackendInfo,
    principal: Principal,
    bundle: Bundle,
    envelope: Envelope | None,
) -> Request:
    expected = envelope.request if envelope else None

    def given(name: str, what: str) -> str | None:
        return label(getattr(order, name), what) or (getattr(expected, name) if expected else None)

    shots = whole(order.shots, "shots", 1, 2**53)
    executions = sum(p.facts.points for p in prepared)
    if shots * executions > MOST_AMOUNT:
        raise InputError(
            f"{shots:,} shots of each of {executions:,} circuits or points are more than can be counted.",
            "Ask for fewer shots or fewer points.",
        )
    sensitivity = classification(order.classification) or (expected.classification if expected else None)
    return Request(
        principal=principal,
        backend=info,
        circuits=tuple(replace(p.facts, name=own_name(p.facts.name)) for p in prepared),
        shots=shots,
        seed=None if order.seed is None else whole(order.seed, "seed", 0, 2**63 - 1),
        experiment=given("experiment", "experiment"),
        project=given("project", "project"),
        cost_center=given("cost_center", "cost centre"),
        classification=sensitivity or bundle.default_classification,
        name=label(order.name, "name") or own_name(prepared[0].facts.name) or "circuit",
        session=envelope.session_id if envelope else None,
        variants=twirl.check(order.twirl, prepared, shots),
    )


def notes_without_companions(plan: Plan) -> tuple[str, ...]:
    """The notes that do not speak of companions."""
    return tuple(note for note in plan.notes if plan.companions is None or note != plan.companions.note)


def _notes(prepared: tuple[Prepared, ...], recipe: Recipe | str | None, twirled: str | None) -> tuple[str, ...]:
    notes = dict.fromkeys(note for p in prepared for note in p.notes)
    if twirled is not None:
        notes[twirled] = None
    if isinstance(recipe, Recipe):
        notes[recipe.note] = None
    elif recipe is not None:
        notes[f"No fidelity: {recipe}"] = None
    return tuple(notes)
