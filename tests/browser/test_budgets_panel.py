"""The Budgets panel over answers that a small lab does not give."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import JupyterLab
from tests.browser.notebook import open_notebook, picture, write_notebook

pytestmark = pytest.mark.browser

BUDGETS = "**/qpm-lab/api/budgets*"


def line(quota: str, **change: Any) -> dict[str, Any]:
    """A quota line as the server sends it."""
    known = {"quota": quota, "measure": "jobs", "scope": "user", "key": "ada", "window": "hour", "unit": "jobs"}
    return {**known, "limit": "600", "used": "4", "reserved": "0", "left": "596", "owner": "lab", **change}


LINES = [
    line("jobs-per-hour"),
    line("vendor-jobs-per-hour"),
    line("shots", measure="shots", window="day", unit="shots"),
    line("everyone-cost", measure="cost", scope="org", key="org", window="month", unit="USD"),
    line("team-cost", measure="cost", scope="cost_center", key="quantum-chemistry-north", window="month", unit="USD"),
]
UNDER_TITLE = """list => [...list.querySelectorAll('.qpm-Budget')].map(row => {
  const [figures, above] = [row.querySelector('.qpm-num'), row.querySelector('.qpm-num').previousElementSibling];
  return [figures.getBoundingClientRect().left - row.getBoundingClientRect().left,
          figures.getBoundingClientRect().top >= above.getBoundingClientRect().bottom - 1];
})"""


def show(page: Page, lab: JupyterLab, status: int, answer: dict[str, Any]) -> None:
    """Opens the panels over a server that answers like this."""
    page.route(BUDGETS, lambda route: route.fulfill(status=status, json=answer))
    write_notebook(lab, "budgets.ipynb", "1")
    open_notebook(page, lab, "budgets.ipynb")


def test_every_quota_has_its_amount_under_its_title(page: Page, jupyterlab: JupyterLab) -> None:
    """Short title or long, the amount starts a line of its own at the same place."""
    show(page, jupyterlab, 200, {"quota": LINES})
    expect(page.locator(".qpm-Budget")).to_have_count(len(LINES))
    picture(page, "budgets")
    places = page.get_by_label("Quotas", exact=True).evaluate(UNDER_TITLE)
    assert {under for _, under in places} == {True}
    assert len({left for left, _ in places}) == 1
    expect(page.locator(".qpm-Budget", has_text="cost · everyone, this month")).to_have_count(1)


def test_a_broken_bundle_is_said_in_the_panel(page: Page, jupyterlab: JupyterLab) -> None:
    """Message and hint of the server stand there, not the words for a person without quotas."""
    fault = {"message": "The policy bundle cannot be used.", "hint": "Run `qpm policy check`."}
    show(page, jupyterlab, 500, fault)
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text(fault["message"])
    expect(notice).to_contain_text(fault["hint"])
    expect(page.get_by_text("No quota binds you yet")).to_have_count(0)
    picture(page, "budgets-broken")
