"""The picture of the table: each figure as a multiple of its target, on one logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.finding import Finding, number

MET, MISSED = "#0b6e4f", "#b3261e"


def draw(findings: Sequence[Finding], path: Path) -> None:
    """Writes an SVG with one row for each finding that has a target; the same findings give the same file."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows = [finding for finding in findings if finding.target]
    with mpl.rc_context(
        {"svg.hashsalt": "qpm_lab", "font.family": "DejaVu Sans", "font.size": 9, "svg.fonttype": "none"}
    ):
        figure, axes = plt.subplots(figsize=(11, 1.1 + 0.42 * len(rows)))
        for place, finding in enumerate(rows):
            _row(axes, len(rows) - 1 - place, finding)
        _frame(axes, rows)
        figure.savefig(path, metadata={"Date": None}, bbox_inches="tight", facecolor="white")
        plt.close(figure)


def _row(axes: Any, height: int, finding: Finding) -> None:
    """A dot at the median and a line between the quartiles; a diamond when it is missed."""
    assert finding.target is not None
    low, median, high = (
        min(max(finding.target.margin(each), 0.012), 100)
        for each in (finding.measured.low, finding.measured.median, finding.measured.high)
    )
    colour, word = (MET, "met") if finding.met else (MISSED, "missed")
    axes.plot(sorted((low, high)), (height, height), color=colour, linewidth=3, alpha=0.4, solid_capstyle="round")
    axes.plot(median, height, "o" if finding.met else "D", color=colour, markersize=7)
    label = f"{number(finding.measured.median)}{finding.unit}, {word} ({finding.target})"
    axes.annotate(label, (1.01, height), xycoords=("axes fraction", "data"), va="center", color=colour)


def _frame(axes: Any, rows: Sequence[Finding]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(0.01, 120)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.axvline(1, color="#444444", linewidth=1)
    axes.axvspan(0.01, 1, color="#b3261e", alpha=0.05)
    axes.set_xticks(
        [0.01, 0.1, 1, 10, 100], ["100 times worse", "10 times", "the target", "10 times", "100 times better"]
    )
    names = [f"{each.work}\nagainst {each.against}".replace("`", "") for each in reversed(rows)]
    axes.set_yticks(range(len(rows)), names, fontsize=7.5)
    axes.set_title("Each figure as a multiple of its target (median and quartiles)", loc="left", fontsize=10)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
