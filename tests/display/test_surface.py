"""What is advised in a terminal is typed there: commands of `qpm`, and no magics."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import qpm_lab
from qpm_lab.display import jobs_text, plan_text, quotes_text, to_html, to_text, usage_text
from qpm_lab.display.stored import secrets_table
from qpm_lab.display.surface import MAGIC, SENTENCES, advice_as_typed, as_typed, shell

from .documents import completed, reason, unfinished

PACKAGE = Path(qpm_lab.__file__).parent
NOTEBOOK_ONLY = ("%qsession", "%qform")


@pytest.mark.parametrize(
    ("notebook", "terminal"),
    [
        ("See %qexplain --route for each of them.", "See qpm explain --route for each of them."),
        ("%qjob --again 4be1 --shots 100", "qpm run --again 4be1 --shots 100"),
        ("Close it first: %qsession --close.", "Close it first: %qsession --close."),
        ("List the jobs with `qpm jobs` or %qjobs.", "List the jobs with qpm jobs."),
        ("Use fewer qubits; then run the cell again.", "Use fewer qubits; then run it again."),
    ],
)
def test_advice_is_said_as_it_is_typed_where_it_is_read(notebook: str, terminal: str) -> None:
    """In a notebook it stays as it was written."""
    assert as_typed(notebook) == notebook
    with shell():
        assert as_typed(notebook) == terminal
    assert as_typed(notebook) == notebook


@pytest.mark.parametrize(
    "words",
    [
        "/home/me/%qjobs/bell.qasm: no such file.",
        "There is no job '%qjob'.",
        "There is no experiment `a` (b%qjobs).",
        "The vendor has %qjobs-7.",
    ],
)
def test_what_people_have_named_is_left_as_it_is(words: str) -> None:
    """A folder, a name or an id may look like a magic."""
    with shell():
        assert as_typed(words) == words


def test_of_a_command_only_its_first_word_is_ours() -> None:
    """What follows may be the name of an experiment."""
    with shell():
        told = advice_as_typed({"next": {"text": "See %qjobs.", "command": "%%qjob --experiment %qcompare"}})
    assert told["next"] == {"text": "See qpm jobs.", "command": "qpm run --experiment %qcompare"}


@pytest.mark.parametrize(
    "show",
    [
        lambda: to_text(unfinished("running", next=None)),
        lambda: jobs_text([]),
        lambda: usage_text([]),
        lambda: quotes_text([]),
        lambda: plan_text({"rows": []}),
        lambda: secrets_table([]).to_text(),
    ],
)
def test_nothing_that_a_terminal_shows_of_its_own_names_a_magic(show: Callable[[], str]) -> None:
    """Neither the card's own words nor what an empty list teaches; in a notebook they do."""
    assert "%q" in show()
    with shell():
        assert "%q" not in show()
        assert "qpm " in show()


def test_what_the_ledger_holds_is_said_as_it_is_typed_too() -> None:
    """A job that was refused in a notebook is looked at from a terminal: every advice, and no name."""
    why = reason("price.unknown", "Its price is not known.", "Choose another (%qquote compares them).")
    found = {
        "name": "%qjobs",
        "decision": {"effect": "deny", "reasons": [why]},
        "error": {"message": "It is not ready.", "hint": "See %qbackends."},
        "rerun": {"shots": 9, "command": "%qjob --again 1"},
        "notes": ["%%qjob repeats it."],
    }
    with shell():
        told = advice_as_typed(found)
    assert told["name"] == "%qjobs"
    assert told["decision"]["reasons"][0]["fix"] == "Choose another (qpm quote compares them)."
    assert told["error"]["hint"] == "See qpm backends."
    assert told["rerun"]["command"] == "qpm run --again 1"
    assert told["notes"] == ["qpm run repeats it."]
    assert found["error"] == {"message": "It is not ready.", "hint": "See %qbackends."}


def test_every_magic_that_texts_name_has_a_command() -> None:
    """A text of tomorrow that names another one fails here."""
    named = {
        magic
        for path in PACKAGE.rglob("*.py")
        if path.parent.name not in {"kernel"}
        for magic in re.findall(r"(?<![\w%])%{1,2}q[a-z]+", path.read_text())
    }
    assert {each for each in named if not MAGIC.fullmatch(each)} <= {*NOTEBOOK_ONLY}
    assert {"%qjobs", "%%qjob", "%qbackends"} <= named


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_that_is_exchanged_is_one_that_is_said(sentence: str) -> None:
    """Else it was reworded, and the terminal shows the notebook's again."""
    files = (path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "surface.py")
    assert any(sentence in text for text in files)


def cancelled(**changes: Any) -> dict[str, Any]:
    hint = "See what it cost."
    error = {"type": "CancelledError", "message": "The job was cancelled at IonQ.", "hint": hint}
    return unfinished("cancelled", error=error, next={"text": hint, "command": None}, **changes)


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        ({"currency": "USD", "amount": "0.4", "basis": "billed"}, "Spent: $0.40, billed by the vendor."),
        (None, "Nothing was spent."),
    ],
)
def test_a_cancelled_job_says_what_it_cost_and_not_to_see_it(cost: dict[str, str] | None, words: str) -> None:
    """The card has it already; the record, folded below, keeps the hint."""
    text, page = to_text(cancelled(cost=cost)), to_html(cancelled(cost=cost)).partition("<summary>Record")[0]
    for form in (text, page):
        assert words in form
        assert "See what it cost" not in form


def test_other_hints_of_cancelled_jobs_are_said() -> None:
    """Only that one is told by the card itself."""
    document = cancelled(cost=None)
    document["error"] = {**document["error"], "hint": "Submit it once more."}
    assert "Submit it once more." in to_text(document)
    assert "Submit" not in to_text(completed())
