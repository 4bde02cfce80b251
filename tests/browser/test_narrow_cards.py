"""The card where room is scarce: long keys, narrow windows, open details."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import JupyterLab
from tests.browser.notebook import cards, command, open_notebook, picture, write_notebook

pytestmark = pytest.mark.browser

FINGERPRINT = "sha256:" + "0123456789abcdef" * 4
HIDDEN = "jupyterapp.shell.leftCollapsed"
ROWS = """card => [...card.querySelectorAll('.qpm-Bars tbody tr')].map(row => {
  const selection = getSelection();
  selection.selectAllChildren(row.querySelector('th'));
  const copied = selection.toString();
  selection.removeAllRanges();
  return {copied, bar: row.querySelector('.qpm-Track').offsetWidth,
          over: row.getBoundingClientRect().right - row.closest('.qpm-Card-body > div').getBoundingClientRect().right};
})"""


def keys(bits: int) -> list[str]:
    """Eight outcomes that differ only in their low bits."""
    return [f"{'10' * (bits // 2 - 2)}{low:04b}" for low in range(8)]


def saved(name: str, bits: int, **change: Any) -> dict[str, Any]:
    """The output of a completed job, as a notebook holds it."""
    shown = [{"key": key, "count": 500, "share": 0.125, "low": 0.11, "high": 0.14} for key in keys(bits)]
    circuit = {"name": name, "fingerprint": FINGERPRINT, "qubits": bits, "clbits": bits, "two_qubit_gates": bits}
    record = {
        **{"schema": 1, "job_id": f"J{bits}", "name": name, "status": "completed", "backend": "aer/simulator"},
        **{"shots": 4000, "circuit": circuit, "outcomes": {"level": 0.95, "shown": shown}, **change},
    }
    data = {"application/vnd.qpm-lab.job+json": record, "text/plain": name}
    return {"output_type": "display_data", "metadata": {}, "data": data}


@pytest.fixture(scope="module")
def saved_cards(browser: Browser, jupyterlab: JupyterLab) -> Iterator[Page]:
    """A saved notebook with a card of 40 and one of 100 qubits, the sidebar closed."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    write_notebook(jupyterlab, "keys.ipynb", "1", outputs=[saved("forty", 40), saved("hundred", 100)])
    open_notebook(page, jupyterlab, "keys.ipynb")
    command(page, "application:toggle-left-area")
    page.wait_for_function(HIDDEN)
    yield page
    context.close()


@pytest.mark.parametrize("width", [1400, 700, 400])
@pytest.mark.parametrize(("name", "bits"), [("forty", 40), ("hundred", 100)])
def test_a_long_key_leaves_room_for_its_bar(saved_cards: Page, width: int, name: str, bits: int) -> None:
    """Bars keep about 80 pixels, shares stay on the card, and a copied key has every bit."""
    saved_cards.set_viewport_size({"width": width, "height": 1000})
    card = cards(saved_cards, name).first
    card.scroll_into_view_if_needed()
    picture(saved_cards, f"keys-{bits}-{width}")
    rows = card.evaluate(ROWS)
    assert [row["copied"].strip() for row in rows] == keys(bits)
    assert min(row["bar"] for row in rows) >= 75
    assert max(row["over"] for row in rows) <= 1


def test_forty_bits_stand_in_full_on_a_wide_page(saved_cards: Page) -> None:
    """No bit is left out where there is room for all."""
    saved_cards.set_viewport_size({"width": 1400, "height": 1000})
    start = cards(saved_cards, "forty").first.locator(".qpm-Key-start").first
    assert start.evaluate("part => part.scrollWidth <= part.clientWidth")


def test_the_details_stand_on_a_line_each(saved_cards: Page) -> None:
    """Neither a label nor the fingerprint of the circuit wraps on a wide page."""
    saved_cards.set_viewport_size({"width": 1400, "height": 1000})
    card = cards(saved_cards, "forty").first
    card.get_by_text("Circuit", exact=True).click()
    expect(card.get_by_text("Two-qubit gates")).to_be_visible()
    picture(saved_cards, "details")
    assert {lines(part) for part in card.locator("details[open] :is(dt, dd)").all()} == {1}


def lines(part: Locator) -> int:
    """How many lines of text a part takes."""
    measured: int = part.evaluate(
        "part => Math.round(part.getBoundingClientRect().height / parseFloat(getComputedStyle(part).lineHeight))"
    )
    return measured


def test_completing_moves_little(page: Page, jupyterlab: JupyterLab) -> None:
    """An open card keeps the places of outcomes and fidelity, so that the cells below stay where they are."""
    quota = [{"quota": name, "measure": name, "window": "day", "limit": "9", "used": "1"} for name in ("shots", "jobs")]
    cost = {"cost": {"currency": "USD", "amount": "0"}, "quota": quota}
    fidelity = {"value": 0.9, "low": 0.88, "high": 0.92, "level": 0.95, "method": "heavy-set, exact"}
    write_notebook(
        jupyterlab,
        "moves.ipynb",
        "1",
        outputs=[
            saved("small", 4, **cost, status="running", outcomes=None),
            saved("small", 4, **cost, fidelity=fidelity),
        ],
    )
    open_notebook(page, jupyterlab, "moves.ipynb")
    expect(cards(page, "small")).to_have_count(2)
    picture(page, "moves")
    note = page.locator(".qpm-Card-note")
    running, completed = (card.bounding_box() for card in cards(page, "small").all())
    assert running is not None
    assert completed is not None
    grown = (
        completed["height"] - running["height"] + sum(part.evaluate("part => part.offsetHeight") for part in note.all())
    )
    assert abs(grown) < 12
