"""A job record for a terminal: the same words as the card, aligned, with bars made of characters."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from qpm_lab.display import spending, wording
from qpm_lab.display.figures import counted, percent, percent_range, plain, short_digest
from qpm_lab.display.lines import LABEL, Line, labelled, meter, wrapped
from qpm_lab.display.results import Bar, blocks, outcomes, scale
from qpm_lab.display.spark import sweep_lines
from qpm_lab.display.spending import QuotaLine
from qpm_lab.display.steps import steps
from qpm_lab.display.sweeps import TABLE, sweep
from qpm_lab.display.trust_text import fidelity_lines, setup_lines, verdict_lines
from qpm_lab.display.vendor import PARKED_SIGN, goes_to, vendor_ids
from qpm_lab.display.wording import Document, part, status

if TYPE_CHECKING:
    from rich.text import Text

ROWS = 16
"""Outcomes printed before the rest is summed up in a line."""
MOST_IDS = 3
LONG_KEY = 20
"""Bit strings longer than this get a line of their own."""
ASCII = str.maketrans(
    {"▁": "_", "▂": ".", "▃": "-", "▄": "=", "▅": "+", "▆": "*", "▇": "%", "▓": "%"}
    | {"█": "#", "▒": "=", "░": ".", "–": "-", "…": "...", "·": "|", "×": "x", "•": "*", "€": "EUR "}
    | {
        "✓": "+",
        "✗": "x",
        "⚠": "!",
        "⚐": "!",
        "⚑": "!!",
        "‖": "!!",
        "’": "'",
        "─": "-",
        "━": "=",
        "├": "|",
        "┤": "|",
        "╋": "+",
    }
)
STYLES = {
    "ok": "green",
    "bad": "bold red",
    "warn": "yellow",
    "held": "magenta",
    "busy": "cyan",
    "mut": "dim",
    "b": "bold",
    "": "",
}


def to_text(document: Document, *, width: int | None = None, encoding: str | None = None) -> str:
    """The job as plain text.

    Args:
        document: A job record as in docs/record.md.
        width: Columns to use; the terminal's, at most 100, by default.
        encoding: What the text is printed in, stdout's by default. Characters that it cannot
            hold are replaced: bars become `#` and `=`.
    """
    text = "\n".join("".join(piece for piece, _ in line).rstrip() for line in _lines(document, columns(width)))
    return fitting(text, encoding)


def to_rich(document: Document, *, width: int | None = None) -> Text:
    """The same with colours, for `rich.console.Console.print`."""
    from rich.text import Text

    text = Text(no_wrap=False)
    for line in _lines(document, columns(width)):
        for piece, tone in line:
            text.append(fitting(piece), STYLES[tone])
        text.append("\n")
    return text


def columns(width: int | None) -> int:
    """The width to write for, never less than 30 columns."""
    return max(30, min(width or min(shutil.get_terminal_size().columns, 100), 400))


def fitting(text: str, encoding: str | None = None) -> str:
    """The text in characters that the encoding has."""
    encoding = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.translate(ASCII).encode("ascii", "replace").decode("ascii")
    return text


def _lines(document: Document, width: int) -> Iterator[Line]:
    yield from _head(document, width)
    for section in (_why, _trouble, verdict_lines, _progress, _results, _facts, setup_lines, _next, _foot):
        yield from section(document, width)


def _head(document: Document, width: int) -> Iterator[Line]:
    word, tone = wording.state(document)
    yield [
        (f"{PARKED_SIGN} {word}" if tone == "held" else word, tone),
        ("  ", ""),
        (wording.job_name(document), "b"),
        ("  ", ""),
        (wording.where(document), "mut"),
    ]
    verdict = wording.verdict(document)
    if verdict:
        yield [(f"{verdict[0]}.", verdict[1])]
    if wording.aside(document):
        yield [(wording.aside(document), "mut")]
    yield from wrapped(wording.fallback(document), width, "", tone="warn")


def _why(document: Document, width: int) -> Iterator[Line]:
    yield from reason_lines(part(document, "decision"), width)


def reason_lines(decision: Document, width: int) -> Iterator[Line]:
    """Every reason: what, what would make it pass, which rule, who owns it."""
    for why in wording.reasons(decision):
        yield from wrapped(why.message, width, "• ", tone="b")
        yield from wrapped(why.fix, width, "  ")
        owner = f", owner {why.owner}" if why.owner else ""
        yield from wrapped(f"Rule {why.rule}{owner}." if why.rule else "", width, "  ", tone="mut")


def _trouble(document: Document, width: int) -> Iterator[Line]:
    why = wording.trouble(document)
    if why is None:
        return
    yield from wrapped(why.message, width, "", tone="b")
    yield from wrapped(why.fix, width, "")
    if status(document) == "parked":
        return
    yield from wrapped(spending.spent(document), width, tone="mut")


def _progress(document: Document, width: int) -> Iterator[Line]:
    now = wording.progress(document)
    if now is None:
        return
    if now.share is not None:
        yield [(meter(now.share, 0.0, 30), "busy"), (f"  {percent(now.share)}", "")]
    yield from wrapped(now.words, width, "")
    yield from wrapped(f"To stop it: {wording.cancel_command(document)}", width, "", tone="mut")


def _results(document: Document, width: int) -> Iterator[Line]:
    if wording.without_body(document):
        return
    drawn, beyond = blocks(document)
    for block in drawn:
        if len(drawn) > 1:
            yield [(plain(part(block, "circuit").get("name")) or "unnamed circuit", "b")]
        swept = sweep(block)
        yield from sweep_lines(block, swept, width) if swept else _outcomes(block, width)
        yield from fidelity_lines(block, width)
    if beyond:
        yield [(f"{counted(beyond, 'more circuit')}. All of them: {TABLE}", "mut")]


def _outcomes(block: Document, width: int) -> Iterator[Line]:
    found = outcomes(block, first=ROWS)
    if found is None:
        return
    yield from wrapped(found.heading, width, "", tone="mut")
    full = scale(found.bars)
    longest = max(len(bar.key) for bar in found.bars)
    for bar in found.bars:
        yield from _bar(bar, full, longest, width)
    if found.folded:
        yield [(f"  {found.folded}", "mut")]


def _bar(bar: Bar, full: float, longest: int, width: int) -> Iterator[Line]:
    """Solid up to the interval's lower end, shaded over the interval."""
    if longest > LONG_KEY:
        yield from ([(f"  {piece}", "")] for piece in textwrap.wrap(bar.key, width - 2))
    key = bar.key.ljust(longest) if longest <= LONG_KEY else ""
    between = percent_range(bar.low, bar.high)
    room = min(40, max(6, width - len(key) - 32))
    low = bar.share if bar.low is None or bar.high is None else bar.low
    solid = round(low / full * room)
    shaded = round((bar.high or 0.0) / full * room) - solid if bar.high is not None else 0
    drawn = "█" * solid + "▒" * max(0, shaded)
    figures = f"  {percent(bar.share):>8}"
    yield [(f"  {key} ", ""), (drawn.ljust(room), "busy"), (figures, ""), (f"  {between}", "mut")]


