"""What a site sets: its own prices, plans and exchange rates; and what vendors say themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.errors import InputError
from qpm_lab.experiment import to_nano
from qpm_lab.pricing import LiveRates, Prices, load_prices, prices_of
from tests.pricing.making import TODAY, ends, job

CONTRACT = {
    "id": "our-contract",
    "backends": ["quantinuum/H2-1"],
    "formula": "hqc",
    "rates": {"per_hqc": "8"},
    "currency": "EUR",
    "unit": "HQC",
    "source": "contract 17",
    "seen_on": "2026-11-01",
    "confidence": "A",
    "region": "de",
    "channel": "our contract",
}
RATE = {"from": "EUR", "to": "USD", "rate": "1.09", "seen_on": "2026-11-19", "source": "ECB"}
FILE = """
prices:
  - id: our-garnet
    backends: [iqm/garnet]
    formula: task-and-shot
    rates: {per_task: "0.10", per_shot: "0.001"}
    currency: EUR
    unit: task and shot
    source: contract 18
    seen_on: 2026-11-01
    confidence: A
    region: fi
    channel: our contract
plans: {ibm: open}
exchange_rates:
  - {from: EUR, to: USD, rate: "1.09", seen_on: 2026-11-19, source: ECB}
stale_after_days: 30
"""


def test_a_site_sets_prices_plans_and_rates_in_one_file(tmp_path: Path) -> None:
    """0.10 + 1,000 × 0.001 for Garnet, nothing on IBM's open plan, and a month until prices are stale."""
    path = tmp_path / "prices.yaml"
    path.write_text(FILE)
    prices = load_prices(path)
    assert ends(prices.quote(job("iqm/garnet"), TODAY)) == ("1.1",) * 3
    assert prices.quote(job("iqm/garnet"), date(2026, 12, 2)).stale
    assert prices.quote(job("braket/iqm_garnet"), TODAY).stale
    assert prices.quote(job("aer/simulator"), TODAY).known
    assert ends(prices.quote(job("ibm/ibm_fez"), date(2026, 5, 30))) == ("0",) * 3


def test_a_sites_price_wins_over_the_shipped_one_and_over_its_plans() -> None:
    """23.2 HQC × 8 for its contract; the sister machine keeps the shipped row."""
    prices = prices_of({"prices": [CONTRACT]})
    quoted = prices.quote(job("quantinuum/H2-1"), TODAY)
    assert ends(quoted) == ("184", "185.6", "225.6")
    assert (quoted.currency, quoted.source, quoted.channel) == ("EUR", "contract 17", "our contract")
    assert not prices.quote(job("quantinuum/H2-2"), TODAY).known


@pytest.mark.parametrize("path", [None, Path("nowhere") / "prices.yaml"])
def test_without_settings_the_shipped_prices_hold(path: Path | None) -> None:
    """A file that is not there is no fault."""
    assert ends(load_prices(path).quote(job("braket/iqm_garnet"), TODAY)) == ("1.75",) * 3


def test_all_faults_of_the_settings_are_named_at_once(tmp_path: Path) -> None:
    """With the path and the place of each."""
    path = tmp_path / "prices.yaml"
    path.write_text(
        "prices: [{id: a, backends: [x/y], formula: hqc, rates: {per_hqc: -1}}]\n"
        "exchange_rates: [{from: EUR, to: USD, rate: 0, seen_on: yesterday, source: ECB}]\n"
        "plans: {ibm: cheap}\nstale_after_days: soon\nprice: 1\n"
    )
    with pytest.raises(InputError) as refused:
        load_prices(path)
    message = refused.value.message
    for part in (
        str(path),
        "prices.0.currency",
        "exchange_rates.0.rate",
        "exchange_rates.0.seen_on",
        "stale",
        "price:",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"plans": {"ibm": "cheap"}}, "ibm has no plan 'cheap'; there are flex, open, pay-as-you-go, premium"),
        ({"plans": {"imb": "open"}}, "no account 'imb'"),
        ({"prices": [CONTRACT, CONTRACT]}, "two prices"),
        ({"prices": [{**CONTRACT, "rates": {"per_hqc": "cheap"}}]}, "rates.per_hqc"),
    ],
)
def test_what_a_site_sets_has_to_mean_something(settings: dict[str, Any], fault: str) -> None:
    """A plan that nobody knows must not fall back to another in silence."""
    with pytest.raises(InputError, match=fault):
        prices_of(settings)


def test_a_written_out_id_wins_over_a_longer_pattern() -> None:
    """`quantinuum/H2-1*` is longer than the id that it fits, and yields to it all the same."""
    other = {**CONTRACT, "id": "all", "backends": ["quantinuum/H2-1*"], "rates": {"per_hqc": "1"}}
    prices = prices_of({"prices": [other, CONTRACT]})
    rows = [prices.row(f"quantinuum/{name}") for name in ("H2-1", "H2-1E")]
    assert [row.id if row else None for row in rows] == ["our-contract", "all"]


