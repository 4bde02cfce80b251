"""A completed job as a small picture, for viewers that show neither HTML nor our own MIME type."""

from __future__ import annotations

from qpm_lab.display import spending, wording
from qpm_lab.display.canvas import MARGIN, ROW, WIDTH, Canvas
from qpm_lab.display.figures import counted, percent
from qpm_lab.display.pictures import heat_picture, line_picture, picture_rows
from qpm_lab.display.results import Bar, Outcomes, blocks, outcomes, scale
from qpm_lab.display.sweeps import Sweep, sweep
from qpm_lab.display.trust import Fidelity, fidelity
from qpm_lab.display.trust_picture import trust_picture, trust_rows
from qpm_lab.display.wording import Document

MUTED, BAR, WHISKER = "#5c6672", "#7488e0", "#1f2a5c"
KEY = 16
"""Characters of a bit string that are drawn; the middle of longer ones is left out."""


def to_png(document: Document) -> bytes:
    """The first circuit's outcomes with their intervals, or a sweep, and the headline of its fidelity.

    Args:
        document: A job record as in docs/record.md.

    Returns:
        A PNG, 640 pixels wide and as high as its rows need.
    """
    drawn, beyond = blocks(document)
    block = drawn[0] if drawn else {}
    swept = sweep(block)
    if swept and swept.done:
        return _sweep_png(document, swept)
    found, sure = outcomes(block), fidelity(block)
    others = len(drawn) + beyond - 1
    rows = 2.4 + (len(found.bars) + 1 + bool(found.folded) if found else 0) + 1.3 * (others > 0)
    canvas = Canvas(height=MARGIN * 2 + ROW * (rows + trust_rows(document, block)))
    _headline(canvas, document, sure)
    trust_picture(canvas, document, block)
    if found:
        _bars(canvas, found)
    if others > 0:
        canvas.skip(0.3)
        canvas.line(f"The first of {counted(others + 1, 'circuit')}.", colour=MUTED)
    return canvas.png()


def _sweep_png(document: Document, swept: Sweep) -> bytes:
    canvas = Canvas(height=MARGIN * 2 + ROW * (3.4 + picture_rows(swept) + trust_rows(document, {})))
    _headline(canvas, document, None)
    trust_picture(canvas, document, {})
    canvas.line(swept.heading, colour=MUTED)
    draw = heat_picture if swept.cells else line_picture
    draw(canvas, swept)
    return canvas.png()


def _headline(canvas: Canvas, document: Document, sure: Fidelity | None) -> None:
    word, name = wording.state(document)[0], wording.job_name(document)
    canvas.line(f"{word}  {name[:40]}  ·  {wording.where(document)[:60]}", weight="bold")
    said = f"{sure.title}: {sure.headline}" if sure else ""
    if sure and sure.kind == "estimate":
        said += f" ({sure.level})"
    figure, source = spending.cost(document)
    canvas.line("  ·  ".join(piece for piece in (said, f"Cost {figure} {source}"[:60]) if piece))
    canvas.skip(0.4)


def _bars(canvas: Canvas, found: Outcomes) -> None:
    full = scale(found.bars)
    canvas.line(found.heading, colour=MUTED)
    keys = [_shown_key(bar) for bar in found.bars]
    left = MARGIN + 12 + 7.2 * max(map(len, keys))
    for bar, key in zip(found.bars, keys, strict=True):
        _bar(canvas, bar, key, left, full)
    if found.folded:
        canvas.line(found.folded, colour=MUTED)


def _shown_key(bar: Bar) -> str:
    return bar.key if len(bar.key) <= KEY else f"{bar.key[:7]}…{bar.key[-7:]}"


def _bar(canvas: Canvas, bar: Bar, key: str, left: float, full: float) -> None:
    room = WIDTH - MARGIN - 60 - left
    canvas.box(left, 3, bar.share / full * room, ROW - 7, BAR)
    if bar.low is not None and bar.high is not None:
        start, end = left + bar.low / full * room, left + bar.high / full * room
        canvas.box(start, ROW / 2 - 1.5, end - start, 2, WHISKER)
        canvas.box(start, ROW / 2 - 4.5, 2, 8, WHISKER)
        canvas.box(end - 2, ROW / 2 - 4.5, 2, 8, WHISKER)
    canvas.text(WIDTH - MARGIN, percent(bar.share), align="right")
    canvas.line(key, family="DejaVu Sans Mono")
