"""What a person does in JupyterLab, in a few words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OUTPUT, JupyterLab

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()

KERNEL_READY = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


def write_notebook(lab: JupyterLab, name: str, *cells: str, outputs: list[dict[str, Any]] | None = None) -> None:
    """A notebook of code cells for our kernel; `outputs` go to the first cell, as if saved earlier."""
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "qpm", "display_name": "Governed Quantum", "language": "python"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{index}",
                "metadata": {},
                "execution_count": None,
                "source": source,
                "outputs": outputs if outputs and index == 0 else [],
            }
            for index, source in enumerate(cells)
        ],
    }
    (lab.notebooks / name).write_text(json.dumps(document))


def open_notebook(page: Page, lab: JupyterLab, name: str) -> None:
    """Opens a notebook and our sidebar, and waits until the kernel is ready."""
    page.goto(lab.address(name))
    page.wait_for_function("window.jupyterapp && window.jupyterapp.restored.then(() => true)")
    page.wait_for_function(KERNEL_READY)
    command(page, "qpm-lab:show-jobs")


def command(page: Page, name: str, **args: Any) -> None:
    """Runs a command as the palette would, without waiting for what it starts."""
    page.evaluate("([name, args]) => void jupyterapp.commands.execute(name, args)", [name, args])


def run_all(page: Page) -> None:
    command(page, "notebook:run-all-cells")


def wait_until_idle(page: Page, cells: int) -> None:
    """Waits until the last of `cells` code cells has its number and the kernel rests."""
    expect(page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").nth(cells - 1)).to_have_text(
        f"[{cells}]:", timeout=120_000
    )
    page.wait_for_function(KERNEL_READY)


def cards(page: Page, text: str) -> Locator:
    """The cards in the notebook with this text."""
    return page.locator(".jp-Notebook .qpm-Card", has_text=text)


def job_rows(page: Page) -> Locator:
    return page.locator(".qpm-Item")


def use_theme(page: Page, name: str, light: bool) -> None:
    command(page, "apputils:change-theme", theme=name)
    page.locator(f'body[data-jp-theme-light="{str(light).lower()}"]').wait_for(state="attached")


def picture(page: Page, name: str) -> None:
    page.screenshot(path=OUTPUT / f"{name}.png")
