"""What the rules and quotas say about a request, kept while nothing that it can depend on has changed.

Rules see a request, its quote and the caller's own limit, never a clock or a counter, so in a loop the same facts
get the same verdict; what a job takes from the quotas depends on the windows of the moment besides. What neither
can see is left out of the key: a circuit's name and fingerprint.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Any

from qpm_lab.experiment import BackendInfo, CircuitFacts, Decision, Hold, Quote, Request
from qpm_lab.policy import Bundle
from qpm_lab.pricing import Prices, load_prices

MOST = 256
WINDOW_SECONDS = 900
"""Windows begin at full hours of the bundle's time zone, and every zone is whole quarters of an hour off UTC."""
_OF_REQUEST = tuple(
    f.name for f in fields(Request) if f.name not in ("circuits", "companions", "seed", "name", "session")
)
_OF_CIRCUIT = tuple(
    f.name for f in fields(CircuitFacts) if f.name not in ("fingerprint", "name", "gates", "wide_gates")
)


class Decisions:
    """The latest answers; a bundle that changes is another bundle."""

    def __init__(self, prices: Callable[[], Prices] = load_prices) -> None:
        self._prices = prices
        self._known: OrderedDict[Hashable, Any] = OrderedDict()

    def prices_for(self, backend: BackendInfo) -> Prices:
        """The prices in force; what runs here does not wait for a site's own to be mended."""
        return load_prices() if backend.local else self._prices()

    def quote(self, bundle: Bundle, request: Request) -> Quote:
        """What a request would cost by the prices in force, in the currency of the bundle's limits."""
        prices = self.prices_for(request.backend)
        return prices.convert(prices.quote(request), bundle.currency)

    def decide(
        self, bundle: Bundle, request: Request, quote: Quote, max_cost: int | None, *, of_this_only: bool = False
    ) -> Decision:
        """The rules' verdict, evaluated once for the same facts.

        Args:
            bundle: The rules in force.
            request: What is asked for.
            quote: Its price.
            max_cost: The caller's own limit.
            of_this_only: Nobody can tell what a smaller job would cost, so that none is said to fit.
        """
        key = (bundle.version, _facts(request), quote, max_cost, of_this_only)
        price = None if of_this_only else partial(self.quote, bundle)
        made: Decision = self._kept(key, lambda: bundle.decide(request, quote, max_cost=max_cost, price=price))
        return made

    def holds(self, bundle: Bundle, request: Request, quote: Quote, at: datetime) -> tuple[Hold, ...]:
        """What the job takes from the quotas, worked out once for the same facts and windows."""
        key = (bundle.version, _facts(request), quote, at.timestamp() // WINDOW_SECONDS, "holds")
        made: tuple[Hold, ...] = self._kept(key, lambda: bundle.holds(request, quote, at))
        return made

    def _kept(self, key: Hashable, make: Callable[[], Any]) -> Any:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = make()
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return known


def _facts(request: Request) -> Hashable:
    circuits = tuple(
        (
            *(getattr(circuit, name) for name in _OF_CIRCUIT),
            frozenset(circuit.gates.items()),
            frozenset(circuit.wide_gates.items()),
        )
        for circuit in request.all_facts
    )
    further = request.companions
    extra = (further.method, further.circuits, further.shots) if further else None
    return (*(getattr(request, name) for name in _OF_REQUEST), request.seed is None, circuits, extra)
