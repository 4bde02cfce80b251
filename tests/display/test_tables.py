"""Lists are real tables with captions, and empty ones teach how to begin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qpm_lab.display import (
    backends_html,
    backends_text,
    budgets_html,
    budgets_text,
    jobs_html,
    jobs_table,
    jobs_text,
    quote_html,
    quote_text,
    usage_html,
    usage_text,
)

from . import documents
from .lists import BACKENDS, BUDGETS, JOBS
from .reading import Page

USAGE = [
    {
        "user": "ada",
        "jobs": 12,
        "completed": 10,
        "failed": 1,
        "denied": 1,
        "shots": 121904,
        "cost": {"USD": "1.5", "EUR": "2"},
        "run_seconds": 185.0,
    }
]
HTML: list[Callable[[], str]] = [
    lambda: jobs_html(JOBS),
    lambda: budgets_html(BUDGETS),
    lambda: backends_html(BACKENDS),
    lambda: usage_html(USAGE),
    lambda: quote_html(documents.completed()),
]


@pytest.mark.parametrize("render", HTML)
def test_tables_can_be_read_by_a_screen_reader(render: Callable[[], str]) -> None:
    """Caption, column and row headings, and every element closed."""
    page = Page(render())
    assert page.faults == []
    assert "caption" in page.tags
    assert ("th", "scope", "col") in page.attributes
    assert ("th", "scope", "row") in page.attributes


def test_jobs_show_state_fidelity_cost_and_reasons() -> None:
    """One line a job, with what a person looks for."""
    for text in (jobs_table(JOBS).to_text(width=200, encoding="utf-8"), Page(jobs_html(JOBS)).text):
        assert "0.951 – 0.965" in text
        assert "$0.00" in text
        assert "Denied: 2 reasons" in text
        assert "4,096" in text


def test_a_job_that_is_being_cancelled_says_so() -> None:
    """The request is on its way; the state has not changed yet."""
    row = {**JOBS[0], "status": "running", "cancel_requested": True}
    assert "Running, cancelling" in jobs_html([row])


def test_names_are_no_markup_in_either_form() -> None:
    """Neither HTML nor the terminal library's own markup is read out of a name."""
    assert "<b>[red]x" not in jobs_html(JOBS)
    assert "[red]x[/red]" in jobs_table(JOBS).to_text(width=200, encoding="utf-8")


def test_narrow_terminals_get_lines_instead_of_columns() -> None:
    """Where the columns do not fit, each job has lines of its own with all its figures."""
    text = jobs_table(JOBS).to_text(width=60, encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 60
    words = " ".join(text.split())
    for said in ("01JD8QK2V7M3", "shots 4,096", "fidelity 0.951 – 0.965", "Denied: 2 reasons", "2026-11-22 12:00"):
        assert said in words


def test_ascii_terminals_get_ascii_tables() -> None:
    """No rule or dash that the encoding does not have."""
    assert jobs_table(JOBS).to_text(width=200, encoding="ascii").isascii()


def test_currencies_stand_beside_each_other_and_are_not_added() -> None:
    """1.50 dollars and 2 euros are not 3.50 of anything."""
    text = Page(usage_html(USAGE)).text
    assert "$1.50 + €2.00" in text
    assert "3 min 5 s" in text


@pytest.mark.parametrize(
    ("html", "text", "taught"),
    [
        (jobs_html, jobs_text, "%%qjob"),
        (usage_html, usage_text, "%%qjob"),
        (budgets_html, budgets_text, "policy bundle"),
        (backends_html, backends_text, "qpm doctor"),
    ],
)
def test_an_empty_list_says_how_to_begin(
    html: Callable[[list[object]], str], text: Callable[[list[object]], str], taught: str
) -> None:
    """Nobody looks at an empty frame."""
    assert taught in html([])
    assert taught in text([])
    assert "<table" not in html([])


def test_an_unknown_price_is_unknown_and_never_zero() -> None:
    """No figure is made up for a price that nobody has."""
    quote = {**documents.completed()["quote"], "low": None, "expected": None, "high": None}
    text = quote_text(documents.completed(quote=quote))
    assert text.count("unknown") == 3
    assert "$0.00" not in text


def test_a_price_out_of_date_says_so() -> None:
    """An old price is marked where its source stands."""
    quote = {**documents.completed()["quote"], "stale": True}
    assert "out of date" in " ".join(quote_text(documents.completed(quote=quote)).split())


def test_a_backend_says_whether_it_is_noisy_here_and_ready() -> None:
    """What it is, where it is, and what it still needs."""
    text = Page(backends_html(BACKENDS)).text
    assert "noisy simulator, here" in text
    assert "not installed" in text
    assert "The adapter for this vendor is not part of this version." in text
