"""Where the points, ticks and cells of a sweep's drawing lie; every form draws from these places.

All places are of one: 0 is the left or lower end of the drawing, 1 the right or upper end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from qpm_lab.display.figures import percent, real
from qpm_lab.display.sweeps import Series, Sweep, Values

TOPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Ends of the axis of shares: few, so that a drawing that fills changes its scale seldom."""
TICKS = 5
"""About so many on each axis."""
SAME_STEP = 1e-6
"""Relative difference up to which two steps of an axis count as the same."""
POINT = "point, counted from 0"

Tick = tuple[float, str]
Places = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Ruler:
    """One axis: what it measures, and its ticks with their words."""

    name: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Neighbouring points of one outcome; `low` and `high` bound each, and are empty when unknown."""

    points: Places
    low: Places
    high: Places


@dataclass(frozen=True, slots=True)
class Line:
    """One outcome; it is broken into pieces where points are missing."""

    key: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class LinePlot:
    """Shares over the first parameter that tells the points apart, or over the number of the point."""

    across: Ruler
    up: Ruler
    lines: tuple[Line, ...]
    empty: float | None
    """From here on nothing has been run; None when nothing is missing at the right end."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One outcome over a grid; (column, row) of each known cell with its part of the scale, row 0 lowest."""

    key: str
    columns: int
    rows: int
    cells: tuple[tuple[int, int, float], ...]
    top: float
    """The share that has the full colour."""
    across: Ruler
    up: Ruler


def ceiling(series: Sequence[Series]) -> float:
    """The least end of the scale that holds every share and interval."""
    known = (v for one in series for values in (one.share, one.high) for v in values if v is not None)
    highest = max(known, default=1.0)
    return next(top for top in TOPS if highest <= top)


def line_plot(sweep: Sweep) -> LinePlot:
    """The drawing of a sweep along one line."""
    name, values, start, end = _horizontal(sweep)
    places = tuple((value - start) / (end - start) for value in values)
    ordered = _order(sweep.indices, places)
    top = ceiling(sweep.series)
    lines = tuple(Line(one.key, _pieces(one, places, ordered, top)) for one in sweep.series)
    rising = all(places[a] < places[b] for run in ordered for a, b in pairwise(run))
    empty = None if sweep.complete or not rising else max(places, default=0.0)
    ticks = tuple(((at - start) / (end - start), words) for at, words in nice_ticks(start, end))
    return LinePlot(Ruler(name, ticks), _shares(top), lines, empty)


def _shares(top: float) -> Ruler:
    ticks = tuple((part / 2, f"{top * part / 2:.1%}".replace(".0%", "%").replace("%", " %")) for part in range(3))
    return Ruler("share", ticks)


def _horizontal(sweep: Sweep) -> tuple[str, Sequence[float], float, float]:
    """Name, value of each shown point, and both ends of the axis."""
    for name in sweep.names if len(sweep.axes) <= 1 else ():
        values = [v for v in sweep.values[name] if v is not None]
        ends = _ends(sweep, values) if values and len(set(values)) == len(sweep.indices) else None
        if ends and ends[0] < ends[1] and math.isfinite(ends[1] - ends[0]):
            return name, values, *ends
    return POINT, [float(i) for i in sweep.indices], *_wide(0.0, sweep.points - 1.0)


def _ends(sweep: Sweep, values: Sequence[float]) -> tuple[float, float] | None:
    """Least and greatest value of the whole sweep; None while that cannot be known."""
    if sweep.complete:
        return _wide(min(values), max(values))
    if len(values) < 2 or sweep.indices[0] == sweep.indices[-1]:
        return None
    step = (values[-1] - values[0]) / (sweep.indices[-1] - sweep.indices[0])
    zero = values[0] - step * sweep.indices[0]
    last = zero + step * (sweep.points - 1)
    slack = SAME_STEP * abs(last - zero)
    even = all(abs(zero + step * i - v) <= slack for i, v in zip(sweep.indices, values, strict=True))
    return (min(zero, last), max(zero, last)) if even else None


def _wide(start: float, end: float) -> tuple[float, float]:
    return (start, end) if end > start else (start - 0.5, start + 0.5)


def nice_ticks(start: float, end: float) -> list[tuple[float, str]]:
    """Round values between two ends, with words that tell them apart.

    >>> [words for _, words in nice_ticks(0, 6.283)]
    ['0', '2', '4', '6']
    """
    raw = (end - start) / TICKS
    size = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 0.0
    if not 0 < size < math.inf:
        return []
    step = size * next(n for n in (1, 2, 5, 10) if n * size >= raw * 0.999)
    first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
    if last - first > 2 * TICKS:
        return []
    return [(n * step, _tick_words(n * step, step)) for n in range(first, last + 1)]


def _tick_words(value: float, step: float) -> str:
    if step < 1e-4 or abs(value) >= 1e7:
        return f"{value:.6g}"
    words = f"{value:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
    return words if words.strip("-0.,") else "0"


