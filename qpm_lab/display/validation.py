"""Whether a result met the conditions it was asked to meet, in words; a pass among many attempts says so."""

from __future__ import annotations

from dataclasses import dataclass

from qpm_lab.display.figures import count, interval, number, plain, real
from qpm_lab.display.wording import Document, Tone, part, parts, validated

MARKS: dict[bool, tuple[str, Tone]] = {True: ("✓", "ok"), False: ("✗", "bad")}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: as it was asked, and which end of which interval decided it."""

    symbol: str
    text: str
    subject: str
    """Of what, where the condition alone does not tell: '(process fidelity)'; else empty."""
    words: str
    """'passed: the lower end, 0.931, reaches 0.9'."""
    tone: Tone

    @property
    def asked(self) -> str:
        """The condition with what it is of: 'fidelity>=0.9 (process fidelity)'."""
        return f"{self.text} {self.subject}".rstrip()


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdict on a result; completion alone is no success."""

    symbol: str
    headline: str
    tone: Tone
    conditions: tuple[Condition, ...]
    attempts: str


def validation(document: Document) -> Validation | None:
    """The verdict of a job that was asked for one; None for any other."""
    passed = validated(document)
    if passed is None:
        return None
    data = part(document, "validation")
    symbol, tone = MARKS[passed]
    headline = f"Validation {'passed' if passed else 'failed'}"
    conditions = tuple(_condition(row) for row in parts(data, "conditions"))
    return Validation(symbol, headline, tone, conditions, _attempts(data, passed))


def _condition(row: Document) -> Condition:
    passed = row.get("passed") is True
    symbol, tone = MARKS[passed]
    word = "passed" if passed else "failed"
    subject = "(process fidelity)" if "process" in plain(row.get("estimand")).lower() else ""
    return Condition(symbol, plain(row.get("text")), subject, f"{word}: {_why(row, passed)}", tone)


def _why(row: Document, passed: bool) -> str:
    """The end of the interval that had to reach the threshold, or why there is none."""
    said, threshold = plain(row.get("reason")), number(row.get("threshold"))
    if said or threshold is None:
        return said.rstrip(".") or "no figure was recorded"
    upper = "<" in plain(row.get("text"))
    verdict = ("stays within" if upper else "reaches") if passed else ("is above" if upper else "is below")
    return f"{_decisive(row, upper)} {verdict} {real(threshold)}"


def _decisive(row: Document, upper: bool) -> str:
    ends = interval(row.get("low"), row.get("high")).split(" – ")
    if len(ends) == 2:
        return f"the {'upper' if upper else 'lower'} end, {ends[upper]},"
    return f"the value, {real(row.get('value'))},"


def _attempts(data: Document, passed: bool) -> str:
    """How often it was tried: trying until it passes is possible, and seen."""
    attempts = number(data.get("attempts"))
    if attempts is None:
        return ""
    if attempts <= 1:
        return "First attempt."
    passes, failures = (count(part(data, "earlier").get(key, 0)) for key in ("passed", "failed"))
    words = f"of {count(attempts - 1)} earlier ones {passes} passed, {failures} failed."
    if attempts == 2:
        words = f"the earlier one {'failed' if passes == '0' else 'passed'}."
    less = " A pass after several attempts means less than one at the first." if passed else ""
    return f"Attempt {count(attempts)}: {words}{less}"
