"""A rule's message with figures filled in: named places only, never evaluated as a format string."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from qpm_lab.experiment import from_nano
from qpm_lab.policy.facts import Facts, Path, readable

_PLACE = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)*)(:,)?\}( (?:[a-z]+-)*(?:circuit|gate|job|layer|qubit|second|shot)s\b)?")
"""A place, and the plural that it counts."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The comparison in a rule that makes it a limit: `context.<attribute> > <bound>`."""

    attribute: str
    bound: int | Path
    """A number, or where to read it."""
    slack: int
    """1 where the bound itself is already too much."""

    def value(self, facts: Facts) -> int | None:
        """The largest amount that passes; None when it is not a number."""
        bound = self.bound if isinstance(self.bound, int) else facts.lookup(self.bound)
        return bound - self.slack if isinstance(bound, int) and not isinstance(bound, bool) else None

    @property
    def name(self) -> str:
        """What is limited, without the unit in the attribute's name."""
        return {"cost_high_nano": "cost", "qpu_nanoseconds": "qpu_seconds"}.get(self.attribute, self.attribute)

    def unit(self, facts: Facts) -> str:
        """The unit of `figure`."""
        units = {"cost": facts.currency, "qpu_seconds": "s", "total_shots": "shots", "two_qubit_gates": "gates"}
        return units.get(self.name, self.name)

    def figure(self, amount: int) -> str:
        """An amount as a decimal string."""
        return from_nano(amount) if self.name != self.attribute else str(amount)

    def text(self, amount: int, facts: Facts) -> str:
        """An amount of this limit for people."""
        if self.name == "cost":
            return facts.money(amount)
        return f"{from_nano(amount)} s" if self.name == "qpu_seconds" else f"{amount:,}"

    def asked(self, facts: Facts) -> int | None:
        """What the request asks for; None for a cost that is not known."""
        if self.name == "cost" and not facts.cost_known:
            return None
        return int(facts.context()[self.attribute])

    @property
    def grows(self) -> bool:
        """True for what a job with fewer points or fewer shots asks less of."""
        return self.attribute in ("shots", "total_shots", "circuits", "cost_high_nano", "qpu_nanoseconds")


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with places such as `{context.total_shots:,}`, `{principal.team}` or `{limit}`."""

    text: str

    def faults(self, known: Callable[[Path], bool], limit: Limit | None) -> Iterator[str]:
        """What cannot be filled in."""
        for match in _PLACE.finditer(self.text):
            if match[1] == "limit":
                if limit is None:
                    yield "{limit} needs a comparison such as context.shots > 100 in the rule"
            elif not known(tuple(match[1].split("."))):
                yield f"{match[0]} is not known; use context, principal or resource and an attribute"
        if set("{}") & set(_PLACE.sub("", self.text)):
            yield "a brace stands alone; places are written {context.shots:,}"

    def render(self, facts: Facts, limit: Limit | None) -> str:
        """The text with its figures; a value's own braces stay as they are."""

        def fill(match: re.Match[str]) -> str:
            filled, counted = _filled(match[1], bool(match[2]), facts, limit), match[3] or ""
            return filled + (counted.removesuffix("s") if filled == "1" else counted)

        return _PLACE.sub(fill, self.text)


def _filled(name: str, grouped: bool, facts: Facts, limit: Limit | None) -> str:
    if name == "limit":
        amount = limit.value(facts) if limit else None
        return limit.text(amount, facts) if limit and amount is not None else "the limit"
    value: Any = facts.lookup(tuple(name.split(".")))
    if grouped and isinstance(value, int):
        return f"{value:,}"
    return readable(value)
