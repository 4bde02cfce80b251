"""Invoices against jobs as text: what agrees is counted, what does not is listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qpm_lab.display.figures import UNKNOWN, counted, money, plain
from qpm_lab.display.tables import Column, Row, Table, column

WORDS = {
    "different": "different: not what was recorded",
    "missing": "missing: not on the invoice",
    "unexpected": "unexpected: no such job",
}
"""Verdicts that do not agree, in the words of docs/reconcile.md."""
FIGURES = ("Billed", "Recorded", "Difference")
NOBODY = "(none)"


def reconciled_text(document: Mapping[str, Any]) -> str:
    """What a terminal shows of a reconciliation's document."""
    rows = [{**item, "verdict": word} for name, word in WORDS.items() for item in document[name]]
    bad = [f"{plain(row['file'])}, line {row['line']}: {plain(row['reason'])}" for row in document["bad_rows"]]
    parts = [
        _head(document),
        items_table(rows).to_text() if rows else "",
        sums_table(document["cost_centers"]).to_text() if document["cost_centers"] else "",
        "\n".join(["Unreadable:", *bad]) if bad else "",
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part)


def items_table(rows: Sequence[Row]) -> Table:
    """Jobs and lines that do not agree: items, each with a `verdict` in words."""
    shown = (
        column("Verdict", "verdict", prose=True),
        column("Job", "job_id", fixed=True),
        Column("Vendor id", _vendor, prose=True),
        Column("Cost centre", lambda row: plain(row["cost_center"]) or NOBODY, prose=True),
        *(Column(title, _amounts(title.lower()), right=True) for title in FIGURES),
    )
    return Table(shown, rows, "What does not agree", "Everything agrees.")


def sums_table(rows: Sequence[Row]) -> Table:
    """Billed and recorded by cost centre; currencies stay apart."""
    shown = (
        column("Cost centre", "cost_center", prose=True),
        *(Column(title, _amount(title.lower()), right=True) for title in FIGURES),
    )
    return Table(shown, rows, "By cost centre", "Nothing was billed or recorded.")


def _head(document: Mapping[str, Any]) -> str:
    counts = document["counts"]
    said = [f"{counted(counts['matched'], 'job')} matched"]
    said += [f"{counts[name]:,} {name}" for name in WORDS]
    said += [f"{counts['other']:,} other"] if counts["other"] else []
    said += [f"{counts['bad_rows']:,} unreadable"] if counts["bad_rows"] else []
    period = document["period"]
    return ", ".join(said) + (f" ({' to '.join(period)})." if period else ".")


def _vendor(row: Row) -> str:
    return " ".join(map(plain, row["vendor_ids"])) or plain(row["description"])


def _amounts(name: str) -> Callable[[Row], str]:
    """Amounts in several currencies stand beside each other; a difference between currencies is unknown."""
    return lambda row: " + ".join(money(n, plain(c)) for c, n in (row[name] or {}).items()) or UNKNOWN


def _amount(name: str) -> Callable[[Row], str]:
    return lambda row: money(row[name], plain(row["currency"]))
