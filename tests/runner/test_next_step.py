"""What a record proposes after a result that cannot be relied on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.fidelity import clopper_pearson
from qpm_lab.runner.next_step import next_step

RERUN = {"shots": 12_000, "command": "%qjob --again JOB --shots 12000", "quote": {}}


def completed(shots: int = 1000, **blocks: Any) -> dict[str, Any]:
    document = {"status": "completed", "decision": None, "error": None, "job_id": "JOB", "name": "bell"}
    document |= {"companions": None, "backend": "aer/noisy", "route": None}
    return {**document, "shots": shots, "labels": {"experiment": None}, "validation": None, "rerun": None, **blocks}


def missed(text: str, threshold: float, low: float | None, high: float | None, value: float | None) -> dict[str, Any]:
    condition = {"text": text, "passed": False, "threshold": threshold, "low": low, "high": high, "value": value}
    return {"passed": False, "conditions": [{**condition, "reason": None}]}


def shots_of(document: dict[str, Any]) -> int | None:
    command = (next_step(document) or {})["command"]
    return None if command is None else int(command.rpartition(" ")[2])


@given(st.integers(50, 10_000), st.floats(0.3, 0.7), st.booleans())
def test_the_shots_proposed_decide_if_the_value_stays(shots: int, share: float, upper: bool) -> None:
    """An interval across the threshold is narrowed until it lies on one side."""
    hits = round(share * shots)
    low, high = clopper_pearson(hits, shots)
    value = hits / shots
    threshold = (value + high) / 2 if upper else (value + low) / 2
    text = f"p(0){'<=' if upper else '>='}{threshold}"
    more = shots_of(completed(shots, validation=missed(text, threshold, low, high, value)))
    assert more is not None
    again = clopper_pearson(round(value * more), more)
    assert again[1] <= threshold + 1 / more if upper else again[0] >= threshold - 1 / more


@pytest.mark.parametrize(
    ("validation", "told"),
    [
        (missed("fidelity>=0.9", 0.9, 0.7, 0.8, 0.75), "would not help"),
        (missed("p(0)<=0.1", 0.1, 0.3, 0.4, 0.35), "would not help"),
        (missed("fidelity>=0.9", 0.9, 0.8, 0.95, 0.88), "most likely not help"),
        (missed("fidelity>=0.9", 0.9, 0.85, 0.9502, 0.9001), "most likely not help"),
    ],
)
def test_no_shots_are_proposed_where_they_would_not_help(validation: dict[str, Any], told: str) -> None:
    """An interval beyond the threshold is not for more shots to mend, and a value beyond or next to it hardly."""
    step = next_step(completed(validation=validation))
    assert step is not None
    assert step["command"] is None
    assert told in step["text"]


def test_without_an_interval_the_shots_that_give_one_are_proposed() -> None:
    """Or another condition, where no number of shots would."""
    validation = missed("fidelity>=0.9", 0.9, None, None, None)
    assert shots_of(completed(validation=validation, rerun=RERUN)) == 12_000
    assert shots_of(completed(validation=validation)) is None


def test_a_refused_value_proposes_the_shots_that_would_give_it() -> None:
    """With the command that the card offers."""
    step = next_step(completed(rerun=RERUN))
    assert step is not None
    assert step["command"] == RERUN["command"]
    assert "12,000" in step["text"]


def test_more_shots_are_not_proposed_where_companions_measure_the_fidelity() -> None:
    """They have shots of their own, so the interval would stay as wide; an outcome's would not."""
    companions = {"method": "proxy", "circuits": 2000, "shots": 1}
    verdict = missed("fidelity>=0.5", 0.5, 0.45, 0.56, 0.51)
    assert shots_of(completed(validation=verdict, companions=companions)) is None
    assert shots_of(completed(validation=verdict)) is not None
    assert shots_of(completed(validation=missed("p(0)>=0.5", 0.5, 0.45, 0.56, 0.51), companions=companions))


def test_a_routed_job_is_repeated_where_it_ran() -> None:
    """Its route may choose another backend today, whose attempts are not counted with this one."""
    low, high = clopper_pearson(70, 100)
    step = next_step(completed(100, validation=missed("p(0)>=0.65", 0.65, low, high, 0.7), route={"name": "auto"}))
    assert step is not None
    assert step["command"].endswith(" --backend aer/noisy")
