"""A person at JupyterLab: the quickstart, a long job, a notebook from elsewhere, an exported page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import JupyterLab
from tests.browser.notebook import (
    CONTRAST,
    cards,
    command,
    job_rows,
    open_notebook,
    picture,
    run_all,
    use_theme,
    wait_until_idle,
    write_notebook,
)

pytestmark = pytest.mark.browser

LONG_JOB = """\
%%qjob {options}
from qiskit import QuantumCircuit
slow = QuantumCircuit(24, name="slow")
for layer in range(200):
    for qubit in range(24):
        slow.rx(0.1 + layer, qubit)
        slow.cx(qubit, (qubit + 1 + layer % 22) % 24)
slow"""


@pytest.fixture(scope="module")
def quickstart(browser: Browser, jupyterlab: JupyterLab) -> Iterator[Page]:
    """The quickstart after Run All, in a page where nothing was reloaded; saved to disk."""
    context = browser.new_context(viewport={"width": 1400, "height": 1600})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"The page raised {error}"))
    open_notebook(page, jupyterlab, "quickstart.ipynb")
    expect(page.locator(".qpm-Panel").first).to_contain_text("No jobs yet")
    picture(page, "empty")
    run_all(page)
    wait_until_idle(page, page.locator(".jp-Notebook .jp-CodeCell").count())
    command(page, "docmanager:save")
    yield page
    context.close()


def test_the_first_cell_shows_its_card(quickstart: Page) -> None:
    """State, counts with intervals, fidelity, cost and ledger entry stand in the output."""
    card = cards(quickstart, "ghz").first
    expect(card).to_contain_text("Completed")
    expect(card.get_by_role("table")).to_contain_text("11111")
    for words in ("intervals for all at once", "Outcome fidelity", "$0.00", "Ledger entry", "experiment ghz-family"):
        expect(card).to_contain_text(words)


def test_the_refused_cell_says_why(quickstart: Page) -> None:
    """The refusal has its reasons and rules, and says that nothing was spent."""
    card = cards(quickstart, "Denied")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("nothing was sent, nothing was spent")
    assert card.locator(".qpm-Why li").count() >= 1
    expect(card.locator(".qpm-Why li").first).to_contain_text("Rule ")


def test_every_output_is_drawn_by_the_renderer(quickstart: Page) -> None:
    """Nothing is left as the static card, and nothing failed to be drawn."""
    assert cards(quickstart, "").count() >= 3
    expect(quickstart.locator(".jp-Notebook .qpm-card")).to_have_count(0)


def test_the_panels_fill_without_a_reload(quickstart: Page) -> None:
    """Jobs arrive by push, newest first; Budgets follow what was drawn."""
    expect(job_rows(quickstart)).to_have_count(3)
    expect(job_rows(quickstart).nth(1)).to_contain_text("denied")
    expect(job_rows(quickstart).last).to_contain_text("ghz")
    expect(quickstart.locator(".qpm-Budget", has_text="shots · you, today")).to_contain_text("5,096 of")
    picture(quickstart, "quickstart-light")


def test_filters_narrow_the_list(quickstart: Page) -> None:
    """State and text narrow the list on the server; clearing them brings all rows back."""
    quickstart.get_by_label("State", exact=True).select_option("denied")
    expect(job_rows(quickstart)).to_have_count(1)
    quickstart.get_by_label("State", exact=True).select_option("")
    quickstart.get_by_label("Name, backend or state").fill("pennylane")
    expect(job_rows(quickstart)).to_have_count(1)
    quickstart.get_by_label("Name, backend or state").fill("")
    expect(job_rows(quickstart)).to_have_count(3)


@pytest.mark.parametrize(("theme", "light"), [("JupyterLab Dark", False), ("JupyterLab Light", True)])
def test_both_themes_are_readable(quickstart: Page, theme: str, light: bool) -> None:
    """Every text of cards and panels has a contrast of at least 4.5 to 1."""
    use_theme(quickstart, theme, light)
    quickstart.wait_for_timeout(500)
    picture(quickstart, "quickstart-dark" if not light else "quickstart-light-again")
    assert quickstart.evaluate(CONTRAST) == []


def test_a_row_opens_its_card_from_the_keyboard(quickstart: Page) -> None:
    """Enter on a row opens the job's card in the main area; a second time only shows it."""
    for _ in range(2):
        job_rows(quickstart).last.get_by_role("button").first.focus()
        quickstart.keyboard.press("Enter")
        expect(quickstart.locator(".qpm-JobPage .qpm-Card")).to_contain_text("ghz")
    expect(quickstart.locator(".qpm-JobPage")).to_have_count(1)
    picture(quickstart, "job-page")


