"""From a row and a request to a quote; what has no price is quoted as unknown, never as zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_CEILING, Decimal

from pydantic import ValidationError

from qpm_lab.experiment import Quote, Request, to_nano
from qpm_lab.pricing.interface import Amount, Ends
from qpm_lab.pricing.live import LiveRates
from qpm_lab.pricing.rows import STALE_AFTER_DAYS, Row, faults

SETTINGS = "`prices` of prices.yaml in QPM_HOME (docs/prices.md)"


def row_quote(row: Row | None, request: Request, today: date, stale_after_days: int | None = None) -> Quote:
    """A quote by a row, or the reason why there is none."""
    backend_id = request.backend.ruled_as
    if row is None:
        said = f"No price is known for {backend_id} under the plans chosen. {_supply(backend_id)}"
        return Quote("USD", None, None, None, f"no price is known for {backend_id}", "", reason=said)
    empty = Quote(
        row.currency,
        None,
        None,
        None,
        row.source,
        row.seen_on.isoformat(),
        row.stale(today, stale_after_days),
        channel=row.bought,
        confidence=row.confidence,
    )
    if row.charges is None or row.retired or not request.circuits or (row.valid_from and row.valid_from > today):
        return replace(empty, reason=f"{_why(row)} {_supply(backend_id)}")
    quote = _with(empty, row.charges.cost(request), f"{row.note or _why(row)} {_supply(backend_id)}")
    if not quote.stale:
        return quote
    age = STALE_AFTER_DAYS if row.stale_after_days is None else row.stale_after_days
    age = age if stale_after_days is None else stale_after_days
    said = f"The price was seen on {row.seen_on.isoformat()}, more than {age:,} days ago, at: {row.source}."
    return replace(quote, reason=f"{said} Look it up there again. {_supply(backend_id)}")


def live_quote(live: LiveRates, amounts: tuple[int, int, int]) -> Quote:
    """The vendor's own estimate of a job."""
    day = live.at.date().isoformat()
    return Quote(
        live.currency,
        *amounts,
        live.source,
        day,
        formula="the vendor's own estimate",
        channel="the vendor's own estimate",
        confidence="A",
    )


def live_row(backend_id: str, live: LiveRates, listed: Row | None) -> Row:
    """A row of rates that the vendor gave; what it gives back is what the listed row says.

    Raises:
        ValueError: there is no such formula, or the rates do not fit it.
    """
    told = {
        "id": f"live {backend_id}",
        "backends": (backend_id,),
        "formula": live.formula,
        "rates": live.rates,
        "currency": live.currency,
        "unit": listed.unit if listed else "as the vendor counts",
        "source": live.source,
        "seen_on": live.at.date(),
        "confidence": "A",
        "region": listed.region if listed else "",
        "channel": listed.channel if listed else "the vendor itself",
        "refunds": listed.refunds if listed else {},
    }
    try:
        return Row.model_validate(told)
    except ValidationError as error:
        raise ValueError(f"What the vendor says of {backend_id} cannot be used: {faults(error)}") from error


def _with(empty: Quote, amount: Amount, otherwise: str) -> Quote:
    unit, natives = amount.native or ("", None)
    quote = replace(
        empty,
        formula=amount.text if amount.ends or natives else "",
        native=(unit, *_texts(natives)) if natives else None,
        qpu_nanoseconds=to_nano(amount.qpu_seconds),
    )
    if amount.ends is None:
        return replace(quote, reason=otherwise if natives else amount.text)
    low, expected, high = map(to_nano, amount.ends)
    return replace(quote, low=low, expected=expected, high=high)


def _texts(ends: Ends) -> tuple[str, str, str]:
    """Amounts of the vendor's unit, to a millionth, rounded up."""
    low, expected, high = (f"{each.quantize(Decimal('0.000001'), ROUND_CEILING).normalize():f}" for each in ends)
    return low, expected, high


def _why(row: Row) -> str:
    if row.retired:
        return f"{row.channel} no longer sells it; the last price was seen on {row.seen_on.isoformat()}."
    if row.charges is None:
        return f"The price is unknown: {row.note or row.source}."
    if row.valid_from is not None:
        return f"The price holds from {row.valid_from.isoformat()}."
    return "The request has no circuit to work a price out for."


def _supply(backend_id: str) -> str:
    return f"Supply it: a row for {backend_id}, with its rates, source and date, under {SETTINGS}."
