"""docs/prices.md says what the catalogue says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from qpm_lab.pricing import prices_of
from qpm_lab.pricing.catalogue import shipped_catalogue
from qpm_lab.pricing.formulas import FORMULAS
from qpm_lab.pricing.rows import Row
from tests.pricing.making import TODAY, ends, job

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "prices.md").read_text("utf-8")


def test_the_table_of_rows_is_the_catalogue() -> None:
    """A row that is added, dated or changed shows on the page."""
    shown = PAGE.partition("## The shipped rows")[2].strip().splitlines()[2:]
    assert shown == [
        f"| `{row.id}` | {row.formula or 'unknown'} | {row.currency} | {row.seen_on.isoformat()} | {row.confidence} |"
        for row in shipped_catalogue().rows
    ]


def test_every_formula_and_every_field_of_a_row_is_explained() -> None:
    """By its name."""
    for name in (*FORMULAS, *Row.model_fields):
        assert f"`{name}`" in PAGE


def test_every_plan_is_named() -> None:
    """With its account."""
    line = next(line for line in PAGE.splitlines() if line.startswith("| `plans`"))
    for account, names in shipped_catalogue().plans().items():
        for name in (account, *names):
            assert f"`{name}`" in line


def test_the_example_of_the_page_works() -> None:
    """23.2 HQC × 8 EUR, in dollars 185.6 × 1.09."""
    found = re.search(r"```yaml prices.yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    prices = prices_of(yaml.safe_load(found[1]))
    quoted = prices.quote(job("quantinuum/H2-1"), TODAY)
    assert ends(quoted) == ("184", "185.6", "225.6")
    assert ends(prices.convert(quoted, "USD", TODAY)) == ("200.56", "202.304", "245.904")
