"""Lists as tables: real `<table>` markup for notebooks, rich tables for terminals."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qpm_lab.display.figures import plain
from qpm_lab.display.markup import Html, code, el, name_of, style
from qpm_lab.display.text import columns as usable_width
from qpm_lab.display.text import fitting

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and how a row's cell reads."""

    title: str
    show: Callable[[Row], str]
    right: bool = False
    """Figures are set to the right, so that their digits stand under each other."""
    fixed: bool = False
    """Ids are set in fixed width."""


def column(title: str, key: str, *, right: bool = False, fixed: bool = False) -> Column:
    """A column that shows one key of the row as it is."""
    return Column(title, lambda row: plain(row.get(key)), right, fixed)


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
    cells = (el("td", _cell(c, row), class_="num" if c.right else None) for c in others)
    return el("tr", el("th", _cell(first, row), scope="row"), *cells)


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
    """The same for a terminal, without colours; cells wrap rather than being cut."""
    if not rows:
        return fitting(f"{caption}\n{empty}", encoding)
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=box.SIMPLE_HEAD, title=Text(caption), title_justify="left", pad_edge=False)
    for shown in columns:
        table.add_column(shown.title, justify="right" if shown.right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown.show(row)) for shown in columns))
    page = io.StringIO()
    Console(file=page, width=usable_width(width), color_system=None, legacy_windows=False).print(table)
    return fitting("\n".join(line.rstrip() for line in page.getvalue().splitlines()).strip("\n"), encoding)
