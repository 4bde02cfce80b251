"""Rows of prices, shipped or a site's own, checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from qpm_lab.pricing.formulas import FORMULAS, AnyFormula

STALE_AFTER_DAYS = 365
STRICT = ConfigDict(frozen=True, extra="forbid")
BACKEND = r"^[a-z0-9_-]+/\S+$"
Refund = Literal["all", "usage", "nothing", "unknown"]
"""Of a job that failed or was cancelled: nothing is charged, what was used is, all is, or the vendor does not say."""


class Refunds(BaseModel):
    """What the vendor gives back."""

    model_config = STRICT

    failed: Refund = "unknown"
    cancelled: Refund = "unknown"
    source: str = ""


class Plan(BaseModel):
    """Under which contract a price holds; the site's settings pick one for each account."""

    model_config = STRICT

    account: str = Field(pattern=r"^[a-z0-9-]+$")
    name: str = Field(pattern=r"^[a-z0-9-]+$")
    default: bool = False


class Row(BaseModel):
    """One price as it was read, for one or more backends of the same vendor and channel."""

    model_config = STRICT

    id: str = Field(min_length=1, max_length=100)
    backends: tuple[str, ...] = Field(min_length=1)
    """Backend ids; a `*` stands for any text."""
    formula: str | None = None
    """A key of FORMULAS; None together with `rates` when the price is unknown."""
    rates: Mapping[str, Any] | None = None
    currency: str = Field(pattern="^[A-Z]{3}$")
    unit: str
    """What the vendor counts, in words."""
    source: str = Field(min_length=1)
    seen_on: date
    valid_from: date | None = None
    """Not before this day."""
    stale_after_days: int | None = Field(default=STALE_AFTER_DAYS, ge=0)
    """None for a price that nobody can change."""
    confidence: Literal["A", "B", "C"]
    region: str
    channel: str
    plan: Plan | None = None
    retired: bool = False
    """True when the channel no longer sells it: the price is history."""
    reserved_per_hour: str | None = Field(default=None, pattern=r"^\d+(\.\d+)?$")
    """What an hour for oneself costs. It is booked and paid apart from jobs and enters no quote."""
    refunds: Refunds = Refunds()
    note: str = ""
    """Why it is unknown, or what the price leaves out."""

    @field_validator("rates")
    @classmethod
    def _fit(cls, rates: Mapping[str, Any] | None, info: ValidationInfo) -> Mapping[str, Any] | None:
        formula = FORMULAS.get(info.data.get("formula") or "")
        if formula is not None and rates is not None:
            try:
                formula.model_validate(rates)
            except ValidationError as error:
                raise ValueError(faults(error, "rates")) from error
        return rates

    @model_validator(mode="after")
    def _usable(self) -> Row:
        if (self.formula is None) != (self.rates is None):
            raise ValueError("`formula` and `rates` belong together; leave both out for an unknown price")
        if self.formula is not None and self.formula not in FORMULAS:
            raise ValueError(f"unknown formula {self.formula!r}; there are {', '.join(sorted(FORMULAS))}")
        return self

    @cached_property
    def charges(self) -> AnyFormula | None:
        """The formula with its rates; None when the price is unknown."""
        return None if self.formula is None else FORMULAS[self.formula].model_validate(self.rates)

    @property
    def bought(self) -> str:
        """Channel and plan."""
        return f"{self.channel}, plan {self.plan.name}" if self.plan else self.channel

    def stale(self, today: date, stale_after_days: int | None = None) -> bool:
        """True when the price was read too long ago; a site may set another age for all rows."""
        allowed = self.stale_after_days
        if allowed is not None and stale_after_days is not None:
            allowed = stale_after_days
        return allowed is not None and (today - self.seen_on).days > allowed


def faults(error: ValidationError, place: str = "") -> str:
    """All faults in one line, each with its place."""
    found = []
    for each in error.errors(include_url=False, include_input=False):
        where = ".".join(map(str, ((place,) if place else ()) + each["loc"]))
        found.append(f"{where}: {each['msg'].removeprefix('Value error, ')}")
    return "; ".join(found)
