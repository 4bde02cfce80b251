"""What to do next: what the record proposes, and more shots where they would give a value."""

from __future__ import annotations

from dataclasses import dataclass

from qpm_lab.display.figures import counted, decimal, plain
from qpm_lab.display.spending import cost
from qpm_lab.display.wording import Document, part, reasons


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: what introduces it, its words, and its command; either may be empty."""

    label: str
    words: str
    command: str


def steps(document: Document) -> list[Step]:
    """What to do next, what was said already left out; more shots stand in the same step when it asks for these."""
    rerun, step = part(document, "rerun"), part(document, "next")
    words, command = _unsaid(document, plain(step.get("text"))), plain(step.get("command"))
    if decimal(rerun.get("shots")) is None:
        return [Step("Next", words, command)] if words or command else []
    again = plain(rerun.get("command"))
    if again == command:
        return [Step("Next", f"{words} {_price(rerun)}".strip(), again)]
    more = f"Run it with {counted(rerun.get('shots'), 'shot')}. {_price(rerun)}"
    first = [Step("Next", words, command)] if words or command else []
    return [*first, Step("Or" if first else "Next", more, again)]


def _unsaid(document: Document, words: str) -> str:
    trouble_hint = plain(part(document, "error").get("hint"))
    known = {trouble_hint, *(why.fix for why in reasons(part(document, "decision")))}
    return "" if words in known else words


def _price(rerun: Document) -> str:
    """'Price: $1.10 – $4.51, quoted (price list, 2026-07-23).'"""
    return f"Price: {', '.join(cost({'quote': part(rerun, 'quote')}))}."
