"""Lists as tables: real `<table>` markup for notebooks, rich tables for terminals."""

from __future__ import annotations

import io
import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qpm_lab.display.figures import UNKNOWN, plain
from qpm_lab.display.markup import Html, code, el, name_of, style
from qpm_lab.display.text import columns as usable_width
from qpm_lab.display.text import fitting

Row = Mapping[str, Any]
PROSE = 24
"""Columns that prose is given at least."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and how a row's cell reads."""

    title: str
    show: Callable[[Row], str]
    right: bool = False
    """Figures are set to the right, so that their digits stand under each other."""
    fixed: bool = False
    """Ids are set in fixed width."""
    prose: bool = False
    """Prose may be wrapped; ids and figures are kept in one piece."""


def column(title: str, key: str, *, fixed: bool = False, prose: bool = False) -> Column:
    """A column that shows one key of the row as it is."""
    return Column(title, lambda row: plain(row.get(key)), fixed=fixed, prose=prose)


@dataclass(frozen=True, slots=True)
class Table:
    """A list ready to be shown; `empty` is what an empty one teaches."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    caption: str
    empty: str

    def to_html(self) -> str:
        return table_html(self.columns, self.rows, self.caption, self.empty)

    def to_text(self, width: int | None = None, encoding: str | None = None) -> str:
        return table_text(self.columns, self.rows, self.caption, self.empty, width=width, encoding=encoding)


def table_html(columns: Sequence[Column], rows: Sequence[Row], caption: str, empty: str) -> str:
    """A captioned table in the colours of the page around it, or what to do when there are no rows."""
    if not rows:
        return str(el("div", style("table.css"), el("b", caption), el("p", empty), class_="qpm-table"))
    heads = (el("th", c.title, scope="col", class_="num" if c.right else None) for c in columns)
    table = el(
        "table",
        el("caption", caption),
        el("thead", el("tr", *heads)),
        el("tbody", *(_row(columns, row) for row in rows)),
    )
    return str(el("div", style("table.css"), table, class_="qpm-table", tabindex="0"))


def _row(columns: Sequence[Column], row: Row) -> Html:
    first, *others = columns
    cells = (el("td", _cell(c, row), class_=_class(c, row)) for c in others)
    return el("tr", el("th", _cell(first, row), scope="row", class_=_class(first, row)), *cells)


def _class(shown: Column, row: Row) -> str:
    """How a cell may wrap: long prose only, and never in a column of single words."""
    if shown.right:
        return "num"
    return "prose" if shown.prose and len(shown.show(row)) > PROSE else "whole"


def _cell(shown: Column, row: Row) -> Html:
    text = shown.show(row)
    return code(text) if shown.fixed else name_of(text)


def table_text(
    columns: Sequence[Column],
    rows: Sequence[Row],
    caption: str,
    empty: str,
    *,
    width: int | None = None,
    encoding: str | None = None,
) -> str:
    """The same for a terminal, without colours. Where the columns do not fit, each row becomes a
    few lines of its own; nothing is cut."""
    if not rows:
        return fitting(f"{caption}\n{empty}", encoding)
    room = usable_width(width or shutil.get_terminal_size().columns)
    cells = [[shown.show(row) for shown in columns] for row in rows]
    body = _grid(columns, cells, room) if _least_width(columns, cells) <= room else _stack(columns, cells, room)
    return fitting(f"{caption}\n{body}", encoding)


def _least_width(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> int:
    """Columns needed when only prose is wrapped."""
    widths = [max(len(c.title), *(len(row[i]) for row in cells)) for i, c in enumerate(columns)]
    least = (min(w, PROSE) if c.prose else w for w, c in zip(widths, columns, strict=True))
    return sum(least) + 2 * (len(columns) - 1)


def _grid(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for shown in columns:
        table.add_column(
            Text(shown.title),
            justify="right" if shown.right else "left",
            overflow="fold",
            no_wrap=not shown.prose,
        )
    for row in cells:
        table.add_row(*map(Text, row))
    page = io.StringIO()
    Console(file=page, width=room, color_system=None, legacy_windows=False, force_jupyter=False).print(table)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()).strip("\n")


def _stack(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> str:
    """The first cell on a line, the others below it; figures carry their heading."""
    lines = []
    for first, *others in cells:
        lines += [first]
        pairs = zip(columns[1:], others, strict=True)
        told = [f"{c.title.lower()} {text}" if c.right else text for c, text in pairs if text not in ("", UNKNOWN)]
        lines += textwrap.wrap(" · ".join(told), room, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines)
