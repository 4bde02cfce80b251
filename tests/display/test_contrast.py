"""Both themes of the card meet WCAG AA: 4.5 for text, 3 for what is drawn."""

from __future__ import annotations

import re
from itertools import product

import pytest

from qpm_lab.display.markup import style

TEXT = ("ink", "mut", "accent", "ok", "warn", "bad")
DRAWN = (("bar", "bg"), ("wh", "bg"), ("wh", "bar"), ("accent", "bg"), ("accent", "line"), ("warn", "line"))


def themes() -> dict[str, dict[str, str]]:
    """The colours of the sheet by name, light and dark."""
    blocks = re.findall(r"\.qpm-card\{(--bg:[^}]*)\}", style("card.css"))
    light, dark, *in_jupyter = (dict(re.findall(r"--(\w+):#(\w+)", block)) for block in blocks)
    assert in_jupyter == [light, dark]  # JupyterLab's theme decides there, whatever the system's is
    return {"light": light, "dark": dark}


def luminance(colour: str) -> float:
    """Relative luminance of `rgb` or `rrggbb`, by WCAG 2.2."""
    pairs = [c * 2 for c in colour] if len(colour) == 3 else [colour[i : i + 2] for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (int(p, 16) / 255 for p in pairs)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_is_readable_on_both_grounds(theme: str) -> None:
    """Every colour a word may have, on the card and on its head."""
    colours = themes()[theme]
    found = {(t, g): contrast(colours[t], colours[g]) for t, g in product(TEXT, ("bg", "bg2"))}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_that_is_drawn_stands_out(theme: str) -> None:
    """Bars from the ground, whiskers from bars, used from unused."""
    colours = themes()[theme]
    found = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in DRAWN}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 3} == {}


def test_the_measure_itself_knows_black_on_white() -> None:
    """The ratio of black on white is 21 by definition."""
    assert contrast("000", "fff") == pytest.approx(21)


@pytest.mark.parametrize("sheet", ["card.css", "table.css"])
def test_a_sheet_touches_nothing_outside_and_loads_nothing(sheet: str) -> None:
    """Every rule is about our own class; no import, no address."""
    rules = re.sub(r"@media[^{]*\{", "", re.sub(r"<[^>]+>", "", style(sheet)))
    selectors = [part.strip() for head in re.findall(r"([^{}]+)\{", rules) for part in head.split(",")]
    assert selectors
    ours = re.compile(r"(\[data-jp-theme-light=(true|false)\] )?\.qpm-")
    assert [s for s in selectors if not ours.match(s)] == []
    assert "url(" not in rules
    assert "@import" not in rules
