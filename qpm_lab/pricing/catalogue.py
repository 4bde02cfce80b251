"""The price catalogue: which row holds for a backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from qpm_lab.pricing.reading import read_document
from qpm_lab.pricing.rows import BACKEND, STRICT, Row

_SHIPPED = Path(__file__).with_name("catalogue.yaml")


def _once(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Refuses an id, or a price of one backend under the same plan, that is given twice."""
    problems, ids, seen = [], set[str](), dict[tuple[str, str, str], str]()
    for row in rows:
        if row.id in ids:
            problems.append(f"there are two rows {row.id}")
        ids.add(row.id)
        plan = (row.plan.account, row.plan.name) if row.plan else ("", "")
        for backend in row.backends:
            if other := seen.get((backend, *plan)):
                problems.append(f"{backend} has two prices, in {other} and {row.id}")
            seen[(backend, *plan)] = row.id
    if problems:
        raise ValueError("; ".join(problems))
    return rows


Rows = Annotated[tuple[Row, ...], AfterValidator(_once)]
"""Prices that do not contradict each other."""


class Machine(BaseModel):
    """A machine that can be quoted though this version has no adapter for it."""

    model_config = STRICT

    id: str = Field(pattern=BACKEND)
    qubits: int = Field(ge=1)
    description: str


class _Document(BaseModel):
    model_config = STRICT

    prices: Rows
    machines: tuple[Machine, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Rows by backend id or pattern, and machines without an adapter."""

    rows: tuple[Row, ...]
    machines: tuple[Machine, ...] = ()

    def row(self, backend_id: str, plans: Mapping[str, str]) -> Row | None:
        """The row of a backend under the plans chosen; None when there is none.

        An id that is written out wins over a pattern, a longer pattern over a shorter one.
        """
        found = [(p, row) for row in self.rows for p in row.backends if _fits(p, backend_id)]
        if not found:
            return None
        best = max(_rank(pattern, backend_id) for pattern, _ in found)
        rows = [row for pattern, row in found if _rank(pattern, backend_id) == best]
        return next((row for row in rows if _chosen(row, plans)), None)

    def plans(self) -> dict[str, set[str]]:
        """Account → names of its plans."""
        known: dict[str, set[str]] = {}
        for row in self.rows:
            if row.plan:
                known.setdefault(row.plan.account, set()).add(row.plan.name)
        return known


@cache
def shipped_catalogue() -> Catalogue:
    """The catalogue of this version, read once."""
    return load_catalogue(_SHIPPED)


def load_catalogue(path: Path) -> Catalogue:
    """Reads and checks a catalogue.

    Raises:
        InputError: It cannot be read; the message names each place and fault.
    """
    document = read_document(path, "price catalogue", _Document)
    return Catalogue(document.prices, document.machines)


def _fits(pattern: str, backend_id: str) -> bool:
    if "*" not in pattern:
        return pattern == backend_id
    # No other sign is one: a backend id may have brackets.
    return fnmatchcase(backend_id, pattern.replace("[", "[[]").replace("?", "[?]"))


def _rank(pattern: str, backend_id: str) -> tuple[bool, int]:
    return pattern == backend_id, len(pattern)


def _chosen(row: Row, plans: Mapping[str, str]) -> bool:
    if row.plan is None:
        return True
    wanted = plans.get(row.plan.account)
    return row.plan.default if wanted is None else row.plan.name == wanted
