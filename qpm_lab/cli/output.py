"""One JSON document on standard output, messages on standard error; or text for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from qpm_lab.errors import QpmError


class Output:
    """Where a command's answer goes."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def show(self, document: Any, text: Callable[[], str]) -> None:
        """Prints the document as JSON, or what `text` makes of it."""
        if self.as_json:
            json.dump(document, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
            sys.stdout.write("\n")
        else:
            _write(text())
        sys.stdout.flush()

    def error(self, error: QpmError) -> None:
        """Prints what happened and what to do; with `--json` also as the one document."""
        if self.as_json:
            self.show({"error": error.to_dict()}, str)
        lines = [f"qpm: {error.message}", *getattr(error, "problems", ()), error.hint]
        print("\n".join(line for line in lines if line), file=sys.stderr)

    def message(self, text: str) -> None:
        """Tells something beside the answer."""
        print(text, file=sys.stderr)


def _write(text: str) -> None:
    """Writes text even where the terminal's encoding lacks some of its characters."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, errors="replace").decode(encoding) + "\n")
