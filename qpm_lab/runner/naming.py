"""What a circuit is called, and how a job is repeated."""

from __future__ import annotations

import re

MAX_LABEL = 120
_AUTOMATIC = re.compile(r"circuit-\d+(-\d+)*")


def more_shots(job_id: str, shots: int, backend: str, *, routed: bool) -> str:
    """What to write for the same job with so many shots on the same backend.

    >>> more_shots("6f1c", 2000, "aer/noisy", routed=False)
    '%qjob --again 6f1c --shots 2000'
    """
    kept = f" --backend {backend}" if routed else ""  # a route may choose another, whose results are not comparable
    return f"%qjob --again {job_id} --shots {shots}{kept}"


def own_name(name: str) -> str:
    """The name somebody gave a circuit; empty when it is Qiskit's automatic `circuit-41` or cannot be printed.

    >>> own_name("ghz5"), own_name("circuit-41"), own_name("circuit-41-7")
    ('ghz5', '', '')
    """
    given = name.strip()[:MAX_LABEL]
    return given if given.isprintable() and not _AUTOMATIC.fullmatch(given) else ""
