"""The lists that people ask for (jobs, usage, budgets, backends, quotes), each as HTML and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qpm_lab.display.figures import (
    UNKNOWN,
    count,
    counted,
    decimal,
    duration,
    interval,
    moment,
    money,
    number,
    percent,
    plain,
)
from qpm_lab.display.spending import amount, cost, quotas, renewal
from qpm_lab.display.surface import as_typed
from qpm_lab.display.tables import Column, Row, Table, column
from qpm_lab.display.text import columns, fitting, quota_lines, reason_lines
from qpm_lab.display.wording import STATES, Document, judged, part, reasons

STATE_WORDS = {
    "ready": "ready",
    "needs-key": "needs a key",
    "not-installed": "not installed",
    "offline": "offline",
}

EFFECTS = {"allow": "allowed", "deny": "denied", "needs-approval": "needs approval"}
ENDED = ("Completed", "Failed", "Cancelled", "Denied")


def jobs_table(rows: Sequence[Row], *, filtered: bool = False, more: bool = False) -> Table:
    """Jobs, newest first; rows as `Lab.page()["jobs"]`; `filtered`: others were left out, `more`: older follow."""
    shown = (
        column("Job", "job_id", fixed=True),
        column("Name", "name", prose=True),
        Column("State", _state, prose=True),
        column("Backend", "backend", fixed=True),
        Column("Shots", _shots, right=True),
        Column("Fidelity", _fidelity, right=True),
        Column("Cost", lambda row: _money(row.get("cost")), right=True),
        Column("Took", lambda row: duration(row.get("run_seconds")), right=True),
        Column("Submitted (UTC)", lambda row: moment(row.get("created_at")).removesuffix(" UTC")[:16]),
    )
    empty = as_typed("No jobs yet. Run a cell that begins with %%qjob and ends with a circuit.")
    if filtered:
        empty = "No job matches. Leave a filter out to see others."
    caption = counted(len(rows), "job")
    if more:
        caption = "The newest job" if len(rows) == 1 else f"The newest {caption}"
    return Table(shown, rows, caption, empty)


def jobs_html(rows: Sequence[Row], *, filtered: bool = False, more: bool = False) -> str:
    return jobs_table(rows, filtered=filtered, more=more).to_html()


def jobs_text(rows: Sequence[Row], *, filtered: bool = False, more: bool = False) -> str:
    return jobs_table(rows, filtered=filtered, more=more).to_text()


def _state(row: Row) -> str:
    known = plain(row.get("status"))
    word = _with_verdict(STATES.get(known, (known, ""))[0], row)
    if row.get("cancel_requested") and known in {"submitted", "queued", "running"}:
        return f"{word}, cancelling"
    refused = int(number(row.get("reasons")) or 0)
    if known in {"denied", "awaiting_approval"} and refused:
        return f"{word}: {counted(refused, 'reason')}"
    if row.get("error"):
        return f"{word}: {plain(row['error'], limit=80)}"
    return word + _queue(row)


def _queue(row: Row) -> str:
    """Of a job at a vendor: how many jobs are before it, where the vendor says so."""
    before = part(row, "standing").get("queue_position")
    return "" if before is None or row.get("status") != "queued" else f", {count(before)} before it"


def _with_verdict(word: str, row: Row) -> str:
    """A job that completed and did not meet its conditions is no success, and the list says so."""
    verdict = plain(row.get("validation"))
    return judged(word, "", verdict == "passed")[0] if verdict in {"passed", "failed"} else word


def _shots(row: Row) -> str:
    """Of a job with many histograms, how many times how many shots: '1,000 × 1,024'."""
    many = number(row.get("circuits")) or 0
    shots = count(row.get("shots"))
    return f"{count(many)} × {shots}" if many > 1 else shots


def _fidelity(row: Row) -> str:
    found = part(row, "fidelity")
    return interval(found.get("low"), found.get("high"))


def _money(value: object) -> str:
    """One amount, or several currencies side by side; they are never added."""
    if isinstance(value, Mapping) and "amount" in value:
        return money(value["amount"], value.get("currency"))
    if isinstance(value, Mapping):
        return " + ".join(money(figure, currency) for currency, figure in value.items()) or UNKNOWN
    return UNKNOWN if value is None else count(value)


def usage_table(rows: Sequence[Row], by: str = "user") -> Table:
    """Who used what; rows as `Lab.usage_rows(by)`. The jobs of a row are the sum of its states."""
    grouped = by.replace("_", " ")
    shown = (
        Column(grouped.capitalize(), lambda row: plain(row.get(by, row.get("key"))) or "(none)", prose=True),
        *(_figure(title) for title in ("Jobs", *ENDED)),
        *([_figure("Awaiting")] if any("awaiting" in row for row in rows) else []),
        *([Column("Not ended", lambda row: count(_open(row)), right=True)] if any(map(_open, rows)) else []),
        *(_validated() if any(number(row.get("validated")) for row in rows) else []),
        _figure("Shots"),
        Column("Cost", lambda row: _money(row.get("cost")), right=True),
        Column("Run time", lambda row: duration(row.get("run_seconds")), right=True),
    )
    empty = as_typed("Nothing was used yet. Run a cell that begins with %%qjob.")
    return Table(shown, rows, f"Usage by {grouped}", empty)


def _figure(title: str) -> Column:
    return Column(title, lambda row: count(row.get(title.lower())), right=True)


def _validated() -> list[Column]:
    """The rates M1 and M3: a job that completed without meeting its conditions has not succeeded."""
    return [
        Column("Succeeded", lambda row: _of(row.get("succeeded"), _ended(row)), right=True),
        Column("Validation passed", lambda row: _of(row.get("passed"), row.get("validated")), right=True),
    ]


def _ended(row: Row) -> int:
    return sum(int(number(row.get(key)) or 0) for key in ("completed", "failed"))


def _of(some: object, all_of_them: object) -> str:
    """'9 of 10 (90.0 %)'; a dash when there is none."""
    few, many = number(some), number(all_of_them)
    return f"{count(few)} of {count(many)} ({percent(few / many)})" if few is not None and many else UNKNOWN


def _open(row: Row) -> int:
    """Jobs that are waiting, running or parked: those in none of the counted states."""
    jobs, *others = (int(number(row.get(key.lower())) or 0) for key in ("jobs", *ENDED, "awaiting"))
    return max(0, jobs - sum(others))


def usage_html(rows: Sequence[Row], by: str = "user") -> str:
    return usage_table(rows, by).to_html()


def usage_text(rows: Sequence[Row], by: str = "user") -> str:
    return usage_table(rows, by).to_text()


def quota_table(rows: Sequence[Row]) -> Table:
    """Quotas with what is used, held and left; rows as the record's `quota`."""
    shown = (
        Column("Quota", lambda row: quotas([row])[0].title),
        column("Rule", "quota", fixed=True),
        *(_amount(title) for title in ("Used", "Reserved", "Left", "Limit")),
        *([Column("Note", _tightness)] if any(map(_tightness, rows)) else []),
        Column("Renews", renewal),
        column("Owner", "owner"),
    )
    empty = "No quota counts for you: the policy bundle sets none."
    return Table(shown, rows, "Budgets", empty)