def _facts(document: Document, width: int) -> Iterator[Line]:
    going = goes_to(document)
    yield from labelled(*going, width) if going else ()
    if status(document) != "parked" and wording.without_body(document):
        return
    if part(document, "cost") or part(document, "quote"):
        figure, source = spending.cost(document)
        label = "Cost" if part(document, "cost") else "Cost, quoted"
        yield from labelled(label, f"{figure}  {source}", width)
    yield from quota_lines(wording.parts(document, "quota"), width)


def quota_lines(rows: Iterable[Document], width: int) -> Iterator[Line]:
    """One line for each quota: how much is used, held and left."""
    for line in spending.quotas(list(rows)):
        yield from meter_lines("Quota", replace(line, words=f"{line.title}: {line.words}"), width)


def meter_lines(label: str, line: QuotaLine, width: int) -> Iterator[Line]:
    """A label with the words of a quota, and its bar below them."""
    yield from labelled(label, line.words, width, "warn" if line.tight else "")
    yield [(" " * LABEL, ""), (meter(line.used, line.reserved, 30), "warn" if line.tight else "busy")]


def _next(document: Document, width: int) -> Iterator[Line]:
    for step in steps(document):
        yield from labelled(step.label, step.words, width) if step.words else ()
        if step.command:
            yield [(" " * LABEL, ""), (step.command, "b")]


def _foot(document: Document, width: int) -> Iterator[Line]:
    for note in wording.notes(document):
        yield from wrapped(note, width, "", tone="mut")
    origins = [f"{origin.words} {origin.short}" for origin in wording.provenance(document)]
    ids = vendor_ids(document)
    origins += [f"Vendor’s id {', '.join(ids[:MOST_IDS])}" + (" …" if ids[MOST_IDS:] else "")] if ids else []
    fingerprint = part(document, "circuit").get("fingerprint")
    origins += [f"Circuit {short_digest(fingerprint)}"] if fingerprint else []
    yield from wrapped(" · ".join(origins), width, "", tone="mut")
