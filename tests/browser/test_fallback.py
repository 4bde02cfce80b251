"""A job that ran elsewhere than it was meant to, in JupyterLab: the live card says it as the static one does."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from qpm_lab.display import to_html, wording
from tests.browser import vendor_records
from tests.browser.conftest import JupyterLab
from tests.browser.notebook import CONTRAST, cards, command, open_notebook, picture, use_theme, write_notebook
from tests.display.documents import completed, unfinished

pytestmark = pytest.mark.browser

SHORT = {
    "from": "ionq/qpu.forte-1",
    "to": "braket/ionq_forte-1",
    "because": "IonQ: the job failed: lost its calibration",
}
LONG = {
    "from": "azure/quantinuum.sim.h2-1e",
    "to": "aer/noisy",
    "because": "Azure Quantum answered 503: <b>https://eastus.quantum.azure.com/subscriptions/"
    + "0123456789abcdef" * 6
    + "</b> cannot be reached now.",
}
LEFT = "line => line.getBoundingClientRect().left + parseFloat(getComputedStyle(line).paddingLeft)"
OVER = "inner => inner.scrollWidth - inner.clientWidth"


def fell(name: str, told: dict[str, str], document: dict[str, Any]) -> dict[str, Any]:
    """The record of a job of a route whose first backend did not run it."""
    route = {"name": "ions", "by": "listed", "passed_over": [], "attempts": [], "ranked": [], "fallback": told}
    return {**document, "name": name, "job_id": "", "backend": told["to"], "route": route}


RECORDS = [
    fell("rerouted", SHORT, completed(place=vendor_records.PLACE, quote=vendor_records.QUOTE)),
    fell("rerouted-far", LONG, completed()),
    fell(
        "rerouted-open", SHORT, unfinished("running", progress={"done": 5, "total": 9, "unit": "shots", "message": ""})
    ),
    fell("rerouted-lost", LONG, vendor_records.refunded()),
]


@pytest.mark.parametrize("width", [1400, 420])
def test_a_fallback_is_shown_as_one(page: Page, jupyterlab: JupyterLab, width: int) -> None:
    """In the words of the static card, readable in both themes, also where room is scarce."""
    data = [{"application/vnd.qpm-lab.job+json": record} for record in RECORDS]
    outputs = [{"output_type": "display_data", "metadata": {}, "data": each} for each in data]
    write_notebook(jupyterlab, "fallback.ipynb", "1", outputs=outputs)
    open_notebook(page, jupyterlab, "fallback.ipynb")
    command(page, "application:toggle-left-area")
    page.set_viewport_size({"width": width, "height": 2200})
    for record in RECORDS:
        card = cards(page, record["name"]).first
        line = card.get_by_text(wording.fallback(record))
        expect(line).to_be_visible()
        assert line.evaluate(OVER) <= 0
        assert card.evaluate(OVER) <= 0
    for theme, light in (("JupyterLab Dark", False), ("JupyterLab Light", True)):
        use_theme(page, theme, light)
        page.wait_for_timeout(400)
        picture(page, f"fallback-{width}-{'light' if light else 'dark'}")
        assert page.evaluate(CONTRAST) == []


def test_the_static_card_sets_it_as_the_lines_around_it(page: Page) -> None:
    """Below the head and flush with it, on a wide page and on a narrow one."""
    page.set_content("".join(map(to_html, RECORDS)))
    for width in (900, 360):
        page.set_viewport_size({"width": width, "height": 1600})
        picture(page, f"fallback-static-{width}")
        for card in page.locator(".qpm-card").all():
            assert card.locator("p.fell").evaluate(LEFT) == card.locator("header").evaluate(LEFT)
            assert card.evaluate(OVER) <= 0
