"""Puts each line to its job, and each job to a category."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.reconcile.formats import Invoice, read_invoice
from qpm_lab.reconcile.lines import Line
from qpm_lab.reconcile.reading import read_table
from qpm_lab.reconcile.recorded import Money, Recorded, recorded_jobs
from qpm_lab.reconcile.report import Category, Item, Report

if TYPE_CHECKING:
    from qpm_lab.ledger import Ledger

HALF_A_CENT = Decimal("0.005")
EVENT = "cost.reconciled"
MAX_NOTED = 1000
"""Cost centres whose sums the ledger keeps."""
Decimals = Mapping[tuple[str, str], int]
"""File and currency → digits after the point that the file has at most."""


def reconcile(
    ledger: Ledger,
    paths: Iterable[str | Path],
    format: str | None = None,
    *,
    per_second: tuple[Decimal, str] | None = None,
) -> Report:
    """Compares invoices with the jobs of a ledger, and notes there that it was done.

    A job matches when what its lines add up to is what was recorded, but for half a cent, or for what rounding each
    line to the decimals of its file can add up to. Jobs of the same providers that ended in the period of the invoices
    and cost something, but have no line, are missing. The period is the one that the files state; else from the first
    to the last day of their lines; else the months of the jobs that have lines.

    Args:
        ledger: Whose jobs.
        paths: CSV files.
        format: A key of `FORMATS`; found by the header when None.
        per_second: Price and currency of a second, for exports that say only how long jobs took.

    Raises:
        InputError: a file cannot be read, is of no known format, or is given twice.
    """
    invoices = [read_invoice(read_table(Path(path)), format, per_second) for path in paths]
    _require_once(invoices)
    jobs = list(recorded_jobs(ledger))
    report = _report(invoices, jobs)
    ledger.note(EVENT, _noted(report))
    return report


def _require_once(invoices: Sequence[Invoice]) -> None:
    seen: dict[str, Path] = {}
    if not invoices:
        raise InputError("There is no invoice to reconcile.", "Name one or more CSV files.")
    for invoice in invoices:
        first = seen.setdefault(invoice.table.digest, invoice.table.path)
        if first is not invoice.table.path:
            raise InputError(f"{invoice.table.path} has the same content as {first}.", "Give each invoice once.")


def _report(invoices: Sequence[Invoice], jobs: Sequence[Recorded]) -> Report:
    lines = [line for invoice in invoices for line in invoice.lines]
    decimals = _decimals(lines)
    of_job, rest = assign(lines, jobs)
    billed = [job for job in jobs if job.job_id in of_job]
    billers = {invoice.format.provider for invoice in invoices} | {line.provider for line in lines}
    providers = sorted(billers | {job.provider for job in billed})
    period = _period(invoices, lines, billed)
    items = [_billed(job, of_job[job.job_id], decimals) for job in billed]
    items += [_missing(job) for job in jobs if job.job_id not in of_job and _is_missing(job, providers, period)]
    items += _without_job(rest)
    return Report(
        tuple(items),
        tuple(row for invoice in invoices for row in invoice.bad),
        tuple(_file(invoice) for invoice in invoices),
        period,
        tuple(filter(None, providers)),
    )


def assign(lines: Sequence[Line], jobs: Sequence[Recorded]) -> tuple[dict[str, list[Line]], list[Line]]:
    """Job id → its lines, and the lines that are of no job.

    A vendor's id counts whole, or by its last part: AWS writes a task as `arn:…:quantum-task/UUID`.
    """
    known: dict[str, str] = {}
    for job in jobs:
        for name in (*job.vendor_ids, *job.tokens):
            for key in _keys(name):
                known.setdefault(key, job.job_id)
    of_job: dict[str, list[Line]] = {}
    rest = []
    for line in lines:
        found = next((known[key] for name in line.ids for key in _keys(name) if key in known), None)
        if found is None:
            rest.append(line)
        else:
            of_job.setdefault(found, []).append(line)
    return of_job, rest


def _keys(name: str) -> list[str]:
    whole = name.strip().casefold()
    return list(dict.fromkeys(key for key in (whole, whole.rpartition("/")[2]) if key))


def _decimals(lines: Iterable[Line]) -> Decimals:
    most: dict[tuple[str, str], int] = {}
    for line in lines:
        exponent = line.amount.as_tuple().exponent
        digits = -exponent if isinstance(exponent, int) else 0
        key = line.file, line.currency
        most[key] = max(most.get(key, 0), digits)
    return most


def _billed(job: Recorded, lines: Sequence[Line], decimals: Decimals) -> Item:
    billed = _sums(lines)
    category: Category = "matched" if _agrees(job, billed, lines, decimals) else "different"
    return _of_job(category, job, billed, tuple(lines))


def _agrees(job: Recorded, billed: Money, lines: Sequence[Line], decimals: Decimals) -> bool:
    if job.basis is None:
        return False
    for currency in billed.keys() | job.cost.keys():
        rounding = sum(
            min(HALF_A_CENT, Decimal(5).scaleb(-decimals[line.file, currency] - 1))
            for line in lines
            if line.currency == currency
        )
        gap = abs(billed.get(currency, Decimal(0)) - job.cost.get(currency, Decimal(0)))
        if gap > max(HALF_A_CENT, rounding):
            return False
    return True


def _sums(lines: Iterable[Line]) -> Money:
    found: Money = {}
    for line in lines:
        found[line.currency] = found.get(line.currency, Decimal(0)) + line.amount
    return found


def _missing(job: Recorded) -> Item:
    return _of_job("missing", job, {}, ())


def _is_missing(job: Recorded, providers: Sequence[str], period: tuple[date, date] | None) -> bool:
    inside = period is not None and period[0] <= job.day <= period[1]
    return inside and job.provider in providers and any(amount > 0 for amount in job.cost.values())


def _of_job(category: Category, job: Recorded, billed: Money, lines: tuple[Line, ...]) -> Item:
    return Item(
        category,
        job.vendor_ids,
        billed,
        job.cost,
        lines,
        job.job_id,
        job.name,
        job.provider,
        job.status,
        job.basis,
        job.cost_center,
    )


def _without_job(lines: Iterable[Line]) -> list[Item]:
    """One item for each id that no job has, and one for each other service."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        first = line.ids[0] if line.ids else ""
        key = ("other", line.provider, line.foreign) if line.foreign else ("", line.provider, first, line.cost_center)
        groups.setdefault(key, []).append(line)
    return [_unclaimed(group) for group in groups.values()]


