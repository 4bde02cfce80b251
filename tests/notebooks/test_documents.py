"""README and notebooks are run as a reader would run them: in the governed kernel, block by block."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BLOCK = re.compile(r"^```(\w+)( refused)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MIME = "application/vnd.qpm-lab.job+json"


def blocks(language: str) -> Iterator[tuple[str, bool]]:
    for name, refused, text in BLOCK.findall(README.read_text()):
        if name == language:
            yield text, bool(refused)


def run(cells: list[Any]) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="qpm", timeout=300).execute()
    return notebook


def test_every_python_block_of_the_readme_runs_in_the_governed_kernel() -> None:
    """The blocks run in order in one kernel; the refused one, and only that, ends in an error."""
    cells = []
    for text, refused in blocks("python"):
        cell = nbformat.v4.new_code_cell(text.rstrip("\n"))
        cell.metadata["tags"] = ["raises-exception"] if refused else []
        cells.append(cell)
    notebook = run(cells)
    failed = [i for i, c in enumerate(notebook.cells) if any(o.output_type == "error" for o in c.outputs)]
    assert failed == [i for i, (_, refused) in enumerate(blocks("python")) if refused]
    statuses = [card_of(cell)["status"] for cell in notebook.cells[:2]]
    assert statuses == ["completed", "denied"]


def test_the_first_cell_stands_by_line_thirty_and_the_refusal_right_after_it() -> None:
    """A reader sees a runnable cell before scrolling."""
    lines = README.read_text().splitlines()
    assert next(i for i, line in enumerate(lines, 1) if line.startswith("```python")) <= 30
    assert [refused for _, refused in blocks("python")][:2] == [False, True]


@pytest.mark.parametrize("command", [line for text, _ in blocks("bash") for line in text.splitlines() if line])
def test_every_command_of_the_readme_works(command: str, tmp_path_factory: Any) -> None:
    """qpm commands are run; make targets are resolved by make itself (running them here would recurse)."""
    home = tmp_path_factory.getbasetemp() / "readme-home"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = command.split("#")[0].split()
    if words[0] == "make":
        words = ["make", "--dry-run", words[1]]
    elif "checkpoint.txt" in words:
        words[words.index("checkpoint.txt")] = str(home.parent / "checkpoint.txt")
    done = subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, "PATH": path, "QPM_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_notebook_runs_and_only_tagged_cells_fail(path: Path) -> None:
    """nbclient stops at the first cell that fails without the tag raises-exception."""
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata.kernelspec.name == "qpm"
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


def test_run_all_stops_at_a_refusal() -> None:
    """Without the tag, the refused cell ends the run."""
    from nbclient.exceptions import CellExecutionError

    text = '%qjob "OPENQASM 3; qubit q;" --shots 9_000_000_000'
    with pytest.raises(CellExecutionError, match="DeniedError"):
        run([nbformat.v4.new_code_cell(text), nbformat.v4.new_code_cell("1")])


def test_an_exported_page_shows_the_card_without_scripts_of_ours() -> None:
    """The HTML export carries the static card: counts, interval and ledger entry, kernel gone."""
    from nbconvert import HTMLExporter

    cell = nbformat.v4.new_code_cell("%qjob \"OPENQASM 3; include 'stdgates.inc'; qubit[2] q; x q[1];\" --shots 10")
    page, _ = HTMLExporter().from_notebook_node(run([cell]))
    card = page[page.index("qpm-card") :]
    assert "Completed" in card
    assert "10" in card
    assert "sha256:" in card


def test_a_kernel_survives_what_an_ordinary_notebook_does() -> None:
    """Plain Python, shell escapes, awaits, errors and rich output all work beside the magics."""
    sources = [
        "1 + 1",
        "!echo shell",
        "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
        "%pwd",
        "print('x')",
    ]
    notebook = run([nbformat.v4.new_code_cell(source) for source in sources])
    assert notebook.cells[0].outputs[0].data["text/plain"] == "2"
    assert notebook.cells[2].outputs[0].data["text/plain"] == "'awaited'"


def test_interrupting_the_kernel_cancels_the_job(home: Path) -> None:
    """The cell ends in an error, the job is recorded as cancelled, and the name is not assigned."""
    from qpm_lab.ledger import Ledger

    manager = KernelManager(kernel_name="qpm")
    manager.start_kernel(env={**os.environ, "QPM_HOME": str(home)})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        client.execute(LONG)
        wait_for_open_job(home)
        manager.interrupt_kernel()
        assert client.get_shell_msg(timeout=60)["content"]["status"] == "error"
        client.execute_interactive("assert 'never' not in globals()", timeout=60, store_history=False)
        assert [row.status for row in Ledger.open(home).jobs()] == ["cancelled"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


LONG = """%%qjob -o never --shots 100
from qiskit import QuantumCircuit
qc = QuantumCircuit(25)
for layer in range(300):
    for q in range(25):
        qc.rx(0.1 + q, q)
    for q in range(24):
        qc.cx(q, q + 1)
qc
"""


def wait_for_open_job(home: Path) -> None:
    import time

    from qpm_lab.ledger import Ledger

    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if (home / "ledger.db").exists() and Ledger.open(home).open_jobs():
            return
        time.sleep(0.3)
    raise AssertionError("the job never started")


def card_of(cell: nbformat.NotebookNode) -> Any:
    return next(o.data[MIME] for o in cell.outputs if MIME in o.get("data", {}))
