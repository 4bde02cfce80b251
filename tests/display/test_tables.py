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
    quota_text,
    quote_html,
    quote_text,
    usage_html,
    usage_table,
    usage_text,
)

from . import documents
from .lists import BACKENDS, BUDGETS, JOBS, USAGE
from .reading import Page

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


@pytest.mark.parametrize("extra", [{}, {"awaiting": 2}, {"jobs": 40}, {"awaiting": 2, "jobs": 40}])
def test_the_states_of_usage_add_up_to_its_jobs(extra: dict[str, int]) -> None:
    """No job is missing from the columns, not even one that waits or still runs."""
    row = {**USAGE[0], "jobs": 15 + extra.get("awaiting", 0), **extra}
    table = usage_table([row])
    cells = {column.title: column.show(row) for column in table.columns}
    states = ("Completed", "Failed", "Cancelled", "Denied", "Awaiting", "Not ended")
    assert int(cells["Jobs"]) == sum(int(cells.get(state, 0)) for state in states)
    assert cells["Cancelled"] == "3"
    assert ("Awaiting" in cells, "Not ended" in cells) == ("awaiting" in extra, extra.get("jobs") == 40)


def test_ids_dates_and_figures_stay_on_one_line() -> None:
    """Only prose may wrap; a table that is too wide scrolls."""
    html = jobs_html(JOBS)
    assert '<td class="whole"><bdi>2026-11-22 12:00</bdi></td>' in html
    assert '<th scope="row" class="whole"><code>01JD8QK2V7M3</code></th>' in html
    assert ".whole{max-width:none;white-space:nowrap}" in html
    assert "overflow-x:auto" in html


def test_long_prose_wraps_in_a_readable_width() -> None:
    """Neither one word a line nor one line of any length; sentences end in one full stop."""
    html = backends_html(BACKENDS)
    assert '<td class="prose"><bdi>IQM Garnet through Amazon Braket. The adapter' in html
    assert ".prose{min-width:24ch}" in html
    assert '<td class="whole"><bdi>Denied: 2 reasons</bdi></td>' in jobs_html(JOBS)


def test_a_quota_of_the_whole_organisation_is_everyone_s() -> None:
    """Its scope and key are both called org, which tells nobody anything."""
    row = {**BUDGETS[1], "scope": "org", "key": "org"}
    assert "cost this month · everyone" in quota_text([{**row, "window": "month"}], width=100)


def test_a_column_of_notes_is_there_when_there_is_a_note() -> None:
    """Where no quota is tight, no empty column takes the room of others."""
    assert "almost used up" in budgets_html(BUDGETS)
    assert ">Note<" not in budgets_html(BUDGETS[:1])


def test_quotas_of_time_read_as_durations() -> None:
    """Two hours are not 7002 s."""
    row = {**BUDGETS[0], "measure": "qpu_seconds", "unit": "s", "used": "7002", "limit": "36000", "left": "0"}
    assert "1 h 56 min of 10 h 0 min used" in quota_text([row], width=100)
    text = Page(budgets_html([row])).text
    assert "1 h 56 min" in text
    assert "7002" not in text
    assert "0 s" in text


def test_one_of_a_list_is_not_counted_in_the_plural() -> None:
    """'The newest 1 job' is nobody's English."""
    assert jobs_table(JOBS[:1], more=True).caption == "The newest job"
    assert jobs_table(JOBS, more=True).caption == "The newest 2 jobs"
    assert jobs_table(JOBS[:1]).caption == "1 job"


def test_usage_shows_how_many_jobs_met_their_conditions() -> None:
    """Success is validation, not completion (M1, M3); without a validated job there are no such columns."""
    row = {"user": "ada", "jobs": 12, "completed": 9, "failed": 1, "cancelled": 1, "denied": 1, "shots": 10}
    said = usage_text([{**row, "succeeded": 7, "validated": 4, "passed": 2}])
    assert "7 of 10 (70.0 %)" in " ".join(said.split())
    assert "2 of 4 (50.0 %)" in " ".join(said.split())
    assert "Validation" not in usage_text([{**row, "succeeded": 9, "validated": 0, "passed": 0}])
