"""What a circuit is called."""

from __future__ import annotations

import re

MAX_LABEL = 120
_AUTOMATIC = re.compile(r"circuit-\d+(-\d+)*")


def own_name(name: str) -> str:
    """The name somebody gave a circuit; empty when it is Qiskit's automatic `circuit-41` or cannot be printed.

    >>> own_name("ghz5"), own_name("circuit-41"), own_name("circuit-41-7")
    ('ghz5', '', '')
    """
    given = name.strip()[:MAX_LABEL]
    return given if given.isprintable() and not _AUTOMATIC.fullmatch(given) else ""
