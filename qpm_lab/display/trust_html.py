"""How far to trust a result, in the HTML card: the verdict, the fidelity on its axis, how it was measured."""

from __future__ import annotations

from qpm_lab.display.bars import pc, span
from qpm_lab.display.markup import Html, code, el, join, name_of
from qpm_lab.display.measured import alarm, measured
from qpm_lab.display.results import blocks
from qpm_lab.display.trust import Axis, Caution, Fidelity, fidelity
from qpm_lab.display.validation import Condition, validation
from qpm_lab.display.wording import Document

SIZES = {"estimate": "big", "ideal": "quiet", "refused": "said"}


def verdict_html(document: Document) -> Html | None:
    """What the reader has to know before any figure: the validation, condition by condition, and a drift alarm."""
    found, drifted = validation(document), alarm(document)
    if found is None and drifted is None:
        return None
    lines = [_condition(one) for one in found.conditions] if found else []
    if found and found.attempts:
        lines.append(el("p", found.attempts, class_="mut"))
    return el("div", *lines, caution_html(drifted) if drifted else None, class_="verdict")


def _condition(one: Condition) -> Html:
    words = el("span", one.words, class_=one.tone)
    return el("p", symbol_html(one.symbol, one.tone), code(one.text), f" {one.subject}".rstrip(), " ", words, ".")


def symbol_html(symbol: str, tone: str) -> Html:
    """A sign beside its word, which says the same: a screen reader hears the word alone."""
    return el("span", symbol, class_=f"sign {tone}", aria_hidden="true")


def caution_html(caution: Caution) -> Html:
    """A symbol and a word, then what is wrong."""
    word = el("b", f"{caution.word}:", class_=caution.tone)
    return el("p", symbol_html(caution.symbol, caution.tone), word, f" {caution.text}.", class_="caution")


def fidelity_html(block: Document) -> Html | None:
    """The interval in words and on an axis, its companion, and what speaks against it."""
    found = fidelity(block)
    if found is None:
        return None
    quiet = "num quiet" if found.kind == "ideal" else "num"
    return el(
        "div",
        el("h4", found.title),
        el("span", found.headline, class_=f"{SIZES[found.kind]} num"),
        el("span", f" {found.level}", class_="mut") if found.kind == "estimate" else None,
        el("p", found.method, class_="mut") if found.method and found.kind == "estimate" else None,
        _axis(found, found.axis) if found.axis else None,
        el("p", found.companion.words, class_="mut num") if found.companion else None,
        *(caution_html(caution) for caution in found.cautions),
        el("p", found.explanation, class_=quiet) if found.explanation else None,
        class_="fact",
    )


def _axis(found: Fidelity, axis: Axis) -> Html:
    """The interval on a number line whose ends are written below it; the companion's is thinner, under it."""
    own = found.low is not None and found.high is not None
    value = None if found.value is None else axis.place(found.value)
    other = found.companion
    marks = [
        el("span", class_="iv", style=span(axis.place(found.low or 0.0), axis.place(found.high or 0.0)))
        if own
        else None,
        el("span", class_="pt", style=f"left:{pc(value)}") if value is not None else None,
        el("span", class_="iv2", style=span(axis.place(other.low), axis.place(other.high))) if other else None,
    ]
    line = el("div", *marks, class_="axis two" if other else "axis")
    ends = el("div", el("span", f"{axis.start:g}"), el("span", f"{axis.end:g}"), class_="ends mut num")
    return el("div", line, ends, aria_hidden="true")


def measured_html(document: Document) -> Html | None:
    """Method, assumption, further circuits, machine and canary, folded away; of many circuits those of the first."""
    drawn, _ = blocks(document)
    rows = measured(document, drawn[0] if drawn else {})
    if not rows:
        return None
    many = " of the first circuit" if len(drawn) > 1 else ""
    terms = (join(el("dt", term), el("dd", name_of(words))) for term, words in rows)
    return el("details", el("summary", f"How it was measured{many}"), el("dl", *terms, class_="num"))
