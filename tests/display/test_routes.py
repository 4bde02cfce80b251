"""A route as a table, and a fallback as a line of the card."""

from __future__ import annotations

import re
from typing import Any

import pytest

from qpm_lab.display import route_html, route_text, to_html, to_text
from qpm_lab.experiment import Decision, Quote
from qpm_lab.policy.routes import By, Candidate, Route, ranked
from qpm_lab.runner.route_record import row
from tests.display.documents import completed

ROWS: list[dict[str, Any]] = [
    {
        "backend": "ionq/qpu.forte-1",
        "rank": 1,
        "why": "Costs at most 25 USD.",
        "price": {"currency": "USD", "low": "20", "high": "25"},
        "decision": "allow",
        "available": True,
        "queue": 3,
        "queue_seconds": None,
        "expected_fidelity": 0.913,
    },
    {"backend": "braket/<b>x</b>", "rank": None, "why": "It is refused: <i>No.</i>", "decision": "deny"},
]
ROUTE = {"route": "ions", "by": "cost", "chosen": "ionq/qpu.forte-1", "fallback": True, "max_attempts": 3, "rows": ROWS}
FELL = {"fallback": {"from": "ionq/qpu.forte-1", "to": "aer/noisy", "because": "IonQ answered <b>503</b>."}}


def test_the_table_has_every_backend_with_its_reason() -> None:
    """Rank, price, verdict, wait and prediction stand beside each other."""
    text = " ".join(route_text(ROUTE, width=200).split())
    for words in ("Route ions", "25", "allowed", "3 jobs", "0.913", "refused"):
        assert words in text
    assert "A job would go to ionq/qpu.forte-1." in text
    assert "3 attempts at most" in text


def quoted(nano: int) -> Quote:
    return Quote("USD", nano, nano, nano, "a list", "2026-11-22")


@pytest.mark.parametrize("by", ["listed", "cost", "availability", "fidelity"])
def test_a_reason_does_not_repeat_the_figure_beside_it(by: By) -> None:
    """Rank, price, wait and prediction are said once; what no column says stays."""
    allowed = Decision("allow", (), "personal", "sha256:0")
    facts: dict[str, Any] = {"decision": allowed, "quote": quoted(25 * 10**9), "available": True, "fidelity": 0.9}
    waiting = Candidate("m/waiting", queue=3, **facts)
    timed = Candidate("m/timed", queue_seconds=90.0, **facts)
    free = Candidate("m/free", queue=0, **facts)
    unknown = Candidate("m/unknown", decision=allowed)
    unready = Candidate("m/unready", trouble="It is not ready: no key.")
    candidates = (waiting, timed, free, unknown, unready)
    rows = [row(each) for each in ranked(Route("r", tuple(each.id for each in candidates), by), candidates)]
    told = " ".join(route_text({**ROUTE, "by": by, "rows": rows}, width=300).split())
    assert not re.search("Listed as|Costs at most|errors predict|A wait of|waits? there", told)
    assert "It is not ready: no key." in told
    unsaid = {"cost": "Nobody knows its price.", "availability": "does not say how long", "fidelity": "Nobody can tell"}
    assert by == "listed" or unsaid[by] in told


def test_a_narrow_terminal_names_each_backend_first() -> None:
    """And below it its rank, with its heading."""
    lines = route_text(ROUTE, width=60).splitlines()
    assert "ionq/qpu.forte-1" in lines
    assert lines[lines.index("ionq/qpu.forte-1") + 1].strip().startswith("rank 1 · ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chosen": None}, "No backend of this route would take the job now."),
        ({"fallback": False}, "the route allows no fallback"),
        ({"rerun_on_failed_validation": True}, "is run again on the next one"),
        ({"rows": []}, "The route has no backend."),
    ],
)
def test_what_would_happen_is_said_in_words(change: dict[str, Any], words: str) -> None:
    """Below the table, for whoever does not read tables."""
    assert words in " ".join(route_text(ROUTE | change, width=200).split())
    assert words in route_html(ROUTE | change)


def test_what_comes_from_outside_is_text() -> None:
    """A vendor's words do not become markup, in the table or on the card."""
    assert "<i>" not in route_html(ROUTE)
    assert "<b>503" not in to_html(completed() | {"route": FELL})


def test_a_fallback_is_told_on_the_card() -> None:
    """As text and as HTML; a job that ran where it was to run says nothing of it."""
    fell = completed() | {"route": FELL}
    assert "Fallback: ran on aer/noisy because ionq/qpu.forte-1 did not" in " ".join(to_text(fell).split())
    assert "Fallback: ran on" in to_html(fell)
    assert "Fallback" not in to_text(completed())
