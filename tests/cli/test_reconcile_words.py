"""What `qpm reconcile` prints and what docs/reconcile.md explains are the same words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from qpm_lab.display.reconciled import WORDS, items_table, reconciled_text, sums_table

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reconcile.md").read_text()
ITEM: dict[str, Any] = {
    "verdict": "", "job_id": "j1", "vendor_ids": ["v1"], "cost_center": None, "billed": {"USD": "1"},
    "recorded": {"USD": "2"}, "difference": {"USD": "-1"}, "description": "",
}  # fmt: skip


def explained(heading: str) -> dict[str, str]:
    """First column → second column of the table of the page that begins with this heading."""
    rows = PAGE.partition(f"| {heading} | meaning |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    return {cells[1].strip(): cells[2].strip() for cells in (row.split("|") for row in rows)}


def test_every_column_is_explained_and_none_else() -> None:
    """In the order in which they stand."""
    titles = [column.title for column in items_table([ITEM]).columns]
    assert titles == list(explained("column"))
    assert {column.title for column in sums_table([]).columns} <= set(titles)


def test_every_verdict_is_explained_in_the_words_of_the_table() -> None:
    """Also those that are only counted."""
    page = explained("verdict")
    counts = dict.fromkeys(("matched", "different", "missing", "unexpected", "other", "bad_rows"), 2)
    document = {
        **{name: [ITEM] for name in WORDS}, "counts": counts, "period": None, "cost_centers": [],
        "bad_rows": [{"file": "x.csv", "line": 4, "reason": "no date"}],
    }  # fmt: skip
    text = reconciled_text(document)
    head = re.findall(r"\d (?:jobs )?([a-z]+)", text.splitlines()[0])
    assert head == list(page)
    for name, words in WORDS.items():
        verdict, _, short = words.partition(": ")
        assert verdict == name
        assert page[name].startswith(short)
        assert words in " ".join(text.split())
    assert "Unreadable:" in text
