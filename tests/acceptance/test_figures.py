"""docs/fidelity.md: its tables are what the script measures, and its pictures are always the same files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acceptance.figures import drawing, exact, flagged, page, reported

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "fidelity.md").read_text()
PICTURES = re.findall(r"\]\((fidelity-\w+\.svg)\)", PAGE)


@pytest.mark.parametrize(("qubits", "shots"), [(8, 300), (8, 1_000)])
def test_a_row_of_the_reports_is_what_is_measured_now(qubits: int, shots: int) -> None:
    """Two cells are measured again in full; each has a seed of its own."""
    assert page.report_row(reported.measure(qubits, shots)) in PAGE


@pytest.mark.parametrize("cell", [("coherent", 0.4), ("coherent", 0.1), ("white", 0.3)])
def test_a_row_of_the_flags_is_what_is_measured_now(cell: tuple[flagged.Kind, float]) -> None:
    """The case that the flag saves, one that it leaves alone, and white noise."""
    assert page.flag_row(flagged.measure(*cell)) in PAGE


def test_the_computed_coverages_are_those_of_the_page() -> None:
    """There is no randomness in them, so the whole table is made anew."""
    assert page.exact([exact.measure(shots) for shots in exact.SHOTS]) in PAGE


def test_no_interval_here_misses_what_the_page_promises() -> None:
    """In every row of the reports at least 95 % hold the truth, and the bootstrap's never do better."""
    table = PAGE.partition("<!-- reports -->\n")[2].partition("<!-- /reports -->")[0]
    rows = [re.findall(r"(\d+) of (\d+)", line) for line in table.splitlines()[2:]]
    assert len(rows) == len(reported.CELLS)
    for (theirs, _), (ours, of) in rows:
        assert int(ours) >= 0.95 * int(of)
        assert int(theirs) < int(ours)


def test_a_table_without_a_place_on_the_page_is_an_error() -> None:
    """A marker that was deleted by hand is not passed over."""
    with pytest.raises(ValueError, match="no place for the table 'exact'"):
        page.with_tables("# Page\n", {"exact": "| a |\n"})


def test_tables_replace_what_stood_between_their_markers() -> None:
    """And nothing else."""
    text = "before\n<!-- exact -->\nold\n<!-- /exact -->\nafter\n"
    once = page.with_tables(text, {"exact": "| new |\n"})
    assert once == "before\n<!-- exact -->\n| new |\n<!-- /exact -->\nafter\n"
    assert page.with_tables(once, {"exact": "| new |\n"}) == once


def test_the_same_figures_give_the_same_picture(tmp_path: Path) -> None:
    """No date, no random ids: a picture changes only with what it shows."""
    cells = [flagged.measure(kind, strength, 2) for kind, strength in flagged.CELLS]
    for name in ("one.svg", "two.svg"):
        drawing.write(drawing.flags(cells), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_page_names_no_machine_and_no_date(name: str) -> None:
    """It was drawn by the script: on white, so that it reads on a dark page too, and without metadata of a run."""
    text = (DOCS / name).read_text()
    assert "<dc:date>" not in text
    assert str(DOCS.parent) not in text
    assert "fill: #ffffff" in text


def test_the_page_has_its_three_pictures() -> None:
    """Each is named once."""
    assert sorted(PICTURES) == ["fidelity-exact.svg", "fidelity-flag.svg", "fidelity-reports.svg"]
