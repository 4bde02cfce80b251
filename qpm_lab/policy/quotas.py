"""Quotas: a limit on a measure, for a scope, in a window. A new measure is one class and one registry line.

A limit is checked twice: `job` limits on the request alone, by the rules; all others as a `Hold`, which
the ledger takes or refuses in one conditional update.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Literal, Protocol, cast

from qpm_lab.experiment import Hold, Quote, Request, from_nano, to_nano
from qpm_lab.experiment import Measure as MeasureName
from qpm_lab.policy.windows import Window, rfc3339, span

Scope = Literal["user", "team", "cost_center", "project", "experiment", "notebook_run", "backend", "org"]
LARGEST = 2**62
"""Amounts are capped here, above every limit, so that a counter always fits 64 bits."""
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
_MONEY = re.compile(r"(\d+(?:\.\d+)?) ([A-Z]{3})")


def money(nano: int, currency: str) -> str:
    """Money for people.

    >>> money(1_234_500_000_000, "USD"), money(23_500_000, "EUR"), money(5_000_000_000, "CHF")
    ('$1,234.50', '€0.0235', 'CHF 5.00')
    """
    whole, _, part = from_nano(nano).partition(".")
    return f"{SYMBOLS.get(currency, currency + ' ')}{int(whole):,}.{part:0<2}"


class Measure(Protocol):
    """What a quota counts, in integers of its smallest unit."""

    name: MeasureName

    def amount(self, request: Request, quote: Quote) -> int | None:
        """What one job takes; None when that is unknown."""

    def unit(self, currency: str) -> str:
        """The unit of decimal strings in this measure."""

    def limit(self, written: Decimal) -> int:
        """A limit as written in the file, in smallest units.

        Raises:
            ValueError: it cannot be a limit of this measure.
        """

    def figure(self, amount: int) -> str:
        """A decimal string in `unit`."""

    def text(self, amount: int, currency: str) -> str:
        """The amount for people, such as `5,000 shots`."""

    def short(self, amount: int, currency: str) -> str:
        """The amount for people where the measure has just been named, such as `5,000`."""


class _Whole:
    """Measures counted in whole things."""

    name: MeasureName

    def unit(self, currency: str) -> str:
        return self.name

    def limit(self, written: Decimal) -> int:
        if written != written.to_integral_value():
            raise ValueError(f"{written} is not a whole number of {self.name}")
        return int(written)

    def figure(self, amount: int) -> str:
        return str(amount)

    def text(self, amount: int, currency: str) -> str:
        return f"{amount:,} {self.name[:-1] if amount == 1 else self.name}"

    def short(self, amount: int, currency: str) -> str:
        return f"{amount:,}"


class Jobs(_Whole):
    """Governed submissions; a sweep is one."""

    name: MeasureName = "jobs"

    def amount(self, request: Request, quote: Quote) -> int | None:
        return 1


class Shots(_Whole):
    """Shots over all circuits of the job."""

    name: MeasureName = "shots"

    def amount(self, request: Request, quote: Quote) -> int | None:
        return request.total_shots


class Cost:
    """The high end of the quote, in nano-units of the bundle's currency."""

    name: MeasureName = "cost"

    def amount(self, request: Request, quote: Quote) -> int | None:
        return quote.high if quote.known else None

    def unit(self, currency: str) -> str:
        return currency

    def limit(self, written: Decimal) -> int:
        return to_nano(written)

    def figure(self, amount: int) -> str:
        return from_nano(amount)

    def text(self, amount: int, currency: str) -> str:
        return money(amount, currency)

    def short(self, amount: int, currency: str) -> str:
        return money(amount, currency)


class QpuSeconds:
    """Upper estimate of QPU time, in nanoseconds."""

    name: MeasureName = "qpu_seconds"

    def amount(self, request: Request, quote: Quote) -> int | None:
        return quote.qpu_nanoseconds

    def unit(self, currency: str) -> str:
        return "s"

    def limit(self, written: Decimal) -> int:
        return to_nano(written)

    def figure(self, amount: int) -> str:
        return from_nano(amount)

    def text(self, amount: int, currency: str) -> str:
        return f"{from_nano(amount)} s of QPU time"

    def short(self, amount: int, currency: str) -> str:
        return f"{from_nano(amount)} s"


