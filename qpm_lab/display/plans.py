"""A plan of shots: for each backend how many, how they would measure the fidelity, at what price, and what to write."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from qpm_lab.display.figures import UNKNOWN, count, counted, level, money, number, plain
from qpm_lab.display.markup import Html, code, el, join
from qpm_lab.display.surface import as_typed
from qpm_lab.display.tables import Column, Row, Table, column
from qpm_lab.display.text import columns, fitting
from qpm_lab.display.wording import Document, part, parts, reasons

MEASURED = {
    "histogram": "histogram",
    "mirror": "mirror circuits",
    "proxy": "Clifford proxies",
    "none": "nothing",
}
EFFECTS = {"allow": "allowed", "deny": "refused", "needs-approval": "needs approval"}
TO_RUN = "To run it:"
MIRROR = "Further circuits can measure it: add"
EXPLAINED = (
    "Shots are for the worst case, whatever the machine does. Fewer would do at the fidelity predicted from the "
    "backend's reported errors; such predictions are usually too good."
)


def plan_table(document: Document) -> Table:
    """The plan as a table; a document as `Lab.plan_shots` gives it."""
    rows = parts(document, "rows")
    shown = (
        column("Backend", "backend", fixed=True),
        Column("Measured by", lambda row: MEASURED.get(plain(row.get("measured")), UNKNOWN), prose=True),
        Column("Shots", lambda row: count(row.get("shots")), right=True),
        *([Column("As predicted", _expected, right=True)] if any(map(_predicted, rows)) else []),
        *([Column("Further circuits", _further, right=True)] if any(row.get("companions") for row in rows) else []),
        Column("Cost", _cost, right=True),
        Column("Rules", _allowed, prose=True),
    )
    empty = as_typed("There is no backend to plan for. %qbackends lists them.")
    return Table(shown, rows, _caption(document), empty)


def plan_html(document: Document) -> str:
    """The plan for a notebook, with what its figures mean."""
    said = [el("p", words) for words in _sentences(document)]
    told = [el("li", code(words)) for words in _commands(document)]
    invite = join(el("p", TO_RUN), el("ul", *told)) if told else None
    return str(join(Html(plan_table(document).to_html()), el("div", *said, invite, class_="qpm-table")))


def plan_text(document: Document, *, width: int | None = None) -> str:
    """The plan for a terminal."""
    room = columns(width)
    told = [line for words in _sentences(document) for line in textwrap.wrap(words, room)]
    calls = [f"  {words}" for words in _commands(document)]
    return fitting("\n".join([plan_table(document).to_text(room), *told, *([TO_RUN, *calls] if calls else [])]))


def _commands(document: Document) -> list[str]:
    """What to write for each backend that would run it."""
    able = (row for row in parts(document, "rows") if row.get("state") == "ready" and _effect(row) == "allow")
    return [plain(row.get("command")) for row in able if row.get("command")]


def _effect(row: Row) -> str:
    return plain(part(row, "decision").get("effect"))


def _caption(document: Document) -> str:
    name = plain(document.get("name")) or "circuit"
    many = number(document.get("circuits")) or 1
    what = name if many == 1 else f"{counted(many, 'circuit')}, the most demanding"
    half = number(document.get("half_width"))
    wide = UNKNOWN if half is None else f"{half:g}"
    return f"Shots for ± {wide} ({level(document.get('level'))}): {what}"


def _sentences(document: Document) -> list[str]:
    rows = parts(document, "rows")
    refusal = plain(document.get("reason"))
    said = [refusal, f"{MIRROR} --fidelity mirror."] if refusal else [EXPLAINED] if any(map(_predicted, rows)) else []
    told = (
        _together(rows, lambda row: _why(row, refusal)),
        _together(rows, lambda row: plain(row.get("note"))),
        _together(rows, _source),
    )
    return [*said, *(each for group in told for each in group)]


def _together(rows: Sequence[Row], words: Callable[[Row], str]) -> list[str]:
    """What is said of some backends, once for all of which it is true."""
    said: dict[str, list[str]] = {}
    for row in rows:
        said.setdefault(words(row), []).append(plain(row.get("backend")))
    return [f"{', '.join(ids)}: {text}" for text, ids in said.items() if text]


def _predicted(row: Row) -> bool:
    return number(row.get("predicted_fidelity")) is not None


def _expected(row: Row) -> str:
    predicted = number(row.get("predicted_fidelity"))
    if predicted is None:
        return UNKNOWN
    return f"{count(row.get('shots_expected'))} at {predicted:.3f}"


def _further(row: Row) -> str:
    further = part(row, "companions")
    return f"{count(further.get('circuits'))} × {count(further.get('shots'))}" if further else UNKNOWN


def _cost(row: Row) -> str:
    quote = part(row, "quote")
    if not quote:
        return UNKNOWN
    low, high = (money(quote.get(end), quote.get("currency")) for end in ("low", "high"))
    return high if low == high else f"{low} – {high}"


def _source(row: Row) -> str:
    quote = part(row, "quote")
    dated = ", ".join(filter(None, (plain(quote.get("source")), plain(quote.get("as_of")))))
    if not dated:
        return ""
    known = "no price" if quote.get("high") is None else "price"
    return f"{known}: {dated}{' (out of date)' if quote.get('stale') else ''}"


def _allowed(row: Row) -> str:
    return EFFECTS.get(_effect(row), UNKNOWN)


def _why(row: Row, refusal: str) -> str:
    """Why there is nothing to measure, or why it would be refused; what is said of all rows already is left out."""
    own = plain(row.get("reason"))
    why = reasons(part(row, "decision"))
    more = f" And {counted(len(why) - 1, 'reason')} more: {as_typed('%qexplain')}." if len(why) > 1 else ""
    return " ".join(filter(None, ("" if own == refusal else own, f"{why[0].message}{more}" if why else "")))
