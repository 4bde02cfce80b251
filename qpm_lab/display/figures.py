"""Figures as people read them: grouped digits, units, money, durations, and text made safe to show."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

UNKNOWN = "–"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


def number(value: object) -> float | None:
    """A finite number, or None for everything else that a document may hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def decimal(value: object) -> Decimal | None:
    """A finite decimal from a decimal string or number, or None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        result = Decimal(str(value))
    except InvalidOperation:
        return None
    return result if result.is_finite() and abs(result.adjusted()) < 40 else None


def count(value: object) -> str:
    """
    >>> count(1_000_000), count("2.5"), count(None)
    ('1,000,000', '2.5', '–')
    """
    amount = decimal(value)
    if amount is None:
        return UNKNOWN
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(value: object, noun: str) -> str:
    """
    >>> counted(1, "shot"), counted(4096, "shot")
    ('1 shot', '4,096 shots')
    """
    return f"{count(value)} {noun}" + ("" if decimal(value) == 1 else "s")


def real(value: object) -> str:
    """The value of a parameter, with six digits.

    >>> real(0.5), real(3.14159265), real(1e-9), real(None)
    ('0.5', '3.14159', '1e-09', '–')
    """
    known = number(value)
    return UNKNOWN if known is None else f"{known:.6g}"


def percent(share: object) -> str:
    """A share of one as a percentage with one decimal; tiny but not zero stays visible.

    >>> percent(0.479), percent(0.00001), percent(0), percent(None)
    ('47.9 %', '< 0.1 %', '0.0 %', '–')
    """
    value = number(share)
    if value is None:
        return UNKNOWN
    if 0 < value < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= value < 1:
        return "> 99.9 %"
    return f"{value * 100:.1f} %"


def percent_range(low: object, high: object) -> str:
    """
    >>> percent_range(0.4523, 0.5068)
    '45.2 – 50.7 %'
    """
    ends = number(low), number(high)
    if ends[0] is None or ends[1] is None:
        return UNKNOWN
    return f"{outward(ends[0] * 100, 1, ROUND_FLOOR)} – {outward(ends[1] * 100, 1, ROUND_CEILING)} %"


def level(value: object) -> str:
    """A confidence level: 0.95 → '95 %', 0.999 → '99.9 %'."""
    share = number(value)
    return UNKNOWN if share is None else f"{share * 100:.4g} %"


def outward(value: float, places: int, rounding: str) -> str:
    """Rounds one end of an interval away from its middle, so that what is shown is never narrower.

    The twelfth digit is rounded first: 0.57 * 100 is not to become 57.1.
    """
    exact = Decimal(f"{value:.12g}")
    text = f"{exact.quantize(Decimal(1).scaleb(-places), rounding=rounding):f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def interval(low: object, high: object) -> str:
    """An interval with as many digits as show two of its width, three to six.

    >>> interval(0.951, 0.965), interval(0.99991, 0.99998), interval(None, 1.0)
    ('0.951 – 0.965', '0.999910 – 0.999980', '–')
    """
    ends = number(low), number(high)
    if ends[0] is None or ends[1] is None:
        return UNKNOWN
    width = abs(ends[1] - ends[0])
    places = 3 if width == 0 else min(6, max(3, 1 - math.floor(math.log10(width))))
    return f"{outward(ends[0], places, ROUND_FLOOR)} – {outward(ends[1], places, ROUND_CEILING)}"


def money(amount: object, currency: object) -> str:
    """Money with at least two decimals and as many more as it needs, never rounded.

    >>> money("0", "USD"), money("0.0004", "USD"), money("3212", "EUR"), money("1.5", "HQC")
    ('$0.00', '$0.0004', '€3,212.00', '1.50 HQC')
    >>> money(None, "USD")
    'unknown'
    """
    value = decimal(amount)
    if value is None:
        return "unknown"
    text = f"{abs(value):,f}"
    whole, _, part = text.partition(".")
    figure = f"{whole}.{part.rstrip('0').ljust(2, '0')}"
    sign = "-" if value < 0 else ""
    code = plain(currency)
    if code in SYMBOLS:
        return f"{sign}{SYMBOLS[code]}{figure}"
    return f"{sign}{figure} {code}".rstrip()


def duration(seconds: object) -> str:
    """
    >>> duration(0.0124), duration(0.41), duration(185), duration(7260), duration(None)
    ('12 ms', '0.4 s', '3 min 5 s', '2 h 1 min', '–')
    """
    value = number(seconds)
    if value is None or value < 0:
        return UNKNOWN
    if value < 0.0995:
        return "< 1 ms" if 0 < value < 0.0005 else f"{value * 1000:.0f} ms"
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{count(hours)} h {minutes} min"
    return f"{minutes} min {rest} s"


def instant(value: object) -> datetime | None:
    """An RFC 3339 time; None for what is not one."""
    try:
        parsed = datetime.fromisoformat(plain(value))
        return parsed.astimezone(UTC) if parsed.tzinfo else None
    except (ValueError, OverflowError):
        return None


def moment(value: object) -> str:
    """An RFC 3339 time as '2026-11-22 12:00:00 UTC'; what is not a time is shown as it is."""
    parsed = instant(value)
    return plain(value) if parsed is None else f"{parsed:%Y-%m-%d %H:%M:%S} UTC"


def short_digest(digest: object, digits: int = 4) -> str:
    """
    >>> short_digest("sha256:4be1d00dfeed")
    'sha256:4be1…'
    """
    kind, colon, value = plain(digest).partition(":")
    if not colon:
        kind, value = "", kind
    return f"{kind}{colon}{value[:digits]}" + ("…" if len(value) > digits else "")


def plain(value: Any, *, limit: int = 20_000) -> str:
    """Untrusted text as one harmless string: no control characters, no terminal escapes, no
    bidirectional overrides that would reorder what stands beside it; None is empty."""
    text = "" if value is None else str(value)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if c in "\n\r\t\u2028\u2029" else c for c in text if _showable(c))


def _showable(character: str) -> bool:
    if character in "\n\r\t\u2028\u2029\u200d":
        return True
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
