"""The history of a canary: each share of successes with its interval, the floor, and where drift was found."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qpm_lab.display.bars import spoken
from qpm_lab.display.figures import UNKNOWN, count, counted, interval, level, moment, number, plain
from qpm_lab.display.markup import Html, el, join, name_of
from qpm_lab.display.plots import nice_ticks
from qpm_lab.display.study import study_card, warned, warnings
from qpm_lab.display.surface import as_typed
from qpm_lab.display.tables import Column, Row, Table, column
from qpm_lab.display.text import columns, fitting
from qpm_lab.display.wording import Document, Tone, part, parts

SIZE = 1000
"""The drawing's own units in each direction."""
RECENT = 10
"""Canaries listed in a terminal."""
LISTED = 40
"""Canaries listed in the card."""
TICKS = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """The piece of the scale that is drawn, a little more than all intervals and the floor."""

    low: float
    high: float

    def up(self, rate: float) -> float:
        """How far up a share of successes lies, 0 at the bottom and 1 at the top."""
        return (rate - self.low) / (self.high - self.low)


def canary_html(document: Document) -> str:
    """The history as a card; a document as `Lab.canary` gives it.

    Returns:
        One `<section>` with its style sheet; safe to put into any page.
    """
    said = ((plain(document.get(key)), how) for key, how in (("text", None), ("promise", "mut")))
    return study_card(
        _state(document),
        name_of(_title(document)),
        _run(document),
        page=[
            *(el("p", words, class_=how) for words, how in said if words),
            warned(warnings(document.get("warning"))),
            _figures(document),
            _drawing(document),
        ],
        step=_advice(document),
        foot=_list(document),
        spoken=_title(document),
    )


def canary_text(document: Document, *, width: int | None = None) -> str:
    """The history for a terminal: the state, and the latest canaries."""
    room = columns(width)
    lines = [f"{_state(document)[0]}  {_title(document)}  {_run(document)}"]
    warning = [f"! {words}" for words in warnings(document.get("warning"))]
    said = [plain(document.get("text")), *warning, *_facts(document), plain(document.get("promise"))]
    lines += [line for words in said for line in textwrap.wrap(words, room)]
    points = parts(document, "history")
    if points:
        lines.append(_table(points[-RECENT:], f"The latest of {_canaries(_total(document))}").to_text(room))
    words, command = _advice(document)
    lines += [*textwrap.wrap(f"Next: {words}", room), f"  {command}"]
    return fitting("\n".join(line.rstrip() for line in lines if line))


def _state(document: Document) -> tuple[str, Tone]:
    if document.get("alarm") is True:
        return "Drift", "bad"
    if part(document, "baseline"):
        return ("Drift is not watched", "warn") if number(document.get("floor")) is None else ("No drift found", "ok")
    return ("Building the baseline", "busy") if _total(document) else ("No canary yet", "mut")


def _title(document: Document) -> str:
    name = plain(part(document, "circuit").get("name")) or "canary"
    return f"{name} on {plain(document.get('backend'))}"


def _run(document: Document) -> str:
    baseline = number(document.get("baseline_number")) or 1
    again = f", baseline {count(baseline)}" if baseline > 1 else ""
    return f"{counted(document.get('shots'), 'shot')} each{again}"


def _total(document: Document) -> int:
    return int(number(document.get("canaries")) or 0)


def _facts(document: Document) -> list[str]:
    """Baseline and evidence in words."""
    baseline, facts = part(document, "baseline"), []
    if baseline:
        between = interval(baseline.get("low"), baseline.get("high"))
        facts.append(
            f"Baseline {between} ({level(document.get('level'))}), from {_canaries(baseline.get('canaries'))}."
        )
    evidence, threshold = number(document.get("evidence")), number(document.get("threshold"))
    if evidence is not None and threshold is not None:
        facts.append(f"Evidence of drift {evidence:,.3g}; the alarm is at {threshold:,.4g}.")
    return facts


def _canaries(many: object) -> str:
    return f"{count(many)} " + ("canary" if many == 1 else "canaries")


def _figures(document: Document) -> Html | None:
    facts = _facts(document)
    return el("p", " ".join(facts), class_="num") if facts else None


def _advice(document: Document) -> tuple[str, str]:
    command = plain(document.get("command")) or as_typed(f"%qcanary {plain(document.get('backend')) or 'BACKEND'}")
    if document.get("alarm") is True:
        return "look into the machine; when it is as it should be, begin a new baseline:", f"{command} --reset"
    return ("run the next one:" if _total(document) else "run the first one:"), command


