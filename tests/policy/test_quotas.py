"""Holds on windowed quotas, and what is said when they do not fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qpm_lab.experiment import Hold, Quote, Request, Shortage, to_nano
from qpm_lab.policy import Bundle
from qpm_lab.policy.windows import rfc3339

from .making import FREE, QUOTAS, ask, price, write

NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
HEAD = QUOTAS.replace("Europe/Berlin", "UTC").partition("  - ")[0]


def bundle(folder: Path, *entries: str) -> Bundle:
    text = HEAD + "".join(f"  - {{owner: lead, {entry}}}\n" for entry in entries)
    loaded = Bundle.load(write(folder / "b", quotas_yaml=text))
    assert loaded.problems == ()
    return loaded


def hold(folder: Path, entry: str, request: Request | None = None, quote: Quote = FREE) -> Hold:
    (found,) = bundle(folder, entry).holds(request or ask(), quote, NOW)
    return found


def said(shortage: Shortage, folder: Path) -> tuple[str, str]:
    (reason,) = Bundle.load(write(folder / "b")).shortage_reasons([shortage], NOW)
    return reason.message, reason.fix


@pytest.mark.parametrize(
    ("measure", "limit", "amount", "unit", "nano_limit"),
    [
        ("jobs", "10", 1, "jobs", 10),
        ("shots", "1_000", 30, "shots", 1000),
        ("cost", "50.00 USD", to_nano("2.5"), "USD", to_nano(50)),
        ("cost", "50.5", to_nano("2.5"), "USD", to_nano("50.5")),
        ("qpu_seconds", "60", to_nano("1.5"), "s", to_nano(60)),
    ],
)
def test_every_measure_counts_in_its_unit(
    tmp_path: Path, measure: str, limit: str, amount: int, unit: str, nano_limit: int
) -> None:
    """A sweep of three circuits is one job and three times its shots; money and time are in billionths."""
    entry = f"id: q, measure: {measure}, scope: user, window: day, limit: {limit}"
    found = hold(tmp_path, entry, ask(circuits=3), price("2.5", qpu_nanoseconds=to_nano("1.5")))
    assert (found.amount, found.unit, found.limit) == (amount, unit, nano_limit)


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        ("user", "ada"),
        ("team", "chem"),
        ("cost_center", "cc"),
        ("project", "p"),
        ("experiment", "e"),
        ("notebook_run", "k1"),
        ("backend", "aer/simulator"),
        ("org", "org"),
    ],
)
@pytest.mark.parametrize("window", ["hour", "day", "month"])
def test_every_scope_and_window_has_its_own_counter(tmp_path: Path, scope: str, key: str, window: str) -> None:
    """The counter names measure, unit, scope, key, window and where the window begins."""
    request = ask(notebook_run="k1", cost_center="cc", project="p", experiment="e")
    found = hold(tmp_path, f"id: q, measure: shots, scope: {scope}, window: {window}, limit: 50", request)
    start = {"hour": "2026-11-22T16", "day": "2026-11-22T00", "month": "2026-11-01T00"}[window] + ":00:00Z"
    assert (found.scope, found.key, found.window, found.window_start) == (scope, key, window, start)
    assert found.counter == f"shots|shots|{scope}|{key}||{window}|{start}"


def test_a_kernels_life_has_no_calendar(tmp_path: Path) -> None:
    """The window life belongs to the notebook run and has neither start nor end."""
    found = hold(tmp_path, "id: q, measure: jobs, scope: notebook_run, window: life, limit: 5", ask(notebook_run="k1"))
    assert (found.window, found.window_start, found.window_end) == ("life", "", "")


def test_a_quota_of_something_the_request_lacks_does_not_apply(tmp_path: Path) -> None:
    """Without an experiment there is nothing to charge an experiment's quota to."""
    loaded = bundle(tmp_path, "id: q, measure: jobs, scope: experiment, window: day, limit: 5")
    assert loaded.holds(ask(), FREE, NOW) == ()
    assert len(loaded.holds(ask(experiment="e"), FREE, NOW)) == 1


def test_nothing_is_held_for_nothing(tmp_path: Path) -> None:
    """A free job takes nothing from a budget of money."""
    loaded = bundle(tmp_path, "id: q, measure: cost, scope: user, window: day, limit: 5")
    assert loaded.holds(ask(), FREE, NOW) == ()


def test_where_chooses_the_backends_that_count(tmp_path: Path) -> None:
    """A quota of hardware leaves simulators alone."""
    entry = "id: q{}, measure: jobs, scope: user, window: day, limit: 5, where: {{{}}}"
    conditions = ["kind: qpu", "kind: simulator", "provider: aer", "provider: ionq", "local: true", "local: false"]
    loaded = bundle(tmp_path, *(entry.format(n, where) for n, where in enumerate(conditions)))
    assert [found.quota for found in loaded.holds(ask(), FREE, NOW)] == ["q1", "q2", "q4"]


def test_a_named_key_has_its_own_limit(tmp_path: Path) -> None:
    """An override is for its key alone."""
    entry = "id: q, measure: jobs, scope: user, window: day, limit: 5, keys: {ada: 9}"
    loaded = bundle(tmp_path, entry)
    assert [h.limit for u in ("ada", "out") for h in loaded.holds(ask(u), FREE, NOW)] == [9, 5]


def test_raising_a_limit_keeps_its_counter(tmp_path: Path) -> None:
    """What was used stays used when the amount or the name of a quota changes."""
    before = hold(tmp_path / "1", "id: q, measure: jobs, scope: user, window: day, limit: 5")
    after = hold(tmp_path / "2", "id: r, measure: jobs, scope: user, window: day, limit: 50, message: more")
    assert before.counter == after.counter


