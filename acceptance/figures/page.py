"""The tables of docs/fidelity.md, which stand between markers and are never written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from acceptance.figures.exact import Coverage
from acceptance.figures.flagged import Flagged
from acceptance.figures.reported import Reports

SHOWN = {"coherent": (0.0, 0.05, 0.1, 0.2, 0.3, 0.4), "white": (0.1, 0.3, 0.5, 0.8)}
"""Strengths of the errors that the table of flags lists; the picture has all."""


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    """The page with these tables between their markers.

    Raises:
        ValueError: a table has no pair of markers.
    """
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, mark, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not mark or not closed:
            raise ValueError(f"the page has no place for the table {name!r}")
        text = f"{before}{begin}{table}{end}{after}"
    return text


def reports(cells: Sequence[Reports]) -> str:
    """A row for each size and number of shots."""
    head = "qubits|shots|truth|Qiskit's plug-in|its bootstrap|holds the truth|here|holds the truth"
    return _table(head, [report_row(cell) for cell in cells])


def report_row(cell: Reports) -> str:
    """One line of that table."""
    return _row(
        cell.qubits,
        f"{cell.shots:,}",
        f"{cell.truth:.3f}",
        f"{cell.plug_in:.3f}",
        _ends(cell.bootstrap),
        _share(cell.bootstrap_coverage, cell.repetitions),
        _ends(cell.ours),
        _share(cell.our_coverage, cell.repetitions),
    )


def exact(cells: Sequence[Coverage]) -> str:
    """A row for each number of shots."""
    rows = [
        _row(f"{cell.shots:,}", *(f"{float(np.min(each)):.4f}" for each in (cell.ours, cell.textbook)))
        for cell in cells
    ]
    return _table("shots|least coverage here|least coverage of the textbook interval", rows)


def flags(cells: Sequence[Flagged]) -> str:
    """A row for each error and each strength that is listed."""
    head = "error|strength|the state's fidelity|heavy-set, one run|Hellinger, one run|red"
    return _table(head, [flag_row(cell) for cell in cells if cell.strength in SHOWN[cell.kind]])


def flag_row(cell: Flagged) -> str:
    """One line of that table."""
    kind = {"coherent": "ZZ angles too large", "white": "white noise"}[cell.kind]
    intervals = [_ends((each.low or 0.0, each.high or 0.0)) for each in (cell.heavy, cell.hellinger)]
    return _row(
        kind,
        f"{cell.strength:.0%}".replace("%", " %"),
        f"{cell.state:.3f}",
        *intervals,
        f"{cell.red:.1%}".replace("%", " %"),
    )


def _ends(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} – {interval[1]:.3f}"


def _share(value: float, repetitions: int) -> str:
    return f"{round(value * repetitions)} of {repetitions}"


def _row(*values: object) -> str:
    return f"| {' | '.join(map(str, values))} |\n"


def _table(head: str, rows: Sequence[str]) -> str:
    names = head.split("|")
    return _row(*names) + _row(*["---"] * len(names)) + "".join(rows)
