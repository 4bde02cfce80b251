"""What a job cost once it has ended: by the vendor's bill, by what it measured, else as quoted."""

from __future__ import annotations

from datetime import date

from qpm_lab.errors import InputError
from qpm_lab.experiment import Quote, to_nano
from qpm_lab.pricing.exchange import exchanged
from qpm_lab.pricing.rows import Row
from qpm_lab.pricing.site import Site
from qpm_lab.pricing.usage import Basis, Settlement, Usage


def settled(row: Row | None, quote: Quote, usage: Usage, site: Site | None, today: date) -> Settlement:
    """The settlement of one job; see `Prices.settle`."""
    if usage.billed is not None:
        return _booked(*usage.billed, "billed", quote, site, today)
    if not usage.accepted:
        return Settlement(quote.currency, 0, "refunded")
    refund = "nothing" if usage.outcome == "completed" or row is None else getattr(row.refunds, usage.outcome)
    if refund == "all":
        return Settlement(quote.currency, 0, "refunded")
    metered = row.charges.metered(usage) if row is not None and row.charges is not None else None
    if row is not None and metered is not None:
        return _booked(row.currency, to_nano(metered), "metered", quote, site, today)
    return _as_quoted(quote)


def _booked(currency: str, nano: int, basis: Basis, quote: Quote, site: Site | None, today: date) -> Settlement:
    """In the currency of the quote, at the rate that the site has; a rate that is stale is none."""
    if currency == quote.currency:
        return Settlement(currency, nano, basis)
    rate = site.rate(currency, quote.currency) if site else None
    if rate is None or site is None or site.stale(rate, today):
        return Settlement(currency, nano, basis) if nano else Settlement(quote.currency, 0, basis)
    return Settlement(quote.currency, exchanged(nano, rate), basis)


def _as_quoted(quote: Quote) -> Settlement:
    # What a vendor does not say it gives back is booked as if it did not.
    amount = quote.high if quote.expected is None else quote.expected
    if amount is None:
        raise InputError("This job has no price, and unknown is not free.", "Report it: it should have been denied.")
    return Settlement(quote.currency, amount, "quoted")
