"""A sweep is drawn, told in words and in figures, in every form of the card, whether complete or not."""

from __future__ import annotations

import io
import json
import math
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from qpm_lab.display import mimebundle, to_html, to_png, to_text
from qpm_lab.display.plots import POINT, heat_map, line_plot, nice_ticks
from qpm_lab.display.spark import sweep_lines
from qpm_lab.display.sweeps import Sweep, sweep, table

from . import documents, sweeps
from .reading import Page

GALLERY = sweeps.gallery()


def read(document: dict[str, Any]) -> str:
    return Page(to_html(document)).text


def parsed(block: dict[str, Any]) -> Sweep:
    found = sweep({"sweep": block})
    assert found is not None
    return found


@pytest.mark.parametrize("name", GALLERY)
def test_every_kind_of_sweep_is_well_formed_and_needs_nothing_else(name: str) -> None:
    """No script, no address, no id; every element is closed; a stored card stays below 100 kB."""
    html = to_html(GALLERY[name])
    page = Page(html)
    assert page.faults == []
    assert not {"script", "img", "link", "iframe", "object", "form", "input"} & set(page.tags)
    assert not [a for _, a, _ in page.attributes if a.startswith("on") or a in {"src", "href", "id"}]
    assert len(html) < 100_000


def test_the_head_says_points_and_shots() -> None:
    """Of a sweep that ran, and of one that was only asked for."""
    assert "1,000 points × 1,024 shots" in read(GALLERY["sweep"])
    assert "1,000 points × 1,024 shots" in read(GALLERY["sweep-denied"])
    assert "1,000 points × 1,024 shots" in to_text(GALLERY["sweep"], width=100)


def test_a_complete_sweep_says_where_its_table_is() -> None:
    """One call gives all points; nothing is said to be partial."""
    for said in (read(GALLERY["sweep"]), to_text(GALLERY["sweep"], width=100)):
        assert "All points as a table: job.result().to_frame()" in said
        assert "partial" not in said


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_a_sweep_that_ended_early_keeps_what_was_done(state: str) -> None:
    """The drawing stays, and both forms say how to get at the points."""
    document = {**GALLERY["sweep-cancelled"], "status": state}
    for said in (read(document), to_text(document, width=100)):
        assert "420 of 1,000 points are kept: job.partial().to_frame()" in said
    assert "svg" in Page(to_html(document)).tags
    assert mimebundle(document)["image/png"]


def test_a_sweep_cancelled_before_its_first_point_draws_nothing() -> None:
    """There is nothing to keep and nothing to show."""
    document = sweeps.cancelled(sweeps.line(done=0))
    assert "svg" not in Page(to_html(document)).tags
    assert "image/png" not in mimebundle(document)
    assert "kept" not in read(document)


def test_a_running_sweep_says_how_far_it_is_and_leaves_the_rest_empty() -> None:
    """The empty part begins where the last point lies."""
    html = to_html(GALLERY["sweep-running"])
    assert "420 of 1,000 points" in Page(html).text
    left = re.search(r'class="empty" style="left:([\d.]+)%"', html)
    assert left is not None
    assert float(left[1]) == pytest.approx(41.7, abs=0.6)
    assert 'class="empty"' not in to_html(GALLERY["sweep"])


def test_the_drawing_has_words_for_whoever_cannot_see_it() -> None:
    """Kind, axis, and where each outcome starts, ends and turns."""
    labels = [value for _, name, value in Page(to_html(GALLERY["sweep"])).attributes if name == "aria-label"]
    said = next(label for label in labels if label and label.startswith("Line chart"))
    assert said.startswith("Line chart over theta. 000 starts at 45.5 %, ends at 45.5 %, lowest 0.5 %, highest 45.5 %.")
    assert said.count("starts at") == 4


def test_points_in_figures_have_their_intervals() -> None:
    """Each cell is a share with its ends, below the keys of the outcomes."""
    shown = table(parsed(sweeps.line()))
    assert shown.heads == ("theta", "000", "111", "010", "101")
    assert len(shown.rows) == 11
    assert shown.rows[0] == ("0", *(shown.rows[0][1:]))
    assert re.fullmatch(r"45\.5 % \[43\.\d – 47\.\d %\]", shown.rows[0][1])
    assert shown.rows[-1][0] == "6.28319"
    assert shown.rows[0][1] in read(GALLERY["sweep"])


