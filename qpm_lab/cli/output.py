"""One JSON document on standard output, messages on standard error; or text for people."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from qpm_lab.display.surface import advice_as_typed, as_typed
from qpm_lab.errors import QpmError


class Output:
    """Where a command's answer goes: nothing is written before all of it is known."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._answer = ""
        self._messages: list[str] = []

    def show(self, document: Any, text: Callable[[Any], str], *, verbatim: bool = False) -> None:
        """Keeps the document as JSON, or what `text` makes of it, as the command's one answer.

        Its advice names commands of a terminal, unless it is `verbatim`: what is chained or signed.
        """
        told = document if verbatim else advice_as_typed(document)
        if self.as_json:
            self._answer = json.dumps(told, indent=2, ensure_ascii=not _is_unicode(sys.stdout), allow_nan=False)
        else:
            self._answer = text(told)

    def error(self, error: QpmError) -> int:
        """Keeps what happened and what to do, with `--json` as the one document; returns the exit code."""
        if self.as_json:
            self.show({"error": error.to_dict()}, str)
        prefix = "" if error.message.startswith("qpm") else "qpm: "
        lines = [f"{prefix}{error.message}", *getattr(error, "problems", ()), error.hint]
        self._messages += [as_typed(line) for line in lines if line]
        return error.exit_code

    def warn(self, words: str) -> None:
        """Keeps something to be said beside the answer; nothing when there are no words."""
        self._messages += [as_typed(words)] if words else []

    def flush(self, code: int) -> int:
        """Writes everything and returns the exit code; a reader that has left is not an error."""
        try:
            _write(sys.stdout, self._answer)
            _write(sys.stderr, "\n".join(self._messages))
        except BrokenPipeError:
            # Python would complain again when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            _write(sys.stderr, f"qpm: the answer could not be written: {error}.")
            sys.stdout = None
            return code or 5
        return code

    @staticmethod
    def progress(text: str) -> None:
        """Tells how far it is, on one line of a terminal that is replaced each time."""
        if sys.stderr is not None and sys.stderr.isatty():
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)

    @classmethod
    @contextmanager
    def busy(cls, text: str) -> Iterator[None]:
        """Tells what is going on within, once it takes longer than a second."""
        timer = threading.Timer(1.0, cls.progress, (text,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            cls.progress("")


def _is_unicode(stream: TextIO | None) -> bool:
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"


def _write(stream: TextIO | None, text: str) -> None:
    """Writes text even where the encoding lacks some of its characters, or nobody listens."""
    if stream is None or not text:
        return
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, errors="replace").decode(encoding) + "\n")
    stream.flush()