def test_no_label_can_be_written_so_that_it_hits_another_counter(tmp_path: Path) -> None:
    """The separators of a counter's name are escaped in labels."""
    entry = "id: q, measure: jobs, scope: experiment, window: day, limit: 5"
    names = ["a|b", "a%7Cb", "a", "a|", "|a", "a||day|2026-11-22T00:00:00Z"]
    counters = {hold(tmp_path, entry, ask(experiment=name)).counter for name in names}
    assert len(counters) == len(names)
    assert {counter.count("|") for counter in counters} == {6}


def test_an_amount_beyond_counting_is_above_every_limit(tmp_path: Path) -> None:
    """Absurd shots stay within 64 bits and still do not fit."""
    entry = f"id: q, measure: shots, scope: user, window: day, limit: {2**62 - 1}"
    found = hold(tmp_path, entry, ask(shots=10**40))
    assert found.limit < found.amount < 2**63


def shots_hold(amount: int, limit: int = 1_000_000) -> Hold:
    start, end = "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"
    return Hold("c", "shots-per-day", "shots", "user", "ada", "day", start, end, "shots", amount, limit, "lead")


def test_a_shortage_is_said_with_its_figures(tmp_path: Path) -> None:
    """Asked, used, limit and left are in the sentence, and the way out is worked out."""
    message, fix = said(Shortage(shots_hold(900_000), 121_904, 0), tmp_path)
    assert message == "You asked for 900,000 shots; 121,904 of 1,000,000 are used today, 878,096 are left."
    assert fix == "Ask for at most 878,096 shots, or wait until 2026-11-23 00:00 UTC (in 8 hours)."


def test_waiting_alone_is_not_offered_where_it_does_not_help(tmp_path: Path) -> None:
    """More than the whole limit never fits, and the fix says what would."""
    _, fix = said(Shortage(shots_hold(2_000_000), 121_904, 0), tmp_path)
    assert (
        fix == "One day takes at most 1,000,000 shots. Ask for at most 878,096 shots, or ask lead for a larger limit."
    )
    _, fix = said(Shortage(shots_hold(2_000, 1_500), 1_500, 0), tmp_path)
    assert fix == "One day takes at most 1,500 shots. Ask for less, or ask lead for a larger limit."
    _, fix = said(Shortage(shots_hold(1, 0), 0, 0), tmp_path)
    assert fix == "Ask lead for a larger limit."


@pytest.mark.parametrize(
    ("left", "spelt"),
    [
        (timedelta(hours=9, minutes=59), "9 hours"),
        (timedelta(hours=1, minutes=59), "1 hour"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(seconds=3), "1 minute"),
        (timedelta(days=1, hours=23), "1 day"),
        (timedelta(days=12, hours=1), "12 days"),
    ],
)
def test_the_time_to_wait_is_rounded_down_as_on_a_clock(tmp_path: Path, left: timedelta, spelt: str) -> None:
    """The largest unit that is full, at least one minute: as the panel shows it."""
    short = Shortage(replace(shots_hold(10, 10), window_end=rfc3339(NOW + left)), 5, 0)
    assert f"(in {spelt})" in said(short, tmp_path)[1]


def test_one_of_something_is_not_said_in_the_plural(tmp_path: Path) -> None:
    """One shot is asked for, one is used, one is left."""
    message, _ = said(Shortage(shots_hold(1, 1), 1, 0), tmp_path)
    assert message == "You asked for 1 shot; 1 of 1 is used today, 0 are left."
    message, fix = said(Shortage(shots_hold(2, 2), 1, 0), tmp_path)
    assert message == "You asked for 2 shots; 1 of 2 is used today, 1 is left."
    assert fix.startswith("Ask for at most 1 shot, or wait")


def test_what_is_reserved_is_told_apart_from_what_is_used(tmp_path: Path) -> None:
    """Running jobs hold their part, which may come back."""
    message, _ = said(Shortage(shots_hold(900_000), 100_000, 300_000), tmp_path)
    assert "100,000 of 1,000,000 are used and 300,000 reserved today, 600,000 are left" in message


def test_the_details_of_a_shortage_are_decimal_strings(tmp_path: Path) -> None:
    """Figures for machines are in the quota's unit, with the moment of renewal."""
    cost = replace(shots_hold(to_nano("12.5"), to_nano(50)), measure="cost", unit="USD", scope="team", key="chem")
    loaded = Bundle.load(write(tmp_path / "b"))
    (reason,) = loaded.shortage_reasons([Shortage(cost, to_nano("39.25"), to_nano("0.5"))], NOW)
    details = dict(reason.details)
    assert details["limit"] == "50"
    assert (details["used"], details["reserved"], details["left"]) == ("39.25", "0.5", "10.25")
    assert (details["asked"], details["unit"], details["renews_at"]) == ("12.5", "USD", "2026-11-23T00:00:00Z")
    assert "$39.25 of $50.00 are used and $0.50 reserved today for team chem" in reason.message
    assert reason.fix.startswith("Stay within $10.25, or wait until")


def test_a_life_does_not_renew(tmp_path: Path) -> None:
    """A notebook run's budget names its owner instead of a time."""
    life = replace(shots_hold(10, 10), scope="notebook_run", window="life", window_start="", window_end="")
    message, fix = said(Shortage(life, 5, 0), tmp_path)
    assert "in this notebook run" in message
    assert fix == "Ask for at most 5 shots, or ask lead for a larger limit."
