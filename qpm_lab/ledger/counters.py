"""Quota counters: reserved and settled amounts, changed only in the transaction of the entry that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from qpm_lab.errors import LedgerError
from qpm_lab.experiment import Hold, Shortage
from qpm_lab.ledger.projection import MAX_WHOLE, storable
from qpm_lab.ledger.schema import counters, reservations

DESCRIPTION = ("measure", "scope", "key", "window", "window_start", "window_end", "unit")
"""Columns fixed by the first hold on a counter."""
LATEST = ("quota", "limit", "owner")
"""Columns of the latest hold on a counter."""
_RECORDED = ("counter", *DESCRIPTION, *LATEST, "amount")

_CREATE = {
    "sqlite": sqlite.insert(counters).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(counters).on_conflict_do_nothing(),
}
_AMOUNT = sa.bindparam("p_amount", type_=sa.BigInteger)
_LIMIT = sa.bindparam("p_limit", type_=sa.BigInteger)
_MINE = counters.c.counter == sa.bindparam("p_counter")
_RESERVE = (
    counters.update()
    .where(_MINE, counters.c.reserved + counters.c.settled + _AMOUNT <= _LIMIT)
    .values(
        reserved=counters.c.reserved + _AMOUNT,
        limit=_LIMIT,
        quota=sa.bindparam("p_quota"),
        owner=sa.bindparam("p_owner"),
    )
)
_SETTLE = (
    counters.update()
    .where(_MINE)
    .values(
        reserved=counters.c.reserved - _AMOUNT,
        settled=counters.c.settled + sa.bindparam("p_settled", type_=sa.BigInteger),
    )
)
_STAND = sa.select(counters.c.settled, counters.c.reserved).where(_MINE)
_JOB = reservations.c.job_id == sa.bindparam("p_job")
_HELD = sa.select(reservations.c.counter, reservations.c.amount).where(_JOB).order_by(reservations.c.counter)
_FREE = reservations.delete().where(_JOB)
_HOLD = reservations.insert()


def hold_facts(holds: Sequence[Hold]) -> list[dict[str, Any]]:
    """Holds as an entry records them, in counter order, with windows in one spelling.

    Raises:
        LedgerError: two holds on one counter, an amount out of range, or a window that is no time.
    """
    facts = [_hold_facts(hold) for hold in sorted(holds, key=lambda hold: hold.counter)]
    if len({fact["counter"] for fact in facts}) != len(facts):
        raise LedgerError("A job cannot hold one counter twice.", "Give each quota a counter of its own.")
    return facts


def _hold_facts(hold: Hold) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(hold, name) for name in _RECORDED}
    for name in ("amount", "limit"):
        if type(facts[name]) is not int or not 0 <= facts[name] <= MAX_WHOLE:
            raise LedgerError(
                f"Quota {hold.quota!r} has the {name} {facts[name]!r}.", f"It goes from 0 to {MAX_WHOLE}."
            )
    for name, value in facts.items():
        if isinstance(value, str) and not storable(value, 4000):
            raise LedgerError(f"Quota {hold.quota[:80]!r} has a {name} that cannot be recorded.", "Shorten it.")
    for name in ("window_start", "window_end"):
        facts[name] = facts[name] and whole_seconds(facts[name])
    return facts


def whole_seconds(moment: str | datetime) -> str:
    """The one spelling of a window's edge, which sorts as text.

    >>> whole_seconds("2026-11-22T01:00:00+01:00")
    '2026-11-22T00:00:00Z'
    """
    try:
        parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if parsed.tzinfo is None:
            raise ValueError("no time zone")
    except ValueError as error:
        raise LedgerError(f"{str(moment)[:40]!r} is no time.", "Use RFC 3339 UTC.", cause=error) from error
    return parsed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def reserve(
    connection: sa.Connection, job_id: str, facts: Sequence[dict[str, Any]], holds: Sequence[Hold]
) -> tuple[Shortage, ...]:
    """Reserves every hold, or says which do not fit; the caller then rolls back.

    Each reservation is one conditional update whose row count decides, so that nothing is granted on a figure
    that has changed since it was read.

    Args:
        connection: A writing transaction that holds the end of the chain.
        job_id: For whom.
        facts: The holds as `hold_facts` gives them.
        holds: The same holds as the caller passed them, for the shortages.
    """
    if not facts:
        return ()
    fresh = [
        {name: fact[name] for name in ("counter", *DESCRIPTION, *LATEST)} | {"settled": 0, "reserved": 0}
        for fact in facts
    ]
    connection.execute(_CREATE[connection.dialect.name], fresh)
    short = {fact["counter"] for fact in facts if not _reserved(connection, fact)}
    if not short:
        connection.execute(_HOLD, [{"job_id": job_id, "counter": f["counter"], "amount": f["amount"]} for f in facts])
    return tuple(_shortage(connection, hold) for hold in holds if hold.counter in short)


def _reserved(connection: sa.Connection, fact: dict[str, Any]) -> bool:
    names = ("counter", "amount", "limit", "quota", "owner")
    return connection.execute(_RESERVE, {f"p_{name}": fact[name] for name in names}).rowcount == 1


def _shortage(connection: sa.Connection, hold: Hold) -> Shortage:
    row = connection.execute(_STAND, {"p_counter": hold.counter}).one()
    return Shortage(hold, settled=row.settled, reserved=row.reserved)


def held(connection: sa.Connection, job_id: str) -> dict[str, int]:
    """What a job holds now: counter → amount, in counter order."""
    return {row.counter: row.amount for row in connection.execute(_HELD, {"p_job": job_id})}


def settle(connection: sa.Connection, job_id: str, holding: Mapping[str, int], amounts: Mapping[str, int]) -> None:
    """Ends a job's reservations, each in its own window, leaving the settled amounts."""
    if holding:
        connection.execute(
            _SETTLE,
            [{"p_counter": key, "p_amount": holding[key], "p_settled": amounts[key]} for key in holding],
        )
        connection.execute(_FREE, {"p_job": job_id})


def settlement(holding: Mapping[str, int], settled: Mapping[str, int] | None) -> dict[str, int]:
    """The actual amount for each hold; None releases everything.

    Raises:
        LedgerError: a hold is left out, a counter is not held, or an amount is out of range.
    """
    if settled is None:
        return dict.fromkeys(holding, 0)
    wrong = sorted(set(holding) ^ set(settled))
    if wrong:
        raise LedgerError(
            f"The settlement does not match what the job holds: {', '.join(wrong)[:200]}.",
            "Name each counter that the job holds, and no other.",
        )
    for key, amount in settled.items():
        if type(amount) is not int or not 0 <= amount <= MAX_WHOLE:
            raise LedgerError(f"{key[:80]!r} cannot be settled at {amount!r}.", f"It goes from 0 to {MAX_WHOLE}.")
    return dict(settled)
