"""How far to trust a result, for a terminal: the verdict, the fidelity on an axis, what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator

from qpm_lab.display.figures import plain
from qpm_lab.display.lines import LABEL, Line, labelled, wrapped
from qpm_lab.display.measured import SNAPSHOT, THEIRS, alarm, setup
from qpm_lab.display.results import blocks
from qpm_lab.display.trust import Axis, Caution, Fidelity, fidelity
from qpm_lab.display.validation import validation
from qpm_lab.display.wording import Document, part

WIDEST = 40
"""Characters of an axis."""
INDENT = " " * LABEL


def verdict_lines(document: Document, width: int) -> Iterator[Line]:
    """What the reader has to know before any figure: the validation, condition by condition, and a drift alarm."""
    found = validation(document)
    if found is not None:
        for one in found.conditions:
            yield from wrapped(f"{one.asked} {one.words}.", width, f"{one.symbol} ", tone=one.tone)
        yield from wrapped(found.attempts, width, "  ", tone="mut")
    drifted = alarm(document)
    if drifted is not None:
        yield from caution_lines(drifted, width)


def fidelity_lines(block: Document, width: int) -> Iterator[Line]:
    """The interval in words, its method, both on an axis, what speaks against it, and what it takes for granted."""
    found = fidelity(block)
    if found is None:
        return
    sure = f" ({found.level})" if found.kind == "estimate" else ""
    yield from labelled(found.title, f"{found.headline}{sure}", width)
    yield from wrapped(found.method if found.kind == "estimate" else "", width, INDENT, tone="mut")
    if found.axis:
        yield from _axis_lines(found, found.axis, width)
    for line in (found.companion.words if found.companion else "", found.explanation):
        yield from wrapped(line, width, INDENT, tone="mut")
    for caution in found.cautions:
        yield from caution_lines(caution, width, INDENT)
    for line in _granted(found):
        yield from wrapped(line, width, INDENT, tone="mut")


def _granted(found: Fidelity) -> Iterator[str]:
    if found.assumption:
        yield f"Takes for granted: {found.assumption}"
    if found.companion and found.companion.assumption not in ("", found.assumption):
        yield f"Hellinger takes for granted: {found.companion.assumption}"


def setup_lines(document: Document, width: int) -> Iterator[Line]:
    """Further circuits, twirl, machine and canary; digests are in the record."""
    told = {plain(part(block, "fidelity").get("assumption")) for block in blocks(document)[0]}
    for term, words in setup(document, told):
        if term not in (SNAPSHOT, THEIRS):
            yield from labelled(term, words, width, "mut")


def caution_lines(caution: Caution, width: int, indent: str = "") -> Iterator[Line]:
    """A symbol and a word, then what is wrong."""
    yield from wrapped(caution.sentence, width, f"{indent}{caution.symbol} ", tone=caution.tone)


def _axis_lines(found: Fidelity, axis: Axis, width: int) -> Iterator[Line]:
    ends = f"{axis.start:g}", f"{axis.end:g}"
    room = min(WIDEST, width - LABEL - sum(map(len, ends)) - 4)
    if room < 8:
        return
    drawn = "·" * room
    if found.low is not None and found.high is not None:
        drawn = _track(axis, found.low, found.high, "█", room, found.value)
    yield [(f"{INDENT}{ends[0]} ├", "mut"), (drawn, "busy"), (f"┤ {ends[1]}", "mut")]
    if found.companion:
        thin = _track(axis, found.companion.low, found.companion.high, "━", room, None)
        yield [(f"{INDENT}{' ' * len(ends[0])} ├", "mut"), (thin, "busy"), ("┤", "mut")]


def _track(axis: Axis, low: float, high: float, ink: str, room: int, value: float | None) -> str:
    """The interval in its place on the axis, its value marked; an interval has at least one character."""
    start = min(room - 1, max(0, int(axis.place(low) * room)))
    end = min(room, max(start + 1, -int(-axis.place(high) * room // 1)))
    track = "·" * start + ink * (end - start) + "·" * (room - end)
    if value is None or end - start < 3:
        return track
    at = min(end - 1, max(start, int(axis.place(value) * room)))
    return f"{track[:at]}╋{track[at + 1 :]}"
