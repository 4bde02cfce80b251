"""A sweep drawn onto a canvas: lines with their bands, or a heat map."""

from __future__ import annotations

from qpm_lab.display.canvas import MARGIN, ROW, WIDTH, Canvas
from qpm_lab.display.figures import percent
from qpm_lab.display.plots import HeatMap, LinePlot, Piece, Ruler, heat_map, line_plot
from qpm_lab.display.sweeps import Sweep

LEFT = MARGIN + 58
WIDE = WIDTH - LEFT - 3 * MARGIN
HIGH = 180
"""Left end and size of the drawing in pixels."""
MUTED, EMPTY = "#5c6672", "#e6e9ee"
INKS = ("#2f4bc4", "#a84400", "#00735a", "#9a2f76", "#1d232b", "#7a6000")
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 3), (1.5, 2), (6, 2, 1.5, 2), (10, 3), (5, 2, 1.5, 2, 1.5, 2))
"""Every outcome has a colour and a dash of its own."""
DOTS = 30
SHADE = (47, 75, 196)
"""The full colour of a heat map, as red, green and blue up to 255."""


def picture_rows(sweep: Sweep) -> float:
    """How many lines of text the drawing is as high as."""
    return HIGH / ROW + 3 + (0 if sweep.cells else (max(1, len(sweep.series)) + 2) // 3)


def line_picture(canvas: Canvas, sweep: Sweep) -> None:
    """Every outcome as a line through a band; the rest of the frame is grey while points are missing."""
    plot = line_plot(sweep)
    _legend(canvas, plot)
    if plot.empty is not None:
        canvas.box(LEFT + plot.empty * WIDE, 0, (1 - plot.empty) * WIDE, HIGH, EMPTY)
    many = sum(len(piece.points) for line in plot.lines[:1] for piece in line.pieces)
    for place, line in enumerate(plot.lines):
        for piece in line.pieces:
            _piece(canvas, piece, place, many <= DOTS)
    _frame(canvas, plot.across, plot.up)


def _legend(canvas: Canvas, plot: LinePlot) -> None:
    for place, line in enumerate(plot.lines):
        x = MARGIN + place % 3 * (WIDTH / 3 - MARGIN)
        canvas.stroke([(x, ROW / 2), (x + 34, ROW / 2)], INKS[place], dashes=DASHES[place])
        key = line.key if len(line.key) <= 16 else f"{line.key[:7]}…{line.key[-7:]}"
        canvas.text(x + 42, key, family="DejaVu Sans Mono")
        if place % 3 == 2 or line is plot.lines[-1]:
            canvas.skip(1)
    canvas.skip(0.7)


def _piece(canvas: Canvas, piece: Piece, place: int, dotted: bool) -> None:
    if piece.low:
        canvas.shape([_pixel(*at) for at in (*piece.low, *reversed(piece.high))], INKS[place], 0.17)
    course = [_pixel(*at) for at in piece.points]
    canvas.stroke(course, INKS[place], dashes=DASHES[place])
    for at in course if dotted else ():
        canvas.dot(at, INKS[place])


def _pixel(x: float, y: float) -> tuple[float, float]:
    return LEFT + x * WIDE, (1 - y) * HIGH


def heat_picture(canvas: Canvas, sweep: Sweep) -> None:
    """The outcome that varies most; cells that were not run stay grey."""
    plot = heat_map(sweep, sweep.cells or (1, 1))
    canvas.line(f"Share of {plot.key[:40]}", family="DejaVu Sans Mono")
    canvas.skip(0.4)
    canvas.box(LEFT, 0, WIDE, HIGH, EMPTY)
    size = WIDE / plot.columns, HIGH / plot.rows
    corners = [(LEFT + column * size[0], (plot.rows - 1 - row) * size[1]) for column, row, _ in plot.cells]
    canvas.squares(corners, size, [_shade(share) for _, _, share in plot.cells])
    _scale(canvas, plot)
    _frame(canvas, plot.across, plot.up)


def _shade(share: float) -> tuple[float, float, float]:
    red, green, blue = (1 + (part / 255 - 1) * share for part in SHADE)
    return red, green, blue


def _scale(canvas: Canvas, plot: HeatMap) -> None:
    """What no colour and full colour stand for, above the drawing's right end."""
    end, top = LEFT + WIDE, -1.5 * ROW
    canvas.squares([(end - 170 + i * 12, top) for i in range(10)], (12, 9), [_shade(i / 9) for i in range(10)])
    canvas.text(end - 176, "0 %", align="right", below=top - ROW / 2 + 4.5)
    canvas.text(end - 44, percent(plot.top), below=top - ROW / 2 + 4.5)


def _frame(canvas: Canvas, across: Ruler, up: Ruler) -> None:
    canvas.box(LEFT, 0, 1, HIGH, MUTED)
    canvas.box(LEFT, HIGH, WIDE, 1, MUTED)
    for at, words in up.ticks:
        canvas.text(LEFT - 6, words, align="right", colour=MUTED, below=(1 - at) * HIGH - ROW / 2)
    for at, words in across.ticks:
        canvas.text(LEFT + at * WIDE, words, align="center", colour=MUTED, below=HIGH + 2)
    canvas.text(LEFT + WIDE / 2, across.name[:60], align="center", colour=MUTED, below=HIGH + ROW)
