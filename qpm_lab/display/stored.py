"""The keys of a user as a list: names and stores, never a value."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from qpm_lab.display.surface import as_typed
from qpm_lab.display.tables import Row, Table, column


def secrets_table(rows: Sequence[Row]) -> Table:
    """Rows of `name` and `store`."""
    shown = (column("Name", "name", fixed=True), column("Stored in", "store", prose=True))
    count = "1 key" if len(rows) == 1 else f"{len(rows)} keys"
    empty = as_typed("No keys yet. Add one with %qsecret set NAME; it is asked for without echo.")
    return Table(shown, rows, count, empty)


def unused_words(name: str, fields: Mapping[str, Sequence[str]]) -> str:
    """That no provider uses a key of this name, and which one may be meant; empty when one does.

    Args:
        name: The key's.
        fields: The fields of the keys that each provider uses; a lone `token` is called as its provider.

    >>> unused_words("ionk", {"ionq": ["token"], "braket": ["access_key_id"]})
    'No provider here uses ionk. Did you mean ionq? In use are: ionq, braket/access_key_id.'
    """
    used = [own if field == "token" else f"{own}/{field}" for own, each in fields.items() for field in each]
    if name in used:
        return ""
    provider = name.partition("/")[0]
    close = [each for each in used if each.partition("/")[0] == provider] or difflib.get_close_matches(name, used, 1)
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"No provider here uses {name}.{meant} In use are: {', '.join(used)}."
