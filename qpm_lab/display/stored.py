"""The keys of a user as a list: names and stores, never a value."""

from __future__ import annotations

from collections.abc import Sequence

from qpm_lab.display.tables import Row, Table, column


def secrets_table(rows: Sequence[Row], *, add: str) -> Table:
    """Rows of `name` and `store`; `add` is what has to be typed to add one."""
    shown = (column("Name", "name", fixed=True), column("Stored in", "store", prose=True))
    count = "1 key" if len(rows) == 1 else f"{len(rows)} keys"
    return Table(shown, rows, count, f"No keys yet. Add one with {add}; it is asked for without echo.")
