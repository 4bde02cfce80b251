"""Calendar windows tile time in every zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.policy.windows import rfc3339, span

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # changed its clock at one minute past midnight
    "America/Havana",  # changes its clock at midnight
    "America/Sao_Paulo",
    "Asia/Kathmandu",  # 5 h 45 min
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Apia",  # left out a whole day
    "Africa/Monrovia",  # once an offset with seconds
    "Asia/Beirut",
]
Calendar = Literal["hour", "day", "month"]
WINDOWS: list[Calendar] = ["hour", "day", "month"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("window", "zone", "now", "start", "end"),
    [
        ("hour", "UTC", "2026-11-22T12:34:56Z", "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"),
        ("day", "Europe/Berlin", "2026-11-22T22:59:59Z", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z"),
        ("day", "Europe/Berlin", "2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z"),
        # 23 and 25 hours
        ("day", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("day", "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        # both hours called two o'clock
        ("hour", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"),
        ("hour", "Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"),
        ("hour", "Asia/Kolkata", "2026-11-22T12:10:00Z", "2026-11-22T11:30:00Z", "2026-11-22T12:30:00Z"),
        ("month", "UTC", "2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("month", "UTC", "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("month", "America/New_York", "2026-03-31T23:00:00Z", "2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z"),
        ("month", "Asia/Tokyo", "2026-01-31T15:00:00Z", "2026-01-31T15:00:00Z", "2026-02-28T15:00:00Z"),
        # no midnight, a clock put forward from 23:30, and a day that never was
        ("day", "America/Havana", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),
        ("day", "America/Toronto", "1919-03-31T04:35:00Z", "1919-03-30T05:00:00Z", "1919-03-31T05:00:00Z"),
        ("day", "Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
    ],
)
def test_a_window_is_the_local_calendars(window: Calendar, zone: str, now: str, start: str, end: str) -> None:
    """Days and months begin at local midnight, on days of a clock change too."""
    found = span(window, at(now), ZoneInfo(zone))
    assert tuple(map(rfc3339, found)) == (start, end)


@given(
    window=st.sampled_from(WINDOWS),
    zone=st.sampled_from(ZONES),
    seconds=st.integers(int(at("1970-01-02T00:00:00Z").timestamp()), int(at("2037-12-01T00:00:00Z").timestamp())),
)
def test_windows_hold_their_moment_and_meet_without_gap_or_overlap(window: Calendar, zone: str, seconds: int) -> None:
    """The last moment of a window is in it, and the next moment begins the next one."""
    now = datetime.fromtimestamp(seconds, UTC)
    start, end = span(window, now, ZoneInfo(zone))
    assert start <= now < end
    assert span(window, start, ZoneInfo(zone)) == (start, end)
    assert span(window, end - timedelta(microseconds=1), ZoneInfo(zone)) == (start, end)
    assert span(window, end, ZoneInfo(zone))[0] == end


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("window", ["hour", "day"])
def test_a_year_is_tiled_by_its_windows(zone: str, window: Calendar) -> None:
    """Walking from window to window through a year meets every clock change without a gap."""
    moment = span(window, at("2026-01-01T00:00:00Z"), ZoneInfo(zone))[0]
    while moment < at("2026-12-31T00:00:00Z"):
        start, end = span(window, moment, ZoneInfo(zone))
        assert start == moment
        assert timedelta(0) < end - start <= (timedelta(hours=1) if window == "hour" else timedelta(hours=25))
        moment = end


def test_a_moment_without_a_zone_is_refused() -> None:
    """A naive time would silently mean this machine's zone."""
    with pytest.raises(ValueError, match="time zone"):
        span("day", datetime(2026, 1, 1), ZoneInfo("UTC"))
