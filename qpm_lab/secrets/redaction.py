"""Takes the values of secrets out of a text, in every form in which clients and servers repeat them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

HIDDEN = "***"
MIN_LINE = 12
"""Lines of a value of several lines, such as a private key, are hidden by themselves from this length on."""


class Redactor:
    """Knows the values that were read in this process."""

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self._compiled: tuple[frozenset[str], re.Pattern[str]] | None = None

    def learn(self, value: str) -> None:
        """Hides this value from now on."""
        self._values |= {value}

    def __call__(self, text: str) -> str:
        """The text with every known value, in whatever form, replaced by three asterisks."""
        values = self._values
        if not values:
            return text
        if self._compiled is None or self._compiled[0] != values:
            found = {form for value in values for form in forms(value)}
            # The longest first, or a part of a value would be hidden and its rest shown.
            ordered = sorted(found, key=lambda form: (-len(form), form))
            self._compiled = values, re.compile("|".join(map(re.escape, ordered)))
        return self._compiled[1].sub(HIDDEN, text)


def forms(value: str) -> set[str]:
    """How a value may stand in a text: as it is, URL-quoted, JSON-escaped, base64 at any alignment, hexadecimal."""
    lines = [line for line in value.splitlines() if len(line) >= MIN_LINE]
    return {form for each in (value, *lines) for form in (*_escaped(each), *_encoded(each.encode()))}


def _escaped(value: str) -> Iterator[str]:
    yield value
    for quoted in (quote(value), quote(value, safe=""), quote_plus(value)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), quoted)
    for escaped in (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value)):
        yield escaped[1:-1]
        yield escaped[1:-1].replace("/", "\\/")


def _encoded(value: bytes) -> Iterator[str]:
    yield value.hex()
    yield value.hex().upper()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(value).decode()
        # Within a longer text, as in "user:password", the value begins at any of three places of a group.
        for before, mixed in ((0, 0), (1, 2), (2, 3)):
            whole = (before + len(value)) * 8 // 6
            yield encode(bytes(before) + value).decode()[mixed:whole]
