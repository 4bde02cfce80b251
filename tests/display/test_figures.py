"""Figures are grouped, carry their unit, and never say more or less than they know."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.display.figures import duration, interval, money, percent_range, plain


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 ms"),
        (0.00001, "< 1 ms"),
        (0.0996, "0.1 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (3600, "1 h 0 min"),
        (7002, "1 h 56 min"),
        (7_200_000, "2,000 h 0 min"),
        (-1, "–"),
        (float("nan"), "–"),
    ],
)
def test_durations_change_units_without_gaps(seconds: float, shown: str) -> None:
    """No duration reads as '60.0 s' or '100 ms'."""
    assert duration(seconds) == shown


@given(st.decimals(min_value=0, max_value=10**9, places=9, allow_nan=False))
def test_money_is_never_rounded(amount: Decimal) -> None:
    """The figure shown is exactly the amount, with at least two decimals."""
    shown = money(str(amount), "USD")
    assert Decimal(shown.removeprefix("$").replace(",", "")) == amount
    assert len(shown.partition(".")[2]) >= 2


@given(st.floats(-2, 2), st.floats(0, 1))
def test_an_interval_is_never_shown_narrower_than_it_is(low: float, width: float) -> None:
    """Ends are rounded outwards; the twelfth digit is beyond what is promised."""
    high = low + width
    left, right = (float(end) for end in interval(low, high).split(" – "))
    assert left <= low + 1e-11
    assert right >= high - 1e-11


def test_binary_noise_does_not_widen_a_round_interval() -> None:
    """0.57 times 100 is 56.99999999999999 to the machine and 57.0 to a person."""
    assert percent_range(0.57, 0.58) == "57.0 – 58.0 %"


def test_an_interval_beyond_one_is_not_clipped() -> None:
    """An unbiased fidelity may exceed 1, and says so."""
    assert interval(0.99, 1.004) == "0.990 – 1.004"


@given(st.text())
def test_plain_text_holds_no_control_or_direction_character(text: str) -> None:
    """Terminal escapes, overrides of the writing direction and lone surrogates are taken out."""
    cleaned = plain(text)
    assert not set(cleaned) & {"\x1b", "\x00", "\n", "\u202e", "\u2066", "\x9b"}
    cleaned.encode("utf-8")


def test_endless_text_is_cut_with_a_mark() -> None:
    """A name of a million letters does not become a page of a million letters."""
    assert plain("x" * 10**6, limit=100) == "x" * 99 + "…"
