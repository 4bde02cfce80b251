"""Time as the ledger writes it: RFC 3339 UTC with microseconds."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """RFC 3339 UTC text of an aware time.

    >>> from datetime import timezone, timedelta
    >>> stamp(datetime(2026, 11, 22, 13, 0, tzinfo=timezone(timedelta(hours=1))))
    '2026-11-22T12:00:00.000000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
