"""Verdicts of the rules, kept while nothing that they can depend on has changed.

Rules see a request, its quote and the caller's own limit, never a clock or a counter, so in a loop the same facts
get the same verdict. What a rule cannot see is left out of the key: a circuit's name and fingerprint.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import fields

from qpm_lab import pricing
from qpm_lab.experiment import CircuitFacts, Decision, Quote, Request
from qpm_lab.policy import Bundle

MOST = 256
_OF_REQUEST = tuple(f.name for f in fields(Request) if f.name not in ("circuits", "seed", "name", "session"))
_OF_CIRCUIT = tuple(f.name for f in fields(CircuitFacts) if f.name not in ("fingerprint", "name", "gates"))


class Decisions:
    """The latest verdicts; a bundle that changes is another bundle."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Decision] = OrderedDict()

    def decide(self, bundle: Bundle, request: Request, quote: Quote, max_cost: int | None) -> Decision:
        """The rules' verdict, evaluated once for the same facts."""
        key = (bundle.version, _facts(request), quote, max_cost)
        known = self._known.get(key)
        if known is None:
            known = bundle.decide(request, quote, max_cost=max_cost, price=pricing.quote)
            self._known[key] = known
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return known


def _facts(request: Request) -> Hashable:
    circuits = tuple(
        (*(getattr(circuit, name) for name in _OF_CIRCUIT), frozenset(circuit.gates.items()))
        for circuit in request.circuits
    )
    return (*(getattr(request, name) for name in _OF_REQUEST), request.seed is None, circuits)
