"""What a record says of a job that took several attempts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from qpm_lab.ledger import Entry
from qpm_lab.runner.route_record import now_asked


def entries(*payloads: dict[str, Any]) -> list[Entry]:
    """The submission and the attempts after it."""
    events = ["job.submitted", *["job.retried"] * (len(payloads) - 1)]
    made = [SimpleNamespace(event=event, payload=told) for event, told in zip(events, payloads, strict=True)]
    return cast("list[Entry]", made)


def test_an_attempt_where_the_one_before_it_was_keeps_what_that_one_changed() -> None:
    """A machine is told of once: the second attempt there says only decision and quote."""
    at_first = {
        "quote": 1,
        "decision": 1,
        "notes": ["a"],
        "companions": {"digest": "a"},
        "calibration": {"digest": "a"},
    }
    moved = {"quote": 2, "decision": 2, "notes": ["b"], "companions": None, "calibration": {"digest": "b"}}
    now = now_asked(entries(at_first, {"quote": 3, "decision": 3}, moved, {"quote": 4, "decision": 4}))
    assert now == {**moved, "quote": 4, "decision": 4}
