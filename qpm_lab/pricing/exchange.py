"""From one currency to another: by a dated rate, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from qpm_lab.experiment import NANO, Quote, to_nano
from qpm_lab.pricing.site import ExchangeRate, Site

SETTINGS = "`exchange_rates` of prices.yaml in QPM_HOME (docs/prices.md)"


def converted(quote: Quote, to: str, site: Site | None, today: date) -> Quote:
    """A quote in another currency; its amounts are None, with the reason, where there is no rate to go by."""
    if quote.currency == to:
        return quote
    low, expected, high = quote.low, quote.expected, quote.high
    if low is None or expected is None or high is None:
        return replace(quote, currency=to)
    rate = site.rate(quote.currency, to) if site else None
    if high == 0:
        return replace(quote, currency=to, listed=(quote.currency, 0, 0, 0))
    if rate is None or site is None or site.stale(rate, today):
        return _refused(quote, to, rate)
    return replace(
        quote,
        currency=to,
        low=exchanged(low, rate),
        expected=exchanged(expected, rate),
        high=exchanged(high, rate),
        formula=f"({quote.formula}) {quote.currency} × {rate.rate} {to} ({rate.source}, {rate.seen_on.isoformat()})",
        listed=(quote.currency, low, expected, high),
    )


def exchanged(nano: int, rate: ExchangeRate) -> int:
    """Nano-units of one currency in another, rounded up."""
    return to_nano(Decimal(nano) / NANO * rate.rate)


def _refused(quote: Quote, to: str, rate: ExchangeRate | None) -> Quote:
    what = (
        "no rate is known" if rate is None else f"the rate known was seen on {rate.seen_on.isoformat()}, too long ago"
    )
    way = f"Write a rate from {quote.currency} to {to}, with its date and source, into {SETTINGS}."
    said = f"The price is in {quote.currency}, the budget in {to}, and {what}. {way}"
    reason = f"{quote.reason} {said}" if quote.reason else said
    return replace(quote, low=None, expected=None, high=None, reason=reason)
