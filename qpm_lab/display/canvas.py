"""A column of lines and drawings on a white figure: what the picture of a job is made with.

Everything is drawn straight onto the figure, without axes or pyplot: fast, and untouched by the
matplotlib settings and backend of the user's notebook. matplotlib is imported with the first canvas.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

WIDTH, DPI = 640, 100
"""Pixels, and pixels an inch."""
ROW, MARGIN = 20, 14
INK = "#1d232b"

Places = Sequence[tuple[float, float]]
"""Pixels from the left and, counted down, from the top of the current line."""


class Canvas:
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
        below: float = 0.0,
    ) -> None:
        """Writes at a place of the current line, or some pixels below it; text is never read as a formula."""
        self.figure.text(
            x / WIDTH,
            1 - (self.top + below + ROW / 2) / self.height,
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

        size = max(width, 0.5) / WIDTH, height / self.height
        self._add(Rectangle(self._at(x, y + height), *size, facecolor=colour, edgecolor="none"))

    def stroke(self, places: Places, colour: str, *, dashes: Sequence[float] = (), width: float = 1.3) -> None:
        """Draws a line through places; `dashes` are lengths of ink and gap in widths of the line."""
        from matplotlib.lines import Line2D

        xs, ys = zip(*(self._at(*place) for place in places), strict=True)
        style: Any = (0, tuple(dashes)) if dashes else "-"
        caps: Any = {"solid_capstyle": "butt", "dash_capstyle": "butt"}
        self._add(Line2D(xs, ys, color=colour, linewidth=width, linestyle=style, marker="none", **caps))

    def dot(self, place: tuple[float, float], colour: str) -> None:
        """Marks one place."""
        self.box(place[0] - 2, place[1] - 2, 4, 4, colour)

    def shape(self, places: Places, colour: str, opacity: float) -> None:
        """Fills the polygon of some places."""
        from matplotlib.patches import Polygon

        corners = [self._at(*place) for place in places]
        self._add(Polygon(corners, closed=True, facecolor=colour, edgecolor="none", alpha=opacity))

    def squares(self, corners: Places, size: tuple[float, float], colours: Sequence[Any]) -> None:
        """Fills rectangles of one size, each with a colour of its own, from their upper left corners."""
        from matplotlib.collections import PolyCollection

        def square(x: float, y: float) -> list[tuple[float, float]]:
            right, low = x + size[0], y + size[1]
            return [self._at(*place) for place in ((x, y), (right, y), (right, low), (x, low))]

        shapes = [square(*corner) for corner in corners]
        style: Any = {"edgecolors": "face", "linewidths": 0.3}
        self._add(PolyCollection(shapes, facecolors=colours, **style))

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x / WIDTH, 1 - (self.top + y) / self.height

    def _add(self, artist: Artist) -> None:
        artist.set_transform(self.figure.transSubfigure)
        self.figure.add_artist(artist)

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
