"""The one line of a job's record that says what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qpm_lab.experiment import Status
from qpm_lab.runner.naming import more_shots

MOST_TIMES = 100
"""More than so many times the shots are no advice."""
MARGIN = 1.3
"""On the shots worked out from one interval, whose middle is itself uncertain."""


def next_step(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Text and command of the block `next` of docs/record.md, for the rest of the document."""
    status, reasons = document["status"], (document["decision"] or {}).get("reasons", [])
    if status in (Status.DENIED, Status.AWAITING_APPROVAL) or reasons:
        fix = next((r["fix"] for r in reasons if r["fix"]), "Run %qexplain to see every rule.")
        return _step(fix)
    if status == "dry_run":
        return _step("It would be allowed: submit it.")
    if status in (Status.FAILED, Status.CANCELLED, Status.PARKED):
        return _step((document["error"] or {}).get("hint") or "Run the cell again.")
    if status != Status.COMPLETED:
        return _step("The result will appear here and under %qjobs.", "%qjobs")
    return _after_result(document)


def _after_result(document: Mapping[str, Any]) -> dict[str, Any]:
    if document["validation"] is not None and not document["validation"]["passed"]:
        return _after_failure(document)
    if document["rerun"] is not None:
        shots = document["rerun"]["shots"]
        return _step(f"With {shots:,} shots the fidelity can be given as a value.", document["rerun"]["command"])
    if document["labels"]["experiment"] is None:
        name = document["name"].replace(" ", "-")
        return _step("Name an experiment to collect comparable runs.", f"--experiment {name}")
    return _step("Run it again to collect comparable runs of this experiment.")


def _after_failure(document: Mapping[str, Any]) -> dict[str, Any]:
    """More shots where they may decide it, and the plain word where they will not."""
    missed = [each for each in document["validation"]["conditions"] if not each["passed"]]
    counted = "A further attempt is counted with this one."
    if any(each["low"] is None for each in missed):
        if document["rerun"] is not None:
            return _step(f"More shots may give the missing interval. {counted}", document["rerun"]["command"])
        return _step("Without an interval it cannot be judged: choose a condition that this result has.")
    if not all(each["low"] <= each["threshold"] <= each["high"] for each in missed):
        return _step("More shots would not help: improve the circuit or choose another backend.")
    if document["companions"] is not None and any(each["text"].startswith("fidelity") for each in missed):
        return _step(
            "The interval is too wide to decide, and more shots would not narrow it: its circuits have their own."
        )
    shots = _deciding_shots(missed, document["shots"])
    if shots is None:
        return _step("More shots would most likely not help: its value is on the wrong side, or next to the threshold.")
    command = more_shots(document["job_id"], shots, document["backend"], routed=document["route"] is not None)
    return _step(f"The interval is too wide to decide: {shots:,} shots may do. {counted}", command)


def _deciding_shots(missed: Sequence[Mapping[str, Any]], shots: int) -> int | None:
    """How many shots would decide every missed condition if its value stays; None when none would in its favour.

    The width of an interval falls with the square root of the shots.
    """
    times = 1.0
    for each in missed:
        middle, half = (each["low"] + each["high"]) / 2, (each["high"] - each["low"]) / 2
        value = middle if each["value"] is None else each["value"]
        room = value - each["threshold"] if ">" in each["text"] else each["threshold"] - value
        if room <= 0 or half <= 0 or (half / room) ** 2 > MOST_TIMES:
            return None
        times = max(times, (half / room) ** 2)
    return _rounded_up(shots * times * MARGIN)


def _rounded_up(number: float) -> int:
    """To two digits: more would look more exact than it is.

    >>> _rounded_up(12_345), _rounded_up(7)
    (13000, 7)
    """
    whole = -int(-number // 1)
    unit: int = 10 ** max(0, len(str(whole)) - 2)
    return -(-whole // unit) * unit


def _step(text: str, command: str | None = None) -> dict[str, Any]:
    return {"text": text, "command": command}
