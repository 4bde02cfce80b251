"""A fidelity in JupyterLab: refused and run again with one key, asked about when it costs, judged, flagged."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import JupyterLab
from tests.browser.notebook import (
    CONTRAST,
    cards,
    job_rows,
    open_notebook,
    picture,
    run_all,
    use_theme,
    wait_until_idle,
)
from tests.browser.notebook import write_notebook as write
from tests.display import trusted

pytestmark = pytest.mark.browser

FEW_SHOTS = """\
%%qjob --backend aer/noisy --shots 40 --seed 1
from qiskit import QuantumCircuit
ghz = QuantumCircuit(4, name="ghz4")
ghz.h(0)
for qubit in range(3):
    ghz.cx(qubit, qubit + 1)
ghz"""
CELLS = ".jp-Notebook .jp-CodeCell"


def saved(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    """Outputs as a notebook keeps them."""
    return [
        {"output_type": "display_data", "metadata": {}, "data": {"application/vnd.qpm-lab.job+json": document}}
        for document in documents
    ]


def test_a_refused_fidelity_is_run_again_in_a_cell_below_by_the_keyboard(page: Page, jupyterlab: JupyterLab) -> None:
    """Enter on the button puts the command below and runs it; on the job's page there is no notebook and no button."""
    write(jupyterlab, "refused.ipynb", FEW_SHOTS, "'the last cell'")
    open_notebook(page, jupyterlab, "refused.ipynb")
    run_all(page)
    wait_until_idle(page, 2)
    refused = cards(page, "Not claimed")
    expect(refused).to_contain_text("Price: $0.00, local simulation is free.")
    picture(page, "fidelity-refused")
    refused.get_by_role("button", name="Run ghz4 again with").focus()
    page.keyboard.press("Enter")
    expect(page.locator(CELLS)).to_have_count(3)
    expect(page.locator(CELLS).nth(1)).to_contain_text("%qjob --again")
    expect(page.locator(CELLS).nth(1).locator(".qpm-Card")).to_contain_text("Completed", timeout=120_000)
    expect(page.locator(CELLS).nth(1).locator(".qpm-Fact-big").first).to_contain_text("–")
    picture(page, "fidelity-again")
    job_rows(page).nth(1).get_by_role("button").first.click()
    opened = page.locator(".qpm-JobPage .qpm-Card")
    expect(opened).to_contain_text("Not claimed")
    expect(opened.get_by_role("button", name="Run ghz4 again with")).to_have_count(0)
    expect(opened.get_by_role("button", name="Copy command %qjob --again")).to_have_count(1)


def test_what_costs_is_asked_about_first(page: Page, jupyterlab: JupyterLab) -> None:
    """The dialog names the price; Cancel leaves the notebook as it was."""
    write(jupyterlab, "priced.ipynb", "1", outputs=saved(trusted.refused(rerun=trusted.rerun(trusted.PRICED))))
    open_notebook(page, jupyterlab, "priced.ipynb")
    cards(page, "Not claimed").get_by_role("button", name="Run ghz5 again with 12,000 shots").click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Price: $0.30 – $0.36, quoted (price list, 2026-07-23).")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(CELLS)).to_have_count(1)


def test_a_notebook_from_elsewhere_cannot_have_its_own_code_run(page: Page, jupyterlab: JupyterLab) -> None:
    """A command that is not exactly the rerun of its job is shown and has no button that runs it."""
    hostile = trusted.refused(rerun={**trusted.rerun(), "command": "open('owned', 'w')"})
    write(jupyterlab, "hostile.ipynb", "1", outputs=saved(hostile))
    open_notebook(page, jupyterlab, "hostile.ipynb")
    expect(cards(page, "Not claimed")).to_contain_text("open('owned', 'w')")
    expect(page.get_by_role("button", name="Run ghz5 again with")).to_have_count(0)


@pytest.mark.parametrize(("theme", "light"), [("JupyterLab Dark", False), ("JupyterLab Light", True)])
def test_every_verdict_is_readable_in_both_themes(page: Page, jupyterlab: JupyterLab, theme: str, light: bool) -> None:
    """Flags, validations and alarms have a contrast of at least 4.5 to 1 and their words stand on the card."""
    states = trusted.gallery()
    shown = ("red", "amber", "dispersed", "unmet", "passed-late", "large", "drifted")
    write(jupyterlab, "verdicts.ipynb", "1", outputs=saved(*(states[name] for name in shown)))
    page.set_viewport_size({"width": 1400, "height": 3600})
    open_notebook(page, jupyterlab, "verdicts.ipynb")
    use_theme(page, theme, light)
    expect(cards(page, "trotter-6")).to_contain_text("Red flag: the errors are not white noise")
    expect(cards(page, "Completed, validation failed")).to_contain_text("is below 0.96")
    expect(cards(page, "Drift alarm")).to_have_count(1)
    page.locator(".jp-Notebook .qpm-Card summary", has_text="How it was measured").last.click()
    page.wait_for_timeout(500)
    picture(page, f"verdicts-{'light' if light else 'dark'}")
    assert page.evaluate(CONTRAST) == []
