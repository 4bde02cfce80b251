"""The fast figures of the companions' chapters."""

from __future__ import annotations

import pytest

from acceptance import mirrors, proxies, twirling
from acceptance.table import Chapter

CHAPTERS: dict[str, Chapter] = {"proxies": proxies, "mirrors": mirrors, "twirling": twirling}


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_fast_figure_meets_its_threshold(name: str) -> None:
    """Each chapter has figures with thresholds, and all of them pass."""
    figures = list(CHAPTERS[name].rows(fast=True, seed=20_260_723))
    assert any(row.least is not None or row.most is not None for row in figures)
    assert [row for row in figures if not row.passed] == []
