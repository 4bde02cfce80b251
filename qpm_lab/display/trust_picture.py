"""How far to trust a result, drawn onto a canvas: the verdict, the fidelity on its axis, what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator

from qpm_lab.display.canvas import MARGIN, ROW, WIDTH, Canvas
from qpm_lab.display.measured import alarm
from qpm_lab.display.trust import Axis, Fidelity, fidelity
from qpm_lab.display.validation import validation
from qpm_lab.display.wording import Document

LINE, INTERVAL, POINT = "#b8bec7", "#9aa9e8", "#2f4bc4"
TONES = {"bad": "#b3261e", "warn": "#8f5000", "ok": "#237032"}
LONGEST = 92
"""Characters that fit across the picture."""
LEFT, RIGHT = MARGIN + 36, WIDTH - MARGIN - 36

Said = tuple[str, str]


def trust_rows(document: Document, block: Document) -> float:
    """How many lines of text the drawing is as high as."""
    found = fidelity(block)
    return len(list(_said(document, found))) + (1.2 if found and found.axis else 0)


def trust_picture(canvas: Canvas, document: Document, block: Document) -> None:
    """The axis with the interval and, below it and thinner, the companion's; then each caution as a line."""
    found = fidelity(block)
    if found and found.axis:
        _axis(canvas, found, found.axis)
    for words, tone in _said(document, found):
        canvas.line(words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…", colour=TONES[tone])


def _said(document: Document, found: Fidelity | None) -> Iterator[Said]:
    verdict, drifted = validation(document), alarm(document)
    for one in verdict.conditions if verdict else ():
        yield f"{one.symbol} {one.asked} {one.words}", one.tone
    for caution in (*(found.cautions if found else ()), *((drifted,) if drifted else ())):
        yield f"{caution.symbol} {caution.sentence}", caution.tone


def _axis(canvas: Canvas, found: Fidelity, axis: Axis) -> None:
    def at(value: float) -> float:
        return LEFT + axis.place(value) * (RIGHT - LEFT)

    canvas.text(LEFT - 6, f"{axis.start:g}", align="right")
    canvas.text(RIGHT + 6, f"{axis.end:g}")
    canvas.box(LEFT, ROW / 2 - 0.5, RIGHT - LEFT, 1, LINE)
    if found.low is not None and found.high is not None:
        canvas.box(at(found.low), ROW / 2 - 3, at(found.high) - at(found.low), 6, INTERVAL)
    if found.value is not None:
        canvas.box(at(found.value) - 1, ROW / 2 - 5, 2, 10, POINT)
    if found.companion:
        canvas.box(at(found.companion.low), ROW / 2 + 6, at(found.companion.high) - at(found.companion.low), 2, POINT)
    canvas.skip(1.2)