def _tightness(row: Row) -> str:
    return "almost used up" if quotas([row])[0].tight else ""


def _amount(title: str) -> Column:
    return Column(title, lambda row: amount(row.get(title.lower()), row.get("unit")), right=True)


def budgets_html(rows: Sequence[Row]) -> str:
    return quota_table(rows).to_html()


def budgets_text(rows: Sequence[Row]) -> str:
    return quota_table(rows).to_text()


def quota_text(rows: Sequence[Row], *, width: int | None = None) -> str:
    """Quotas with a bar each, tightest first; rows as the record's `quota`."""
    if not rows:
        return quota_table(rows).to_text()
    lines = quota_lines(rows, columns(width))
    return fitting("\n".join("".join(piece for piece, _ in line).rstrip() for line in lines))


def backends_table(rows: Sequence[Row]) -> Table:
    """What can be run on; rows as `Lab.backend_rows()`."""
    shown = (
        column("Backend", "id", fixed=True),
        Column("Kind", _kind),
        Column("Qubits", lambda row: count(row.get("qubits")), right=True),
        Column("State", lambda row: STATE_WORDS.get(plain(row.get("state")), plain(row.get("state")))),
        Column("What it is", _what, prose=True),
    )
    return Table(shown, rows, "Backends", "No backend is installed. `qpm doctor` says what is missing.")


