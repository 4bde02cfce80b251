"""A sweep drawn for the HTML card: lines with their bands, or a heat map; words and figures below.

Lines stretch with the page while words and strokes keep their size: the drawing is an SVG without
aspect ratio, its labels are HTML around it. Nothing here needs a script or an id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qpm_lab.display import sweeps
from qpm_lab.display.bars import key_html, spoken
from qpm_lab.display.figures import percent
from qpm_lab.display.markup import Html, code, el, join, name_of
from qpm_lab.display.plots import HeatMap, LinePlot, Piece, Ruler, heat_map, line_plot
from qpm_lab.display.plots import spoken as told
from qpm_lab.display.sweeps import Sweep
from qpm_lab.display.wording import Document

DOTS = 30
"""Up to so many points each is marked; more would hide the dashes that tell the lines apart."""
SHADES = 16
SIZE = 1000
"""The drawing's own units in each direction."""

Cell = tuple[int, int, float]


def sweep_html(document: Document, found: Sweep) -> Html:
    """The drawing, where all points are, and some of them in figures."""
    drawing = _heat(heat_map(found, found.cells)) if found.cells else _lines(line_plot(found))
    label = told(found)
    return el(
        "div",
        el("h4", found.heading, title=found.method or None),
        el("div", drawing, class_="chart", role="img", aria_label=label),
        _kept(document),
        _figures(found) if found.indices and found.series else None,
        class_="main",
    )


def _kept(document: Document) -> Html | None:
    words, call = sweeps.kept(document)
    return el("p", f"{words} ", code(call), class_="mut") if call else None


def _lines(plot: LinePlot) -> Html:
    many = sum(len(piece.points) for line in plot.lines[:1] for piece in line.pieces)
    drawn = [_line(place, line.pieces, many <= DOTS) for place, line in enumerate(plot.lines)]
    empty = None if plot.empty is None else el("span", class_="empty", style=f"left:{plot.empty * 100:.2f}%")
    legend = (el("li", _swatch(place), key_html(line.key)) for place, line in enumerate(plot.lines))
    return join(
        el("ul", *legend, class_="legend") if plot.lines else None,
        _framed(join(empty, _svg(SIZE, SIZE, *drawn)), plot.across, plot.up),
    )


def _svg(width: int, height: int, *children: Html) -> Html:
    box = f"0 0 {width} {height}"
    return el("svg", *children, viewBox=box, preserveAspectRatio="none", aria_hidden="true", focusable="false")


def _line(place: int, pieces: Sequence[Piece], dotted: bool) -> Html:
    bands = "".join(_path([*piece.low, *reversed(piece.high)]) + "z" for piece in pieces if piece.low)
    course = "".join(_path(piece.points) for piece in pieces)
    dots = "".join(f"{_path([point])}h0" for piece in pieces for point in piece.points)
    return el(
        "g",
        el("path", d=bands, class_="band") if bands else None,
        el("path", d=course, class_="course"),
        el("path", d=dots, class_="dots") if dotted else None,
        class_=f"s{place}",
    )


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{round(x * SIZE)} {round((1 - y) * SIZE)}" for x, y in points)


def _swatch(place: int) -> Html:
    line = el("path", d="M0 5L32 5", class_="course")
    return el("svg", el("g", line, class_=f"s{place}"), viewBox="0 0 32 10", aria_hidden="true", class_="swatch")


def _framed(drawing: Html, across: Ruler, up: Ruler) -> Html:
    """The drawing with its ticks below and at its left, and the names of both axes."""
    below = (el("span", words, class_="x", style=f"left:{at * 100:.2f}%") for at, words in across.ticks)
    beside = (el("span", words, class_="y", style=f"bottom:{at * 100:.2f}%") for at, words in up.ticks)
    return join(
        el("div", name_of(up.name), class_="axisname mut"),
        el("div", drawing, *below, *beside, class_="plot num"),
        el("div", name_of(across.name), class_="axisname across mut"),
    )


def _heat(plot: HeatMap) -> Html:
    title = el("p", "Share of ", key_html(plot.key)) if plot.key else None
    drawn = [el("path", d=_squares(plot.rows, plot.cells), class_="ground"), *_shaded(plot)] if plot.cells else []
    scale = el(
        "div", el("span", "0 %"), el("span", class_="ramp"), el("span", percent(plot.top)), class_="scale num mut"
    )
    empty = el("span", class_="empty", style="left:0")
    drawing = join(empty, _svg(plot.columns, plot.rows, *drawn))
    return join(title, _framed(drawing, plot.across, plot.up), scale)


def _shaded(plot: HeatMap) -> list[Html]:
    """One path for each shade that occurs, instead of an element for each cell."""
    shades: dict[int, list[Cell]] = {}
    for cell in plot.cells:
        shades.setdefault(round(cell[2] * SHADES), []).append(cell)
    return [
        el("path", d=_squares(plot.rows, cells), class_="cell", style=f"fill-opacity:{shade / SHADES:.3f}")
        for shade, cells in sorted(shades.items())
        if shade
    ]


def _squares(rows: int, cells: Iterable[Cell]) -> str:
    """The cells as one path; neighbours in a row are one rectangle."""
    runs: list[list[int]] = []
    for column, row, _ in sorted(cells, key=lambda cell: (cell[1], cell[0])):
        if runs and runs[-1][1] == row and runs[-1][0] + runs[-1][2] == column:
            runs[-1][2] += 1
        else:
            runs.append([column, row, 1])
    return "".join(f"M{column} {rows - 1 - row}h{wide}v1h-{wide}z" for column, row, wide in runs)


def _figures(found: Sweep) -> Html:
    """Some points as a table behind a click."""
    shown = sweeps.table(found)
    heads = (el("th", name_of(head), scope="col") for head in shown.heads)
    rows = (el("tr", el("th", row[0], scope="row"), *(el("td", cell) for cell in row[1:])) for row in shown.rows)
    table = el("table", el("caption", spoken(shown.title)), el("thead", el("tr", *heads)), el("tbody", *rows))
    return el(
        "details",
        el("summary", shown.title),
        el("div", table, class_="points num", tabindex="0"),
        class_="all",
    )
