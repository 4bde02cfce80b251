"""The card in a real browser: light, dark, wide and narrow. Pictures are kept in test-output/display."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def views() -> list[dict[str, Any]]:
    """The gallery as a browser saw it; in a process of its own, since playwright wants the event loop."""
    command = [sys.executable, "-m", "tests.display.gallery"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_nothing_runs_and_nothing_is_loaded(views: list[dict[str, Any]]) -> None:
    """The hostile card among the others opens no dialog and asks for no address."""
    assert [view["alarms"] for view in views] == [[]] * 4


def test_columns_stack_on_a_narrow_page_only(views: list[dict[str, Any]]) -> None:
    """At 400 pixels everything stands under each other, at 800 side by side."""
    for view in views:
        found = {card["stacked"] for card in view["cards"]} - {None}
        assert found == {view["width"] == 400}


def test_nothing_is_cut_off_at_any_width(views: list[dict[str, Any]]) -> None:
    """No part of a card reaches beyond the page, not even 127 qubits at 400 pixels."""
    assert [(card["label"], card["cut"]) for view in views for card in view["cards"] if card["cut"]] == []


def test_the_card_follows_the_theme_of_the_page(views: list[dict[str, Any]]) -> None:
    """A light ground on light pages, a dark one on dark ones."""
    grounds = {view["scheme"]: view["ground"] for view in views}
    assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 20, 24)"}


def test_a_running_card_is_about_as_high_as_a_completed_one(views: list[dict[str, Any]]) -> None:
    """Completing moves what stands below the card by less than a third of its height."""
    heights = {card["label"]: card["height"] for card in reversed(views[0]["cards"])}
    running, completed = heights["Quantum job ghz5: Running"], heights["Quantum job ghz5: Completed"]
    assert abs(running - completed) < completed / 3
