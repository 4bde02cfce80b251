"""What a job record says, in words; every form of the card (HTML, terminal, picture) says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from qpm_lab.display.figures import (
    count,
    counted,
    decimal,
    duration,
    instant,
    moment,
    number,
    plain,
    short_digest,
)
from qpm_lab.display.surface import as_typed

Document = Mapping[str, Any]
Tone = Literal["ok", "bad", "warn", "held", "busy", "mut", ""]

STATES: dict[str, tuple[str, Tone]] = {
    "submitted": ("Submitted", "busy"),
    "queued": ("Queued", "busy"),
    "running": ("Running", "busy"),
    "parked": ("Parked", "held"),
    "completed": ("Completed", "ok"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Cancelled", "warn"),
    "denied": ("Denied", "bad"),
    "awaiting_approval": ("Awaiting approval", "warn"),
    "dry_run": ("Dry run", "mut"),
}
VERDICTS: dict[str, tuple[str, Tone]] = {
    "allow": ("It would be allowed", "ok"),
    "deny": ("It would be denied", "bad"),
    "needs-approval": ("It would need approval", "warn"),
}
FLAGGED: tuple[str, Tone] = ("check the errors", "bad")
SEE_COST = "See what it cost."
"""What a cancelled job is told elsewhere; the card itself shows the cost."""
WAITING = frozenset({"submitted", "queued", "running"})


def part(document: Document, key: str) -> Document:
    """A nested object of the document; empty when it does not apply."""
    value = document.get(key)
    return value if isinstance(value, Mapping) else {}


def parts(document: Document, key: str) -> list[Document]:
    """A nested list of objects; empty when it does not apply."""
    value = document.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def status(document: Document) -> str:
    return plain(document.get("status"))


def state(document: Document) -> tuple[str, Tone]:
    """The word for the state, and the tone that goes with it; a failed validation is seen first."""
    known = status(document)
    word, tone = STATES.get(known, (known.replace("_", " ").capitalize() or "Unknown", "mut"))
    return judged(word, tone, validated(document))


def judged(word: str, tone: Tone, passed: bool | None) -> tuple[str, Tone]:
    """The word for a state together with the verdict of its validation, when there is one."""
    if passed is None:
        return word, tone
    return (f"{word}, validation passed", tone) if passed else (f"{word}, validation failed", "bad")


def validated(document: Document) -> bool | None:
    """Whether a completed job met its conditions; None for one that had none, or has not ended."""
    passed = part(document, "validation").get("passed")
    return passed if isinstance(passed, bool) and status(document) == "completed" else None


def verdict(document: Document) -> tuple[str, Tone] | None:
    """What the rules said, for a dry run; for a job that its fidelity has a red flag, else None."""
    if status(document) != "dry_run":
        return FLAGGED if _flagged(document) else None
    return VERDICTS.get(plain(part(document, "decision").get("effect")), ("Not decided", "mut"))


def _flagged(document: Document) -> bool:
    results = parts(document, "results") or [document]
    return any(part(result, "fidelity").get("flag") == "red" for result in results)


def job_name(document: Document) -> str:
    return plain(document.get("name")) or plain(part(document, "circuit").get("name")) or "unnamed"


def where(document: Document) -> str:
    """Backend, shots and how long it took: 'aer/noisy · 4,096 shots · 0.4 s'."""
    many = _many(document)
    shots = counted(document.get("shots"), "shot") if decimal(document.get("shots")) is not None else ""
    times = part(document, "times")
    taken = times.get("run_seconds") if times.get("run_seconds") is not None else times.get("total_seconds")
    pieces = [
        plain(document.get("backend")),
        " × ".join(piece for piece in (many, shots) if piece),
        duration(taken) if number(taken) is not None else "",
    ]
    return " · ".join(piece for piece in pieces if piece)


def _many(document: Document) -> str:
    """How many circuits or, in a sweep, points; empty for a job of one."""
    circuits = len(parts(document, "results"))
    if points(document):
        return counted(points(document), "point")
    return counted(circuits, "circuit") if circuits > 1 else ""


def points(document: Document) -> int:
    """How many points a sweep has; 0 for any other job, also for one of several circuits."""
    if len(parts(document, "results")) > 1:
        return 0
    swept = number(part(document, "sweep").get("points"))
    planned = number(part(document, "circuit").get("points"))
    return int(swept or (planned if planned and planned > 1 else 0))


def without_body(document: Document) -> bool:
    """True for a job that has nothing to draw; a sweep that ended early has what was done."""
    known = status(document)
    if known in {"cancelled", "failed"}:
        return not number(part(document, "sweep").get("done"))
    return known in {"denied", "parked", "awaiting_approval"}


def points_words(document: Document) -> str:
    """How much of a sweep is done: '420 of 1,000 points', '1,000 points'."""
    whole, done = points(document), int(number(part(document, "sweep").get("done")) or 0)
    return counted(whole, "point") if done >= whole else f"{count(done)} of {counted(whole, 'point')}"


def aside(document: Document) -> str:
    """What stands at the right of the first line: experiment and session, or that nothing happened."""
    if status(document) in {"denied", "dry_run"}:
        return "nothing was sent, nothing was spent"
    if status(document) == "awaiting_approval":
        return "nothing was sent, nothing was spent so far"
    labels = ((key, plain(part(document, "labels").get(key))) for key in ("experiment", "session"))
    return " · ".join(f"{key} {name}" for key, name in labels if name)


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: what is wrong, what would make it pass, and who decides about the rule."""

    message: str
    fix: str
    rule: str
    owner: str


