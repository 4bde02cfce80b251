"""A sweep on the card in JupyterLab: its drawing in both themes, on wide and narrow pages, from the keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

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
    write_notebook,
)
from tests.browser.test_narrow_cards import HIDDEN
from tests.display import sweeps

pytestmark = pytest.mark.browser

OVER = """card => [...card.querySelectorAll('.qpm-Plot, .qpm-Plot span, .qpm-Legend li, .qpm-Scale')].filter(
  part => part.getBoundingClientRect().right > card.getBoundingClientRect().right + 1).length"""
CELLS = "card => [...card.querySelectorAll('.qpm-Cell')].map(cell => cell.getAttribute('d')).join()"


def output(name: str, record: dict[str, Any]) -> dict[str, Any]:
    """A job's output as a notebook holds it."""
    record = {**record, "job_id": f"J-{name}", "name": name}
    data = {"application/vnd.qpm-lab.job+json": record, "text/plain": name}
    return {"output_type": "display_data", "metadata": {}, "data": data}


@pytest.fixture(scope="module")
def saved(browser: Browser, jupyterlab: JupyterLab) -> Iterator[Page]:
    """A saved notebook with a card of every kind of sweep, the sidebar closed."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    outputs = [output(name, record) for name, record in sweeps.gallery().items()]
    write_notebook(jupyterlab, "sweeps.ipynb", "1", outputs=outputs)
    open_notebook(page, jupyterlab, "sweeps.ipynb")
    command(page, "application:toggle-left-area")
    page.wait_for_function(HIDDEN)
    yield page
    context.close()


@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize(("theme", "light"), [("JupyterLab Dark", False), ("JupyterLab Light", True)])
def test_drawings_are_readable_in_both_themes(saved: Page, theme: str, light: bool, width: int) -> None:
    """Every text has a contrast of at least 4.5 to 1, and nothing leaves its card."""
    saved.set_viewport_size({"width": width, "height": 1000})
    use_theme(saved, theme, light)
    saved.wait_for_timeout(500)
    for name in sweeps.gallery():
        card = cards(saved, name).first
        card.scroll_into_view_if_needed()
        card.screenshot(path=f"test-output/browser/{name}-{'light' if light else 'dark'}-{width}.png")
        assert card.evaluate(OVER) == 0
    assert saved.evaluate(CONTRAST) == []


def test_the_outcome_of_a_grid_is_chosen_from_the_keyboard(saved: Page) -> None:
    """Arrow keys in the list of outcomes change the heat map and what a screen reader hears."""
    card = saved.locator(".jp-Notebook .qpm-Card[aria-label^='Quantum job grid:']")
    before = card.evaluate(CELLS)
    card.get_by_label("Share of").focus()
    saved.keyboard.press("ArrowDown")
    expect(card.get_by_label("Share of")).to_have_value("111")
    expect(card.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("^Heat map over theta and phi. 111 starts")
    )
    assert card.evaluate(CELLS) != before


def test_a_running_sweep_keeps_its_place_when_it_completes(saved: Page) -> None:
    """The card of a sweep under way is about as high as that of the completed one."""
    saved.set_viewport_size({"width": 1400, "height": 1000})
    heights = {}
    for name in ("sweep", "sweep-running"):
        card = saved.locator(f".jp-Notebook .qpm-Card[aria-label^='Quantum job {name}:']")
        heights[name] = card.locator(".qpm-Card-body").evaluate("part => part.offsetHeight")
    picture(saved, "sweeps")
    assert abs(heights["sweep"] - heights["sweep-running"]) < 30


SWEEP = """\
%%qjob {options}
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
theta = Parameter("theta")
ansatz = QuantumCircuit({qubits}, name="ansatz")
for layer in range({layers}):
    for qubit in range({qubits}):
        ansatz.rx(theta + layer, qubit)
        ansatz.cx(qubit, (qubit + 1) % {qubits})
ansatz"""


def test_a_sweep_is_drawn_when_it_ran(page: Page, jupyterlab: JupyterLab) -> None:
    """A cell with --sweep ends with a line chart, its figures and the call for the table."""
    options = "--sweep 'theta=linspace(0, 6.283, 300)' --shots 1024"
    write_notebook(jupyterlab, "swept.ipynb", SWEEP.format(options=options, qubits=3, layers=1))
    open_notebook(page, jupyterlab, "swept.ipynb")
    run_all(page)
    card = cards(page, "ansatz")
    expect(card).to_contain_text("Completed", timeout=60_000)
    expect(card).to_contain_text("300 points × 1,024 shots")
    expect(card.get_by_role("img")).to_have_attribute("aria-label", re.compile("^Line chart over theta"))
    card.locator("summary", has_text="11 points in figures").click()
    expect(card.get_by_role("table")).to_contain_text("6.283")
    expect(card).to_contain_text("job.result().to_frame()")
    expect(job_rows(page).first).to_contain_text("300 × 1,024 shots")
    picture(page, "swept")


def test_a_cancelled_sweep_keeps_its_points(page: Page, jupyterlab: JupyterLab) -> None:
    """Points arrive on the card while the cell runs; after Cancel those that are done stay."""
    options = "--sweep 'theta=linspace(0, 6.283, 3000)' --shots 1024"
    write_notebook(jupyterlab, "stopped.ipynb", SWEEP.format(options=options, qubits=16, layers=6))
    open_notebook(page, jupyterlab, "stopped.ipynb")
    run_all(page)
    card = cards(page, "ansatz")
    expect(card).to_contain_text(re.compile(r"[1-9]\d* of 3,000 points"), timeout=60_000)
    expect(card.get_by_role("img")).to_have_attribute("aria-label", re.compile("^Line chart"), timeout=60_000)
    picture(page, "sweeping")
    card.get_by_role("button", name="Cancel ansatz").click()
    expect(card).to_contain_text("Cancelled", timeout=60_000)
    expect(card).to_contain_text(re.compile(r"of 3,000 points are kept: job\.partial\(\)\.to_frame\(\)"))
    expect(card.get_by_role("img")).to_be_visible()
    picture(page, "sweep-stopped")
