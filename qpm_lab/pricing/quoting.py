"""From a request to a quote; what has no price is quoted as unknown, never as zero."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING

from qpm_lab.experiment import BackendInfo, Quote, Request, to_nano

if TYPE_CHECKING:
    from qpm_lab.pricing.catalogue import Catalogue, Price

NO_ADAPTER = "The adapter for this vendor is not part of this version; it can be quoted but not run."


def quote(request: Request, *, today: date | None = None, catalogue: Catalogue | None = None) -> Quote:
    """What a request would cost by the catalogue.

    Args:
        request: The job; its backend id selects the price.
        today: The day by which prices are stale; the current UTC day by default.
        catalogue: Other prices than the shipped ones.

    Returns:
        The quote. Its amounts are None when the price is unknown, and `stale` is set when the price
        was read too long ago; either way `known` is False and policy denies.
    """
    from qpm_lab.pricing.catalogue import shipped_catalogue

    prices = (catalogue or shipped_catalogue()).prices
    price = prices.get(request.backend.id)
    if price is None:
        return Quote("USD", None, None, None, f"no price is known for {request.backend.id}", "")
    return _quoted(price, request, today or datetime.now(UTC).date())


def _quoted(price: Price, request: Request, today: date) -> Quote:
    row = price.row
    as_of, stale = row.seen_on.isoformat(), price.stale(today)
    if price.formula is None or not request.circuits:
        return Quote(row.currency, None, None, None, row.source, as_of, stale)
    amount = price.formula.cost(request)
    return Quote(
        currency=row.currency,
        low=to_nano(amount.low),
        expected=to_nano(amount.expected),
        high=to_nano(amount.high),
        source=row.source,
        as_of=as_of,
        stale=stale,
        formula=amount.text,
        qpu_nanoseconds=to_nano(amount.qpu_seconds),
    )


@cache
def catalogue_backends() -> tuple[BackendInfo, ...]:
    """Machines that can be quoted and decided on, but not run by this version."""
    from qpm_lab.pricing.catalogue import shipped_catalogue

    return tuple(
        BackendInfo(
            id=machine.id,
            description=machine.description,
            qubits=machine.qubits,
            kind="qpu",
            local=False,
            noisy=True,
            state="not-installed",
            note=NO_ADAPTER,
        )
        for machine in shipped_catalogue().machines
    )
