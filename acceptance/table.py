"""One measured figure with its threshold, and the table of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Row:
    """A figure beside its threshold."""

    what: str
    """The promise, for example `Hellinger coverage`."""
    cell: str
    """Where it was measured, for example `Porter–Thomas 8 qubits, 1,000 shots`."""
    measured: float
    error: float
    """Monte-Carlo standard error of `measured`; 0 when it is computed exactly."""
    least: float | None
    """The threshold from below, None when there is none."""
    most: float | None
    """The threshold from above, None when there is none."""
    repetitions: int
    """Simulated experiments behind the figure; 0 when it is computed exactly."""
    seed: int | None = None

    @property
    def passed(self) -> bool:
        """True when the figure itself, without its error, meets the threshold."""
        above = self.least is None or self.measured >= self.least
        return above and (self.most is None or self.measured <= self.most)


class Chapter(Protocol):
    """A module of this package that measures something."""

    TITLE: str

    def rows(self, *, fast: bool, seed: int) -> Iterator[Row]:
        """Its figures; `fast` takes a subset that a test can afford."""


def share(hits: int, repetitions: int) -> tuple[float, float]:
    """A share of repetitions and its standard error, which is never given as zero.

    >>> share(95, 100)
    (0.95, 0.021794494717703367)
    """
    value = hits / repetitions
    spread = max(value * (1 - value), 1 / repetitions)
    return value, math.sqrt(spread / repetitions)


def printed(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of the table, one as soon as its figure is there."""
    for row in rows:
        least = "" if row.least is None else f"≥ {row.least:.4g}"
        most = "" if row.most is None else f"≤ {row.most:.4g}"
        error = f"± {row.error:.2g}" if row.error else "exact"
        how = f"{row.repetitions:,} runs" if row.repetitions else ""
        verdict = "ok" if row.passed else "FAILED"
        yield (
            f"{row.what:<28} {row.cell:<52} {row.measured:>9.4f} {error:<10} {least:>9} {most:<9} {how:>12} {verdict}"
        )
