"""What came up on a job's way: verdicts of earlier attempts, how parts were booked, duplicates at a vendor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qpm_lab.ledger import Entry
from qpm_lab.runner.duplicates import EVENT, duplicates_line


def notes_on_the_way(entries: Sequence[Entry]) -> list[str]:
    """One line for each, in order; none of a job that went straight."""
    return list(_lines(entries))


def _lines(entries: Sequence[Entry]) -> Iterator[str]:
    backend = entries[0].payload.get("request", {}).get("backend", "")
    # Of duplicates there is an entry when they are found and one when they were asked to stop.
    latest = {(entry.attempt, entry.payload.get("part")): entry.seq for entry in entries if entry.event == EVENT}
    for entry in entries:
        payload = entry.payload
        if entry.event == EVENT and latest[entry.attempt, payload.get("part")] == entry.seq:
            yield duplicates_line(entry)
        if entry.event == "job.retried":
            yield from (f"Attempt {entry.attempt - 1} on {backend}: {line}" for line in _of_attempt(payload))
            backend = payload.get("backend") or backend
        elif why := _reason(payload.get("own_cost") or payload.get("cost")):
            yield why


def _of_attempt(payload: Mapping[str, Any]) -> Iterator[str]:
    """What an attempt that is over has to tell besides its error."""
    verdict = payload.get("validation")
    if verdict is not None:
        yield f"validation {'passed' if verdict['passed'] else 'failed'}: {_conditions(verdict)}"
    if why := _reason(payload.get("cost")):
        yield why


def _conditions(verdict: Mapping[str, Any]) -> str:
    """Those that were missed, or all of a verdict that is good."""
    told = [each for each in verdict["conditions"] if verdict["passed"] or not each["passed"]]
    return "; ".join(_condition(each) for each in told) + "."


def _condition(told: Mapping[str, Any]) -> str:
    if told["low"] is None or told["high"] is None:
        return f"{told['text']} ({told['reason'] or 'it could not be judged'})"
    return f"{told['text']}, and it lies between {told['low']:.4g} and {told['high']:.4g}"


def _reason(cost: Any) -> str:
    return str(cost.get("reason", "")) if isinstance(cost, Mapping) else ""