def test_a_site_may_have_plans_of_its_own() -> None:
    """Its rows say which."""
    plan = {"account": "quantinuum", "name": "grant"}
    prices = prices_of({"prices": [{**CONTRACT, "plan": plan}], "plans": {"quantinuum": "grant"}})
    assert prices.quote(job("quantinuum/H2-1"), TODAY).channel == "our contract, plan grant"


AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_a_vendors_own_estimate_of_a_job_wins() -> None:
    """Over the catalogue and over the site; the first prices stay as they were."""
    live = LiveRates("USD", "IonQ, jobs/estimate", AT, amounts=(1, 2, 3))
    plain = load_prices()
    prices = plain.with_live("ionq/qpu.forte-1", live)
    quoted = prices.quote(job("ionq/qpu.forte-1"), TODAY)
    assert (quoted.low, quoted.expected, quoted.high, quoted.source) == (1, 2, 3, "IonQ, jobs/estimate")
    assert (quoted.known, quoted.as_of) == (True, "2026-11-20")
    assert not plain.quote(job("ionq/qpu.forte-1"), TODAY).known


def test_an_organisations_own_rates_are_used_with_the_formula() -> None:
    """1,000 × (1 × 0.0001 + 4 × 0.001) = 4.1, above the minimum of 1; high 1 + 0.3 + 4."""
    rates = {"one_qubit": "0.0001", "two_qubit": "0.001", "minimum": "1", "minimum_unmitigated": "1"}
    live = LiveRates("USD", "IonQ, jobs/estimate", AT, formula="gate-shots", rates=rates)
    prices = load_prices().with_live("ionq/qpu.forte-1", live)
    assert ends(prices.quote(job("ionq/qpu.forte-1"), TODAY)) == ("4.1", "4.1", "5.3")
    assert prices.quote(job("ionq/qpu.forte-1"), date(2027, 11, 21)).stale


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"amounts": (1, 2, 3), "formula": "hqc", "rates": {}},
        {"amounts": (3, 2, 1)},
        {"amounts": (-1, 2, 3)},
        {"formula": "hqc"},
        {"currency": "dollars", "amounts": (1, 2, 3)},
        {"formula": "magic", "rates": {}},
        {"formula": "hqc", "rates": {"per_hqc": "-3"}},
    ],
)
def test_live_rates_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """A vendor's answer is not trusted to be sound."""
    with pytest.raises(ValueError, match=r"."):
        load_prices().with_live("x/y", LiveRates(**{"currency": "USD", "source": "s", "at": AT, **wrong}))


def _euros(**changed: Any) -> tuple[Prices, Any]:
    prices = prices_of({"prices": [CONTRACT], "exchange_rates": [{**RATE, **changed}]})
    return prices, prices.quote(job("quantinuum/H2-1"), TODAY)


def test_a_quote_is_converted_by_a_dated_rate_and_says_both() -> None:
    """184, 185.6, 225.6 EUR × 1.09."""
    prices, quoted = _euros()
    dollars = prices.convert(quoted, "USD", TODAY)
    assert ends(dollars) == ("200.56", "202.304", "245.904")
    assert dollars.known
    assert dollars.to_dict()["listed"] == {"currency": "EUR", "low": "184", "expected": "185.6", "high": "225.6"}
    assert "1.09 USD (ECB, 2026-11-19)" in dollars.formula


def test_converting_rounds_up() -> None:
    """A nano-euro is not less than a nano-dollar by dropping what is left."""
    prices, quoted = _euros(rate="1.000000000001")
    assert prices.convert(quoted, "USD", TODAY).high == to_nano("225.600000001")


@pytest.mark.parametrize("changed", [{"seen_on": "2025-11-19"}, {"to": "GBP"}, {"from": "USD", "to": "EUR"}])
def test_without_a_fresh_rate_nothing_is_converted(changed: dict[str, str]) -> None:
    """The amounts are unknown, and the reason says which rate to supply and where."""
    prices, quoted = _euros(**changed)
    refused = prices.convert(quoted, "USD", TODAY)
    assert ends(refused) is None
    assert not refused.known
    assert "from EUR to USD" in str(refused.reason)
    assert "exchange_rates" in str(refused.reason)


def test_the_latest_rate_holds() -> None:
    """Older ones may stay in the file."""
    rates = [RATE, {**RATE, "rate": "2", "seen_on": "2026-01-01"}]
    prices = prices_of({"prices": [CONTRACT], "exchange_rates": rates})
    quoted = prices.convert(prices.quote(job("quantinuum/H2-1"), TODAY), "USD", TODAY)
    assert ends(quoted) == ("200.56", "202.304", "245.904")


def test_what_costs_nothing_or_is_unknown_or_in_the_currency_needs_no_rate() -> None:
    """Zero is zero everywhere; the unknown stays unknown with its own reason."""
    prices = load_prices()
    free, unknown = (prices.quote(job(name), TODAY) for name in ("aer/simulator", "aqt/ibex"))
    assert prices.convert(free, "USD", TODAY) is free
    assert ends(prices.convert(free, "EUR", TODAY)) == ("0",) * 3
    assert prices.convert(unknown, "USD", TODAY).reason == unknown.reason
