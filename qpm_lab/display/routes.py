"""A route: its backends as one table with why each stands where it stands, and a fallback as one sentence."""

from __future__ import annotations

import re
import textwrap

from qpm_lab.display.figures import UNKNOWN, count, counted, duration, money, number, plain
from qpm_lab.display.markup import Html, el, join
from qpm_lab.display.tables import Column, Row, Table, column
from qpm_lab.display.text import columns, fitting
from qpm_lab.display.wording import Document, part, parts

EFFECTS = {"allow": "allowed", "deny": "refused", "needs-approval": "needs approval"}
ORDERS = {
    "listed": "in the order of the list",
    "cost": "the cheapest machine first",
    "availability": "the machine with the shortest wait first",
    "fidelity": "the machine with the best predicted fidelity first",
}

SHOWN = re.compile(
    r"(Listed as number|Costs at most|Its reported errors predict|A wait of about) .*"
    r"|Nothing waits there\.|[\d,]+ jobs wait there\."
)
"""Reasons that only repeat rank, price, prediction or wait of their row."""


def route_table(document: Document) -> Table:
    """The backends of a route; a document as `Lab.explain_route` gives it."""
    shown = (
        column("Backend", "backend", fixed=True),
        Column("Rank", lambda row: count(row.get("rank")) if row.get("rank") else UNKNOWN, right=True),
        Column("Price", _price, right=True),
        Column("Rules", lambda row: EFFECTS.get(plain(row.get("decision")), UNKNOWN)),
        Column("Wait", _wait),
        Column("Predicted fidelity", _fidelity, right=True),
        Column("Why", _why, prose=True),
    )
    order = ORDERS.get(plain(document.get("by")), plain(document.get("by")))
    caption = f"Route {plain(document.get('route'))}: {order}"
    return Table(shown, parts(document, "rows"), caption, "The route has no backend.")


def route_html(document: Document) -> str:
    """The route for a notebook."""
    said = [el("p", words) for words in _sentences(document)]
    return str(join(Html(route_table(document).to_html()), el("div", *said, class_="qpm-table")))


def route_text(document: Document, *, width: int | None = None) -> str:
    """The route for a terminal."""
    room = columns(width)
    told = [line for words in _sentences(document) for line in textwrap.wrap(words, room)]
    return fitting("\n".join([route_table(document).to_text(room), *told]))


def _sentences(document: Document) -> list[str]:
    chosen, many = plain(document.get("chosen")), number(document.get("max_attempts")) or 1
    said = [f"A job would go to {chosen}." if chosen else "No backend of this route would take the job now."]
    if chosen and document.get("fallback"):
        said.append(f"If it fails there the next one is taken, {counted(many, 'attempt')} at most.")
    elif chosen:
        said.append("If it fails there it ends: the route allows no fallback.")
    if document.get("rerun_on_failed_validation"):
        said.append("A result that does not meet its conditions is run again on the next one.")
    return said


def _why(row: Row) -> str:
    """Why it stands there, unless a figure beside it says so; why it is left out."""
    why = plain(row.get("why"))
    return "" if row.get("rank") and SHOWN.fullmatch(why) else why


def _price(row: Row) -> str:
    price = part(row, "price")
    if not price:
        return UNKNOWN
    low, high = (money(price.get(end), price.get("currency")) for end in ("low", "high"))
    return high if low == high else f"{low} – {high}"


def _wait(row: Row) -> str:
    if row.get("available") is False:
        return "not available"
    if row.get("queue_seconds"):
        return f"about {duration(row.get('queue_seconds'))}"
    queue = number(row.get("queue"))
    if queue is None:
        return "available" if row.get("available") else UNKNOWN
    return counted(queue, "job") if queue else "no wait"


def _fidelity(row: Row) -> str:
    predicted = number(row.get("expected_fidelity"))
    return UNKNOWN if predicted is None else f"{predicted:.3f}"
