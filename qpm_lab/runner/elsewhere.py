"""The plan of a job for another backend of its route: everything that depends on the backend is worked out anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from qpm_lab.errors import ProviderError
from qpm_lab.runner.companions import Recipe, wanted
from qpm_lab.runner.conditions import asks_fidelity, planned, require_measurable
from qpm_lab.runner.judging import judged
from qpm_lab.runner.live_prices import with_live_price
from qpm_lab.runner.plan import Plan, find_backend, holds_of, notes_without_companions
from qpm_lab.runner.reaching import require_answer

if TYPE_CHECKING:
    from qpm_lab.runner.runner import Runner


def moved(plan: Plan, backend_id: str, runner: Runner, at: datetime, max_cost: int | None) -> Plan:
    """The same request on another backend, quoted and judged as things stand now.

    Args:
        plan: As it was.
        backend_id: Where it is to run.
        runner: Knows rules and prices.
        at: The present.
        max_cost: What is left of the caller's own limit.

    Raises:
        InputError: it cannot run or be judged there.
        ProviderError: the backend is not ready, or does not answer, or is left alone after outages.
    """
    bundle, info = runner.rules.bundle(), find_backend(backend_id)
    if info.state != "ready":
        raise ProviderError(f"It is not ready: {info.note or info.state}.")
    require_answer(runner, backend_id)
    request = replace(plan.request, backend=info, companions=None)
    price = partial(runner.decisions.quote, bundle)
    needed = planned([each.text for each in plan.conditions], info, plan.prepared, plan.fidelity)
    recipe = wanted(plan.fidelity, plan.twirl, plan.prepared, request, plan.drawn_seed, price)
    require_measurable(needed, plan.prepared, recipe)
    decide = partial(runner.decisions.decide, bundle, max_cost=max_cost)
    verdict = judged(request, recipe, decide, price, must=asks_fidelity(needed))
    found = verdict.recipe
    made = replace(
        plan,
        bundle=bundle,
        request=verdict.request,
        quote=verdict.quote,
        decision=verdict.decision,
        holds=holds_of(bundle, verdict.request, verdict.quote, at, plan.envelope, runner.decisions),
        notes=(*notes_without_companions(plan), *([found.note] if isinstance(found, Recipe) else [])),
        companions=found if isinstance(found, Recipe) else None,
        no_fidelity=found if isinstance(found, str) else None,
        conditions=needed,
        price=price,
        asked_vendor=False,
    )
    return with_live_price(made, at=at, decisions=runner.decisions, max_cost=max_cost)
