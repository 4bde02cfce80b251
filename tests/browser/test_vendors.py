"""A job at a vendor in JupyterLab, against IonQ's double: its queue, a kernel that ends, a parked job, backends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml
from playwright.sync_api import Locator, Page, Route, expect

from qpm_lab import doubles
from qpm_lab.doubles.double import Double
from tests.browser import vendor_records
from tests.browser.conftest import JupyterLab
from tests.browser.notebook import (
    CONTRAST,
    KERNEL_READY,
    cards,
    command,
    job_rows,
    open_notebook,
    picture,
    run_all,
    use_theme,
    write_notebook,
)

pytestmark = pytest.mark.browser

CELL = """\
%%qjob --backend ionq/simulator --shots 100
from qiskit import QuantumCircuit
{name} = QuantumCircuit(3, 2, name="{name}")
{name}.h(0)
{name}.cx(0, 1)
{name}.x(2)
{name}.measure(0, 1)
{name}.measure(2, 0)
{name}"""


@pytest.fixture(scope="module")
def ionq(jupyterlab: JupyterLab) -> Iterator[doubles.RunningDouble]:
    """IonQ's double, and a home whose settings lead to it."""
    with doubles.started("ionq") as double:
        assert double.access["secrets"] == {"token": Double.token}  # the one in the server's environment
        settings = {"url": double.url, "poll_seconds": 0.3, "timeout_seconds": 5, "visibility_seconds": 1}
        jupyterlab.home.mkdir(exist_ok=True)
        (jupyterlab.home / "settings.yaml").write_text(yaml.safe_dump({"providers": {"ionq": settings}}))
        yield double


@pytest.fixture(autouse=True)
def well_behaved(ionq: doubles.RunningDouble) -> Iterator[None]:
    """Each test begins with a double that does all at once, and leaves none of its faults behind."""
    ionq.faults(queue_polls=0, run_polls=0, stuck=False, schema_change="", only="")
    yield
    ionq.faults(queue_polls=0, run_polls=0, stuck=False, schema_change="", only="")


def cell(name: str) -> str:
    return CELL.format(name=name)


def row(page: Page, name: str) -> Locator:
    return job_rows(page).filter(has_text=name)


def both_themes(page: Page, name: str) -> None:
    """A picture of each, in which every text can be read."""
    for theme, light in (("JupyterLab Dark", False), ("JupyterLab Light", True)):
        use_theme(page, theme, light)
        page.wait_for_timeout(400)
        picture(page, f"{name}-{'light' if light else 'dark'}")
        assert page.evaluate(CONTRAST) == []


def test_a_job_goes_on_when_its_kernel_is_killed(
    page: Page, jupyterlab: JupyterLab, ionq: doubles.RunningDouble
) -> None:
    """Panel and card say where it is, and fill in by the server's own look at the vendor."""
    ionq.faults(stuck=True)
    write_notebook(jupyterlab, "vendor.ipynb", cell("distant"), "import os, signal; os.kill(os.getpid(), 9)")
    open_notebook(page, jupyterlab, "vendor.ipynb")
    command(page, "notebook:run-cell-and-select-next")
    card = cards(page, "distant")
    expect(card).to_contain_text("queued at IonQ", timeout=60_000)
    expect(card).to_contain_text("asked")
    expect(card).to_contain_text("IonQ · machine in United States · company in US")
    expect(row(page, "distant")).to_contain_text("queued at IonQ")
    both_themes(page, "vendor-queued")
    page.locator(".jp-Notebook .jp-CodeCell").nth(1).click()
    command(page, "notebook:run-cell")
    page.get_by_role("button", name="Ok", exact=True).click()
    page.wait_for_function(KERNEL_READY)
    expect(row(page, "distant")).to_contain_text("queued at IonQ")
    ionq.faults(stuck=False)
    expect(row(page, "distant")).to_contain_text("completed", timeout=60_000)
    expect(card).to_contain_text("Completed")
    expect(card.get_by_role("table")).to_contain_text("01")
    assert len(ionq.submissions()) == 1
    card.get_by_text("At the vendor").click()
    copy = card.get_by_role("button", name="Copy vendor’s id")
    expect(copy).to_contain_text(ionq.submissions()[0]["id"])
    both_themes(page, "vendor-completed")


