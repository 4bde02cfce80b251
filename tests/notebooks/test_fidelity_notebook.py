"""The notebook on fidelity shows what its text says: each of its cases, looked up in what its cells put out."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "fidelity_you_can_trust.ipynb"
MIME = "application/vnd.qpm-lab.job+json"
Cells = Mapping[str, nbformat.NotebookNode]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Cells:
    """The code cells by name, after one run from top to bottom."""
    home = tmp_path_factory.mktemp("fidelity") / "home"
    notebook = nbformat.read(PATH, as_version=4)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QPM_")}
    NotebookClient(notebook, timeout=300).execute(env={**kept, "QPM_HOME": str(home)})
    return {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}


def said(cell: nbformat.NotebookNode) -> str:
    """What a reader of the cell's plain outputs sees."""
    return "\n".join(
        o.text if o.output_type == "stream" else value(o) for o in cell.outputs if o.output_type != "error"
    )


def value(output: nbformat.NotebookNode) -> str:
    return str(output.get("data", {}).get("text/plain", ""))


def result(cell: nbformat.NotebookNode) -> str:
    """The value of a cell's last expression."""
    return next(value(o) for o in cell.outputs if o.output_type == "execute_result")


def card(cell: nbformat.NotebookNode) -> Any:
    """The job record behind a cell's card."""
    return next(o.data[MIME] for o in reversed(cell.outputs) if MIME in o.get("data", {}))


def figures(text: str) -> list[float]:
    return [float(each) for each in re.findall(r"\d+\.\d+", text)]


def test_the_common_error_bar_misses_the_truth_and_ours_holds_it(cells: Cells) -> None:
    """In the one histogram that is shown, where the plug-in is too low."""
    truth, plug_in, theirs, ours = (figures(line) for line in said(cells["truth"]).splitlines() if line)
    assert plug_in < truth
    assert theirs[1] < truth[0]
    assert ours[0] <= truth[0] <= ours[1]


def test_so_it_is_in_two_hundred_runs(cells: Cells) -> None:
    """Bad luck explains neither."""
    theirs, ours = re.findall(r"in (\d+)", said(cells["coverage"]))
    assert int(theirs) <= 10
    assert int(ours) >= 190


def test_the_flag_is_red_where_a_high_fidelity_flatters_a_lost_state(cells: Cells) -> None:
    """The heavy-set fidelity is near one and the state's is not."""
    lines = said(cells["flag"]).splitlines()
    assert figures(lines[0])[0] > 0.9
    assert "the errors are not white noise" in lines[2]
    assert figures(lines[3])[0] < 0.25
    assert result(cells["flag"]) == "'red'"


def test_the_refusal_has_no_value_and_its_own_command_gives_one(cells: Cells) -> None:
    """The shots it asks for are those that the rerun takes."""
    refused, given = card(cells["few"]), card(cells["rerun"])
    assert result(cells["refusal"]) == "True"
    assert refused["fidelity"]["value"] is None
    assert refused["fidelity"]["low"] < refused["fidelity"]["high"]
    assert refused["rerun"]["command"] in said(cells["refusal"])
    assert given["shots"] == refused["rerun"]["shots"] == refused["fidelity"]["shots_needed"]
    assert given["fidelity"]["value"] is not None


def test_the_plan_names_shots_and_a_price(cells: Cells) -> None:
    """For the backend that runs here, and for one that can only be quoted."""
    assert "aer/noisy" in said(cells["plan"])
    assert "$0.00" in said(cells["plan"])
    assert "ionq/qpu.forte-1" in said(cells["plan"])


def test_a_condition_that_is_not_shown_ends_the_cell_and_the_next_attempt_is_counted(cells: Cells) -> None:
    """It completed and failed; with more shots it passes, as the second attempt."""
    failed, passed = card(cells["failed"]), card(cells["passed"])
    assert failed["status"] == "completed"
    assert failed["validation"]["passed"] is False
    assert [o.ename for o in cells["failed"].outputs if o.output_type == "error"] == ["ValidationError"]
    assert passed["validation"]["passed"] is True
    assert passed["validation"]["attempts"] == 2
    assert said(cells["attempts"]).startswith("2 attempts, earlier: {'passed': 0, 'failed': 1}")


def test_a_hundred_qubits_have_a_fidelity(cells: Cells) -> None:
    """Measured by 2,000 circuits of one shot, with an interval that is not wide."""
    wide = card(cells["wide"])
    assert wide["circuit"]["qubits"] == 100
    assert wide["companions"]["method"] == "proxy"
    assert wide["fidelity"]["low"] <= wide["fidelity"]["value"] <= wide["fidelity"]["high"]
    assert wide["fidelity"]["high"] - wide["fidelity"]["low"] <= 0.1
    assert "assumption: " in said(cells["wide-fidelity"])


def test_two_runs_of_one_circuit_are_shown_to_be_the_same(cells: Cells) -> None:
    """By the verdict of the comparison."""
    assert "Equivalent" in said(cells["same"])


def test_the_alarm_is_silent_for_the_healthy_and_raised_for_the_worn_canary(cells: Cells) -> None:
    """The history of the real canaries, then the counts of the worse circuit."""
    assert "No sign of drift in 6 canaries" in said(cells["watched"])
    lines = said(cells["drift"]).splitlines()
    assert lines[0].endswith("alarm: False")
    assert result(cells["drift"]) == "True"
    assert any(line.startswith("Drift: ") for line in lines)


def test_the_ledger_of_the_notebook_verifies(cells: Cells) -> None:
    """Failed validation, companions and canaries included."""
    assert said(cells["verify"]).startswith("The ledger is whole")


def test_no_output_is_kept_in_the_file() -> None:
    """Every figure a reader sees is made by the cells when they run."""
    notebook = nbformat.read(PATH, as_version=4)
    assert not any(cell.outputs or cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
