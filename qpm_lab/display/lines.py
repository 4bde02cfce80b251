"""Lines for a terminal: pieces of text with the tone of each, wrapped and set in columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

LABEL = 18
"""Columns of the words at the left of a fact."""

Piece = tuple[str, str]
Line = list[Piece]


def labelled(label: str, words: str, width: int, tone: str = "") -> Iterator[Line]:
    """A fact: its label at the left, its words beside it on as many lines as they need; a long label above them."""
    lines = textwrap.wrap(words, max(12, width - LABEL)) or [""]
    if len(label) >= LABEL:
        yield [(label, "mut")]
        label = ""
    yield [(f"{label:<{LABEL}}", "mut"), (lines[0], tone)]
    yield from ([(" " * LABEL + line, tone)] for line in lines[1:])


def wrapped(words: str, width: int, bullet: str = "", tone: str = "") -> Iterator[Line]:
    """Prose; its lines after the first are indented like the bullet."""
    indent = " " * len(bullet)
    for line in textwrap.wrap(words, width, initial_indent=bullet, subsequent_indent=indent):
        yield [(line, tone)]


def meter(used: float, held: float, room: int) -> str:
    """A bar of characters: what is used, what is held, what is left."""
    solid = round(used * room)
    shaded = round((used + held) * room) - solid
    return "█" * solid + "▒" * shaded + "░" * (room - solid - shaded)
