"""From what the user typed to a judged request: nothing here writes, sends or spends."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from qpm_lab import circuits, pricing, providers
from qpm_lab.circuits import Prepared
from qpm_lab.errors import InputError
from qpm_lab.experiment import (
    CLASSIFICATIONS,
    BackendInfo,
    Decision,
    Hold,
    Principal,
    Quote,
    Request,
    Shortage,
    to_nano,
)
from qpm_lab.ledger import Ledger
from qpm_lab.policy import Bundle
from qpm_lab.runner.naming import MAX_LABEL, own_name

MAX_CIRCUITS = 1000
"""Circuits in one job; their facts have to fit one ledger entry."""


@dataclass(frozen=True, slots=True)
class Order:
    """One submission as the user wrote it, before anything has been looked at."""

    source: Any
    """Anything `qpm_lab.circuits.prepare` takes."""
    backend: str = "aer/simulator"
    shots: int = 1024
    seed: int | None = None
    experiment: str | None = None
    project: str | None = None
    cost_center: str | None = None
    classification: str | None = None
    max_cost: str | None = None
    """Decimal amount in the quote's currency that the caller will not exceed."""
    name: str | None = None
    parameters: Mapping[Any, Any] | None = None
    args: Sequence[Any] = ()


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
    stages_ms: Mapping[str, float] = field(default_factory=dict)


def make_plan(order: Order, *, bundle: Bundle, principal: Principal, at: datetime) -> Plan:
    """Prepares the circuits, quotes them and evaluates the rules.

    Raises:
        InputError: an option or circuit cannot be used.
    """
    began = time.perf_counter()
    info = find_backend(order.backend)
    if not isinstance(order.parameters or {}, Mapping) or not isinstance(order.args, (tuple, list)):
        raise InputError(
            "parameters must be a dictionary and args a list.", "Write parameters={'theta': 0.5}, args=[0.1]."
        )
    prepared = circuits.prepare(order.source, parameters=order.parameters, args=order.args)
    if len(prepared) > MAX_CIRCUITS:
        raise InputError(
            f"This job has {len(prepared):,} circuits; one job takes at most {MAX_CIRCUITS:,}.",
            "Submit the list in parts.",
        )
    request = _request(order, prepared, info, principal, bundle)
    quoted = pricing.quote(request)
    max_cost = _max_cost(order.max_cost)
    middle = time.perf_counter()
    decision = bundle.decide(request, quoted, max_cost=max_cost)
    holds = bundle.holds(request, quoted, at) if not bundle.problems else ()
    end = time.perf_counter()
    return Plan(
        bundle=bundle,
        prepared=prepared,
        request=request,
        quote=quoted,
        decision=decision,
        holds=holds,
        max_cost=max_cost,
        drawn_seed=secrets.randbits(31) if order.seed is None else order.seed,
        notes=_notes(prepared),
        stages_ms={"prepare": (middle - began) * 1e3, "decide": (end - middle) * 1e3},
    )


def find_backend(backend_id: str) -> BackendInfo:
    """A backend that can run jobs, or one that so far only has a price.

    Raises:
        InputError: there is none; the hint names the nearest ids.
    """
    if not isinstance(backend_id, str):
        raise InputError(f"A backend is named by text, not {type(backend_id).__name__}.", "Write aer/simulator.")
    priced = {info.id: info for info in pricing.catalogue_backends()}
    return priced.get(backend_id) or providers.backend(backend_id)


def judge_again(plan: Plan, *, bundle: Bundle, at: datetime) -> Plan:
    """The same request for a further attempt: quoted and judged as things stand now."""
    quoted = pricing.quote(plan.request)
    return replace(
        plan,
        bundle=bundle,
        quote=quoted,
        decision=bundle.decide(plan.request, quoted, max_cost=plan.max_cost),
        holds=() if bundle.problems else bundle.holds(plan.request, quoted, at),
    )


def judge(plan: Plan, *, ledger: Ledger, at: datetime) -> Decision:
    """The whole verdict as it would be now: the rules and every quota that would not fit."""
    counters = ledger.counters([hold.counter for hold in plan.holds])
    short = []
    for hold in plan.holds:
        counter = counters.get(hold.counter)
        settled, reserved = (counter.settled, counter.reserved) if counter else (0, 0)
        if settled + reserved + hold.amount > hold.limit:
            short.append(Shortage(hold, settled, reserved))
    return with_shortages(plan, short, at=at)


def with_shortages(plan: Plan, shortages: Sequence[Shortage], *, at: datetime) -> Decision:
    """Adds the quotas that did not fit to the rules' decision; any shortage denies."""
    if not shortages:
        return plan.decision
    reasons = (*plan.decision.reasons, *plan.bundle.shortage_reasons(shortages, at))
    return replace(plan.decision, effect="deny", reasons=reasons)


def _request(
    order: Order, prepared: tuple[Prepared, ...], info: BackendInfo, principal: Principal, bundle: Bundle
) -> Request:
    return Request(
        principal=principal,
        backend=info,
        circuits=tuple(replace(p.facts, name=own_name(p.facts.name)) for p in prepared),
        shots=_whole(order.shots, "shots", 1, 2**53),
        seed=None if order.seed is None else _whole(order.seed, "seed", 0, 2**63 - 1),
        experiment=_label(order.experiment, "experiment"),
        project=_label(order.project, "project"),
        cost_center=_label(order.cost_center, "cost centre"),
        classification=_classification(order.classification) or bundle.default_classification,
        name=_label(order.name, "name") or own_name(prepared[0].facts.name) or "circuit",
    )


def _notes(prepared: tuple[Prepared, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for p in prepared for note in p.notes))


def _whole(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InputError(f"The {what} must be a whole number, not {str(value)[:40]!r}.", f"Write {what} as 1000.")
    number = int(value.__index__())
    if not low <= number <= high:
        raise InputError(f"The {what} must be between {low:,} and {high:,}.", "Choose a number in that range.")
    return number


def _label(value: str | None, what: str) -> str | None:
    if value is None or value == "":
        return None
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > MAX_LABEL or not text.isprintable():
        raise InputError(
            f"The {what} must be 1 to {MAX_LABEL} printable characters.",
            "Use a short name such as bell-family.",
        )
    return text


def _classification(value: str | None) -> str | None:
    if value is not None and value not in CLASSIFICATIONS:
        raise InputError(f"Classification {value!r} is not known.", f"Use one of: {', '.join(CLASSIFICATIONS)}.")
    return value


def _max_cost(value: str | None) -> int | None:
    if value is None:
        return None
    try:
        nano = to_nano(str(value).strip().lstrip("$"))
    except (ArithmeticError, ValueError) as error:
        raise InputError(
            f"--max-cost {value!r} is not an amount.", "Write a decimal number such as 2.50.", cause=error
        ) from error
    if nano < 0:
        raise InputError("--max-cost cannot be negative.", "Write a decimal number such as 2.50.")
    return nano
