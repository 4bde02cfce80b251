"""Calendar windows in a time zone, as spans of UTC without gap or overlap.

A day begins at the first moment that local midnight can mean, so a day on which the clock changes has
23 or 25 hours; hours are counted from the day's beginning. Both tile time for every zone by construction.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

Window = Literal["job", "hour", "day", "month", "life"]
Span = tuple[datetime, datetime]
_HOUR = timedelta(hours=1)


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second.

    >>> rfc3339(datetime(2026, 11, 22, tzinfo=UTC))
    '2026-11-22T00:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(window: Literal["hour", "day", "month"], now: datetime, zone: tzinfo) -> Span:
    """The window that holds `now`, as UTC start (inside) and end (outside).

    Args:
        window: Which calendar unit.
        now: An aware moment.
        zone: The zone whose calendar counts.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now has to carry a time zone")
    moment = now.astimezone(UTC)
    if window == "month":
        return _calendar(moment, zone, monthly=True)
    start, end = _calendar(moment, zone, monthly=False)
    if window == "day":
        return start, end
    begin = start + (moment - start) // _HOUR * _HOUR
    return begin, min(begin + _HOUR, end)


def _calendar(moment: datetime, zone: tzinfo, *, monthly: bool) -> Span:
    """The local day or month; the loops matter where the local date itself jumps back or forth."""
    first = moment.astimezone(zone).date()
    first = first.replace(day=1) if monthly else first
    while moment < _midnight(first, zone):
        first = _neighbour(first, -1, monthly)
    while moment >= _midnight(following := _neighbour(first, 1, monthly), zone):
        first = following
    return _midnight(first, zone), _midnight(following, zone)


def _neighbour(first: date, step: int, monthly: bool) -> date:
    if not monthly:
        return first + timedelta(days=step)
    return (first + timedelta(days=31) if step > 0 else first - timedelta(days=1)).replace(day=1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