def _order(indices: Sequence[int], places: Sequence[float]) -> list[list[int]]:
    """Shown points from left to right, in runs without a gap."""
    by_place = sorted(range(len(places)), key=lambda shown: places[shown])
    steps = [abs(indices[b] - indices[a]) for a, b in pairwise(by_place)]
    if not steps:
        return [by_place] if by_place else []
    usual, runs = median(steps), [[by_place[0]]]
    monotone = sum(steps) == max(indices) - min(indices)
    for step, shown in zip(steps, by_place[1:], strict=True):
        if monotone and step > 2 * usual:
            runs.append([])
        runs[-1].append(shown)
    return runs


def _pieces(one: Series, places: Sequence[float], runs: list[list[int]], top: float) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for run in runs:
        known: list[int] = []
        for shown in run:
            if one.share[shown] is not None:
                known.append(shown)
            elif known:
                pieces.append(_piece(one, places, known, top))
                known = []
        if known:
            pieces.append(_piece(one, places, known, top))
    return tuple(pieces)


def _piece(one: Series, places: Sequence[float], known: Sequence[int], top: float) -> Piece:
    def at(values: Values) -> Places:
        return tuple((places[shown], (values[shown] or 0.0) / top) for shown in known)

    bounded = all(one.low[shown] is not None for shown in known)
    return Piece(at(one.share), at(one.low) if bounded else (), at(one.high) if bounded else ())


def heat_map(sweep: Sweep, cells: tuple[int, int], chosen: int = 0) -> HeatMap:
    """One outcome of a grid of rows and columns shown."""
    one = sweep.series[chosen] if sweep.series else Series("", (), (), ())
    width = sweep.axes[1]
    rows = _ranks([i // width for i in sweep.indices], cells[0], sweep.axes[0])
    columns = _ranks([i % width for i in sweep.indices], cells[1], width)
    top = ceiling([one])
    known = ((c, r, s / top) for c, r, s in zip(columns, rows, one.share, strict=False) if s is not None)
    first, second = _sides(sweep, rows, columns)
    return HeatMap(
        key=one.key,
        columns=cells[1],
        rows=cells[0],
        cells=tuple(known),
        top=top,
        across=_side(sweep, second, columns, cells[1]),
        up=_side(sweep, first, rows, cells[0]),
    )


def _ranks(seen: Sequence[int], shown: int, whole: int) -> list[int]:
    """Which of the shown rows (or columns) each point lies in; shown ones are spread evenly over all."""
    known = sorted(set(seen))
    if len(known) == shown:
        rank = {at: place for place, at in enumerate(known)}
        return [rank[at] for at in seen]
    return [min(shown - 1, round(at * (shown - 1) / (whole - 1))) for at in seen]


def _sides(sweep: Sweep, rows: Sequence[int], columns: Sequence[int]) -> tuple[str, str]:
    """The first parameter that follows the rows alone, and the first that follows the columns alone."""
    follows = {
        name: (_follows(sweep.values[name], rows), _follows(sweep.values[name], columns)) for name in sweep.names
    }
    second = next((n for n, (row, column) in follows.items() if column and not row), "")
    first = next((n for n, (row, _) in follows.items() if row and n != second), "")
    return first, second


def _follows(values: Values, side: Sequence[int]) -> bool:
    found: dict[int, float | None] = {}
    return all(found.setdefault(at, value) == value for at, value in zip(side, values, strict=True))


def _side(sweep: Sweep, name: str, side: Sequence[int], many: int) -> Ruler:
    """Ticks at a few of the cells whose value is known."""
    values = dict(zip(side, sweep.values.get(name, ()), strict=False))
    spread = range(many) if many <= TICKS else [round(i * (many - 1) / (TICKS - 1)) for i in range(TICKS)]
    known = [(at, value) for at in spread if (value := values.get(at)) is not None]
    words = [f"{value:.4g}" for _, value in known]
    if len(set(words)) < len(words):
        words = [real(value) for _, value in known]
    return Ruler(name, tuple(((at + 0.5) / many, said) for (at, _), said in zip(known, words, strict=True)))


def spoken(sweep: Sweep) -> str:
    """The drawing in a sentence or two, for whoever cannot see it."""
    if not sweep.indices:
        return "No point is done yet."
    if sweep.cells:
        one = sweep.series[0] if sweep.series else None
        return f"Heat map over {' and '.join(sweep.names)}. {_course(one)}" if one else "Heat map without outcomes."
    across = line_plot(sweep).across.name
    return f"Line chart over {across}. " + " ".join(map(_course, sweep.series))


def _course(one: Series) -> str:
    known = [share for share in one.share if share is not None]
    if not known:
        return f"{one.key}: unknown."
    ends = f"starts at {percent(known[0])}, ends at {percent(known[-1])}"
    return f"{one.key} {ends}, lowest {percent(min(known))}, highest {percent(max(known))}."
