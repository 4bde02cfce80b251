"""What a job of several vendor jobs cost: each by the vendor's own words, else by its share of the quote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Literal

from qpm_lab.pricing.usage import Basis, Settlement, Usage

if TYPE_CHECKING:
    from qpm_lab.experiment import Quote, Request
    from qpm_lab.pricing.prices import Prices
    from qpm_lab.pricing.rows import Row

State = Literal["answered", "failed", "cancelled", "unclear", "never sent"]
"""How it ended; `unclear` for one that was sent, and of which nobody can read how."""
BOOKED: dict[Basis, str] = {
    "billed": "as billed",
    "metered": "by the usage the vendor named",
    "quoted": "as quoted",
    "refunded": "not charged",
}
_WEAKEST: tuple[Basis, ...] = ("quoted", "metered", "billed")


@dataclass(frozen=True, slots=True)
class VendorJob:
    """One vendor job of a job that has ended."""

    circuits: int
    shots: int
    """Of all its circuits together."""
    state: State
    said: Usage = field(default_factory=Usage)
    """What the vendor said of it."""

    @property
    def usage(self) -> Usage:
        """As its settlement asks for it. What nobody knows the end of is taken to have run."""
        outcome: Literal["completed", "failed", "cancelled"] = "completed"
        if self.state == "failed" or self.state == "cancelled":
            outcome = self.state
        return Usage(self.said.billed, self.said.qpu_nanoseconds, self.said.hqc, outcome, self.state != "never sent")


def settled_parts(prices: Prices, request: Request, quote: Quote, parts: Sequence[VendorJob]) -> Settlement:
    """The settlement of all parts together.

    Never more than the quote's high unless the vendor itself said so: a share that was only worked out does not make
    an overrun. Where amounts are in money from which no rate leads to the rest, such a part is booked at its share.
    """
    found = [prices.settle(request, quote, part.usage) for part in parts]
    stated = [each for each in found if each.basis in ("billed", "metered")]
    kinds = {each.currency for each in stated if each.nano} | {
        quote.currency for each in found if each.basis == "quoted"
    }
    currency = next(iter(kinds)) if len(kinds) == 1 else quote.currency
    if len(kinds) > 1:
        found = [_own_money(each, quote) for each in found]
    said = sum(each.nano for each in found if each.basis in ("billed", "metered"))
    quoted = [part for part, each in zip(parts, found, strict=True) if each.basis == "quoted"]
    nano = said + share(prices.row(request.backend.ruled_as), quote, quoted, parts) if quoted else said
    if quoted and quote.high is not None:
        nano = max(said, min(nano, quote.high))
    basis: Basis = next((each for each in _WEAKEST if any(one.basis == each for one in found)), "refunded")
    return Settlement(currency, nano, basis, reason(parts, found))


def share(row: Row | None, quote: Quote, some: Sequence[VendorJob], parts: Sequence[VendorJob]) -> int:
    """Nano-units of the quote that some of all parts stand for, rounded up: by what the formula charges for each."""
    quoted = (quote.high if quote.expected is None else quote.expected) or 0
    charges = row.charges if row is not None else None

    def weight(these: Sequence[VendorJob]) -> Decimal:
        circuits, shots = sum(each.circuits for each in these), sum(each.shots for each in these)
        return charges.weight(circuits, shots) if charges is not None else Decimal(shots)

    whole = weight(parts)
    return ceil(quoted * Fraction(weight(some)) / Fraction(whole)) if whole else quoted


def reason(parts: Sequence[VendorJob], found: Sequence[Settlement]) -> str:
    """How many parts there were, and how each was booked; empty where there is nothing to tell apart."""
    counted = Counter((part.state, each.basis) for part, each in zip(parts, found, strict=True))
    if len(parts) == 1 or len(counted) == 1:
        return ""
    told = (
        f"{count:,} {state}" + ("" if state == "never sent" else f" ({BOOKED[basis]})")
        for (state, basis), count in counted.items()
    )
    return f"Of {len(parts):,} vendor jobs: {', '.join(told)}."


def _own_money(each: Settlement, quote: Quote) -> Settlement:
    """One in money from which no rate leads, as if the vendor had said nothing."""
    return each if each.currency == quote.currency else Settlement(quote.currency, 0, "quoted")
