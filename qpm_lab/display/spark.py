"""A sweep for a terminal: a row of blocks for each outcome, shades for a grid, and a few points in figures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from qpm_lab.display import sweeps
from qpm_lab.display.figures import percent, percent_range
from qpm_lab.display.plots import HeatMap, Line, LinePlot, Ruler, heat_map, line_plot
from qpm_lab.display.sweeps import Sweep
from qpm_lab.display.wording import Document

BLOCKS = "▁▂▃▄▅▆▇█"
SHADES = " ░▒▓█"
MISSING = "·"
WIDEST, HIGHEST = 48, 12
"""Characters across and lines up that a drawing has at most."""
KEY = 16
ROWS = 5
"""Points in figures."""


def sweep_lines(document: Document, found: Sweep, width: int) -> Iterator[list[tuple[str, str]]]:
    """Lines of (text, tone) pieces, none wider than `width` columns."""
    yield from _wrapped(found.heading, width, "mut")
    if found.cells:
        yield from _heat(heat_map(found, found.cells), width)
    else:
        yield from _lines(found, line_plot(found), width)
    yield from _figures(found, width)
    words, call = sweeps.kept(document)
    if call:
        yield from _wrapped(f"{words} {call}", width, "mut")


def _wrapped(words: str, width: int, tone: str) -> Iterator[list[tuple[str, str]]]:
    yield from ([(line, tone)] for line in textwrap.wrap(words, width))


def _figures(found: Sweep, width: int) -> Iterator[list[tuple[str, str]]]:
    """A few points as a table, with as many outcomes as fit beside each other."""
    shown = sweeps.table(found, ROWS)
    if not shown.rows or not found.series:
        return
    rows = [[_short(head) for head in shown.heads], *map(list, shown.rows)]
    wide = [max(len(row[at]) for row in rows) for at in range(len(shown.heads))]
    fit = max(1, sum(sum(wide[: at + 1]) + 2 * at + 2 <= width for at in range(len(wide))))
    for at, row in enumerate(rows):
        cells = "  ".join(cell.ljust(room) for cell, room in zip(row[:fit], wide, strict=False))
        yield [(f"  {cells}"[:width], "" if at else "mut")]


def _lines(found: Sweep, plot: LinePlot, width: int) -> Iterator[list[tuple[str, str]]]:
    keys = [_short(line.key) for line in plot.lines]
    left = max(map(len, keys), default=0)
    room = max(8, min(WIDEST, width - left - 24, max(8, found.points)))
    for line, key, one in zip(plot.lines, keys, found.series, strict=True):
        known = [share for share in one.share if share is not None]
        between = f"  {percent_range(min(known), max(known))}" if known else ""
        fits = left + 3 + room + len(between) <= width
        yield [(f"  {key.ljust(left)} ", ""), (_blocks(line, room), "busy"), (between if fits else "", "mut")]
    yield from _ticks(plot.across, left + 3, room, width)


def _short(key: str) -> str:
    return key if len(key) <= KEY else f"{key[:7]}…{key[-7:]}"


def _blocks(line: Line, room: int) -> str:
    """One block for each column, as high as the nearest point there; dots where nothing was run."""
    columns: list[float | None] = [None] * room
    for piece in line.pieces:
        ends = round(piece.points[0][0] * (room - 1)), round(piece.points[-1][0] * (room - 1))
        for column in range(ends[0], ends[1] + 1):
            columns[column] = min(piece.points, key=lambda point: abs(point[0] * (room - 1) - column))[1]
    return "".join(MISSING if part is None else BLOCKS[min(7, int(part * 8))] for part in columns)


def _ticks(ruler: Ruler, left: int, room: int, width: int) -> Iterator[list[tuple[str, str]]]:
    """The ticks below the drawing and the name of the axis behind them."""
    line = ""
    for at, words in ruler.ticks:
        start = max(0, round(at * (room - 1)) - len(words) // 2)
        if not line or start > len(line):
            line = line.ljust(start) + words
    named = f"{line.ljust(room)}  {ruler.name}"
    yield [(f"{' ' * left}{named}"[:width], "mut")]


def _heat(plot: HeatMap, width: int) -> Iterator[list[tuple[str, str]]]:
    labels = {round(at * plot.rows - 0.5): words for at, words in plot.up.ticks}
    left = max(map(len, labels.values()), default=0)
    columns = _spread(plot.columns, min(WIDEST, width - left - 3))
    known = {(column, row): share for column, row, share in plot.cells}
    wide = 2 if 2 * len(columns) + left + 3 <= min(width, WIDEST) else 1
    yield [(f"  {_short(plot.key)}, {plot.up.name} upwards"[:width], "")] if plot.key else []
    for row in reversed(_spread(plot.rows, HIGHEST)):
        drawn = "".join(_shade(known.get((column, row))) * wide for column in columns)
        yield [(f"  {labels.get(row, '').rjust(left)} ", "mut"), (drawn, "busy")]
    yield from _ticks(plot.across, left + 3, len(columns) * wide, width)
    yield [(f"  '{SHADES[0]}' 0 %  '{SHADES[-1]}' {percent(plot.top)}  '{MISSING}' not run"[:width], "mut")]


def _shade(share: float | None) -> str:
    return MISSING if share is None else SHADES[min(len(SHADES) - 1, int(share * len(SHADES)))]


def _spread(whole: int, many: int) -> Sequence[int]:
    """At most `many` of `whole` rows or columns, evenly, the first and the last among them."""
    many = max(2, many)
    return range(whole) if whole <= many else [round(i * (whole - 1) / (many - 1)) for i in range(many)]
