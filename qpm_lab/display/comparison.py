"""Runs compared: the verdict in words, and each pair's distance with its bound on an axis beside the limit."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from qpm_lab.display.bars import spoken
from qpm_lab.display.figures import UNKNOWN, count, counted, money, number, plain, short_digest
from qpm_lab.display.markup import Html, code, el, name_of
from qpm_lab.display.study import study_card, warned, warnings
from qpm_lab.display.tables import Column, Table, column
from qpm_lab.display.text import columns, fitting
from qpm_lab.display.wording import Document, Tone, part, parts

VERDICTS: dict[str, tuple[str, Tone]] = {
    "equivalent": ("Equivalent", "ok"),
    "different": ("Different", "bad"),
    "inconclusive": ("Inconclusive", "warn"),
}
SHOWN = 12
"""Pairs drawn at once of one circuit; the others are folded away."""
CIRCUITS = 8
"""Circuits drawn of a comparison that has many."""
ENDS = ("first", "second")
TEXT_ROOM = 36


def comparison_html(document: Document) -> str:
    """The comparison as a card; a document as `Lab.compare` gives it.

    Returns:
        One `<section>` with its style sheet; safe to put into any page.
    """
    what = _what(document)
    return study_card(
        _verdict(document),
        what,
        _limits(document),
        page=[*_said(document), *_drawings(document)],
        step=_rerun(document),
        foot=el("footer", el("div", Html(_runs(document).to_html()), class_="folds")),
        spoken=f"Comparison of {what}",
    )


def comparison_text(document: Document, *, width: int | None = None) -> str:
    """The comparison for a terminal."""
    room = columns(width)
    said = [plain(document.get("reason")), *(f"! {words}" for words in warnings(document.get("warnings")))]
    lines = [f"{_verdict(document)[0]}  {_what(document)}  {_limits(document)}"]
    lines += [line for words in said for line in textwrap.wrap(words, room)]
    for block in parts(document, "circuits")[:CIRCUITS]:
        lines += _block_lines(document, block, room)
    lines += [_beyond(document), *_again(document, room), _runs(document).to_text(room)]
    return fitting("\n".join(line.rstrip() for line in lines if line))


def _verdict(block: Document) -> tuple[str, Tone]:
    known = plain(block.get("verdict"))
    return VERDICTS.get(known, (known or UNKNOWN, "mut"))


def _what(document: Document) -> str:
    return counted(len(parts(document, "runs")), "run")


def _limits(document: Document) -> str:
    delta, alpha = number(document.get("delta")), number(document.get("alpha"))
    if delta is None or alpha is None:
        return ""
    return f"equal means closer than {delta:g}, at most {alpha * 100:g} % wrong"


def _said(document: Document) -> list[Html | None]:
    reason = plain(document.get("reason"))
    return [el("p", reason) if reason else None, warned(warnings(document.get("warnings")))]


def _drawings(document: Document) -> list[Html]:
    blocks = parts(document, "circuits")
    drawn = [_drawing(document, block, len(blocks) > 1) for block in blocks[:CIRCUITS]]
    beyond = _beyond(document)
    return [*drawn, *([el("p", beyond, class_="mut")] if beyond else [])]


def _beyond(document: Document) -> str:
    more = len(parts(document, "circuits")) - CIRCUITS
    return f"{counted(more, 'more circuit')}; the document has all of them." if more > 0 else ""


def _drawing(document: Document, block: Document, named: bool) -> Html:
    pairs, full = parts(block, "pairs"), _full(document, block)
    delta = number(document.get("delta")) or 0.0
    word, tone = _verdict(block)
    title = el("h4", name_of(plain(block.get("name")) or "unnamed circuit"), class_="name") if named else None
    return el(
        "div",
        title,
        el("p", el("b", word, class_=tone), f" {plain(block.get('reason'))}") if named else None,
        el("h4", plain(block.get("estimand")) or "Distance of each pair"),
        _table(pairs[:SHOWN], full, delta),
        _folded(pairs[SHOWN:], full, delta),
        el("div", el("span", el("span", class_="sample"), f"the limit, {delta:g}"), class_="key"),
        class_="main",
    )


def _folded(pairs: Sequence[Document], full: float, delta: float) -> Html | None:
    if not pairs:
        return None
    summary = el("summary", counted(len(pairs), "more pair"))
    return el("details", summary, _table(pairs, full, delta), class_="all")


def _full(document: Document, block: Document) -> float:
    """The distance that fills the width: the limit and every bound are in sight."""
    ends = [number(pair.get(key)) or 0.0 for pair in parts(block, "pairs") for key in ("distance", "upper")]
    return max([1.25 * (number(document.get("delta")) or 0.0), *ends]) or 1.0


def _table(pairs: Sequence[Document], full: float, delta: float) -> Html:
    heads = (el("th", spoken(head), scope="col") for head in ("Pair", "Distance and upper bound", "In figures"))
    return el(
        "table",
        el("caption", spoken(f"Distance of each pair of runs; the limit is {delta:g}")),
        el("thead", el("tr", *heads)),
        el("tbody", *(_row(pair, full, delta) for pair in pairs)),
        class_="bars",
    )


def _row(pair: Document, full: float, delta: float) -> Html:
    label, words = _label(pair), _figures(pair)
    value, high = number(pair.get("distance")) or 0.0, number(pair.get("upper"))
    fill = el("span", class_="fill", style=f"width:{_pc(value / full)}")
    whisker = None
    if high is not None:
        whisker = el("span", class_="whisk", style=f"left:{_pc(value / full)};width:{_pc((high - value) / full)}")
    limit = el("span", class_="limit", style=f"left:{_pc(delta / full)}")
    track = el("span", fill, whisker, limit, class_="track", aria_hidden="true")
    cells = (el("td", track, class_="draw"), el("td", words, class_="num"))
    return el("tr", el("th", code(label), scope="row"), *cells, title=f"{label}: {words}")


def _label(pair: Document) -> str:
    """'1 and 2', as the list of runs numbers them."""
    return " and ".join(count(None if (place := number(pair.get(end))) is None else place + 1) for end in ENDS)


def _figures(pair: Document) -> str:
    value, high = number(pair.get("distance")), number(pair.get("upper"))
    shown = UNKNOWN if value is None else f"{value:.3f}"
    return shown if high is None else f"{shown}, at most {high:.3f}"


def _pc(share: float) -> str:
    return f"{min(1.0, max(0.0, share)) * 100:.2f}%"


def _block_lines(document: Document, block: Document, room: int) -> list[str]:
    full, delta = _full(document, block), number(document.get("delta")) or 0.0
    lines = []
    if len(parts(document, "circuits")) > 1:
        lines.append(f"{plain(block.get('name')) or 'unnamed circuit'}: {_verdict(block)[0].lower()}")
    lines.append(plain(block.get("estimand")))
    bar = max(8, min(TEXT_ROOM, room - 40))
    shown = parts(block, "pairs")[:SHOWN]
    lines += [f"  {_label(pair)}  {_bar(pair, full, delta, bar)}  {_figures(pair)}" for pair in shown]
    more = len(parts(block, "pairs")) - SHOWN
    return [*lines, f"  {counted(more, 'more pair')}"] if more > 0 else lines


def _bar(pair: Document, full: float, delta: float, room: int) -> str:
    """Solid up to the distance, shaded up to its bound, a stroke at the limit."""
    value, high = number(pair.get("distance")) or 0.0, number(pair.get("upper")) or 0.0
    solid, shaded = (max(0, round(end / full * room)) for end in (value, max(value, high)))
    drawn = list("█" * solid + "▒" * (shaded - solid) + " " * (room - shaded))
    drawn[max(0, min(room - 1, round(delta / full * room)))] = "|"
    return "".join(drawn)


def _again(document: Document, room: int) -> list[str]:
    words, command = _rerun(document)
    return [*textwrap.wrap(f"Next: {words}", room), f"  {command}"] if words else []


def _rerun(document: Document) -> tuple[str, str]:
    """What would settle it and at what price, and what to write."""
    rerun = part(document, "rerun")
    if not rerun:
        return "", ""
    quote = part(rerun, "quote")
    low, high = (money(quote.get(end), quote.get("currency")) for end in ("low", "high"))
    price = f" {high if low == high else f'{low} – {high}'} each" if quote else ""
    source = f" ({plain(quote.get('source'))}, {plain(quote.get('as_of'))})" if quote else ""
    return f"repeat every run with {count(rerun.get('shots'))} shots,{price}{source}:", plain(rerun.get("command"))


def _runs(document: Document) -> Table:
    shown = (
        column("Run", "run"),
        column("Job", "job_id", fixed=True),
        column("Name", "name", prose=True),
        column("Backend", "backend", fixed=True),
        Column("Shots", lambda row: count(row.get("shots")), right=True),
        Column("Seed", lambda row: plain(row.get("seed"))),
        Column("Circuit", lambda row: short_digest(row.get("fingerprint")), fixed=True),
    )
    rows = [{**run, "run": place} for place, run in enumerate(parts(document, "runs"), 1)]
    return Table(shown, rows, "The runs", "There are no runs.")
