"""Runs the quickstart notebook headless through the governed kernel and prints its cards."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "quickstart.ipynb"


def main() -> int:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="qpm",
        # Loopback TCP is what Jupyter uses on one's own machine; the kernel's remark on it is not news here.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
        on_cell_start=_announce,
        on_cell_executed=_print_outputs,
    )
    client.execute()
    print("The same in the browser: make lab. Your jobs: .venv/bin/qpm jobs")
    return 0


def _announce(cell: nbformat.NotebookNode, cell_index: int) -> None:
    if cell.cell_type == "code":
        print("\n".join(f"  > {line}" for line in cell.source.splitlines()), flush=True)


def _print_outputs(cell: nbformat.NotebookNode, cell_index: int, execute_reply: object) -> None:
    for output in cell.outputs:
        if output.output_type == "stream":
            print(output.text, end="")
        elif output.output_type == "error":
            print(f"{output.ename}: {output.evalue}")
        elif "text/plain" in output.get("data", {}):
            print(output.data["text/plain"])
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
