"""The three pictures of docs/fidelity.md; the same figures give the same file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from acceptance.figures import exact as proportions
from acceptance.figures.exact import Coverage
from acceptance.figures.flagged import Flagged
from acceptance.figures.reported import SHOTS, Reports

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OURS, THEIRS, TRUTH, RED = "#0b6e4f", "#b35900", "#222222", "#b3261e"
STYLE = {"svg.hashsalt": "qpm_lab", "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 9}


def write(figure: Figure, path: Path) -> None:
    """Writes an SVG without a date; on white, so that it reads the same on a dark page."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight", facecolor="white")


def reports(cells: Sequence[Reports]) -> Figure:
    """For each size what is reported beside the truth, and how often the intervals cover it."""
    figure, axes = _grid(2, len(SHOTS), (11, 5.6), heights=(1.3, 1))
    for column, qubits in enumerate(SHOTS):
        row = [cell for cell in cells if cell.qubits == qubits]
        _reported(axes[0][column], row)
        _covered(axes[1][column], row)
        axes[0][column].set_title(f"random circuit, {qubits} qubits, bit flips 2 %", loc="left", fontsize=9)
    axes[0][0].set_ylabel("Hellinger fidelity")
    axes[1][0].set_ylabel("share of intervals\nthat hold the truth")
    axes[0][0].legend(loc="lower right", fontsize=8, framealpha=0.9)
    return figure


def _reported(axes: Any, row: Sequence[Reports]) -> None:
    shots = [cell.shots for cell in row]
    axes.axhline(row[0].truth, color=TRUTH, linewidth=1.2, label="truth")
    axes.fill_between(shots, *zip(*(cell.ours for cell in row), strict=True), color=OURS, alpha=0.3, label="here")
    low, high = zip(*(cell.bootstrap for cell in row), strict=True)
    axes.fill_between(shots, low, high, color=THEIRS, alpha=0.45, label="bootstrap of the plug-in")
    axes.plot(shots, [cell.plug_in for cell in row], "x--", color=THEIRS, label="plug-in (Qiskit), no error bar")
    axes.set(xscale="log", ylim=(-0.03, 1.05))


def _covered(axes: Any, row: Sequence[Reports]) -> None:
    shots = [cell.shots for cell in row]
    axes.axhline(0.95, color=TRUTH, linewidth=0.8, linestyle=":")
    axes.plot(shots, [cell.our_coverage for cell in row], "o-", color=OURS)
    axes.plot(shots, [cell.bootstrap_coverage for cell in row], "x--", color=THEIRS)
    axes.set(xscale="log", ylim=(-0.05, 1.05), xlabel="shots")


def exact(cells: Sequence[Coverage]) -> Figure:
    """The coverage of the heavy-set interval and of the textbook's over all true shares."""
    figure, axes = _grid(1, len(cells), (11, 2.8))
    for place, cell in zip(axes[0], cells, strict=True):
        place.plot(proportions.GRID, cell.textbook, color=THEIRS, linewidth=0.9, label="textbook, k/N ± 1.96 se")
        place.plot(proportions.GRID, cell.ours, color=OURS, linewidth=1.1, label="here (Clopper–Pearson)")
        place.axhline(0.95, color=TRUTH, linewidth=0.8, linestyle=":")
        place.set(ylim=(0.8, 1.005), xlabel="true share of heavy outcomes")
        place.set_title(f"{cell.shots:,} shots", loc="left", fontsize=9)
    axes[0][0].set_ylabel("coverage, computed")
    axes[0][0].legend(loc="lower center", fontsize=8)
    return figure


def flags(cells: Sequence[Flagged]) -> Figure:
    """What one run of 1,000 shots shows as the error grows, and how often it is flagged."""
    figure, axes = _grid(2, 2, (11, 5.2), heights=(2, 1))
    words = {"coherent": "coherent: every ZZ angle too large", "white": "white noise"}
    for column, (kind, title) in enumerate(words.items()):
        row = [cell for cell in cells if cell.kind == kind]
        _one_run(axes[0][column], row)
        axes[0][column].set_title(title, loc="left", fontsize=9)
        place = axes[1][column]
        strengths = [cell.strength for cell in row]
        place.plot(strengths, [cell.red for cell in row], "s-", color=RED, label="red")
        place.plot(strengths, [cell.amber for cell in row], "^:", color=THEIRS, label="amber")
        place.set(ylim=(-0.05, 1.05), xlabel="strength of the error")
    axes[0][0].set_ylabel("fidelity, 1,000 shots")
    axes[1][0].set_ylabel("share of runs flagged")
    axes[0][1].legend(loc="lower left", fontsize=8)
    axes[1][1].legend(loc="center left", fontsize=8)
    return figure


def _one_run(axes: Any, row: Sequence[Flagged]) -> None:
    strengths = np.array([cell.strength for cell in row])
    shift = (strengths[1] - strengths[0]) * 0.12
    for estimates, colour, marker, aside, name in (
        ([cell.heavy for cell in row], OURS, "o", -shift, "heavy-set fidelity, 95 %"),
        ([cell.hellinger for cell in row], THEIRS, "D", shift, "Hellinger fidelity, 95 %"),
    ):
        ends = np.array([(each.low, each.high) for each in estimates], dtype=float)
        middle = ends.mean(axis=1)
        bars = abs(ends.T - middle)
        axes.errorbar(strengths + aside, middle, bars, fmt=marker, color=colour, markersize=3, capsize=2, label=name)
    axes.plot(strengths, [cell.state for cell in row], color=TRUTH, label="the state's fidelity (not measurable so)")
    axes.set(ylim=(-0.05, 1.15))


def _grid(rows: int, columns: int, size: tuple[float, float], heights: Sequence[float] = (1,)) -> tuple[Figure, Any]:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots(rows, columns, squeeze=False, sharex="col", height_ratios=heights)
        for place in axes.flat:
            place.grid(alpha=0.25)
            place.spines[["top", "right"]].set_visible(False)
    return figure, axes