def _frame(points: Sequence[Document], floor: float | None) -> Frame:
    ends = [number(point.get(key)) for point in points for key in ("low", "high")]
    known = [end for end in (*ends, floor) if end is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    margin = 0.08 * (high - low) or 0.05
    return Frame(max(0.0, low - margin), min(1.0, high + margin))


def _drawing(document: Document) -> Html | None:
    points = parts(document, "history")
    if not points:
        return None
    floor = number(document.get("floor"))
    frame = _frame(points, floor)
    places = [(n + 0.5) / len(points) for n in range(len(points))]
    drawn = [_point(point, place, frame) for point, place in zip(points, places, strict=True)]
    line = None if floor is None else el("path", d=_line(0, 1, frame.up(floor)), class_="floor")
    box = f"0 0 {SIZE} {SIZE}"
    svg = el("svg", line, *drawn, viewBox=box, preserveAspectRatio="none", aria_hidden="true", focusable="false")
    label = f"{plain(document.get('text'))} {_canaries(len(points))} drawn, each with its interval."
    chart = join(_basis(points), svg, *_ticks(points, frame))
    return el(
        "div",
        el("div", "share of successes", class_="axisname mut"),
        el("div", chart, class_="plot num watch"),
        el("div", "canary", class_="axisname across mut"),
        _key(document, floor),
        class_="chart",
        role="img",
        aria_label=label,
    )


def _basis(points: Sequence[Document]) -> Html | None:
    """The part of the drawing that the baseline takes."""
    own = sum(point.get("watched") is False for point in points)
    return el("span", class_="basis", style=f"width:{own / len(points) * 100:.2f}%") if own else None


def _point(point: Document, place: float, frame: Frame) -> Html | None:
    rate, low, high = (number(point.get(key)) for key in ("rate", "low", "high"))
    if rate is None or low is None or high is None:
        return None
    x = round(place * SIZE)
    ends = [round((1 - frame.up(end)) * SIZE) for end in (low, high, rate)]
    return el(
        "g",
        el("path", d=f"M{x} {ends[0]}V{ends[1]}", class_="reach"),
        el("path", d=f"M{x} {ends[2]}h0", class_="dots"),
        class_="alarm" if point.get("alarm") is True else "fine",
    )


def _line(start: float, end: float, up: float) -> str:
    y = round((1 - up) * SIZE)
    return f"M{round(start * SIZE)} {y}H{round(end * SIZE)}"


def _ticks(points: Sequence[Document], frame: Frame) -> Iterator[Html]:
    for value, words in nice_ticks(frame.low, frame.high):
        yield el("span", words, class_="y", style=f"bottom:{frame.up(value) * 100:.2f}%")
    many = len(points)
    shown = range(many) if many <= 2 * TICKS else sorted({round(n * (many - 1) / (TICKS - 1)) for n in range(TICKS)})
    for n in shown:
        yield el("span", count(n + 1), class_="x", style=f"left:{(n + 0.5) / many * 100:.2f}%")


def _key(document: Document, floor: float | None) -> Html:
    words = [("point", f"canary, {level(document.get('level'))} interval"), ("base", "baseline")]
    if floor is not None:
        words.append(("floor", f"floor {floor:.4g}"))
    if any(point.get("alarm") is True for point in parts(document, "history")):
        words.append(("alarm", "drift alarm"))
    marks = (el("span", el("span", class_=f"sample {kind}"), said) for kind, said in words)
    return el("div", *marks, class_="key", aria_hidden="true")


def _list(document: Document) -> Html | None:
    points = parts(document, "history")
    if not points:
        return None
    left = _total(document) - len(points[-LISTED:])
    caption = spoken("The canaries, the oldest first") if left <= 0 else el("span", f"The latest; {left:,} before them")
    shown = _table(points[-LISTED:], "").columns
    heads = (el("th", each.title, scope="col") for each in shown)
    rows = (el("tr", *(el("td", each.show(point)) for each in shown)) for point in points[-LISTED:])
    table = el("table", el("caption", caption), el("thead", el("tr", *heads)), el("tbody", *rows))
    summary = el("summary", "All in figures" if left <= 0 else "The latest in figures")
    return el("footer", el("details", summary, el("div", table, class_="points num", tabindex="0")))


def _table(points: Sequence[Row], caption: str) -> Table:
    shown = (
        column("Job", "job_id", fixed=True),
        Column("At (UTC)", lambda row: moment(row.get("at")).removesuffix(" UTC")[:16]),
        Column("Successes", lambda row: f"{count(row.get('successes'))} of {count(row.get('shots'))}", right=True),
        Column("Share", lambda row: interval(row.get("low"), row.get("high")), right=True),
        Column("Evidence", _evidence, right=True),
        Column("Verdict", _verdict),
    )
    return Table(shown, points, caption, "No canary yet.")


def _evidence(row: Row) -> str:
    known = number(row.get("evidence"))
    return UNKNOWN if known is None else f"{known:,.3g}"


def _verdict(row: Row) -> str:
    if row.get("alarm") is True:
        return "drift"
    if row.get("watched") is True:
        return "fine"
    return "baseline" if row.get("watched") is False else "not watched"
