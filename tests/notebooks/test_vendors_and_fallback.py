"""The notebook on vendors: everything it shows happened, against a double and a kernel that really died."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "vendors_and_fallback.ipynb"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The words of each code cell's outputs, in order; the notebook ran without an error."""
    notebook = nbformat.read(PATH, as_version=4)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QPM_")}
    home = tmp_path_factory.mktemp("vendors") / "home"
    settings = {"QPM_HOME": str(home), "QPM_KEYRING": "off"}
    NotebookClient(notebook, timeout=300, kernel_name="qpm").execute(env={**kept, **settings})
    assert not home.exists()  # it has a home of its own and leaves the user's alone
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return ["\n".join(o.text if "text" in o else o.data["text/plain"] for o in cell.outputs) for cell in cells]


def _with(said: list[str], words: str) -> str:
    return next(text for text in said if words in text)


def test_the_quote_table_tells_the_known_from_the_unknown(said: list[str]) -> None:
    """A dated price, the vendor's own estimate, and a price that nobody states."""
    table = " ".join(_with(said, "braket/ionq_forte-1").split())
    assert "$40.30" in table  # 0.30 + 500 × 0.08
    assert "IonQ, asked for this" in table
    assert "low unknown" in table


def test_the_job_outlives_its_kernel_and_is_sent_once(said: list[str]) -> None:
    """The second kernel was killed while the job queued; another took it over and it completed."""
    assert "its kernel is gone" in _with(said, "its kernel is gone")
    entries = _with(said, "job.taken_over")
    assert entries.count("job.submitted") == entries.count("job.accepted") == entries.count("job.completed") == 1


def test_the_fallback_says_that_it_is_one(said: list[str]) -> None:
    """IonQ was down; the route led to the simulator here."""
    assert "aer/noisy · fallback: True" in _with(said, "fallback:")


def test_the_invoice_is_held_against_the_ledger(said: list[str]) -> None:
    """One line agrees, one is dearer, one belongs to no job."""
    report = _with(said, "1 job matched")
    assert "1 different, 0 missing, 1 unexpected" in report
    assert "difference $1.00" in report
