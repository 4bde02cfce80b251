"""A job record as static HTML that needs nothing else: no script, no network, no kernel.

The card carries its own colours for light and dark pages, so that it reads the same in an exported page.
In JupyterLab the MIME renderer draws the card from the record instead, with the colours of the theme.
"""

from __future__ import annotations

from qpm_lab.display import spending, wording
from qpm_lab.display.bars import meter, outcomes_html, quota_html
from qpm_lab.display.charts import sweep_html
from qpm_lab.display.details import circuit_html, record_html
from qpm_lab.display.figures import counted
from qpm_lab.display.markup import Html, code, el, join, name_of, style
from qpm_lab.display.results import blocks, outcomes
from qpm_lab.display.steps import steps
from qpm_lab.display.sweeps import TABLE, sweep
from qpm_lab.display.trust_html import fidelity_html, measured_html, verdict_html
from qpm_lab.display.vendor import PARKED_SIGN, folds_html, goes_to_html
from qpm_lab.display.wording import Document, Why, part, status

FOLDS = (measured_html, circuit_html, folds_html, record_html)
QUOTAS = 2
"""Quotas drawn at once, the tightest first; the others are folded away."""


def to_html(document: Document) -> str:
    """The card of a job or dry run.

    Args:
        document: A job record as in docs/record.md. Everything in it is treated as untrusted text.

    Returns:
        One `<section>` with its style sheet; safe to put into any page.
    """
    sections = [_head, _fallback, _why, _trouble, verdict_html, _body, _would_go, _next]
    return str(
        el(
            "section",
            style("card.css"),
            *(section(document) for section in sections),
            _foot(document),
            class_=f"qpm-card qpm-{_class_of(document)}",
            aria_label=f"Quantum job {wording.job_name(document)}: {wording.state(document)[0]}",
        )
    )


def _class_of(document: Document) -> str:
    return status(document) if status(document) in wording.STATES else "other"


def _head(document: Document) -> Html:
    word, tone = wording.state(document)
    verdict = wording.verdict(document)
    return el(
        "header",
        el("strong", _sign(tone), word, class_=f"state {tone}"),
        el("b", name_of(wording.job_name(document))),
        el("span", verdict[0], class_=verdict[1]) if verdict else None,
        el("span", name_of(wording.where(document)), class_="mut num"),
        el("span", name_of(wording.aside(document)), class_="aside mut"),
    )


def _fallback(document: Document) -> Html | None:
    told = wording.fallback(document)
    return el("p", name_of(told), class_="warn fell") if told else None


def _sign(tone: str) -> Html | None:
    """A job that waits for a person is told from all others without its colour too."""
    return el("span", PARKED_SIGN, class_="sign", aria_hidden="true") if tone == "held" else None


def _why(document: Document) -> Html | None:
    return reasons_html(part(document, "decision")) if wording.reasons(part(document, "decision")) else None


def reasons_html(decision: Document) -> Html:
    """Every reason of a decision: what, what would make it pass, which rule, who owns it."""
    items = (el("li", el("b", why.message), *_fix(why)) for why in wording.reasons(decision))
    return el("ul", *items, class_="why")


def _fix(why: Why) -> list[Html]:
    owner = f", owner {why.owner}" if why.owner else ""
    rule = el("span", "Rule ", code(why.rule), f"{owner}.", class_="mut") if why.rule else None
    fix = el("span", why.fix, class_="fix") if why.fix else None
    pieces = [piece for piece in (fix, rule) if piece is not None]
    return [join(el("br"), piece) for piece in pieces]


def _trouble(document: Document) -> Html | None:
    why = wording.trouble(document)
    if why is None:
        return None
    paid = spending.spent(document)
    kept = "Its reservation is kept until then." if status(document) == "parked" else paid
    lines = [el("b", why.message), el("br"), el("span", why.fix), el("br") if why.fix else None]
    held = " parked" if status(document) == "parked" else ""
    return el("div", *lines, el("span", kept, class_="mut"), class_=f"why trouble{held}")


def _body(document: Document) -> Html | None:
    """Outcomes at the left, what is known about trust, money and quotas at the right."""
    if wording.without_body(document):
        return None
    drawn, beyond = blocks(document)
    left = [_progress(document), *(_block(block, len(drawn) > 1) for block in drawn)]
    if beyond:
        left.append(el("p", f"{counted(beyond, 'more circuit')}. All of them: ", code(TABLE)))
    single = drawn[0] if len(drawn) == 1 else {}
    facts = (fidelity_html(single), goes_to_html(document), _cost(document), _quotas(document))
    if not any(left):
        return el("div", *facts, class_="body") if any(facts) else None
    return el("div", el("div", *left, class_="mains"), el("div", *facts, class_="side"), class_="body")


def _block(block: Document, named: bool) -> Html:
    """One circuit; with several, each has its name and its own fidelity below its bars."""
    drawing = _drawing(block)
    if not named:
        return drawing
    title = el("h4", name_of(part(block, "circuit").get("name") or "unnamed circuit"), class_="name")
    return el("div", title, drawing, fidelity_html(block), class_="block")


def _drawing(block: Document) -> Html:
    swept, found = sweep(block), outcomes(block)
    if swept:
        return sweep_html(block, swept)
    return outcomes_html(found) if found else el("p", "No outcomes were recorded.", class_="mut")


def _progress(document: Document) -> Html | None:
    now = wording.progress(document)
    if now is None:
        return None
    cancel = el("p", "To stop it: ", code(wording.cancel_command(document)), class_="mut")
    words = el("p", now.words, class_="num", role="status")
    return el("div", el("h4", "Progress"), meter(now.share), words, cancel, class_="main")


def _would_go(document: Document) -> Html | None:
    """Of a refused job, which has no body, where it would have gone."""
    found = goes_to_html(document) if wording.without_body(document) else None
    return el("div", found, class_="pad") if found else None


def _cost(document: Document) -> Html | None:
    if not part(document, "cost") and not part(document, "quote"):
        return None
    figure, source = spending.cost(document)
    title = "Cost" if part(document, "cost") else "Cost, quoted"
    return el(
        "div",
        el("h4", title),
        el("span", figure, class_="big num"),
        el("span", f" {source}", class_="mut"),
        class_="fact",
    )


def _quotas(document: Document) -> Html | None:
    lines = spending.quotas(wording.parts(document, "quota"))
    if not lines:
        return None
    drawn = [el("div", quota_html(line), class_="fact") for line in lines]
    rest = drawn[QUOTAS:]
    more = el("details", el("summary", counted(len(rest), "more quota"), class_="mut"), *rest) if rest else None
    return join(*drawn[:QUOTAS], more)


def _next(document: Document) -> Html | None:
    found = [
        el("div", el("b", f"{step.label}: "), step.words, " ", code(step.command) if step.command else None)
        for step in steps(document)
    ]
    return el("div", *found, class_="next") if found else None


def _foot(document: Document) -> Html:
    said = wording.notes(document)
    origins = (
        el("span", f"{origin.words} ", code(origin.short, origin.full)) for origin in wording.provenance(document)
    )
    return el(
        "footer",
        el("ul", *(el("li", note) for note in said), class_="notes") if said else None,
        *origins,
        el("div", *(fold(document) for fold in FOLDS), class_="folds"),
    )
