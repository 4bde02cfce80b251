"""Quota counters: reserved and settled amounts, changed only in the transaction of the entry that says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from qpm_lab.errors import LedgerError
from qpm_lab.experiment import Hold, Shortage
from qpm_lab.ledger.direct import execute, rows
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
_KEPT = sa.bindparam("p_kept", type_=sa.BigInteger)
_SETTLED = sa.bindparam("p_settled", type_=sa.BigInteger)
_LIMIT = sa.bindparam("p_limit", type_=sa.BigInteger)
_MINE = counters.c.counter == sa.bindparam("p_counter")
_RESERVE = (
    counters.update()
    .where(_MINE, counters.c.reserved + counters.c.settled + _AMOUNT <= _LIMIT)
    .values(
        reserved=counters.c.reserved + _KEPT,
        settled=counters.c.settled + _SETTLED,
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
        settled=counters.c.settled + _SETTLED,
    )
)
_STAND = sa.select(counters.c.settled, counters.c.reserved).where(_MINE)
_HOLDER = reservations.c.job_id == sa.bindparam("p_holder")
_HELD = (
    sa.select(reservations.c.counter, reservations.c.amount, reservations.c.session_id)
    .where(_HOLDER)
    .order_by(reservations.c.counter)
)
_FREE = reservations.delete().where(_HOLDER)
_HOLD = reservations.insert()


class Held(NamedTuple):
    """What a job or session holds on one counter."""

    amount: int
    session_id: str | None
    """The session from which a job drew it; None when it was taken from the counter."""


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


@lru_cache(maxsize=256)
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
    connection: sa.Connection,
    holder: str,
    facts: Sequence[dict[str, Any]],
    holds: Sequence[Hold],
    session_id: str | None = None,
) -> tuple[Shortage, ...]:
    """Reserves every hold, or says which do not fit; the caller then rolls back.

    Args:
        connection: A writing transaction that holds the end of the chain.
        holder: The job or session for which.
        facts: The holds as `hold_facts` gives them; those marked as drawn have left the session already.
        holds: The same holds as the caller passed them, for the shortages.
        session_id: The session from which the marked ones were drawn.
    """
    short = take(connection, facts, holds)
    if facts and not short:
        own = [{"job_id": holder, "counter": fact["counter"], "amount": fact["amount"]} for fact in facts]
        origins = [{"session_id": session_id if fact.get("drawn") else None} for fact in facts]
        execute(connection, _HOLD, [row | origin for row, origin in zip(own, origins, strict=True)])
    return short


def take(
    connection: sa.Connection,
    facts: Sequence[dict[str, Any]],
    holds: Sequence[Hold],
    used: Mapping[str, int] | None = None,
) -> tuple[Shortage, ...]:
    """Takes every hold that is not drawn from a session from its counter, or says which do not fit.

    Each is one conditional update whose row count decides, so that nothing is granted on a figure that has
    changed since it was read.

    Args:
        connection: A writing transaction that holds the end of the chain.
        facts: The holds as `hold_facts` gives them.
        holds: The same holds as the caller passed them, for the shortages.
        used: Settles each hold at once at these amounts; None reserves it.
    """
    open_ones = [fact for fact in facts if not fact.get("drawn")]
    if not open_ones:
        return ()
    names = ("counter", *DESCRIPTION, *LATEST)
    fresh = [{name: fact[name] for name in names} | {"settled": 0, "reserved": 0} for fact in open_ones]
    execute(connection, _CREATE[connection.dialect.name], fresh)
    short = {fact["counter"] for fact in open_ones if not _taken(connection, fact, used)}
    return tuple(_shortage(connection, hold) for hold in holds if hold.counter in short)


def _taken(connection: sa.Connection, fact: dict[str, Any], used: Mapping[str, int] | None) -> bool:
    values = {f"p_{name}": fact[name] for name in ("counter", "amount", "limit", "quota", "owner")}
    if used is None:
        values |= {"p_kept": fact["amount"], "p_settled": 0}
    else:
        values |= {"p_kept": 0, "p_settled": used[fact["counter"]]}
    return execute(connection, _RESERVE, values) == 1


def _shortage(connection: sa.Connection, hold: Hold) -> Shortage:
    row = connection.execute(_STAND, {"p_counter": hold.counter}).one()
    return Shortage(hold, settled=row.settled, reserved=row.reserved)


def held(connection: sa.Connection, holder: str) -> dict[str, Held]:
    """What a job or session holds now, by counter, in counter order."""
    return {counter: Held(amount, origin) for counter, amount, origin in rows(connection, _HELD, {"p_holder": holder})}


def release(connection: sa.Connection, holder: str) -> None:
    """Removes a holder's reservations; the counters are for `settle`."""
    execute(connection, _FREE, {"p_holder": holder})


def settle(connection: sa.Connection, freed: Mapping[str, int], amounts: Mapping[str, int]) -> None:
    """Takes what is freed from each counter's reserved amount and adds what is settled, in its own window."""
    changes = [
        {"p_counter": key, "p_amount": amount, "p_settled": amounts[key]}
        for key, amount in freed.items()
        if amount or amounts[key]
    ]
    if changes:
        execute(connection, _SETTLE, changes)


def settlement(holding: Collection[str], settled: Mapping[str, int] | None) -> dict[str, int]:
    """The actual amount for each counter held; None releases everything.

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
