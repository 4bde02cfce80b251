"""A completed job as a small picture, for viewers that show neither HTML nor our own MIME type.

Everything is drawn straight onto a figure, without axes or pyplot: fast, and untouched by the
matplotlib settings and backend of the user's notebook. matplotlib is imported on the first call.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.display import spending, wording
from qpm_lab.display.figures import counted, percent
from qpm_lab.display.results import Bar, Fidelity, Outcomes, blocks, fidelity, outcomes, scale
from qpm_lab.display.wording import Document

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, DPI = 640, 100
"""Pixels, and pixels an inch."""
ROW, MARGIN = 20, 14
INK, MUTED, BAR, WHISKER = "#1d232b", "#5c6672", "#7488e0", "#1f2a5c"
KEY = 16
"""Characters of a bit string that are drawn; the middle of longer ones is left out."""


def to_png(document: Document) -> bytes:
    """The first circuit's outcomes with their intervals, and the headline of its fidelity.

    Args:
        document: A job record as in docs/record.md.

    Returns:
        A PNG, 640 pixels wide and as high as its rows need.
    """
    drawn, beyond = blocks(document)
    block = drawn[0] if drawn else {}
    found, sure = outcomes(block), fidelity(block)
    others = len(drawn) + beyond - 1
    rows = 2.4 + (len(found.bars) + 1 + bool(found.folded) if found else 0) + 1.3 * (others > 0)
    canvas = _Canvas(height=MARGIN * 2 + ROW * rows)
    _headline(canvas, document, sure)
    if found:
        _bars(canvas, found)
    if others > 0:
        canvas.skip(0.3)
        canvas.line(f"The first of {counted(others + 1, 'circuit')}.", colour=MUTED)
    return canvas.png()


def _headline(canvas: _Canvas, document: Document, sure: Fidelity | None) -> None:
    word, name = wording.state(document)[0], wording.job_name(document)
    canvas.line(f"{word}  {name[:40]}  ·  {wording.where(document)[:60]}", weight="bold")
    said = f"{sure.title}: {sure.headline}" if sure else ""
    if sure and sure.kind == "estimate":
        said += f" ({sure.level})"
    figure, source = spending.cost(document)
    canvas.line("  ·  ".join(piece for piece in (said, f"Cost {figure} {source}"[:60]) if piece))
    canvas.skip(0.4)


def _bars(canvas: _Canvas, found: Outcomes) -> None:
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


def _bar(canvas: _Canvas, bar: Bar, key: str, left: float, full: float) -> None:
    room = WIDTH - MARGIN - 60 - left
    canvas.box(left, 3, bar.share / full * room, ROW - 7, BAR)
    if bar.low is not None and bar.high is not None:
        start, end = left + bar.low / full * room, left + bar.high / full * room
        canvas.box(start, ROW / 2 - 1.5, end - start, 2, WHISKER)
        canvas.box(start, ROW / 2 - 4.5, 2, 8, WHISKER)
        canvas.box(end - 2, ROW / 2 - 4.5, 2, 8, WHISKER)
    canvas.text(WIDTH - MARGIN, percent(bar.share), align="right")
    canvas.line(key, family="DejaVu Sans Mono")


class _Canvas:
    """A column of lines on a white figure, measured in pixels from the top."""

    def __init__(self, height: float) -> None:
        from matplotlib.figure import Figure

        self.height = height
        self.top = float(MARGIN)
        self.figure: Figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white")

    def line(self, text: str, **style: Any) -> None:
        """Writes a line at the left and moves below it."""
        self.text(MARGIN, text, **style)
        self.skip(1.0)

    def text(
        self,
        x: float,
        text: str,
        *,
        colour: str = INK,
        weight: str = "normal",
        family: str = "DejaVu Sans",
        align: str = "left",
    ) -> None:
        """Writes at a place of the current line; text is never read as a formula."""
        self.figure.text(
            x / WIDTH,
            1 - (self.top + ROW / 2) / self.height,
            drawable(text),
            color=colour,
            weight=weight,
            family=family,
            size=8.5,
            ha=align,
            va="center",
            parse_math=False,
            usetex=False,
        )

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fills a rectangle; `y` is counted down from the top of the current line."""
        from matplotlib.patches import Rectangle

        corner = x / WIDTH, 1 - (self.top + y + height) / self.height
        self.figure.add_artist(
            Rectangle(corner, max(width, 0.5) / WIDTH, height / self.height, facecolor=colour, edgecolor="none")
        )

    def skip(self, lines: float) -> None:
        self.top += lines * ROW

    def png(self) -> bytes:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        buffer = io.BytesIO()
        FigureCanvasAgg(self.figure).print_png(buffer, metadata={"Software": None})
        return buffer.getvalue()


def drawable(text: str) -> str:
    """The text with a box for each character that the font does not have."""
    known = _characters()
    return "".join(c if ord(c) in known else "□" for c in text)


@cache
def _characters() -> frozenset[int]:
    from matplotlib import font_manager

    fonts = (font_manager.findfont(family) for family in ("DejaVu Sans", "DejaVu Sans Mono"))
    maps = [frozenset(font_manager.get_font(font).get_charmap()) for font in fonts]
    return maps[0] & maps[1]
