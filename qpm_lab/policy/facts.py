"""What rules may know of one request, and nothing that other jobs can change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qpm_lab.experiment import CLASSIFICATIONS, Quote, Request
from qpm_lab.policy.directory import Directory, Membership, plain
from qpm_lab.policy.quotas import money

MEASURED = frozenset(
    {
        "qubits",
        "depth",
        "gates",
        "two_qubit_gates",
        "circuits",
        "shots",
        "total_shots",
        "cost_high_nano",
        "qpu_nanoseconds",
    }
)
"""Context attributes that a limit can be about."""
CONTEXT = MEASURED | {
    "cost_known",
    "classification",
    "classification_level",
    "experiment",
    "project",
    "cost_center",
    "has_seed",
    "interactive",
}
"""All that `context` can have; a schema declares the part its rules read."""
LARGEST_LONG = 2**63 - 1
MAX_LABEL = 200
"""Characters in a label or user name."""
Value = int | bool | str
Path = tuple[str, ...]
NOTHING = object()
"""A path that leads nowhere."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One request with everything the bundle knows about it."""

    request: Request
    quote: Quote
    currency: str
    classification: str
    member: Membership
    backend: Mapping[str, Any]
    directory: Directory

    @property
    def cost_known(self) -> bool:
        """True when the quote is fresh and in the bundle's currency; nothing is nothing in any."""
        quote = self.quote
        return quote.known and (quote.high or 0) >= 0 and (not quote.high or quote.currency == self.currency)

    def context(self) -> dict[str, Value]:
        """Cedar's context. An unknown cost is the largest number, so that a cost limit refuses it."""
        request, circuits = self.request, self.request.all_facts
        counts = {
            "qubits": max((c.qubits for c in circuits), default=0),
            "depth": max((c.depth for c in circuits), default=0),
            "gates": max((sum(c.gates.values()) for c in circuits), default=0),
            "two_qubit_gates": max((c.two_qubit_gates for c in circuits), default=0),
            "circuits": request.executions,
            "shots": request.shots,
            "total_shots": request.total_shots,
            "cost_high_nano": (self.quote.high or 0) if self.cost_known else LARGEST_LONG,
            "qpu_nanoseconds": self.quote.qpu_nanoseconds,
            "classification_level": CLASSIFICATIONS.index(self.classification),
        }
        return {
            **{name: max(-LARGEST_LONG, min(number, LARGEST_LONG)) for name, number in counts.items()},
            "cost_known": self.cost_known,
            "classification": self.classification,
            "experiment": request.experiment or "",
            "project": request.project or "",
            "cost_center": request.cost_center or "",
            "has_seed": request.seed is not None,
            "interactive": bool(request.principal.notebook_run),
        }

    def lookup(self, path: Path) -> Any:
        """The value at a dotted path such as `principal.team.providers`; NOTHING when there is none."""
        root, *rest = path
        if path == ("context", "cost_high"):
            return self.money(self.quote.high) if self.cost_known else "an unknown amount"
        return follow(self.roots().get(root, {}), tuple(rest), self.directory)

    def roots(self) -> dict[str, Mapping[str, Any]]:
        return {
            "context": self.context(),
            "principal": principal_attributes(self.member),
            "resource": {"id": self.request.backend.id, **self.backend},
        }

    def money(self, nano: int | None) -> str:
        return money(nano or 0, self.currency)


def principal_attributes(member: Membership) -> dict[str, Any]:
    """What a rule's wording may say of a user."""
    return {"user": member.user, "team": member.team, "roles": list(member.roles), **member.attributes}


def follow(value: Any, path: Path, directory: Directory) -> Any:
    for name in path:
        if isinstance(value, Mapping) and "__entity" in value:
            uid = value["__entity"]
            value = directory.attributes(uid["type"], uid["id"]) or {}
        if not isinstance(value, Mapping) or name not in value:
            return NOTHING
        value = value[name]
    return value


def readable(value: Any) -> str:
    """A looked-up value as text."""
    shown = plain(value)
    return "none" if shown is NOTHING or shown == "" else str(shown)