def _what(row: Row) -> str:
    pieces = [plain(row.get(key)).strip().removesuffix(".") for key in ("description", "note")]
    return "".join(f"{piece}. " for piece in (*pieces, _where(row), _lately(row)) if piece).strip()


def _where(row: Row) -> str:
    """Region and legal seat of whoever gets the circuit."""
    seat = plain(row.get("legal_seat"))
    pieces = (plain(row.get("region")), f"company in {seat}" if seat else "")
    return ", ".join(piece for piece in pieces if piece)


def _lately(row: Row) -> str:
    """What the vendor said when it was asked."""
    available, queue = row.get("available"), row.get("queue")
    pieces = [
        "" if available is None else "Available" if available else "Not available",
        "" if queue is None else f"{counted(int(queue), 'job')} waiting",
        f"calibrated {moment(row['calibrated_at'])}" if row.get("calibrated_at") else "",
        plain(row.get("message")).removesuffix("."),
    ]
    return ", ".join(piece for piece in pieces if piece)


def _kind(row: Row) -> str:
    if row.get("kind") != "simulator":
        return "quantum computer"
    noise = "noisy" if row.get("noisy") else "ideal"
    return f"{noise} simulator, " + ("here" if row.get("local") else "remote")


def backends_html(rows: Sequence[Row]) -> str:
    return backends_table(rows).to_html()


def backends_text(rows: Sequence[Row]) -> str:
    return backends_table(rows).to_text()


def quotes_table(rows: Sequence[Row]) -> Table:
    """What jobs would cost, one row a backend: `backend`, `shots` and the keys of a quote."""
    shown = (
        column("Backend", "backend", fixed=True),
        Column("Shots", lambda row: count(row.get("shots")), right=True),
        Column("By the rules", lambda row: EFFECTS.get(plain(row.get("effect")), "")),
        *(_price(title) for title in ("Low", "Expected", "High")),
        Column("Price from", _source, prose=True),
        Column("How", _how, prose=True),
    )
    empty = as_typed("Nothing to quote. Write %qquote CIRCUIT --backend ID --shots N.")
    return Table(shown, rows, "Cost before running", empty)


def _how(row: Row) -> str:
    """The formula with its figures; of a price that is not known what to do."""
    return plain(row.get("reason")) or plain(row.get("formula"))


def _price(title: str) -> Column:
    return Column(title, lambda row: money(row.get(title.lower()), row.get("currency")), right=True)


def _source(row: Row) -> str:
    dated = ", ".join(filter(None, (plain(row.get("source")), plain(row.get("as_of")))))
    return f"{dated} (out of date)" if row.get("stale") else dated


def quotes_text(rows: Sequence[Row]) -> str:
    """The same job on several backends, for a terminal."""
    return quotes_table(rows).to_text()


def quotes_html(rows: Sequence[Row]) -> str:
    """The same job on several backends."""
    return quotes_table(rows).to_html()


def _quoted(document: Document) -> Table:
    row = {"backend": document.get("backend"), "shots": document.get("shots"), **part(document, "quote")}
    return quotes_table([row])


def quote_html(document: Document) -> str:
    """The quote of a dry run's record."""
    return _quoted(document).to_html()


def quote_text(document: Document) -> str:
    """The quote of a dry run's record."""
    return _quoted(document).to_text()


def quote_line(document: Document) -> str:
    """The quote of a dry run's record in one sentence."""
    figure, source = cost({"quote": part(document, "quote")})
    known = decimal(part(document, "quote").get("high")) is not None
    return f"It would cost {figure}: {source}." if known else f"What it would cost is not known: {source}."


def decision_text(decision: Document, *, width: int | None = None) -> str:
    """A decision with every reason, for a terminal."""
    words = {"allow": "Allowed.", "deny": "Denied.", "needs-approval": "Needs approval."}
    first = words.get(plain(decision.get("effect")), "Not decided.")
    if not reasons(decision):
        return fitting(first)
    lines = reason_lines(decision, columns(width))
    return fitting("\n".join([first, *("".join(piece for piece, _ in line).rstrip() for line in lines)]))
