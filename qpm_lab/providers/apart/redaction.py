"""Keys taken out of what a vendor or its client says, also where they are written differently or cut off."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

_SHOWN = "[key]"
_SHORTEST = 4
"""Shorter values would blank out ordinary words."""
_PART = 16
"""A part of a connection string as long as this is a key of its own, for all that is known."""
_TELLING = 8
"""Of a key at the end of a text that was cut off: as many characters are too many."""


class Redactor:
    """Takes the given values out of texts.

    Args:
        secrets: Values, not their names.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with `[key]` in place of each, and a space in place of what would steer a terminal."""
        for form in self._forms:
            text = text.replace(form, _SHOWN)
        return "".join(c if c.isprintable() else " " for c in self._without_cut_off(text))

    def _without_cut_off(self, text: str) -> str:
        end = text.rstrip("…")
        for form in self._forms:
            for length in range(len(form) - 1, _TELLING - 1, -1):
                if end.endswith(form[:length]):
                    return end[:-length] + _SHOWN
        return text


def _forms(secret: str) -> Iterator[str]:
    parts = [part.partition("=")[2] for part in re.split(r"[;&\s]", secret)]
    for value in (secret, *(part for part in parts if len(part) >= _PART)):
        yield value
        yield quote(value, safe="")
        yield json.dumps(value)[1:-1]
        yield base64.b64encode(value.encode()).decode()
