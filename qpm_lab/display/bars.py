"""The drawn parts of the HTML card: outcome bars with their whiskers, quota bars.

The bars are a real table: a screen reader reads every share, interval and count as text.
"""

from __future__ import annotations

from collections.abc import Sequence

from qpm_lab.display.figures import count, counted, percent, percent_range
from qpm_lab.display.markup import Html, code, el, join
from qpm_lab.display.results import Bar, Outcomes, scale
from qpm_lab.display.spending import QuotaLine

LONG_KEY = 22
"""Longest bit string that is written whole beside its bar."""
ENDS = 8
"""Bits kept at each end of a longer one."""


def outcomes_html(outcomes: Outcomes) -> Html:
    """The bars of one circuit, the rest behind 'Show all', and how much is not shown at all."""
    full = scale(outcomes.bars + outcomes.more)
    return el(
        "div",
        el("h4", outcomes.heading, title=outcomes.method or None),
        bars_table(outcomes.bars, full, outcomes.heading),
        _folded(outcomes, full),
        class_="main",
    )


def _folded(outcomes: Outcomes, full: float) -> Html | None:
    if not outcomes.more:
        return el("p", f"{outcomes.hidden}.", class_="mut") if outcomes.hidden else None
    beyond = el("p", f"{outcomes.hidden}, not drawn.", class_="mut") if outcomes.hidden else None
    invite = f"Show {len(outcomes.more)} of them" if outcomes.hidden else "Show all"
    summary = el("summary", f"{outcomes.folded}. ", el("span", invite, class_="link"))
    return el("details", summary, bars_table(outcomes.more, full, "The other outcomes"), beyond, class_="all")


def bars_table(bars: Sequence[Bar], full: float, caption: str) -> Html:
    """A table with one row for each outcome; `full` is the share that fills the width."""
    heads = (el("th", spoken(head), scope="col") for head in ("Outcome", "Interval", "Share", "Shots"))
    return el(
        "table",
        el("caption", spoken(caption)),
        el("thead", el("tr", *heads)),
        el("tbody", *(_row(bar, full) for bar in bars)),
        class_="bars",
    )


def spoken(text: str) -> Html:
    """Text for screen readers only; within its cell, so that the cell stays part of the table."""
    return el("span", text, class_="sr")


def _row(bar: Bar, full: float) -> Html:
    between = percent_range(bar.low, bar.high)
    return el(
        "tr",
        el("th", key_html(bar.key), scope="row"),
        el("td", _track(bar, full), spoken(between), class_="draw"),
        el("td", percent(bar.share), class_="num"),
        el("td", spoken(count(bar.count))),
        title=f"{bar.key}: {counted(bar.count, 'shot')}, {percent(bar.share)}, interval {between}",
    )


def key_html(key: str) -> Html:
    """A bit string; of a long one the first and last bits, and the whole for whoever hovers or listens."""
    if len(key) <= LONG_KEY:
        return code(key)
    short = f"{key[:ENDS]}…{key[-ENDS:]}"
    return join(el("span", code(short, key), aria_hidden="true"), spoken(key))


def _track(bar: Bar, full: float) -> Html:
    fill = el("span", class_="fill", style=f"width:{pc(bar.share / full)}")
    whisker = None
    if bar.low is not None and bar.high is not None:
        whisker = el("span", class_="whisk", style=span(bar.low / full, bar.high / full))
    return el("span", fill, whisker, class_="track", aria_hidden="true")


def quota_html(line: QuotaLine, kind: str = "Quota · ") -> Html:
    """One quota: its title, used and held as two patterns of one bar, and the same in words."""
    return join(
        el("h4", f"{kind}{line.title}"),
        meter(line.used, line.reserved, tight=line.tight),
        el("p", line.words, class_="num warn" if line.tight else "num mut"),
    )


def meter(done: float | None, held: float = 0.0, *, tight: bool = False) -> Html:
    """A bar from 0 to 1; None is a striped bar, for a share that nobody can tell."""
    if done is None:
        return el("div", el("span", class_="held", style="width:100%"), class_="meter", aria_hidden="true")
    return el(
        "div",
        el("span", class_="used", style=f"width:{pc(done)}"),
        el("span", class_="held", style=f"width:{pc(held)}") if held else None,
        class_="meter tight" if tight else "meter",
        aria_hidden="true",
    )


def span(low: float, high: float) -> str:
    """The style of a piece of a drawing, from and to shares of its width."""
    return f"left:{pc(low)};width:{pc(high - low)}"


def pc(share: float) -> str:
    """A share of a width, kept within it."""
    return f"{min(1.0, max(0.0, share)) * 100:.2f}%"
