"""One line of an invoice, and how its amounts and dates are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,30})?|\.\d{1,30})(e[+-]?\d{1,2})?", re.IGNORECASE | re.ASCII)
LARGEST = Decimal(10) ** 12
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+")
_DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d", "%Y/%m/%d", "%d.%m.%Y")
"""Azure writes months first, exports for German spreadsheets days."""


class Unreadable(ValueError):
    """A row that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """What an invoice asks for one thing."""

    file: str
    number: int
    """Of the line in the file, the header being one."""
    provider: str
    """Whose invoice it is; empty when the format does not say."""
    ids: tuple[str, ...]
    """What may be the vendor's id of the job, the likeliest first."""
    amount: Decimal
    currency: str
    day: date | None
    description: str = ""
    cost_center: str = ""
    foreign: str = ""
    """The product, when it is none of a quantum service."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read."""

    file: str
    number: int
    reason: str

    def to_dict(self) -> dict[str, object]:
        return {"file": self.file, "line": self.number, "reason": self.reason}


def read_amount(text: str, *, decimal_comma: bool) -> Decimal:
    """An amount as spreadsheets write it: grouped, with a currency sign, in brackets when negative.

    Args:
        text: For example `1,234.50`, `1.234,50`, `$0.30` or `(0.30)`.
        decimal_comma: What a single comma means where it could be either.

    Raises:
        Unreadable: it is no number.

    >>> read_amount("(1,234.50)", decimal_comma=False), read_amount("0,30", decimal_comma=True)
    (Decimal('-1234.50'), Decimal('0.30'))
    """
    bare = re.sub(r"[\s$€£¥'\u00a0\u202f]", "", text)
    sign = -1 if bare.startswith("(") and bare.endswith(")") else 1
    plain = _with_point(bare.strip("()"), decimal_comma)
    if not _NUMBER.fullmatch(plain):
        raise Unreadable(f"the amount {text[:40]!r} is not a number")
    amount = sign * Decimal(plain)
    if abs(amount) > LARGEST:
        raise Unreadable(f"the amount {text[:40]!r} is too large")
    return amount


def _with_point(text: str, decimal_comma: bool) -> str:
    """The same number with a point before its decimals and no groups."""
    if "," in text and "." in text:
        point = max(text, key=lambda char: text.rfind(char) if char in ",." else -1)
        return text.replace("." if point == "," else ",", "").replace(",", ".")
    if "," in text:
        grouped = _GROUPED.fullmatch(text.lstrip("+-")) and (not decimal_comma or text.count(",") > 1)
        return text.replace(",", "" if grouped else ".")
    return text.replace(".", "") if text.count(".") > 1 else text


def read_day(text: str) -> date | None:
    """The day of a date or moment, None when there is none.

    Raises:
        Unreadable: it is none that is known.
    """
    if not (text := text.strip()):
        return None
    # CUR gives intervals as two moments.
    first = text.split("/")[0] if text.count("/") == 1 else text
    try:
        return datetime.fromisoformat(first.replace(" UTC", "Z")).date()
    except ValueError:
        pass
    for form in _DAYS:
        try:
            return datetime.strptime(text.split(" ")[0].split("T")[0], form).date()
        except ValueError:
            continue
    raise Unreadable(f"the date {text[:40]!r} cannot be read")
