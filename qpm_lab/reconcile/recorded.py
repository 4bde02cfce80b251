"""What the ledger knows of jobs that vendors may bill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qpm_lab.experiment import NANO, ruled_as

if TYPE_CHECKING:
    from qpm_lab.ledger import Entry, JobRow, Ledger

PAGE = 1000
ENDINGS = ("job.completed", "job.failed", "job.cancelled")
Money = dict[str, Decimal]
"""Currency → amount; never added across currencies."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One job, as far as money is concerned."""

    job_id: str
    name: str
    provider: str
    cost_center: str | None
    status: str
    day: date
    """On which it ended; of an open job, on which it was submitted."""
    vendor_ids: tuple[str, ...]
    """Of all its parts and attempts."""
    tokens: tuple[str, ...]
    """What it is called at the vendor."""
    cost: Money
    basis: str | None
    """`billed`, `metered` or `quoted`; None while it is open."""


def recorded_jobs(ledger: Ledger) -> Iterator[Recorded]:
    """All jobs that were at a vendor or cost something, newest first; reads the whole ledger, page by page."""
    before: str | None = None
    while page := ledger.jobs(before=before, limit=PAGE):
        for row in page:
            if row.vendor_id is not None or row.cost_nano or row.attempt > 1:
                yield _recorded(row, ledger.entries(row.job_id))
        before = page[-1].job_id


def _recorded(row: JobRow, entries: list[Entry]) -> Recorded:
    ids = [row.vendor_id, *(id_ for entry in entries for id_ in _vendor_ids(entry.payload))]
    tokens = [row.token, *(entry.payload.get("token") for entry in entries)]
    cost, basis = _cost(entries)
    return Recorded(
        row.job_id,
        row.name,
        ruled_as(row.backend).partition("/")[0],
        row.cost_center,
        row.status,
        datetime.fromisoformat(row.ended_at or row.created_at).date(),
        _texts(ids),
        _texts(tokens),
        cost,
        basis,
    )


def _vendor_ids(payload: Any) -> Iterator[Any]:
    yield payload.get("vendor_id")
    several = payload.get("vendor_ids")
    yield from several if isinstance(several, list) else ()


def _texts(values: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str) and value))


def _cost(entries: list[Entry]) -> tuple[Money, str | None]:
    """The outcome's cost, which includes earlier attempts in its currency; theirs in any other is beside it."""
    earlier: Money = {}
    for entry in entries:
        told = entry.payload.get("cost")
        if not isinstance(told, dict):
            continue
        amount = Decimal(told["nano"]) / NANO
        if entry.event in ENDINGS:
            return {**earlier, told["currency"]: amount}, told.get("basis")
        if entry.event == "job.retried":
            earlier[told["currency"]] = earlier.get(told["currency"], Decimal(0)) + amount
    return earlier, None
