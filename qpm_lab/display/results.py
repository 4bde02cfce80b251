"""What was measured, read from a record: outcomes with their intervals, circuit by circuit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qpm_lab.display.figures import counted, level, number, percent, plain
from qpm_lab.display.sweeps import sweep
from qpm_lab.display.wording import Document, part, parts, status

FIRST = 8
"""Outcomes drawn before 'Show all'; two more are drawn rather than hidden behind a click."""
BLOCKS = 4
"""Circuits drawn of a job that has many."""


def has_outcomes(document: Document) -> bool:
    """True when there is something to draw as a picture."""
    return any(outcomes(block) or sweep(block) for block in blocks(document)[0])


@dataclass(frozen=True, slots=True)
class Bar:
    """One outcome. Shares are of one; `low` and `high` bound it together with all the others."""

    key: str
    count: float | None
    share: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of one circuit, most frequent first."""

    heading: str
    bars: tuple[Bar, ...]
    """Those worth showing at once."""
    more: tuple[Bar, ...]
    """Those behind 'Show all'."""
    hidden: str
    """How much neither of the two shows; empty when nothing."""
    folded: str
    """How much `bars` alone does not show, for forms that cannot unfold; empty when nothing."""
    method: str


def blocks(document: Document) -> tuple[list[Document], int]:
    """The circuits of a job to draw, and how many there are beyond these."""
    if status(document) == "dry_run":
        return [], 0
    results = parts(document, "results")
    if not results:
        known = any(document.get(key) for key in ("outcomes", "fidelity", "sweep"))
        return ([document] if known else []), 0
    return results[:BLOCKS], max(0, len(results) - BLOCKS)


def outcomes(block: Document, first: int = FIRST) -> Outcomes | None:
    """The outcomes of one block of the record; None when it has none.

    Args:
        block: The record itself or one of its `results`.
        first: How many bars to draw before the rest is folded away.
    """
    data = part(block, "outcomes")
    shown = [_bar(row) for row in parts(data, "shown")]
    if not shown:
        return None
    cut = len(shown) if len(shown) <= first + 2 else first
    hidden = part(data, "hidden")
    beyond, weight = int(number(hidden.get("outcomes")) or 0), number(hidden.get("share")) or 0.0
    folded = shown[cut:]
    return Outcomes(
        heading=_heading(data, shown),
        bars=tuple(shown[:cut]),
        more=tuple(folded),
        hidden=_more(beyond, weight),
        folded=_more(beyond + len(folded), weight + sum(bar.share for bar in folded)),
        method=plain(data.get("method")),
    )


def _bar(row: Document) -> Bar:
    share = min(1.0, max(0.0, number(row.get("share")) or 0.0))
    key = plain(row.get("key")) or "(empty)"
    low, high = number(row.get("low")), number(row.get("high"))
    if low is None or high is None or not 0 <= low <= high <= 1:
        return Bar(key, number(row.get("count")), share, None, None)
    return Bar(key, number(row.get("count")), share, low, high)


def _heading(data: Document, shown: Sequence[Bar]) -> str:
    bounded = any(bar.low is not None and bar.high is not None for bar in shown)
    if not bounded or number(data.get("level")) is None:
        return "Outcomes"
    return f"Outcomes, with {level(data['level'])} intervals for all at once"


def _more(outcomes_left: int, share: float) -> str:
    if outcomes_left <= 0:
        return ""
    together = percent(share) + (" together" if outcomes_left > 1 else "")
    return f"{counted(outcomes_left, 'more outcome')}, {together}"


def scale(bars: Sequence[Bar]) -> float:
    """The share that fills the width of the drawing; no interval is cut off."""
    return max((max(bar.share, bar.high or 0.0) for bar in bars), default=0.0) or 1.0
