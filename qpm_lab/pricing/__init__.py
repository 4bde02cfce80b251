"""What a job costs, before and after it runs: dated prices as data (catalogue.yaml), one formula per way of charging.

Importing this package loads no catalogue; the first quote does.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from qpm_lab.experiment import BackendInfo, Quote, Request
from qpm_lab.pricing.live import LiveRates
from qpm_lab.pricing.parts import VendorJob
from qpm_lab.pricing.prices import Prices, compare, load_prices, prices_of
from qpm_lab.pricing.usage import Settlement, Usage

if TYPE_CHECKING:
    from qpm_lab.pricing.catalogue import Catalogue

__all__ = [
    "LiveRates",
    "Prices",
    "Settlement",
    "Usage",
    "VendorJob",
    "catalogue_backends",
    "compare",
    "load_prices",
    "prices_of",
    "quote",
]


def quote(request: Request, *, today: date | None = None, catalogue: Catalogue | None = None) -> Quote:
    """What a request would cost by the shipped prices; see `Prices.quote`."""
    prices = load_prices() if catalogue is None else Prices(catalogue)
    return prices.quote(request, today)


@cache
def catalogue_backends() -> tuple[BackendInfo, ...]:
    """Machines that can be quoted and decided on, but not run by this version."""
    return load_prices().backends()