MEASURES: dict[str, Measure] = {
    "jobs": Jobs(),
    "shots": Shots(),
    "cost": Cost(),
    "qpu_seconds": QpuSeconds(),
}


def read_limit(written: object, measure: Measure, currency: str) -> int:
    """A limit from the file: a number, or money with its currency such as `50.00 USD`.

    Raises:
        ValueError: not a number, negative, too large, or in another currency.
    """
    text = str(written).strip()
    if match := _MONEY.fullmatch(text):
        text = match[1]
        if match[2] != measure.unit(currency):
            raise ValueError(f"{match[0]!r} is not in {measure.unit(currency)}")
    try:
        number = Decimal(text.replace("_", ""))
    except InvalidOperation:
        raise ValueError(f"{written!r} is not a number") from None
    if isinstance(written, bool) or not number.is_finite() or not 0 <= number < LARGEST:
        raise ValueError(f"{written!r} is not a limit; it has to be a number from 0 up")
    limit = measure.limit(number)
    if limit >= LARGEST:
        raise ValueError(f"{written!r} is too large")
    return limit


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit of a bundle."""

    id: str
    measure: Measure
    scope: Scope
    window: Window
    limit: int
    """In the measure's smallest units."""
    currency: str
    keys: Mapping[str, int] = field(default_factory=dict)
    """Limits of named keys of the scope, instead of `limit`."""
    where: Mapping[str, str | bool] = field(default_factory=dict)
    """Only backends with these attributes count."""
    require: bool = False
    """True: a request that does not say its key is refused."""
    owner: str = ""
    message: str = ""

    LABELS: ClassVar[frozenset[str]] = frozenset({"cost_center", "project", "experiment"})

    @property
    def identity(self) -> str:
        """What is counted, without who, when and how much is allowed."""
        where = ",".join(f"{name}={self.where[name]}" for name in sorted(self.where))
        return "|".join((self.measure.name, self.unit, self.scope, _escaped(where), self.window))

    @property
    def unit(self) -> str:
        return self.measure.unit(self.currency)

    def key(self, request: Request, team: str) -> str:
        """Who or what the limit is for; empty when the request does not say."""
        principal = request.principal
        known = {
            "user": principal.user,
            "team": team,
            "notebook_run": principal.notebook_run,
            "backend": request.backend.ruled_as,
            "org": "org",
        }
        return known[self.scope] if self.scope in known else getattr(request, self.scope) or ""

    def covers(self, backend: Mapping[str, Any]) -> bool:
        """True when a backend with these attributes counts."""
        return all(backend.get(name) == wanted for name, wanted in self.where.items())

    def limit_of(self, key: str) -> int:
        return self.keys.get(key, self.limit)

    def amount(self, request: Request, quote: Quote) -> int:
        """What the job takes; 0 when it is unknown (which the price rules refuse)."""
        return min(self.measure.amount(request, quote) or 0, LARGEST)

    def hold(self, request: Request, quote: Quote, key: str, now: datetime, zone: tzinfo) -> Hold:
        """What the job takes from this quota in the window that holds `now`."""
        start = end = ""
        if self.window != "life":
            window = cast('Literal["hour", "day", "month"]', self.window)
            start, end = (rfc3339(moment) for moment in span(window, now, zone))
        measure, unit, scope, where, period = self.identity.split("|")
        return Hold(
            counter="|".join((measure, unit, scope, _escaped(key), where, period, start)),
            quota=self.id,
            measure=self.measure.name,
            scope=self.scope,
            key=key,
            window=cast('Literal["hour", "day", "month", "life"]', self.window),
            window_start=start,
            window_end=end,
            unit=self.unit,
            amount=self.amount(request, quote),
            limit=self.limit_of(key),
            owner=self.owner,
            message=self.message,
        )


def _escaped(text: str) -> str:
    """Keeps the parts of a counter's key apart whatever a user calls a label."""
    return text.replace("%", "%25").replace("|", "%7C")
