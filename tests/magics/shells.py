"""A real IPython shell with the magics, and what one cell gave in it."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import RichOutput, capture_output

MIME = "application/vnd.qpm-lab.job+json"


class Ran:
    """What one cell gave: its success, its error, its cards and its text."""

    def __init__(self, shell: InteractiveShell, source: str) -> None:
        with capture_output() as captured:
            self.outcome = shell.run_cell(source, store_history=True)
        self.error = self.outcome.error_in_exec or self.outcome.error_before_exec
        self.text = captured.stdout
        self.outputs: list[RichOutput] = captured.outputs

    @property
    def cards(self) -> list[dict[str, Any]]:
        """The cards as they stand in the end: on a slow machine a running card came first and was replaced."""
        drawn = [o.data[MIME] for o in self.outputs if MIME in o.data]
        return [card for card in drawn if card["status"] not in ("running", "submitted")]

    @property
    def plain(self) -> str:
        """Everything displayed, as a terminal would show it."""
        return "\n".join(str(output.data["text/plain"]) for output in self.outputs)