def _unclaimed(lines: Sequence[Line]) -> Item:
    first = lines[0]
    return Item(
        "other" if first.foreign else "unexpected",
        first.ids[:1] if not first.foreign else (),
        _sums(lines),
        {},
        tuple(lines),
        provider=first.provider,
        cost_center=None if first.foreign else first.cost_center or None,
        description=first.foreign or first.description,
    )


def _period(invoices: Sequence[Invoice], lines: Iterable[Line], billed: Iterable[Recorded]) -> tuple[date, date] | None:
    days = [line.day for line in lines if line.day is not None]
    for invoice in invoices:
        days += invoice.period or ()
    if days:
        return min(days), max(days)
    months = [job.day for job in billed]
    if not months:
        return None
    last = max(months)
    return min(months).replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])


def _file(invoice: Invoice) -> dict[str, Any]:
    return {
        "file": str(invoice.table.path),
        "digest": invoice.table.digest,
        "format": invoice.format.name,
        "lines": len(invoice.lines),
        "bad_rows": len(invoice.bad),
    }


def _noted(report: Report) -> dict[str, Any]:
    """What the ledger keeps: which files, and what they came to; no path, no vendor's text."""
    files = [{name: value for name, value in file.items() if name != "file"} for file in report.files]
    document = report.to_dict()
    sums = document["cost_centers"][:MAX_NOTED]
    return {"files": files, "cost_centers": sums, **{name: document[name] for name in ("ok", "period", "counts")}}
