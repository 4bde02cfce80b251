"""The line magics, the form and a job that outlives its cell, as they look in JupyterLab."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import JupyterLab
from tests.browser.notebook import (
    cards,
    open_notebook,
    picture,
    run_all,
    use_theme,
    wait_until_idle,
    write_notebook,
)

pytestmark = pytest.mark.browser

CIRCUIT = "from qiskit import QuantumCircuit\nbell = QuantumCircuit(2, name='bell')\nbell.h(0)\nbell.cx(0, 1);"


def test_the_form_quotes_decides_and_ends_in_the_same_card(page: Page, jupyterlab: JupyterLab) -> None:
    """Too many shots disable the button and say why; a fitting number submits and shows the card."""
    write_notebook(jupyterlab, "form.ipynb", CIRCUIT, "%qform bell")
    open_notebook(page, jupyterlab, "form.ipynb")
    run_all(page)
    wait_until_idle(page, 2)
    form = page.locator(".jp-OutputArea-output", has=page.get_by_text("Experiment", exact=True))
    shots = form.get_by_label("Shots")
    shots.fill("1000000000")
    shots.press("Enter")
    submit = form.get_by_role("button", name="Submit")
    expect(form.get_by_text("local simulation is free").first).to_be_visible()
    shots.fill("512")
    shots.press("Enter")
    expect(submit).to_be_enabled()
    picture(page, "form")
    submit.click()
    expect(page.locator(".qpm-Card", has_text="512 shots").first).to_be_visible()
    picture(page, "form-submitted")


def test_a_job_that_is_not_waited_for_fills_its_card_in_later(page: Page, jupyterlab: JupyterLab) -> None:
    """The cell returns at once; the card completes without running anything again."""
    slow = (
        "%%qjob --no-wait -o later --shots 200 --backend aer/noisy\n"
        "from qiskit import QuantumCircuit\n"
        "wide = QuantumCircuit(12, name='wide')\n"
        "for layer in range(6):\n"
        "    for qubit in range(12):\n        wide.ry(0.3 + layer, qubit)\n"
        "    for qubit in range(11):\n        wide.cx(qubit, qubit + 1)\n"
        "wide"
    )
    write_notebook(jupyterlab, "later.ipynb", slow, "later.status in ('running', 'submitted', 'completed')")
    open_notebook(page, jupyterlab, "later.ipynb")
    run_all(page)
    wait_until_idle(page, 2)
    expect(cards(page, "Completed")).to_have_count(1, timeout=120_000)
    picture(page, "later")


def test_the_tables_are_readable_in_both_themes(page: Page, jupyterlab: JupyterLab) -> None:
    """%qbackends, %qquote, %qjobs and %qusage as tables with captions."""
    write_notebook(
        jupyterlab,
        "tables.ipynb",
        CIRCUIT + "\n_ = None",
        "%qquote bell --backend braket/iqm_garnet --shots 1000",
        "%qexplain bell --backend braket/ionq_forte-1 --shots 2000",
        "%qjobs",
        "%qusage",
        "%qbackends",
    )
    open_notebook(page, jupyterlab, "tables.ipynb")
    run_all(page)
    wait_until_idle(page, 6)
    expect(page.locator(".jp-Notebook table caption").first).to_be_visible()
    page.set_viewport_size({"width": 1400, "height": 2400})
    picture(page, "tables-light")
    use_theme(page, "JupyterLab Dark", light=False)
    picture(page, "tables-dark")
    use_theme(page, "JupyterLab Light", light=True)
