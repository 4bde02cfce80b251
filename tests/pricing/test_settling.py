"""What is booked when a job has ended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from qpm_lab.errors import InputError
from qpm_lab.experiment import NANO, Quote, to_nano
from qpm_lab.pricing import Prices, Settlement, Usage, load_prices, prices_of
from tests.pricing.making import TODAY, job
from tests.pricing.test_site import CONTRACT, RATE


def _settled(name: str, prices: Prices | None = None, currency: str = "USD", **usage: Any) -> Settlement:
    prices = prices or load_prices()
    request = job(name)
    quoted = prices.convert(prices.quote(request, TODAY), currency, TODAY)
    return prices.settle(request, quoted, Usage(**usage), TODAY)


def test_the_vendors_bill_wins() -> None:
    """Over what was measured and over the quote, also for a job that failed or was never taken."""
    for more in ({}, {"outcome": "failed"}, {"accepted": False}, {"qpu_nanoseconds": NANO}):
        assert _settled("ibm/ibm_fez", billed=("USD", 7), **more) == Settlement("USD", 7, "billed")


@pytest.mark.parametrize(
    ("name", "usage", "amount"),
    [
        # 3 s × 1.60
        ("ibm/ibm_fez", {"qpu_nanoseconds": 3 * NANO}, "4.8"),
        # 1,234.5 ms are 124 begun stretches of 10 ms × 0.02
        ("azure/rigetti.qpu.cepheus-1-108q", {"qpu_nanoseconds": 1_234_500_000}, "2.48"),
        # 10.5 HQC × 12.50
        ("azure/quantinuum.qpu.h2-1", {"hqc": Decimal("10.5")}, "131.25"),
    ],
)
def test_what_the_vendor_measured_is_priced_by_the_row(name: str, usage: dict[str, Any], amount: str) -> None:
    """Where it names the usage and no amount."""
    assert _settled(name, **usage) == Settlement("USD", to_nano(amount), "metered")


@pytest.mark.parametrize(
    ("name", "amount"),
    [("ibm/ibm_fez", "3.72"), ("braket/iqm_garnet", "1.75"), ("azure/quantinuum.qpu.h2-1", "290")],
)
def test_else_it_is_as_quoted_and_marked_so(name: str, amount: str) -> None:
    """The expected amount."""
    assert _settled(name) == Settlement("USD", to_nano(amount), "quoted")


def test_time_says_nothing_where_shots_are_billed() -> None:
    """A QPU time from a vendor that bills by shots does not change the amount."""
    assert _settled("braket/iqm_garnet", qpu_nanoseconds=NANO) == Settlement("USD", to_nano("1.75"), "quoted")


def test_what_the_vendor_never_took_costs_nothing() -> None:
    """Whatever it gives back."""
    assert _settled("braket/iqm_garnet", accepted=False) == Settlement("USD", 0, "refunded")


def _with_refunds(**refunds: str) -> Prices:
    return prices_of({"prices": [{**CONTRACT, "currency": "USD", "refunds": refunds}]})


@pytest.mark.parametrize(
    ("refunds", "usage", "settlement"),
    [
        ({"failed": "all"}, {"outcome": "failed", "hqc": Decimal(9)}, Settlement("USD", 0, "refunded")),
        ({"cancelled": "all"}, {"outcome": "failed"}, Settlement("USD", to_nano("185.6"), "quoted")),
        ({"failed": "usage"}, {"outcome": "failed", "hqc": Decimal(2)}, Settlement("USD", to_nano(16), "metered")),
        ({"failed": "usage"}, {"outcome": "failed"}, Settlement("USD", to_nano("185.6"), "quoted")),
        ({"cancelled": "nothing"}, {"outcome": "cancelled"}, Settlement("USD", to_nano("185.6"), "quoted")),
        ({}, {"outcome": "cancelled"}, Settlement("USD", to_nano("185.6"), "quoted")),
        ({"failed": "all"}, {"outcome": "completed"}, Settlement("USD", to_nano("185.6"), "quoted")),
    ],
)
def test_what_failed_or_was_cancelled_is_refunded_as_the_vendor_says(
    refunds: dict[str, str], usage: dict[str, Any], settlement: Settlement
) -> None:
    """What it does not say it gives back is booked as if it did not."""
    assert _settled("quantinuum/H2-1", _with_refunds(**refunds), **usage) == settlement


def test_a_cancelled_job_at_ibm_costs_what_it_used() -> None:
    """0.5 s × 1.60; nothing when the QPU was never locked for it."""
    assert _settled("ibm/ibm_fez", outcome="cancelled", qpu_nanoseconds=NANO // 2).nano == to_nano("0.8")
    assert _settled("ibm/ibm_fez", outcome="cancelled", qpu_nanoseconds=0) == Settlement("USD", 0, "metered")


def test_another_currency_is_converted_by_the_sites_rate_or_left_as_it_is() -> None:
    """8 EUR × 10 HQC × 1.09 = 87.2 USD; 5 GBP, from which no rate leads, stay pounds."""
    prices = prices_of({"prices": [CONTRACT], "exchange_rates": [RATE]})
    assert _settled("quantinuum/H2-1", prices, hqc=Decimal(10)) == Settlement("USD", to_nano("87.2"), "metered")
    assert _settled("quantinuum/H2-1", prices, billed=("EUR", 10 * NANO)).nano == to_nano("10.9")
    assert _settled("quantinuum/H2-1", prices, billed=("GBP", 5)) == Settlement("GBP", 5, "billed")
    assert _settled("quantinuum/H2-1", prices, billed=("GBP", 0)) == Settlement("USD", 0, "billed")


def test_a_bill_is_not_converted_by_a_rate_that_is_stale() -> None:
    """A quote would be refused for it; a bill stays in its own money, and what was held for the job is used up."""
    prices = prices_of({"prices": [CONTRACT], "exchange_rates": [{**RATE, "seen_on": "2020-01-01", "rate": "0.5"}]})
    quoted = Quote("USD", 1, 1, NANO, "list", "2026-11-01")
    settled = prices.settle(job("quantinuum/H2-1"), quoted, Usage(billed=("EUR", 5 * NANO)), TODAY)
    assert settled == Settlement("EUR", 5 * NANO, "billed")


def test_a_job_without_a_price_and_without_a_bill_is_never_booked_as_nothing() -> None:
    """It should have been denied; unknown is not free."""
    with pytest.raises(InputError, match="no price"):
        _settled("aqt/ibex")
