"""What a job costs and what its quotas have left, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qpm_lab.display.figures import count, decimal, duration, moment, money, plain
from qpm_lab.display.wording import Document, part

WINDOWS = {
    "hour": "this hour",
    "day": "today",
    "month": "this month",
    "job": "per job",
    "life": "in this notebook",
}

BASES = {
    "billed": "billed by the vendor",
    "metered": "metered: the usage the vendor named, at the listed price",
    "refunded": "not charged by the vendor",
}
"""What the amount of a job that has ended rests on; of any other the quote."""


def cost(document: Document) -> tuple[str, str]:
    """The amount, and where it comes from: ('$0.00', 'local simulation is free')."""
    quote, paid = part(document, "quote"), part(document, "cost")
    if paid and decimal(paid.get("amount")) is not None:
        figure = money(paid.get("amount"), paid.get("currency"))
        basis = plain(paid.get("basis"))
        return figure, BASES.get(basis) or _source(quote, bool(decimal(paid.get("amount"))))
    if not quote:
        return "unknown", "no price is known"
    low, high = quote.get("low"), quote.get("high")
    if decimal(high) is None:
        return "unknown", plain(quote.get("reason")) or "no price is known"
    figure = money(high, quote.get("currency"))
    if decimal(low) is not None and decimal(low) != decimal(high):
        figure = f"{money(low, quote.get('currency'))} – {figure}"
    return figure, _source(quote, decimal(high) != 0)


def spent(document: Document) -> str:
    """What a job cost that has nothing to show for it: 'Spent: $0.40, billed by the vendor.'"""
    paid = part(document, "cost")
    if not paid:
        return "Nothing was spent."
    words = BASES.get(plain(paid.get("basis")))
    return f"Spent: {', '.join(filter(None, (money(paid.get('amount'), paid.get('currency')), words)))}."


def _source(quote: Document, priced: bool) -> str:
    source, seen = plain(quote.get("source")), plain(quote.get("as_of"))
    if not priced and source:
        return source
    grade = plain(quote.get("confidence"))
    dated = ", ".join(piece for piece in (source, seen, f"confidence {grade}" if grade else "") if piece)
    words = f"quoted ({dated})" if dated else "quoted"
    return f"{words}; this price is out of date" if quote.get("stale") else words


RENEWALS = {"session": "never: it ends with the session", "notebook_run": "when the kernel restarts"}


def renewal(row: Document) -> str:
    """When a quota starts afresh: '2026-11-23 00:00 UTC', 'when the kernel restarts', 'never'."""
    said = RENEWALS.get(plain(row.get("scope")), "never")
    return moment(row.get("renews_at")).replace(":00 UTC", " UTC") or said


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """One quota: its title, its shares of the limit for a bar, and its words."""

    title: str
    used: float
    reserved: float
    words: str
    tight: bool
    """More than four fifths of the limit are used or held."""


def quotas(rows: Sequence[Document]) -> list[QuotaLine]:
    """The quotas, tightest first."""
    lines = [_quota(row) for row in rows if isinstance(row, Mapping)]
    return sorted(lines, key=lambda line: -(line.used + line.reserved))


def _quota(row: Document) -> QuotaLine:
    limit = decimal(row.get("limit")) or 0
    used, reserved = decimal(row.get("used")) or 0, decimal(row.get("reserved")) or 0
    share, held = (float(used / limit), float(reserved / limit)) if limit > 0 else (1.0, 0.0)
    tight = share + held > 0.8
    unit = row.get("unit")
    words = f"{amount(used, unit)} of {amount(limit, unit)} used"
    words += f", {amount(reserved, unit)} held" if reserved else ""
    words += f"; almost used up, {amount(row.get('left'), unit)} left" if tight else ""
    return QuotaLine(_quota_title(row), _unit(share), min(_unit(held), 1 - _unit(share)), words, tight)


def _quota_title(row: Document) -> str:
    measure = plain(row.get("measure")).replace("qpu_seconds", "QPU seconds") or plain(row.get("quota"))
    window = WINDOWS.get(plain(row.get("window")), plain(row.get("window")))
    title = f"{measure} {window}".strip()
    scope, key = plain(row.get("scope")), plain(row.get("key"))
    if scope == "org":
        return f"{title} · everyone"
    if scope == "session":
        return f"{measure} in session {key}".strip()
    if scope in {"", "user", "notebook_run"}:
        return title
    return f"{title} · {scope.replace('_', ' ')} {key}".strip()


def _unit(share: float) -> float:
    return min(1.0, max(0.0, share))


def amount(value: object, unit: object) -> str:
    """An amount of a quota or reason in its unit; shots and jobs are named by the title already."""
    kind = plain(unit)
    if kind in {"shots", "jobs", ""}:
        return count(value)
    return seconds(value) if kind == "s" else money(value, kind)


def seconds(value: object) -> str:
    """
    >>> seconds("7002"), seconds("0"), seconds(None)
    ('1 h 56 min', '0 s', '–')
    """
    known = decimal(value)
    return "0 s" if known == 0 else duration(None if known is None else float(known))
