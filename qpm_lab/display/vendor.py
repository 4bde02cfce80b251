"""Where a job is at its vendor and what its price rests on, in words; `labextension/src/vendor.ts` says the same."""

from __future__ import annotations

from collections.abc import Iterator

from qpm_lab.display.figures import money, plain
from qpm_lab.display.markup import Html, code, el, join, name_of
from qpm_lab.display.wording import WAITING, Document, part, status

Row = tuple[str, str]
PARKED_SIGN = "‖"
CONFIDENCE = {"A": "the vendor’s own text", "B": "two third parties agree", "C": "one third party"}
BASES = {
    "billed": "the vendor named the amount",
    "metered": "the vendor named the usage, priced by the list",
    "quoted": "the vendor named neither amount nor usage, so the quote counts",
    "refunded": "the vendor never took the job, or gives back what it did not finish",
}


def destination(document: Document) -> str:
    """Who gets the circuit and where it runs: 'IonQ · machine in United States · company in US'."""
    place = part(document, "place")
    pieces = (("", "vendor"), ("machine in ", "region"), ("company in ", "legal_seat"))
    return " · ".join(f"{words}{plain(place.get(key))}" for words, key in pieces if plain(place.get(key)))


def not_sent(document: Document) -> bool:
    """True of a job or dry run that nobody outside has seen yet, so that where it would go can still be weighed."""
    return status(document) in {"dry_run", "denied", "awaiting_approval"}


def goes_to(document: Document) -> Row | None:
    """What introduces the destination, and its words; None when nothing leaves this machine or all is over."""
    words = destination(document)
    if not words or not (not_sent(document) or status(document) in WAITING):
        return None
    return ("It would go to" if not_sent(document) else "It is sent to"), words


def goes_to_html(document: Document) -> Html | None:
    """The same as a fact of the card."""
    row = goes_to(document)
    return el("div", el("h4", row[0]), el("span", name_of(row[1])), class_="fact") if row else None


def vendor_rows(document: Document) -> list[Row]:
    """Who has or had the job."""
    place = part(document, "place")
    rows = (
        ("Vendor", plain(place.get("vendor"))),
        ("Region", plain(place.get("region"))),
        ("Company’s seat", plain(place.get("legal_seat"))),
    )
    return [row for row in rows if row[1]]


def vendor_ids(document: Document) -> list[str]:
    """The vendor's own ids for the job, in the order in which it was taken."""
    told = document.get("vendor_ids")
    return [plain(each) for each in told] if isinstance(told, list | tuple) else []


def price_rows(document: Document) -> list[Row]:
    """What the price rests on; empty for a free one that has nothing to tell."""
    quote = part(document, "quote")
    worth = quote.get("channel") or quote.get("confidence") or quote.get("reason") or part(quote, "listed")
    return [row for row in _price(document, quote) if row[1]] if worth else []


def _price(document: Document, quote: Document) -> Iterator[Row]:
    basis = plain(part(document, "cost").get("basis"))
    grade = plain(quote.get("confidence"))
    yield "Cost is", f"{basis}: {BASES[basis]}" if basis in BASES else basis
    yield "Price from", plain(quote.get("source"))
    yield "Seen on", plain(quote.get("as_of")) + ("; out of date" if quote.get("stale") else "")
    yield "Confidence", f"{grade}: {CONFIDENCE[grade]}" if grade in CONFIDENCE else grade
    yield "Bought through", plain(quote.get("channel"))
    yield "Formula", plain(quote.get("formula"))
    yield "In its own unit", _native(part(quote, "native"))
    yield "As listed", _listed(part(quote, "listed"))
    yield "Not known because", plain(quote.get("reason"))


def _native(told: Document) -> str:
    return f"{_ends(*map(plain, (told.get('low'), told.get('high'))))} {plain(told.get('unit'))}" if told else ""


def _listed(told: Document) -> str:
    return _ends(*(money(told.get(key), told.get("currency")) for key in ("low", "high"))) if told else ""


def _ends(low: str, high: str) -> str:
    return high if low == high else f"{low} – {high}"


def folds_html(document: Document) -> Html | None:
    """The folded parts of the card: at the vendor, and the price."""
    ids = vendor_ids(document)
    named = [join(el("dt", term), el("dd", name_of(words))) for term, words in vendor_rows(document)]
    named += [el("dt", "Vendor’s id" if len(ids) == 1 else "Vendor’s ids")] if ids else []
    named += [el("dd", code(each)) for each in ids]
    priced = [join(el("dt", term), el("dd", name_of(words))) for term, words in price_rows(document)]
    return join(_fold("At the vendor", named), _fold("Price", priced))


def _fold(title: str, terms: list[Html]) -> Html | None:
    return el("details", el("summary", title), el("dl", *terms, class_="num")) if terms else None
