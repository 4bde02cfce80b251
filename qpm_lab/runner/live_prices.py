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
from qpm_lab.runner.decisions import Decisions
from qpm_lab.runner.extras import extras
from qpm_lab.runner.plan import Plan, judge_again
from qpm_lab.runner.shipment import packed
from qpm_lab.runner.tasks import task_of


def with_live_price(plan: Plan, *, prices: Prices, at: datetime, decisions: Decisions) -> Plan:
    """The plan judged on the vendor's own estimate; as it is where the vendor has none or cannot be asked."""
    info = plan.request.backend
    remote = providers.remote(info.id) if info.state == "ready" else None
    if remote is None or not remote.vendor.serves_prices:
        return plan
    try:
        task = task_of(plan)
        parcels = packed(plan, task, extras(plan, task), remote).parcels
        amounts = [remote.price(parcel) for parcel in parcels]
    except QpmError:
        return plan
    known = [(kind, to_nano(Decimal(amount))) for kind, amount in (each for each in amounts if each is not None)]
    if len(known) < len(parcels) or len({kind for kind, _ in known}) != 1:
        return plan
    nano = sum(amount for _, amount in known)
    rates = LiveRates(known[0][0], f"{remote.vendor.title}, asked for this job", at, amounts=(nano, nano, nano))
    live = prices.with_live(info.ruled_as, rates)
    told = replace(plan, price=partial(_quoted, plan.request, live, plan), asked_vendor=True)
    return judge_again(told, bundle=plan.bundle, at=at, decisions=decisions)


def _quoted(asked: Request, live: Prices, plan: Plan, request: Request) -> Quote:
    """The estimate holds for the very job that was asked for; any other is quoted by the list."""
    return live.convert(live.quote(request), plan.bundle.currency) if request == asked else plan.price(request)
