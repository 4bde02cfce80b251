"""The fast figures of equivalence, drift and planning, and the program that prints them all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from acceptance import __main__ as program
from acceptance import drift, equivalence, planner
from acceptance.table import Chapter, Row

SEED = 4


@pytest.mark.parametrize("chapter", [equivalence, drift, planner], ids=lambda chapter: chapter.TITLE)
def test_every_fast_figure_meets_its_threshold(chapter: Chapter) -> None:
    """Measured on this seed, each figure is on the right side of its threshold, and each has one."""
    for row in chapter.rows(fast=True, seed=SEED):
        assert row.least is not None or row.most is not None, row
        assert row.passed, row


def test_every_chapter_named_is_there() -> None:
    """A chapter in the list has a module with a title."""
    for name in program.CHAPTERS:
        assert program.chapter(name).TITLE


def test_the_program_prints_a_line_per_figure_and_counts_them(capsys: pytest.CaptureFixture[str]) -> None:
    """One chapter alone prints its title, its figures and how many failed, and succeeds."""
    assert program.main(["--only", "planner", "--fast", "--seed", "7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "seed 7" in lines[0]
    assert lines[-1] == f"{len(lines) - 2} figures, 0 failed"


def test_a_figure_that_fails_fails_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A figure beyond its threshold is printed as such and makes the exit status 1."""

    def beyond(*, fast: bool, seed: int) -> Iterator[Row]:
        yield Row("share", "somewhere", 0.5, 0.01, 0.9, None, 100, seed)

    monkeypatch.setattr(planner, "rows", beyond)
    assert program.main(["--only", "planner"]) == 1
    assert "FAILED" in capsys.readouterr().out
