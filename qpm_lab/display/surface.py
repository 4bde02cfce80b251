"""Where words are read: a notebook takes magics, a terminal the commands of `qpm`.

Advice is written for a notebook, also in the ledger, whose jobs are looked at from both. What a terminal shows is said
here as it is typed there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_shell: ContextVar[bool] = ContextVar("shell", default=False)
MAGIC = re.compile(r"(?:(?<=[\s(`])|^)%{1,2}q(jobs?|quote|explain|usage|backends|plan|compare|canary|secret)(?![\w/-])")
"""Where a word begins: in a path, or between quotes, it is somebody's name. A session and a form are a notebook's own,
so that their magics stay what they are."""
COMMANDS = {"job": "run"}
"""Commands that are not called as their magic is."""
SENTENCES = {
    "Run a cell that begins with %%qjob and ends with a circuit.": "Run a circuit: qpm run FILE.",
    "Run a cell that begins with %%qjob.": "Run a circuit: qpm run FILE.",
    "The result will appear here and under %qjobs.": "The result will appear under %qjobs.",
    "Run the cell again": "Run it again",
    "then run the cell again": "then run it again",
    "`qpm jobs` or %qjobs": "%qjobs",
}
"""What makes no sense in a terminal even when its magics are exchanged."""
ADVICE = frozenset(
    {"command", "fix", "hint", "text", "message", "reason", "why", "because", "note", "notes", "warnings"}
)
"""Keys of documents under which words of ours stand; what a person has named is left as it is."""


@contextmanager
def shell() -> Iterator[None]:
    """Within, words are for a terminal."""
    token = _shell.set(True)
    try:
        yield
    finally:
        _shell.reset(token)


def as_typed(words: str) -> str:
    """The words with the commands that are typed where they are read.

    >>> with shell():
    ...     as_typed("Try another backend (%qbackends lists them).")
    'Try another backend (qpm backends lists them).'
    """
    if not _shell.get():
        return words
    for here, there in SENTENCES.items():
        words = words.replace(here, there)
    return MAGIC.sub(lambda magic: f"qpm {COMMANDS.get(magic[1], magic[1])}", words)


def advice_as_typed(document: Any) -> Any:
    """A document whose advice names the commands that are typed where it is read."""
    if isinstance(document, dict):
        return {name: _told(name, told) for name, told in document.items()}
    return [advice_as_typed(each) for each in document] if isinstance(document, list) else document


def _told(name: str, told: Any) -> Any:
    if name == "command" and isinstance(told, str):
        first, space, values = told.partition(" ")  # what follows may be a user's own words
        return as_typed(first) + space + values
    return _advice(told) if name in ADVICE else advice_as_typed(told)


def _advice(told: Any) -> Any:
    if isinstance(told, list):
        return [_advice(each) for each in told]
    return as_typed(told) if isinstance(told, str) else advice_as_typed(told)
