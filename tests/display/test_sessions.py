"""A session shows what it may use, what it used, what is left, and what it gave back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.display import budgets_html, jobs_text, session_html, session_text, to_html, to_text

from . import documents, lists
from .reading import Page


def both(record: dict[str, Any] | None, budgets: list[dict[str, Any]] | None = None) -> list[str]:
    """The words of the card and of the terminal."""
    return [
        Page(session_html(record, budgets or [])).text,
        " ".join(session_text(record, budgets or [], width=100).split()),
    ]


def test_an_open_session_says_jobs_shots_cost_and_what_is_left() -> None:
    """Each limit of the envelope has its meter and its words."""
    for said in both(lists.SESSION):
        assert "Open Session vqe aer/simulator · experiment h2" in said
        assert "37 jobs done, 1 denied · 37,888 shots · $1.20 spent" in said
        assert "37 of 200 used, 163 left" in said
        assert "$1.20 of $5.00 used, $0.30 held, $3.50 left" in said
        assert "Released" not in said
    assert session_html(lists.SESSION).count('class="meter"') == 3


def test_a_closed_session_says_what_was_used_and_released() -> None:
    """Nothing is 'left' of an envelope that is gone."""
    for said in both(lists.CLOSED):
        assert "Closed Session vqe" in said
        assert "Released, not used: 163 jobs, $3.50." in said
        assert "left" not in said


def test_a_session_used_to_the_last_says_so() -> None:
    """A release of nothing is not listed."""
    spent = [{**row, "left": "0"} for row in lists.ENVELOPE]
    for said in both({**lists.CLOSED, "envelope": spent}):
        assert "The whole envelope was used." in said


def test_without_a_session_the_kernels_own_envelope_and_the_way_in_are_shown() -> None:
    """Only the quotas of this kernel's life, not those of the day."""
    for said in both(None, [*lists.OWN, documents.quota()]):
        assert "No session is open." in said
        assert "$0.00 of $20.00 used" in said
        assert "shots today" not in said
        assert "%qsession --max-jobs 200 --max-cost 5" in said


def test_without_any_quota_the_way_in_is_still_shown() -> None:
    """A bundle may bind nothing."""
    for said in both(None):
        assert "No quota binds this kernel's life." in said
        assert "%qsession" in said


def test_currencies_are_never_added() -> None:
    """Two vendors, two amounts."""
    paid = [{"currency": "USD", "amount": "1"}, {"currency": "EUR", "amount": "2.5"}]
    for said in both({**lists.SESSION, "cost": paid}):
        assert "$1.00 + €2.50 spent" in said
    for said in both({**lists.SESSION, "cost": []}):
        assert "nothing spent" in said


def test_a_name_is_text_and_nothing_else() -> None:
    """A session named by an attacker stays a name."""
    page = Page(session_html({**lists.SESSION, "name": "<script>x</script>\u202e"}))
    assert "script" not in page.tags
    assert page.faults == []


junk = st.none() | st.integers(-5, 10**9) | st.text(max_size=5) | st.lists(st.dictionaries(st.text(), st.text()))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(lists.SESSION, junk)))
def test_any_document_can_be_shown(change: dict[str, Any]) -> None:
    """Whatever a key holds, both forms can be made."""
    document = {**lists.SESSION, **change}
    assert Page(session_html(document)).faults == []
    assert session_text(document, width=60)


def test_a_job_names_its_session_beside_its_experiment() -> None:
    """In the card and in the terminal."""
    document = documents.completed(labels={"experiment": "h2", "session": "vqe"})
    assert "experiment h2 · session vqe" in Page(to_html(document)).text
    assert "experiment h2 · session vqe" in to_text(document, width=100, encoding="utf-8")


def test_budgets_say_when_a_limit_of_a_session_or_kernel_ends() -> None:
    """Neither follows the calendar."""
    rows = [{**row, "renews_at": None} for row in (lists.ENVELOPE[0], lists.OWN[0])]
    text = Page(budgets_html(rows)).text
    assert "jobs in session vqe" in text
    assert "never: it ends with the session" in text
    assert "jobs in this notebook" in text
    assert "when the kernel restarts" in text


@pytest.mark.parametrize(("circuits", "shown"), [(1, "1,024"), (1000, "1,000 × 1,024")])
def test_a_list_says_how_many_histograms_a_job_has(circuits: int, shown: str) -> None:
    """One histogram needs no words."""
    row = {**lists.JOBS[0], "shots": 1024, "circuits": circuits}
    cells = jobs_text([row])
    assert shown in cells
    assert ("×" in cells) == (circuits > 1)
