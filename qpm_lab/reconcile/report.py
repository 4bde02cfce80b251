"""What a reconciliation found, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from qpm_lab.reconcile.lines import BadRow, Line
from qpm_lab.reconcile.recorded import Money

Category = Literal["matched", "different", "missing", "unexpected", "other"]
NOBODY = "(none)"


@dataclass(frozen=True, slots=True)
class Item:
    """A job with its lines, a job without any, or lines without a job."""

    category: Category
    vendor_ids: tuple[str, ...]
    billed: Money
    recorded: Money
    lines: tuple[Line, ...]
    job_id: str | None = None
    name: str = ""
    provider: str = ""
    status: str | None = None
    basis: str | None = None
    """Of the recorded cost: `billed`, `metered` or `quoted`."""
    cost_center: str | None = None
    description: str = ""

    @property
    def difference(self) -> Money | None:
        """Billed less recorded, by currency; None when they are in different currencies."""
        if self.billed.keys() != self.recorded.keys() and self.billed and self.recorded:
            return None
        currencies = self.billed.keys() | self.recorded.keys()
        return {c: self.billed.get(c, Decimal(0)) - self.recorded.get(c, Decimal(0)) for c in sorted(currencies)}

    def to_dict(self) -> dict[str, Any]:
        difference = self.difference
        return {
            "job_id": self.job_id,
            "name": self.name,
            "provider": self.provider,
            "vendor_ids": list(self.vendor_ids),
            "status": self.status,
            "basis": self.basis,
            "cost_center": self.cost_center,
            "billed": texts(self.billed),
            "recorded": texts(self.recorded),
            "difference": None if difference is None else texts(difference),
            "description": self.description,
            "lines": [{"file": line.file, "line": line.number} for line in self.lines],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The whole of it; every line of every file is in one item or among the bad rows."""

    items: tuple[Item, ...]
    bad_rows: tuple[BadRow, ...]
    files: tuple[dict[str, Any], ...]
    """Path, digest, format and number of lines of each."""
    period: tuple[date, date] | None
    """First and last day in which a job without a line counts as missing."""
    providers: tuple[str, ...]
    """Whose jobs count as missing then."""

    @property
    def ok(self) -> bool:
        """True when every job and line agree; lines of other services do not matter."""
        return not self.bad_rows and all(item.category in ("matched", "other") for item in self.items)

    def of(self, category: Category) -> list[Item]:
        """The items of one category."""
        return [item for item in self.items if item.category == category]

    def cost_centers(self) -> list[dict[str, Any]]:
        """Billed and recorded, by cost centre and currency; lines of other services left out."""
        sums: dict[tuple[str, str], list[Decimal]] = {}
        for item in self.items:
            for place, money in enumerate((item.billed, item.recorded) if item.category != "other" else ()):
                for currency, amount in money.items():
                    both = sums.setdefault((item.cost_center or NOBODY, currency), [Decimal(0), Decimal(0)])
                    both[place] += amount
        return [
            {
                "cost_center": center,
                "currency": currency,
                "billed": text(billed),
                "recorded": text(recorded),
                "difference": text(billed - recorded),
            }
            for (center, currency), (billed, recorded) in sorted(sums.items())
        ]

    def counts(self) -> dict[str, int]:
        """How many items there are of each category, and bad rows."""
        names: tuple[Category, ...] = ("matched", "different", "missing", "unexpected", "other")
        return {**{name: len(self.of(name)) for name in names}, "bad_rows": len(self.bad_rows)}

    def to_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "files": list(self.files),
            "period": None if self.period is None else [day.isoformat() for day in self.period],
            "providers": list(self.providers),
            "counts": self.counts(),
            "matched": [item.to_dict() for item in self.of("matched")],
            "different": [item.to_dict() for item in self.of("different")],
            "missing": [item.to_dict() for item in self.of("missing")],
            "unexpected": [item.to_dict() for item in self.of("unexpected")],
            "other": [item.to_dict() for item in self.of("other")],
            "bad_rows": [row.to_dict() for row in self.bad_rows],
            "cost_centers": self.cost_centers(),
        }


def text(amount: Decimal) -> str:
    """The shortest exact decimal string."""
    plain = format(amount, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in ("-0", "") else plain


def texts(money: Money) -> dict[str, str]:
    return {currency: text(money[currency]) for currency in sorted(money)}
