"""The picture is small, fast to make, and independent of the user's matplotlib."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import matplotlib as mpl
import pytest
from PIL import Image

from qpm_lab.display import to_png
from qpm_lab.display.png import BAR, WHISKER

from . import documents


def picture(document: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(to_png(document))).convert("RGB")


def pixels(image: Image.Image, colour: str) -> int:
    wanted = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return sum(count for count, found in image.getcolors(1 << 20) or [] if found == wanted)


def test_it_shows_bars_with_whiskers_on_white() -> None:
    """The bars' area is their shares' area; whiskers are drawn over them."""
    image = picture(documents.completed())
    assert image.size[0] == 640
    assert image.getpixel((1, 1)) == (255, 255, 255)
    assert pixels(image, BAR) > 8000
    assert pixels(image, WHISKER) > 100


def test_a_shorter_bar_has_fewer_pixels() -> None:
    """What is drawn follows the data."""
    rows = [("0", 90, 0.9, 0.89, 0.91), ("1", 10, 0.1, 0.09, 0.11)]
    equal = [("0", 50, 0.5, 0.49, 0.51), ("1", 50, 0.5, 0.49, 0.51)]
    areas = [
        pixels(picture(documents.completed(outcomes=documents.outcomes(documents.bars(r)))), BAR) for r in (rows, equal)
    ]
    assert areas[0] < 0.65 * areas[1]


@pytest.mark.parametrize("name", ["hostile", "wide", "many", "uniform", "ideal", "above-one"])
def test_every_completed_state_has_a_small_picture(name: str) -> None:
    """Characters that the font lacks become boxes instead of warnings."""
    assert len(to_png(documents.gallery()[name])) < 60_000


def test_a_dollar_sign_is_not_a_formula() -> None:
    """Text between two dollar signs is not read as mathematics."""
    document = documents.completed(name=r"$\frac{1}{$ 量子 $")
    assert to_png(document).startswith(b"\x89PNG")


def test_the_users_settings_do_not_change_it() -> None:
    """TeX, another font size or a dark style of the notebook leave the picture as it is."""
    before = to_png(documents.completed())
    with mpl.rc_context({"text.usetex": True, "font.size": 40, "text.color": "white", "axes.grid": True}):
        assert to_png(documents.completed()) == before


def test_heavy_libraries_wait_until_they_are_needed() -> None:
    """Importing the package and drawing HTML and text load no matplotlib, rich, pandas or widgets."""
    program = (
        "import sys, qpm_lab.display as d\n"
        f"from {documents.__package__} import documents\n"
        "d.mimebundle(documents.denied()); d.to_text(documents.completed()); d.to_html(documents.completed())\n"
        "print([m for m in ('matplotlib', 'rich', 'pandas', 'ipywidgets', 'qiskit', 'IPython') if m in sys.modules])"
    )
    path = [p for p in sys.path if p]
    code = f"import sys; sys.path[:0] = {path!r}\n{program}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