@pytest.mark.usefixtures("quickstart")
def test_the_exported_page_reads_without_jupyterlab(browser: Browser, jupyterlab: JupyterLab) -> None:
    """nbconvert's HTML shows the card and the refusal in light and dark, without any script."""
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--log-level=ERROR", "quickstart.ipynb"],
        cwd=jupyterlab.notebooks,
        check=True,
    )
    for scheme in ("light", "dark"):
        context = browser.new_context(java_script_enabled=False, color_scheme=scheme, offline=True)
        page = context.new_page()
        page.goto((jupyterlab.notebooks / "quickstart.html").as_uri(), wait_until="domcontentloaded")
        card = page.locator(".qpm-card", has_text="Completed").first
        expect(card).to_contain_text("11111")
        expect(page.locator(".qpm-card", has_text="Denied")).to_contain_text("nothing was sent, nothing was spent")
        card.screenshot(path=f"test-output/browser/exported-{scheme}.png")
        context.close()


def test_a_long_job_is_cancelled_by_its_button_while_the_kernel_is_busy(page: Page, jupyterlab: JupyterLab) -> None:
    """The cell waits, the card shows progress, and its button reaches the job through the ledger."""
    write_notebook(jupyterlab, "long.ipynb", LONG_JOB.format(options="--shots 1000"))
    open_notebook(page, jupyterlab, "long.ipynb")
    run_all(page)
    card = page.locator(".jp-Notebook .qpm-Card")
    expect(card).to_contain_text("Running", timeout=60_000)
    expect(page.locator(".qpm-Panel").first).to_contain_text("1 running")
    picture(page, "running")
    card.get_by_role("button", name="Cancel slow").click()
    expect(card).to_contain_text("Cancelled", timeout=60_000)
    expect(job_rows(page).first).to_contain_text("cancelled")
    expect(page.locator(".qpm-Panel").first).to_contain_text("0 running")
    picture(page, "cancelled")


def test_a_job_left_running_is_cancelled_in_the_panel(page: Page, jupyterlab: JupyterLab) -> None:
    """With --no-wait the cell returns at once; the panel's button ends the job and its card follows."""
    write_notebook(jupyterlab, "left.ipynb", LONG_JOB.format(options="--shots 1000 --no-wait"))
    open_notebook(page, jupyterlab, "left.ipynb")
    run_all(page)
    wait_until_idle(page, 1)
    row = job_rows(page).first
    row.get_by_role("button", name="Cancel slow").click()
    expect(row).to_contain_text("cancelled", timeout=60_000)
    expect(page.locator(".jp-Notebook .qpm-Card")).to_contain_text("Cancelled")


def test_a_notebook_from_elsewhere_is_drawn_as_saved(page: Page, jupyterlab: JupyterLab) -> None:
    """A record that this ledger does not know keeps what was saved, and says so."""
    record = {"schema": 1, "job_id": "J0", "name": "far", "status": "running", "backend": "aer/noisy", "shots": 10}
    output = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"application/vnd.qpm-lab.job+json": record, "text/plain": "far"},
    }
    write_notebook(jupyterlab, "far.ipynb", "1", outputs=[output])
    open_notebook(page, jupyterlab, "far.ipynb")
    expect(cards(page, "far")).to_contain_text("As saved: the ledger of this server does not know this job.")
    expect(page.get_by_role("button", name="Cancel far")).to_have_count(0)
