"""A session as text and as a small card: what it reserved, what it used, what is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from qpm_lab.display import spending
from qpm_lab.display.bars import quota_html
from qpm_lab.display.figures import count, counted, decimal, money, plain
from qpm_lab.display.markup import Html, code, el, join, name_of, style
from qpm_lab.display.spending import QuotaLine
from qpm_lab.display.text import columns, fitting, meter_lines, quota_lines
from qpm_lab.display.wording import Document, Tone, part, parts

OPENING = "%qsession --max-jobs 200 --max-cost 5"
STATES: dict[str, tuple[str, Tone]] = {"open": ("Open", "ok"), "closed": ("Closed", "mut")}
NONE_OPEN = "No session is open."
OWN = "This kernel has an envelope of its own until it restarts:"
NO_LIMIT = "No quota binds this kernel's life."
INVITE = "To reserve an envelope for a loop:"
ENDED = ("failed", "cancelled", "denied")


def session_text(record: Document | None, budgets: Sequence[Document] = (), *, width: int | None = None) -> str:
    """A session for a terminal.

    Args:
        record: What `Session.record()` gives; None when no session is open.
        budgets: Quota lines as in a job record; without a session those of scope `notebook_run` are shown.
        width: Columns to use; the terminal's, at most 100, by default.
    """
    room = columns(width)
    if record is None:
        rows = _own(budgets)
        lines = [NONE_OPEN, OWN if rows else NO_LIMIT, *_quota_lines(rows, room), f"{INVITE} {OPENING}"]
    else:
        lines = [f"{_state(record)[0]}  {_title(record)}  {_where(record)}", f"{_jobs(record)} · {_spent(record)}"]
        lines += [words for line in _envelope(record) for words in _words(meter_lines(line.title, line, room))]
        lines += [*_quota_lines(parts(record, "reserved"), room), _released(record)]
    return fitting("\n".join(line.rstrip() for line in lines if line))


def session_html(record: Document | None, budgets: Sequence[Document] = ()) -> str:
    """A session as a small card in the look of a job's card.

    Args:
        record: What `Session.record()` gives; None when no session is open.
        budgets: Quota lines as in a job record; without a session those of scope `notebook_run` are shown.

    Returns:
        One `<section>` with its style sheet; safe to put into any page.
    """
    if record is None:
        return _section("No session", el("header", el("strong", NONE_OPEN, class_="state mut")), _kernel(budgets))
    word, tone = _state(record)
    head = el(
        "header",
        el("strong", word, class_=f"state {tone}"),
        el("b", name_of(_title(record))),
        el("span", name_of(_where(record)), class_="mut num"),
    )
    return _section(f"{_title(record)}: {word}", head, _body(record))


def _section(label: str, *children: Html) -> str:
    return str(el("section", style("card.css"), *children, class_="qpm-card qpm-session", aria_label=label))


def _kernel(budgets: Sequence[Document]) -> Html:
    rows = _own(budgets)
    invite = el("div", f"{INVITE} ", code(OPENING), class_="next")
    facts = [quota_html(line) for line in spending.quotas(rows)]
    return join(el("div", el("p", OWN if rows else NO_LIMIT), _meters(facts), class_="pad"), invite)


def _body(record: Document) -> Html:
    released = _released(record)
    facts = [quota_html(line, kind="") for line in _envelope(record)]
    facts += [quota_html(line) for line in spending.quotas(parts(record, "reserved"))]
    return el(
        "div",
        el("p", f"{_jobs(record)} · {_spent(record)}", class_="num"),
        _meters(facts),
        el("p", released, class_="num mut") if released else None,
        class_="pad",
    )


def _meters(facts: Sequence[Html]) -> Html | None:
    return el("div", *(el("div", fact, class_="fact") for fact in facts), class_="meters") if facts else None


def _quota_lines(rows: Sequence[Document], room: int) -> list[str]:
    return _words(quota_lines(rows, room))


def _words(lines: Iterable[Sequence[tuple[str, str]]]) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in lines]


def _own(budgets: Sequence[Document]) -> list[Document]:
    return [row for row in budgets if row.get("scope") == "notebook_run"]


def _envelope(record: Document) -> list[QuotaLine]:
    """The session's own limits, each with what is left; a closed session has nothing left to draw on."""
    return [_limit(row, record.get("status") == "closed") for row in parts(record, "envelope")]


def _limit(row: Document, closed: bool) -> QuotaLine:
    line, measure = spending.quotas([row])[0], plain(row.get("measure"))
    title = "QPU time" if measure == "qpu_seconds" else measure.capitalize()
    left = "" if closed or line.tight else f", {spending.amount(row.get('left'), row.get('unit'))} left"
    return replace(line, title=title, words=line.words + left)


def _title(record: Document) -> str:
    name = plain(record.get("name")) or plain(record.get("session_id"))
    return f"Session {name}".strip()


def _where(record: Document) -> str:
    experiment = plain(part(record, "labels").get("experiment"))
    pieces = (plain(record.get("backend")), f"experiment {experiment}" if experiment else "")
    return " · ".join(piece for piece in pieces if piece)


def _state(record: Document) -> tuple[str, Tone]:
    known = plain(record.get("status"))
    return STATES.get(known, (known.capitalize() or "Unknown", "mut"))


def _jobs(record: Document) -> str:
    """'37 jobs done, 1 denied · 37,888 shots'."""
    jobs = part(record, "jobs")
    counts = [f"{counted(jobs.get('completed') or 0, 'job')} done"]
    counts += [f"{count(jobs.get(state))} {state}" for state in ENDED if decimal(jobs.get(state))]
    return ", ".join(counts) + f" · {counted(record.get('shots') or 0, 'shot')}"


def _spent(record: Document) -> str:
    """'$1.20 spent'; several currencies side by side, they are never added."""
    amounts = [part(record, "cost")] if part(record, "cost") else parts(record, "cost")
    paid = [money(one.get("amount"), one.get("currency")) for one in amounts]
    return f"{' + '.join(paid)} spent" if paid else "nothing spent"


def _released(record: Document) -> str:
    """What a closed session gave back of its envelope."""
    if record.get("status") != "closed":
        return ""
    left = [_left(row) for row in parts(record, "envelope") if (decimal(row.get("left")) or 0) > 0]
    return f"Released, not used: {', '.join(left)}." if left else "The whole envelope was used."


def _left(row: Document) -> str:
    figure, measure = spending.amount(row.get("left"), row.get("unit")), plain(row.get("measure"))
    return f"{figure} {measure}" if measure in {"jobs", "shots"} else figure
