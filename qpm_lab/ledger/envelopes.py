"""A session's envelope: what its jobs draw from it, and what they give back when they end.

What is drawn or given back moves between reservations; the counter, which holds the whole envelope as
reserved, only changes by what is settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from qpm_lab.errors import IntegrityError
from qpm_lab.ledger.counters import Held
from qpm_lab.ledger.direct import execute
from qpm_lab.ledger.schema import reservations

_CHANGE = sa.bindparam("p_change", type_=sa.BigInteger)
_SHIFT = (
    reservations.update()
    .where(
        reservations.c.job_id == sa.bindparam("p_session"),
        reservations.c.counter == sa.bindparam("p_counter"),
        reservations.c.amount + _CHANGE >= 0,
    )
    .values(amount=reservations.c.amount + _CHANGE)
)


def mark(facts: Sequence[dict[str, Any]], envelope: Mapping[str, Held]) -> list[dict[str, Any]]:
    """The same holds, those that the envelope covers as a whole marked as drawn."""
    return [fact | {"drawn": True} if _covers(envelope, fact) else fact for fact in facts]


def _covers(envelope: Mapping[str, Held], fact: Mapping[str, Any]) -> bool:
    held = envelope.get(fact["counter"])
    return held is not None and held.amount >= fact["amount"]


def change(amount: int, used: int, left: int) -> int:
    """How an envelope changes when a job that drew an amount settles: what it did not use comes back.

    A bill above its hold is paid from the envelope as far as that reaches, so that less of it can be spent.

    >>> change(10, 7, 50), change(10, 12, 50), change(10, 12, 1)
    (3, -2, -1)
    """
    return max(amount - used, -left)


def shift(connection: sa.Connection, session_id: str, changes: Mapping[str, int]) -> None:
    """Changes what a session holds; the row count makes sure that it never falls below zero.

    Raises:
        IntegrityError: the session's reservation is not what the ledger made it.
    """
    rows = [
        {"p_session": session_id, "p_counter": key, "p_change": amount} for key, amount in changes.items() if amount
    ]
    if rows and execute(connection, _SHIFT, rows) != len(rows):
        raise IntegrityError(
            f"The reservation of the session {session_id!r} was changed outside qpm_lab.",
            "Run `qpm ledger verify`; restore the ledger from a backup.",
        )
