"""The fast part of `make statistics` on histograms."""

from __future__ import annotations

import pytest

from acceptance import flags, heavy, hellinger, outcomes
from acceptance.table import Chapter


@pytest.mark.parametrize("chapter", [heavy, hellinger, flags, outcomes], ids=lambda chapter: chapter.__name__)
def test_every_figure_meets_its_threshold(chapter: Chapter) -> None:
    """Coverage, widths, refusals and flags, at a fixed seed."""
    rows = list(chapter.rows(fast=True, seed=4))
    assert rows
    assert [row for row in rows if not row.passed] == []
