"""Backends by provider, each with what makes it ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from qpm_lab import providers

STATES = ("ready", "needs-key", "not-installed", "offline")
"""Of a provider the first that one of its backends at the vendor has; of one without any, that one of all has."""
COMMAND = "qpm "


def by_provider(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Groups rows of `Lab.backend_rows()`, those that can run a job now first.

    Returns:
        One document each: `provider`, `title`, `state`, `note` and `commands` (what to type in a terminal), `backends`.
    """
    ordered = sorted(rows, key=lambda row: str(row["provider"]))
    groups = [_group(name, list(found)) for name, found in groupby(ordered, key=lambda row: str(row["provider"]))]
    return sorted(groups, key=lambda group: (_rank(group["state"]), group["provider"]))


def _group(name: str, rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    remote = providers.vendors().get(name)
    told = [row for row in rows if not row["local"]] or rows
    first = min(told, key=lambda row: _rank(row["state"]))
    note, commands = _advice(first["note"])
    return {
        "provider": name,
        "title": remote.vendor.title if remote else name,
        "state": first["state"],
        "note": note,
        "commands": commands,
        "backends": rows,
    }


def _rank(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)


def _advice(note: str) -> tuple[str, Sequence[str]]:
    """A note without its commands, and these.

    >>> _advice("Store its key: qpm secret set azure and azure.tenant")
    ('Store its key', ['qpm secret set azure', 'qpm secret set azure.tenant'])
    """
    words, _, command = note.partition(f": {COMMAND}")
    if not command:
        return note, []
    first, *others = f"{COMMAND}{command}".split(" and ")
    return words, [first, *(f"{first.rpartition(' ')[0]} {name}" for name in others)]
