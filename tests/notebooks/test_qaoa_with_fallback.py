"""The QAOA notebook: its loop meets its budget, and the classical answer leaves it, labelled so."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from qpm_lab.ledger import Ledger

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "qaoa_with_fallback.ipynb"
SHOTS = 24_000
FIGURES = ("start", "loop", "far", "classical", "answer")
"""Cells that say what was found."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the notebook said, each of the two times it was run, and the home it left."""

    first: dict[str, str]
    again: dict[str, str]
    home: Path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The notebook run twice from top to bottom in one kernel."""
    home = tmp_path_factory.mktemp("qaoa") / "home"
    notebook = nbformat.read(PATH, as_version=4)
    cells = notebook.cells
    again = copy.deepcopy(cells)
    for cell in again:
        cell.id += "-again"
    notebook.cells = cells + again
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QPM_")}
    NotebookClient(notebook, timeout=300).execute(env={**kept, "QPM_HOME": str(home)})
    return Run(said(cells), said(again), home)


def said(cells: list[nbformat.NotebookNode]) -> dict[str, str]:
    """The words of each code cell's outputs, by the cell's name."""
    return {
        cell.id.removesuffix("-again"): "\n".join(o.text if "text" in o else o.data["text/plain"] for o in cell.outputs)
        for cell in cells
        if cell.cell_type == "code"
    }


def test_the_loop_stops_before_its_envelope_is_exceeded(run: Run) -> None:
    """The refused step is recorded, what ran fits, nothing stays held, and the optimiser had not converged."""
    assert f"The session 'qaoa' has {SHOTS:,} shots" in run.first["loop"]
    assert "not converged" in run.first["far"]
    ledger = Ledger.open(run.home)
    refused = ledger.jobs(status="denied")
    assert len(refused) == 2
    for job in refused:
        assert job.session_id
        (used,) = ledger.usage(session=job.session_id)
        assert 0 < used["shots"] <= SHOTS < used["shots"] + job.total_shots
        assert not ledger.held(job.session_id)
    ledger.close()


def test_the_classical_answer_is_the_one_used(run: Run) -> None:
    """One row of the last table is marked, and it is the proven one."""
    (used,) = [line for line in run.first["answer"].splitlines() if "← this one" in line]
    assert used.startswith("classical")
    assert "stopped by its budget" in run.first["answer"]


def test_the_figures_are_the_same_every_time(run: Run) -> None:
    """Running all cells again in the same kernel says the same; what was spent before stands below the figures."""
    figures = {name: run.first[name].splitlines()[:3] for name in FIGURES}
    assert figures == {name: run.again[name].splitlines()[:3] for name in FIGURES}


def test_the_ledger_of_the_notebook_verifies(run: Run) -> None:
    """The notebook's own last word, after two sessions and two refusals."""
    assert run.again["verify"].startswith("The ledger is whole")
