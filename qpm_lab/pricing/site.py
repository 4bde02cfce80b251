"""A site's own settings of prices: `prices.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from qpm_lab.pricing.catalogue import Catalogue, Rows
from qpm_lab.pricing.reading import checked_document, read_document
from qpm_lab.pricing.rows import STALE_AFTER_DAYS, STRICT

Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class ExchangeRate(BaseModel):
    """What one unit of a currency is worth in another, on a day."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    of: Currency = Field(alias="from")
    to: Currency
    rate: Decimal = Field(gt=0, max_digits=24, decimal_places=12, allow_inf_nan=False)
    seen_on: date
    source: str = Field(min_length=1)
    stale_after_days: int | None = Field(default=None, ge=0)
    """None for the site's own age."""


class Site(BaseModel):
    """Everything that a site may set."""

    model_config = STRICT

    prices: Rows = ()
    """They hold instead of the shipped rows of the same backends."""
    plans: Mapping[str, str] = {}
    """Account → plan."""
    exchange_rates: tuple[ExchangeRate, ...] = ()
    stale_after_days: int | None = Field(default=None, ge=0)
    """For all prices that can go stale, and all exchange rates; None for 365 days, or what a row says."""

    @field_validator("plans")
    @classmethod
    def _known(cls, plans: Mapping[str, str], info: ValidationInfo) -> Mapping[str, str]:
        """A plan that nobody knows must not fall back to another in silence."""
        known = {account: set(names) for account, names in (info.context or {}).get("plans", {}).items()}
        for account, names in Catalogue(info.data.get("prices", ())).plans().items():
            known.setdefault(account, set()).update(names)
        problems = [_no_plan(account, name, known) for account, name in plans.items()]
        if any(problems):
            raise ValueError("; ".join(filter(None, problems)))
        return plans

    def rate(self, of: str, to: str) -> ExchangeRate | None:
        """The latest rate in this direction."""
        found = [each for each in self.exchange_rates if (each.of, each.to) == (of, to)]
        return max(found, key=lambda each: each.seen_on, default=None)

    def stale(self, rate: ExchangeRate, today: date) -> bool:
        """True when a rate was seen too long ago."""
        allowed = rate.stale_after_days if rate.stale_after_days is not None else self.stale_after_days
        return (today - rate.seen_on).days > (STALE_AFTER_DAYS if allowed is None else allowed)


def _no_plan(account: str, name: str, known: Mapping[str, set[str]]) -> str:
    if account not in known:
        return f"there is no account {account!r}; there are {', '.join(sorted(known))}"
    if name not in known[account]:
        return f"{account} has no plan {name!r}; there are {', '.join(sorted(known[account]))}"
    return ""


def read_site(path: Path, shipped: Catalogue) -> Site:
    """Reads `prices.yaml`.

    Raises:
        InputError: it cannot be used; the message has the path and every fault.
    """
    return read_document(path, "price settings", Site, {"plans": shipped.plans()})


def site_of(settings: Mapping[str, Any], shipped: Catalogue) -> Site:
    """The same from a mapping.

    Raises:
        InputError: as `read_site`.
    """
    return checked_document(dict(settings), "price settings", Site, {"plans": shipped.plans()})
