"""What the rules say of a request with the further circuits that would measure its fidelity, and without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from qpm_lab import pricing
from qpm_lab.experiment import Decision, Quote, Request
from qpm_lab.runner.companions import Price, Recipe

Decide = Callable[[Request, Quote], Decision]


class Verdict(NamedTuple):
    """A request with its companions, its price and what the rules say of it."""

    request: Request
    quote: Quote
    decision: Decision
    recipe: Recipe | str | None
    """The companions, or why there are none."""


def judged(
    request: Request,
    recipe: Recipe | str | None,
    decide: Decide,
    price: Price = pricing.quote,
    *,
    must: bool = False,
) -> Verdict:
    """The rules' verdict. A job is never refused for the companions that only `auto` chose: it runs without.

    Args:
        request: Without companions.
        recipe: The companions, or why there are none.
        decide: Asks the rules.
        price: Quotes a request.
        must: True when a condition on the fidelity has to be judged: then it does not run without.
    """
    if not isinstance(recipe, Recipe):
        quoted = price(request)
        return Verdict(request, quoted, decide(request, quoted), recipe)
    whole = replace(request, companions=recipe.facts(request.circuits[0].fingerprint))
    quoted = price(whole)
    decision = decide(whole, quoted)
    if decision.effect == "allow":
        return Verdict(whole, quoted, decision, recipe)
    if recipe.chosen_by == "user" or must:
        return Verdict(whole, quoted, _with_way_out(decision, recipe), recipe)
    why = " ".join(each.message for each in decision.reasons)
    return judged(request, refused_because(recipe, why), decide, price)


def refused_because(recipe: Recipe, why: str) -> str:
    """Why there is no fidelity when only its companions are refused."""
    return f"{recipe.number:,} further circuits would measure it, and are refused. {why}"


def _with_way_out(decision: Decision, recipe: Recipe) -> Decision:
    """The same refusal, saying that the companions are a part of what was counted."""
    way = f"{recipe.number:,} of the circuits measure the fidelity: --fidelity none leaves them out."
    return replace(decision, reasons=tuple(replace(each, fix=f"{each.fix} {way}".strip()) for each in decision.reasons))
