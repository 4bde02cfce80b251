"""The plan of an order for one backend, as the vendor prices it, without companions that only the quotas refuse."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from qpm_lab.runner.judging import refused_because
from qpm_lab.runner.live_prices import with_live_price
from qpm_lab.runner.overruns import unless_overrun
from qpm_lab.runner.plan import Plan, make_plan, shortages, without_companions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qpm_lab.circuits import Prepared
    from qpm_lab.runner.order import Order
    from qpm_lab.runner.runner import Runner


def plan_for(runner: Runner, order: Order, at: datetime, prepared: Sequence[Prepared] | None = None) -> Plan:
    """Prepares, quotes and judges by the rules; writes nothing.

    Args:
        runner: Knows rules, prices and quotas.
        order: For one backend.
        at: The present.
        prepared: Its circuits, where they are prepared already.

    Raises:
        InputError: an option or circuit cannot be used.
    """
    plan = make_plan(
        order,
        bundle=runner.rules.bundle(),
        principal=runner.principal,
        at=at,
        decisions=runner.decisions,
        envelope=runner.envelope,
        prepared=prepared,
    )
    plan = with_live_price(plan, at=at, decisions=runner.decisions)
    return unless_overrun(fitting(runner, plan, at), runner.ledger)


def fitting(runner: Runner, plan: Plan, at: datetime) -> Plan:
    """The plan without companions that `auto` chose and for which a quota has no room."""
    if plan.companions is None or not plan.may_drop_companions:
        return plan
    short = shortages(plan.holds, runner.ledger)
    if not short:
        return plan
    names = ", ".join(dict.fromkeys(each.hold.quota for each in short))
    why = refused_because(plan.companions, f"They do not fit into {names}.")
    return without_companions(plan, why, at=at, decisions=runner.decisions)
