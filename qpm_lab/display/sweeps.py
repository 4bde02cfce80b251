"""What a sweep measured, read from a record: shares of a few outcomes at some of its points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from qpm_lab.display.figures import UNKNOWN, counted, level, number, percent, percent_range, plain, real
from qpm_lab.display.wording import Document, part, parts, points_words, status

SERIES = 6
"""Outcomes drawn of a sweep: as many as have a dash and a colour of their own."""
SHOWN = 2000
"""Points read from one record, more than any record of ours has."""
NAMES = 3
"""Parameters named in front of each point of the table."""
ROWS = 11
"""Points in the table below the drawing."""
TABLE = "job.result().to_frame()"
PARTIAL = "job.partial().to_frame()"
ENDED_EARLY = frozenset({"cancelled", "failed"})

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One outcome at every shown point. Shares are of one; each interval is for its point alone."""

    key: str
    share: Values
    low: Values
    high: Values

    def told(self, place: int) -> str:
        """Its share and interval at one shown point: '49.0 % [46.0 – 52.1 %]'."""
        between = percent_range(self.low[place], self.high[place])
        return percent(self.share[place]) + (f" [{between}]" if between != UNKNOWN else "")


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep, complete or not; its shown points lie in the order of the record."""

    names: tuple[str, ...]
    axes: tuple[int, ...]
    """Lengths of the axes that have more than one point."""
    points: int
    done: int
    indices: tuple[int, ...]
    """Of the shown points in the whole sweep, row-major."""
    cells: tuple[int, int] | None
    """Rows and columns shown of a grid; None for anything that is not a grid."""
    values: Mapping[str, Values]
    series: tuple[Series, ...]
    """Those that vary most come first."""
    level: str
    method: str

    @property
    def complete(self) -> bool:
        return self.done >= self.points

    @property
    def heading(self) -> str:
        """What is drawn, and what its intervals are worth."""
        return f"Shares, with {self.level} intervals for each point" if self.level else "Shares of the outcomes"


def sweep(document: Document) -> Sweep | None:
    """The sweep of a record; None when the job is no sweep or nothing is known of its size."""
    data = part(document, "sweep")
    axes = tuple(int(n) for n in map(number, _list(data.get("shape"))) if n and n > 1)
    points = int(number(data.get("points")) or prod(axes))
    if not data or points < 1:
        return None
    shown = part(data, "shown")
    indices = [number(i) for i in _list(shown.get("indices"))[:SHOWN]]
    kept = [place for place, i in enumerate(indices) if i is not None and 0 <= i < points]
    given = part(data, "values")
    names = tuple(plain(name) for name in _list(data.get("parameters")))
    return Sweep(
        names=names,
        axes=axes,
        points=points,
        done=min(points, max(0, int(number(data.get("done")) or 0))),
        indices=tuple(int(indices[place] or 0) for place in kept),
        cells=_cells(axes, _list(shown.get("shape"))) if prod(axes) == points else None,
        values={name: _picked(given.get(name), kept) for name in names},
        series=tuple(_series(row, kept) for row in parts(data, "outcomes")[:SERIES]),
        level=level(data.get("level")) if number(data.get("level")) is not None else "",
        method=plain(data.get("method")),
    )


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _picked(value: object, kept: Sequence[int]) -> Values:
    given = _list(value)
    return tuple(number(given[place]) if place < len(given) else None for place in kept)


def _series(row: Document, kept: Sequence[int]) -> Series:
    shares, lows, highs = (_picked(row.get(key), kept) for key in ("share", "low", "high"))
    ends = [_bounded(low, high) for low, high in zip(lows, highs, strict=True)]
    clipped = tuple(None if share is None else min(1.0, max(0.0, share)) for share in shares)
    return Series(plain(row.get("key")) or "(empty)", clipped, tuple(e[0] for e in ends), tuple(e[1] for e in ends))


def _bounded(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    known = low is not None and high is not None and 0 <= low <= high <= 1
    return (low, high) if known else (None, None)


def _cells(axes: Sequence[int], shape: Sequence[object]) -> tuple[int, int] | None:
    """Rows and columns shown, when the sweep has two axes and both can be drawn."""
    sizes = [int(n) for n in map(number, shape) if n is not None and n >= 1]
    if len(axes) != 2 or len(sizes) != 2 or prod(sizes) > SHOWN:
        return None
    return min(sizes[0], axes[0]), min(sizes[1], axes[1])


def kept(document: Document) -> tuple[str, str]:
    """Where all points are: a few words and the call; both empty while there is nothing to get."""
    found = sweep(document)
    if found is None or not found.done:
        return "", ""
    if status(document) in ENDED_EARLY:
        verb = "is" if found.points == 1 else "are"
        return f"{points_words(document)} {verb} kept:", PARTIAL
    return ("All points as a table:", TABLE) if status(document) == "completed" else ("", "")


@dataclass(frozen=True, slots=True)
class PointTable:
    """Some points in words, for whoever cannot see the drawing or wants figures."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table(found: Sweep, rows: int = ROWS) -> PointTable:
    """Evenly chosen points with their parameters, shares and intervals; at most `rows`."""
    many = len(found.indices)
    places = range(many) if many <= rows else [round(i * (many - 1) / (rows - 1)) for i in range(rows)]
    names = found.names[:NAMES]
    lines = tuple(_row(found, place, names) for place in places)
    whole = many == found.points and many <= rows
    title = "All points in figures" if whole else f"{counted(len(lines), 'point')} in figures"
    return PointTable(title, (*(names or ("point",)), *(one.key for one in found.series)), lines)


def _row(found: Sweep, place: int, names: Sequence[str]) -> tuple[str, ...]:
    point = tuple(real(found.values[name][place]) for name in names) or (f"{found.indices[place]:,}",)
    return (*point, *(one.told(place) for one in found.series))