def test_every_outcome_has_a_dash_and_a_colour_of_its_own() -> None:
    """Colour is not the only carrier: six outcomes, six classes, and a legend with their keys."""
    html = to_html(GALLERY["sweep-six"])
    styles, drawn = html.split("</style>", 1)
    assert {f"s{i}" for i in range(6)} == set(re.findall(r'<g class="(s\d)">', drawn))
    dashes = re.findall(r"\.s\d \.course\{stroke-dasharray:([^}]+)\}", styles)
    assert len(set(dashes)) == 5, "the first line is solid"
    legend = drawn.partition('class="legend"')[2].partition("</ul>")[0]
    assert [key for key in sweeps.KEYS if key in legend] == list(sweeps.KEYS)


def test_a_heat_map_has_a_scale_with_numbers_and_names_both_axes() -> None:
    """The outcome that varies most is drawn; the table has all."""
    text = read(GALLERY["grid"])
    for said in ("Share of 000", "0 % 50.0 %", "theta", "phi", "6.283", "11 points in figures"):
        assert said in text


def test_cells_of_an_unfinished_grid_lie_where_they_will_stay() -> None:
    """A grid that fills does not jump."""
    whole, part = parsed(sweeps.grid()), parsed(sweeps.grid(done=1210))
    assert whole.cells is not None
    places = [cell[:2] for cell in heat_map(whole, whole.cells).cells]
    seen = [cell[:2] for cell in heat_map(part, whole.cells).cells]
    assert seen == places[: len(seen)]
    assert len(seen) < len(places) == 1600


@given(st.integers(2, 3000), st.data())
def test_points_of_an_unfinished_line_lie_where_they_will_stay(points: int, data: st.DataObject) -> None:
    """An even sweep has its ends from the second shown point on."""
    whole = line_plot(parsed(sweeps.line(points, keys=("000",))))
    least = next(i for i in sweeps.spread(200, points)[1:]) + 1
    done = data.draw(st.integers(least, points))
    part = line_plot(parsed(sweeps.line(points, done, keys=("000",))))
    ends = [place for place, _ in part.lines[0].pieces[0].points]
    known = [place for place, _ in whole.lines[0].pieces[0].points]
    assert part.across.name == "theta"
    assert ends == pytest.approx(known[: len(ends)])


def test_values_that_do_not_tell_points_apart_give_way_to_the_number_of_the_point() -> None:
    """A constant, more than two axes, or an uneven sweep whose end is not known yet."""
    block = sweeps.line(9)
    assert line_plot(parsed({**block, "values": {"theta": [1.0] * 9}})).across.name == POINT
    assert line_plot(parsed({**block, "shape": [3, 3, 1, 1], "shown": block["shown"]})).across.name == POINT
    uneven = {**sweeps.line(9, 5), "values": {"theta": [0.0, 1.0, 10.0, 100.0, 1000.0]}}
    assert line_plot(parsed(uneven)).across.name == POINT
    assert line_plot(parsed({**uneven, "points": 5, "shape": [5]})).across.name == "theta"


def test_parameters_that_go_together_are_drawn_over_the_first_that_varies() -> None:
    """A constant in front does not take the axis."""
    block = sweeps.line(9)
    block = {**block, "parameters": ["a", "theta"], "values": {"a": [2.0] * 9, **block["values"]}}
    assert line_plot(parsed(block)).across.name == "theta"


def test_a_gap_in_the_middle_is_not_drawn_over() -> None:
    """Points that were lost leave the line open."""
    block = sweeps.line(10, keys=("000",))
    kept = [0, 1, 2, 7, 8, 9]
    row = block["outcomes"][0]
    block["shown"]["indices"] = kept
    block["values"] = {"theta": [block["values"]["theta"][i] for i in kept]}
    block["outcomes"] = [{key: value if key == "key" else [value[i] for i in kept] for key, value in row.items()}]
    assert [len(piece.points) for piece in line_plot(parsed(block)).lines[0].pieces] == [3, 3]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_lie_within_their_ends_and_read_differently(start: float, width: float) -> None:
    """However the ends are chosen."""
    ticks = nice_ticks(start, start + width)
    assert all(start - width * 1e-6 <= at <= start + width * 1.000001 for at, _ in ticks)
    assert len({words for _, words in ticks}) == len(ticks)
    assert all(a < b for (a, _), (b, _) in pairwise(ticks))
    assert ticks