def reasons(decision: Document) -> list[Why]:
    """Every reason of a decision, in its order."""
    return [
        Why(*(plain(reason.get(key)) for key in ("message", "fix", "rule", "owner")))
        for reason in parts(decision, "reasons")
    ]


def trouble(document: Document) -> Why | None:
    """What went wrong with a failed, cancelled or parked job, and what to do now."""
    known = status(document)
    error = part(document, "error")
    if not error and known not in {"failed", "cancelled", "parked"}:
        return None
    defaults = {
        "parked": (
            "The vendor cannot say whether it has this job, so it is not sent again.",
            f"Settle it: qpm jobs resolve {plain(document.get('job_id'))} --vendor-id X | --not-submitted",
        ),
        "cancelled": (_cancelled(document), ""),
    }
    message, hint = defaults.get(known, ("The job failed; no reason was recorded.", ""))
    told = plain(error.get("hint")) or hint
    return Why(plain(error.get("message")) or message, "" if told == SEE_COST else told, "", "")


def _cancelled(document: Document) -> str:
    if part(document, "sweep").get("done"):
        return f"The sweep was cancelled after {points_words(document)}."
    return "The job was cancelled before it had a result."


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `share` None: the backend cannot tell."""

    share: float | None
    words: str


def progress(document: Document) -> Progress | None:
    """How far a waiting or running job is; None for one that has ended."""
    if status(document) not in WAITING:
        return None
    now = part(document, "progress")
    done, total = number(now.get("done")) or 0.0, number(now.get("total")) or 0.0
    pieces = [plain(now.get("message"))]
    if total > 0:
        pieces.insert(0, f"{count(done)} of {count(total)} {plain(now.get('unit'))}".strip())
    looked = part(document, "standing").get("as_of")
    pieces.append(f"asked at {moment(looked)}" if looked else "")
    pieces.append(_begun(part(document, "times")))
    words = " · ".join(piece for piece in pieces if piece)
    return Progress(min(1.0, max(0.0, done / total)) if total > 0 else None, words or "waiting for news")


def _begun(times: Document) -> str:
    """When it was submitted or started, and how long ago that is."""
    verb, key = ("started", "started_at") if times.get("started_at") else ("submitted", "submitted_at")
    since = instant(times.get(key))
    if since is None:
        return ""
    seconds = (datetime.now(UTC) - since).total_seconds()
    return f"{verb} {moment(times[key])}" + (f", {duration(seconds)} so far" if seconds >= 0 else "")


def cancel_command(document: Document) -> str:
    return as_typed(f"%qjobs --cancel {plain(document.get('job_id'))}")


def notes(document: Document) -> list[str]:
    value = document.get("notes")
    return [plain(note) for note in value] if isinstance(value, list | tuple) else []


def policy_tag(decision: Document) -> str:
    """The bundle and the start of its version: 'personal@9c41'."""
    version = plain(decision.get("policy_version")).rpartition(":")[2][:4]
    return "@".join(piece for piece in (plain(decision.get("policy")), version) if piece)


@dataclass(frozen=True, slots=True)
class Origin:
    """One piece of provenance: words, the short form of an id, and the id in full."""

    words: str
    short: str
    full: str


def provenance(document: Document) -> list[Origin]:
    """Which rules decided, where the ledger has it, the seed and the job."""
    decision, ledger = part(document, "decision"), part(document, "ledger")
    lines = []
    if decision:
        allowed = decision.get("effect") == "allow" and status(document) != "dry_run"
        full = plain(decision.get("policy_version"))
        lines.append(Origin("Allowed by" if allowed else "Decided by", policy_tag(decision), full))
    if ledger.get("entry") is not None:
        digest = plain(ledger.get("digest"))
        lines.append(Origin(f"Ledger entry {count(ledger['entry'])}", short_digest(digest), digest))
    if document.get("seed") is not None:
        lines.append(Origin("Seed", plain(document["seed"]), plain(document["seed"])))
    if document.get("job_id"):
        identity = plain(document["job_id"])
        lines.append(Origin("Job", identity if len(identity) <= 12 else f"{identity[:10]}…", identity))
    return lines


def fallback(document: Document) -> str:
    """That a job ran elsewhere than it was meant to, and why; empty for any other job."""
    told = part(part(document, "route"), "fallback")
    if not told:
        return ""
    first, last, why = (plain(told.get(name)) for name in ("from", "to", "because"))
    return f"Fallback: ran on {last} because {first} did not: {why}"