def test_a_notebook_that_is_opened_again_shows_the_job_as_it_is(
    page: Page, jupyterlab: JupyterLab, ionq: doubles.RunningDouble
) -> None:
    """The saved card says queued; without any kernel of its own it shows what became of the job."""
    ionq.faults(stuck=True)
    write_notebook(jupyterlab, "again.ipynb", cell("ghz"))
    open_notebook(page, jupyterlab, "again.ipynb")
    run_all(page)
    expect(cards(page, "ghz")).to_contain_text("queued at IonQ", timeout=60_000)
    command(page, "docmanager:save")
    page.wait_for_timeout(500)
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.goto("about:blank")
    ionq.faults(stuck=False)
    open_notebook(page, jupyterlab, "again.ipynb")
    expect(cards(page, "ghz")).to_contain_text("Completed", timeout=60_000)


def test_a_job_at_a_vendor_is_cancelled_from_the_panel(
    page: Page, jupyterlab: JupyterLab, ionq: doubles.RunningDouble
) -> None:
    """Cancel reaches the vendor, and the row says so."""
    ionq.faults(stuck=True)
    write_notebook(jupyterlab, "cancel.ipynb", cell("stopped"))
    open_notebook(page, jupyterlab, "cancel.ipynb")
    run_all(page)
    expect(row(page, "stopped")).to_contain_text("queued at IonQ", timeout=60_000)
    page.get_by_role("button", name="Cancel stopped").first.click()
    expect(row(page, "stopped")).to_contain_text("cancelled", timeout=60_000)
    assert ionq.submissions()[-1]["cancelled"]


def test_a_parked_job_is_asked_after_again_by_keyboard(
    page: Page, jupyterlab: JupyterLab, ionq: doubles.RunningDouble
) -> None:
    """An answer that cannot be read parks it; once it can be, Enter on the button is enough."""
    ionq.faults(schema_change="status", only="GET /v0.4/jobs/")
    write_notebook(jupyterlab, "parked.ipynb", cell("unread"))
    open_notebook(page, jupyterlab, "parked.ipynb")
    run_all(page)
    expect(row(page, "unread")).to_contain_text("parked", timeout=60_000)
    expect(cards(page, "unread")).to_contain_text("Its reservation is kept")
    expect(row(page, "unread").get_by_role("button", name="IonQ has it")).to_have_count(0)
    both_themes(page, "vendor-parked-unread")
    ionq.faults(schema_change="")
    row(page, "unread").get_by_role("button", name="Ask IonQ again: unread").focus()
    page.keyboard.press("Enter")
    expect(row(page, "unread")).to_contain_text("completed", timeout=60_000)
    expect(cards(page, "unread")).to_contain_text("Completed")