def test_text_shows_what_was_not_run() -> None:
    """Dots stand for missing points, blocks for measured ones."""
    lines = to_text(GALLERY["sweep-running"], width=88, encoding="utf-8").splitlines()
    drawn = next(line for line in lines if line.startswith("  000 "))
    assert drawn.split()[1].strip("█▇▆▅▄▃▂▁") == "·" * drawn.count("·")
    assert drawn.count("·") == pytest.approx(0.58 * 48, abs=2)


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.parametrize("width", [30, 60, 120])
def test_text_of_a_sweep_keeps_to_its_width(name: str, width: int) -> None:
    """No line of the drawing is wider than the terminal."""
    found = sweep(GALLERY[name])
    for line in sweep_lines(GALLERY[name], found, width) if found else ():
        assert len("".join(piece for piece, _ in line)) <= width


def test_pictures_follow_the_data() -> None:
    """A sweep has its lines; a cancelled one is grey where nothing was run."""
    for name in ("sweep-six", "sweep-cancelled", "grid", "grid-cancelled", "sweep-one", "cube"):
        picture = to_png(GALLERY[name])
        assert len(picture) < 80_000
    grey = (0xE6, 0xE9, 0xEE)
    counts = {
        name: sum(
            n
            for n, colour in Image.open(io.BytesIO(to_png(GALLERY[name]))).convert("RGB").getcolors(1 << 20) or []
            if colour == grey
        )
        for name in ("sweep", "sweep-cancelled")
    }
    assert counts["sweep"] == 0
    assert counts["sweep-cancelled"] > 40_000


def test_a_job_of_several_sweeps_draws_each_under_its_name() -> None:
    """Two swept circuits are two drawings and '2 circuits'."""
    blocks = [
        {"circuit": {"name": name}, "counts": None, "outcomes": None, "fidelity": None, "sweep": sweeps.line(9)}
        for name in ("first", "second")
    ]
    text = read(documents.completed(**{**blocks[0], "results": blocks}))
    assert "2 circuits × 4,096 shots" in text
    assert text.count("Shares, with 95 % intervals for each point") == 2


def test_the_printed_record_leaves_the_points_to_the_data() -> None:
    """A page is not made of sixteen hundred figures that nobody reads."""
    printed = to_html(GALLERY["grid"]).partition("<summary>Record</summary>")[2]
    assert "in the data of this output" in printed
    assert len(printed) < 10_000


junk = st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | st.text(max_size=5)
jumble = st.recursive(
    junk, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
KEYS = ("parameters", "shape", "points", "done", "shown", "values", "outcomes", "level", "method")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, jumble)))
def test_whatever_stands_in_the_block_the_card_is_made(block: dict[str, Any]) -> None:
    """A record from elsewhere may hold anything."""
    document = sweeps.sweep(sweeps.line(9), sweep={**sweeps.line(9), **block})
    assert Page(to_html(document)).faults == []
    assert to_text(document, width=60)


@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=12), st.integers(0, 12))
def test_any_values_have_a_place_in_the_drawing(values: list[float], done: int) -> None:
    """Places are between the ends of the drawing and never undefined."""
    block = sweeps.line(len(values), keys=("000",))
    plot = line_plot(parsed({**block, "values": {"theta": values}, "done": done}))
    places = [x for piece in plot.lines[0].pieces for x, _ in piece.points]
    assert all(math.isfinite(x) and -1e-6 <= x <= 1 + 1e-6 for x in places)


def test_a_record_is_json_with_its_block() -> None:
    """The bundle holds the block as it came."""
    bundle = mimebundle(GALLERY["sweep"])
    assert json.loads(json.dumps(bundle))["application/vnd.qpm-lab.job+json"]["sweep"]["points"] == 1000
