"""What a vendor itself says a job would cost, where it says so: it wins over any list."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial

from qpm_lab import providers
from qpm_lab.errors import QpmError
from qpm_lab.experiment import Quote, Request, to_nano
from qpm_lab.pricing import LiveRates, Prices
from qpm_lab.runner.companions import Price
from qpm_lab.runner.decisions import Decisions
from qpm_lab.runner.extras import extras
from qpm_lab.runner.plan import Plan, judge_again
from qpm_lab.runner.shipment import packed
from qpm_lab.runner.tasks import task_of


def with_live_price(plan: Plan, *, at: datetime, decisions: Decisions, max_cost: int | None = None) -> Plan:
    """The plan judged on the vendor's own estimate; as it is where the vendor has none or cannot be asked.

    Args:
        plan: The request.
        at: The present.
        decisions: Verdicts given before on the same facts.
        max_cost: What is left of the caller's own limit; None for all of it.
    """
    info = plan.request.backend
    remote = providers.vendors().get(info.provider) if not info.local else None
    if remote is None or not remote.vendor.serves_prices:
        return plan
    if info.state != "ready":
        return _without(plan, remote.vendor.title, QpmError(info.note), at, decisions)
    try:
        task = task_of(plan)
        parcels = packed(plan, task, extras(plan, task), remote).parcels
        amounts = [remote.price(parcel) for parcel in parcels]
    except QpmError as error:
        return _without(plan, remote.vendor.title, error, at, decisions)
    known = [(kind, to_nano(Decimal(amount))) for kind, amount in (each for each in amounts if each is not None)]
    if len(known) < len(parcels) or len({kind for kind, _ in known}) != 1:
        return plan
    nano = sum(amount for _, amount in known)
    rates = LiveRates(known[0][0], f"{remote.vendor.title}, asked for this job", at, amounts=(nano, nano, nano))
    live = decisions.prices_for(info).with_live(info.ruled_as, rates)
    told = replace(plan, price=partial(_quoted, plan.request, live, plan), asked_vendor=True)
    return judge_again(told, bundle=plan.bundle, at=at, decisions=decisions, max_cost=max_cost)


def _without(plan: Plan, title: str, error: QpmError, at: datetime, decisions: Decisions) -> Plan:
    """The plan on the list's price, saying why the vendor named none."""
    why = f"{title} gave no estimate: {str(error).rstrip('. ')}."
    if plan.quote.high is not None:
        return replace(plan, notes=(*plan.notes, f"{why} The list price holds."))
    told = replace(plan, price=partial(_unknown, plan.price, why), asked_vendor=True)
    return judge_again(told, bundle=plan.bundle, at=at, decisions=decisions)


def _unknown(price: Price, why: str, request: Request) -> Quote:
    quote = price(request)
    return quote if quote.high is not None else replace(quote, reason=f"{why} {quote.reason or ''}".strip())


def _quoted(asked: Request, live: Prices, plan: Plan, request: Request) -> Quote:
    """The estimate holds for the very job that was asked for. Any other is quoted by the list, and not below it: what a
    vendor asks for less is not known, and a smaller job must not be promised as cheaper than it is.
    """
    estimate = live.convert(live.quote(asked), plan.bundle.currency)
    if request == asked:
        return estimate
    listed = plan.price(request)
    return estimate if listed.high is None or (estimate.high or 0) > listed.high else listed