class Ledger:
    """Answers for a server with one parked job, and what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.refuses = False

    def answer(self, route: Route) -> None:
        """The routes under `/qpm-lab/api/jobs`."""
        path = route.request.url.partition("/api/")[2].partition("?")[0]
        if route.request.method == "POST":
            self.told.append((path, route.request.post_data_json if route.request.post_data else None))
            fault = {"message": "Job p1 is not parked; it is failed.", "hint": "There is nothing to resolve."}
            route.fulfill(status=409 if self.refuses else 200, json=fault if self.refuses else {})
        elif path == "jobs":
            state = parse_qs(route.request.url.partition("?")[2]).get("state")
            rows = [each for each in vendor_records.ROWS if state is None or each["status"] in state]
            route.fulfill(json={"jobs": rows, "more": False, "open": 3, "parked": 1})
        else:
            route.fulfill(json=vendor_records.parked())


@pytest.fixture
def told(page: Page, jupyterlab: JupyterLab) -> Ledger:
    """A notebook with every state of a job at a vendor, over a server that says the same."""
    ledger = Ledger()
    page.route("**/qpm-lab/api/jobs*", ledger.answer)
    page.route("**/qpm-lab/api/jobs/**", ledger.answer)
    data = [{"application/vnd.qpm-lab.job+json": document} for document in vendor_records.STATES]
    outputs = [{"output_type": "display_data", "metadata": {}, "data": each} for each in data]
    write_notebook(jupyterlab, "states.ipynb", "1", outputs=outputs)
    page.set_viewport_size({"width": 1400, "height": 2300})
    open_notebook(page, jupyterlab, "states.ipynb")
    return ledger


def test_the_vendor_has_it_is_said_with_its_id(page: Page, told: Ledger) -> None:
    """The form takes an id by keyboard; Escape closes it and gives the focus back."""
    button = row(page, "nobody-knows").get_by_role("button", name="IonQ has it: nobody-knows")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Its id at IonQ")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type(" 0191-abc ")
    both_themes(page, "vendor-has-it")
    page.get_by_label("Its id at IonQ").press("Enter")  # changing the theme may have taken the focus
    expect(row(page, "nobody-knows")).to_contain_text("Recorded.")
    assert told.told == [("jobs/p1/resolve", {"vendor_id": "0191-abc"})]


def test_the_vendor_does_not_have_it_is_asked_about_first(page: Page, told: Ledger) -> None:
    """Enter by mistake goes back; only the second button says it, and a refusal is shown."""
    button = row(page, "nobody-knows").get_by_role("button", name="IonQ does not have it: nobody-knows")
    button.click()
    expect(page.get_by_role("alertdialog")).to_contain_text("cannot be taken back")
    picture(page, "vendor-has-it-not")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    assert told.told == []
    told.refuses = True
    button.click()
    page.get_by_role("button", name="I looked: IonQ does not have it").click()
    expect(row(page, "nobody-knows").get_by_role("alert")).to_contain_text("There is nothing to resolve.")
    assert told.told == [("jobs/p1/resolve", {"not_submitted": True})]


def test_every_state_at_a_vendor_can_be_read(page: Page, told: Ledger) -> None:
    """Queued, parked, billed, metered, refunded, denied for its price, dry run: in both themes."""
    for words in (
        "queued at IBM Quantum, 3 before it",
        "nobody-knows",
        "billed by the vendor",
        "metered: the usage the vendor named",
        "Spent: $0.00, not charged by the vendor.",
        "It would go to",
        "No price is listed for ionq/qpu.forte-1",
    ):
        expect(cards(page, words).first).to_be_visible()
    expect(row(page, "waiting")).to_contain_text("queued at IBM Quantum, 3 before it")
    expect(page.locator(".qpm-Panel").first.get_by_role("status").first).to_have_text("2 running, 1 needs you")
    both_themes(page, "vendor-states")


def test_backends_say_what_they_need(page: Page, jupyterlab: JupyterLab) -> None:
    """By provider, with state and command; the vendors that are ready are asked when a person wants it."""
    write_notebook(jupyterlab, "backends.ipynb", "1")
    open_notebook(page, jupyterlab, "backends.ipynb")
    command(page, "qpm-lab:show-backends")
    panel = page.get_by_label("Providers", exact=True)
    expect(panel.locator(".qpm-Provider", has_text="IonQ").first).to_contain_text("ready")
    expect(panel.get_by_role("button", name="Copy backend id ionq/qpu.forte-1")).to_be_visible()
    page.get_by_role("button", name="Ask how busy they are").click()
    expect(panel).to_contain_text("available", timeout=60_000)
    both_themes(page, "backends")
