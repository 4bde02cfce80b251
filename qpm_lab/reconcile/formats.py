"""The shapes of invoices that are known, each by the columns that it has; told apart by the header.

Headers are compared without case, spaces and punctuation, so that `lineItem/UsageStartDate` of AWS's cost and usage
report is `line_item_usage_start_date` of its second version, and a spreadsheet may have changed them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from qpm_lab.errors import InputError
from qpm_lab.reconcile.lines import BadRow, Line, Unreadable, read_amount, read_day
from qpm_lab.reconcile.reading import PREAMBLE, Table

MAX_IDS = 40
_CURRENCY = re.compile(r"[A-Z]{3}")
_WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{7,}")
Fields = Mapping[str, str]
"""Role of a column → what a row has there."""


@dataclass(frozen=True, slots=True)
class Format:
    """Which columns an invoice has, by their role; of several names the first that is there counts."""

    name: str
    provider: str
    needed: Mapping[str, tuple[str, ...]]
    """All of these roles must be there."""
    optional: Mapping[str, tuple[str, ...]]
    currency: str = ""
    """When no column says so."""
    days_after: int = 0
    """How many days after its last the end of a period is given."""
    quantum: Callable[[Fields], bool] = lambda fields: True
    """Whether a row is about a quantum service at all: exports have every other service of the account too."""

    def columns(self, header: Sequence[str]) -> dict[str, int] | None:
        """Role → column; None when a needed one is not there."""
        places = {_plain(name): place for place, name in reversed(list(enumerate(header)))}
        found = {}
        for role, names in {**self.needed, **self.optional}.items():
            at = next((places[name] for name in names if name in places), None)
            if at is not None:
                found[role] = at
        return found if self.needed.keys() <= found.keys() else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _mentions(fields: Fields, word: str, *roles: str) -> bool:
    said = [fields[role].lower() for role in roles if fields.get(role)]
    return not said or any(word in each for each in said)


FORMATS: dict[str, Format] = {
    "aws": Format(
        "aws",
        "braket",
        {
            "id": ("lineitemresourceid", "resourceid"),
            "amount": ("lineitemunblendedcost", "unblendedcost"),
            "product": ("lineitemproductcode", "productcode"),
        },
        {
            "currency": ("lineitemcurrencycode", "currencycode"),
            "day": ("lineitemusagestartdate", "usagestartdate"),
            "from": ("billbillingperiodstartdate",),
            "until": ("billbillingperiodenddate",),
            "description": ("lineitemlineitemdescription", "lineitemusagetype", "itemdescription"),
            "cost_center": ("resourcetagsusercostcenter", "resourcetagscostcenter"),
        },
        "USD",
        1,
        lambda fields: _mentions(fields, "braket", "product"),
    ),
    "azure": Format(
        "azure",
        "azure",
        {
            "id": ("resourceid", "instanceid", "instancename"),
            "amount": ("costinbillingcurrency", "costinpricingcurrency", "pretaxcost"),
            "day": ("date", "usagedatetime", "usagedate"),
        },
        {
            "currency": ("billingcurrencycode", "billingcurrency", "pricingcurrencycode", "currency"),
            "more": ("additionalinfo",),
            "tags": ("tags",),
            "from": ("billingperiodstartdate",),
            "until": ("billingperiodenddate",),
            "description": ("metername", "product", "productname"),
            "cost_center": ("costcenter",),
            "product": ("consumedservice", "metercategory", "servicefamily"),
        },
        "",
        0,
        lambda fields: _mentions(fields, "quantum", "product", "id"),
    ),
    "ibm": Format(
        "ibm",
        "ibm",
        {"id": ("jobid", "workloadid", "workload", "job")},
        {
            "amount": ("cost", "costusd", "amount", "charge", "charges", "totalcost", "price"),
            "seconds": ("usageseconds", "usages", "usage", "qpuseconds", "quantumseconds", "qpuusageseconds"),
            "currency": ("currency", "currencycode"),
            "day": ("date", "created", "createdat", "creationdate", "completed", "ended", "usagedate"),
            "description": ("backend", "qpu", "description"),
            "cost_center": ("costcenter",),
        },
        "USD",
    ),
    "generic": Format(
        "generic",
        "",
        {"id": ("vendorid",), "amount": ("amount",), "currency": ("currency",)},
        {
            "day": ("date",),
            "description": ("description",),
            "cost_center": ("costcenter", "costcentre"),
            "provider": ("provider",),
        },
    ),
}  # fmt: skip


@dataclass(slots=True)
class Invoice:
    """The lines of one file."""

    table: Table
    format: Format
    lines: list[Line]
    bad: list[BadRow]
    period: tuple[date, date] | None = None
    """As the file states it; None when only its lines do."""


def read_invoice(table: Table, name: str | None, per_second: tuple[Decimal, str] | None) -> Invoice:
    """All lines of a file, and all rows that are none.

    Raises:
        InputError: the header is that of no known format, or of another one than is named.
    """
    format_, line, columns = _header(table, name)
    if "amount" not in columns and per_second is None:
        raise InputError(
            f"{table.path} says how long jobs took and not what they cost.",
            "Give your plan's price of a second: --per-second '1.60 USD'.",
        )
    invoice = Invoice(table, format_, [], [])
    days: list[date] = []
    for number, row in table.rows():
        if number <= line:
            continue
        try:
            fields = _fields(row, columns)
            invoice.lines.append(_line(invoice, number, fields, per_second))
            days += _stated(format_, fields)
        except Unreadable as reason:
            invoice.bad.append(BadRow(str(table.path), number, str(reason)))
    if days:
        invoice.period = min(days), max(days)
    return invoice


def _stated(format_: Format, fields: Fields) -> list[date]:
    """The first and last day of the period that a row says it belongs to."""
    first, after = read_day(fields.get("from", "")), read_day(fields.get("until", ""))
    last = None if after is None else after - timedelta(days=format_.days_after)
    return [day for day in (first, last) if day is not None]


def _header(table: Table, name: str | None) -> tuple[Format, int, dict[str, int]]:
    """Format, line of the header, and role → column."""
    wanted = list(FORMATS.values()) if name is None else [_named(name)]
    for count, (number, row) in enumerate(table.rows()):
        for each in wanted if row is not None else ():
            if (columns := each.columns(row or [])) is not None and not columns.keys().isdisjoint(
                ("amount", "seconds")
            ):
                return each, number, columns
        if count == PREAMBLE:
            break
    if name is None:
        needs = "vendor_id,amount,currency[,date,description,cost_center]"
        raise InputError(
            f"{table.path} is an invoice of no known shape.", f"Name it with --format, or give columns {needs}."
        )
    missing = ", ".join(" or ".join(names[:2]) for names in wanted[0].needed.values())
    raise InputError(f"{table.path} is no {name} export.", f"Its header needs columns for {missing}.")


def _named(name: str) -> Format:
    if name not in FORMATS:
        raise InputError(f"There is no format {name[:40]!r}.", f"There are: {', '.join(FORMATS)}.")
    return FORMATS[name]


def _fields(row: list[str] | str, columns: Mapping[str, int]) -> dict[str, str]:
    if isinstance(row, str):
        raise Unreadable(row)
    if max(columns[role] for role in columns) >= len(row):
        raise Unreadable(f"it has only {len(row)} fields")
    return {role: row[place].strip() for role, place in columns.items()}


def _line(invoice: Invoice, number: int, fields: Fields, per_second: tuple[Decimal, str] | None) -> Line:
    form, comma = invoice.format, invoice.table.decimal_comma
    if "amount" in fields:
        amount = read_amount(fields["amount"], decimal_comma=comma)
        currency = fields.get("currency", "").upper() or form.currency
    else:
        price, currency = per_second or (Decimal(0), "")
        amount = read_amount(fields["seconds"], decimal_comma=comma) * price
    if not _CURRENCY.fullmatch(currency):
        raise Unreadable(f"the currency {currency[:20]!r} is not a code of three letters")
    return Line(
        str(invoice.table.path),
        number,
        fields.get("provider", "").lower() or form.provider,
        tuple(_ids(fields))[:MAX_IDS],
        amount,
        currency,
        read_day(fields.get("day", "")),
        fields.get("description", "")[:200],
        fields.get("cost_center", "")[:200],
        "" if form.quantum(fields) else fields.get("product", "") or "another service",
    )


def _ids(fields: Fields) -> Iterator[str]:
    """What may name the job: the column for it, and for Azure, where that is the workspace, what is told beside it."""
    for role in ("more", "tags"):
        if text := fields.get(role):
            yield from _named_ids(text)
    if fields.get("id"):
        yield fields["id"]
    for role in ("more", "tags"):
        yield from _WORD.findall(fields.get(role, ""))


def _named_ids(text: str) -> Iterator[str]:
    """Azure writes a JSON object, of tags only its inside."""
    try:
        told = json.loads(text if text.startswith("{") else f"{{{text}}}")
    except (ValueError, RecursionError):
        return
    if isinstance(told, dict):
        yield from (v for k, v in told.items() if _plain(k) in ("jobid", "vendorid", "job") and isinstance(v, str))
