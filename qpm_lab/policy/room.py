"""How much of a refused job would fit: the same job with fewer points or fewer shots is priced and asked again.

Nothing here reckons with a share of the price or the limit, so a fee per task, a minimum and rounding are
taken as they are: what is said to fit does, and one more does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from qpm_lab.experiment import Quote, Request

Price = Callable[[Request], Quote]
"""What a request costs."""
Fits = Callable[[Request, Quote], bool]
"""True when one limit lets a request pass at its price."""


@dataclass(frozen=True, slots=True)
class Room:
    """What of a job fits under one limit; None where that cannot be said or asked."""

    points: int | None = None
    """How many of the sweep's points, or of the list's circuits, fit at the shots asked for."""
    shots: int | None = None
    """How many shots fit, of each point or circuit, when all of them are run."""
    whole: int = 1
    """How many points or circuits the job has."""
    noun: str = "circuit"

    @property
    def many(self) -> bool:
        """True for a sweep or a list."""
        return self.whole > 1

    def ways(self) -> list[str]:
        """What could be asked for instead, in words; empty when nothing fits."""
        found = []
        if self.points:
            found.append(f"{self.points:,} of the {self.whole:,} {self.noun}s would fit")
        if self.shots:
            found.append(f"ask for at most {counted(self.shots, 'shot')}{f' per {self.noun}' if self.many else ''}")
        return found

    def nothing(self) -> str:
        """What is said when not even the least fits."""
        if self.many:
            return f"Neither one {self.noun} at these shots nor one shot of each {self.noun} fits."
        return "Not even one shot fits."

    def details(self) -> dict[str, Any]:
        """The figures for programs."""
        found: dict[str, Any] = {}
        if self.points is not None:
            found |= {"points": self.whole, "points_that_fit": self.points}
        if self.shots is not None:
            found["fitting_shots"] = str(self.shots)
        return found


@dataclass(frozen=True, slots=True)
class Smaller:
    """A job that can be made smaller.

    Args:
        request: The job as asked for.
        quote: Its price.
        price: Prices a smaller one; without it only a free job can be made smaller.
    """

    request: Request
    quote: Quote
    price: Price | None = None

    @property
    def noun(self) -> str:
        """What there is less of: points of a sweep, else circuits of a list."""
        return "point" if any(circuit.points > 1 for circuit in self.request.circuits) else "circuit"

    @property
    def whole(self) -> int:
        """Points of the sweep, else circuits of the list."""
        circuits = self.request.circuits
        return len(circuits) if self.noun == "circuit" else max(circuit.points for circuit in circuits)

    def room(self, fits: Fits) -> Room:
        """What fits of a job that does not fit as a whole."""
        if not self._priced or self.request.shots < 1:
            return Room(whole=self.whole, noun=self.noun)
        whole = self.whole
        return Room(
            points=self._most(whole, self._with_points, fits) if whole > 1 else None,
            shots=self._most(self.request.shots, self._with_shots, fits),
            whole=whole,
            noun=self.noun,
        )

    @property
    def _priced(self) -> bool:
        free = self.quote.high == 0 and not self.quote.qpu_nanoseconds
        return self.quote.known and (free or self.price is not None)

    def _with_points(self, count: int) -> Request:
        circuits = self.request.circuits
        if self.noun == "circuit":
            return replace(self.request, circuits=circuits[:count])
        return replace(self.request, circuits=tuple(replace(c, points=min(c.points, count)) for c in circuits))

    def _with_shots(self, count: int) -> Request:
        return replace(self.request, shots=count)

    def _most(self, asked: int, smaller: Callable[[int], Request], fits: Fits) -> int:
        """The largest amount below `asked` that fits while one more does not."""
        least, too_much = 0, asked
        while too_much - least > 1:
            middle = (least + too_much) // 2
            request = smaller(middle)
            quote = self.price(request) if self.price else self.quote
            if quote.known and fits(request, quote):
                least = middle
            else:
                too_much = middle
        return least


def counted(count: int, noun: str) -> str:
    """A count with its noun.

    >>> counted(1, "shot"), counted(2000, "shot")
    ('1 shot', '2,000 shots')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def sentence(ways: list[str]) -> str:
    """Ways out as one sentence without its end; figures of a smaller job come first and stand apart.

    >>> sentence(["2 of the 3 points would fit", "ask for less"]), sentence(["ask for less", "wait"])
    ('2 of the 3 points would fit; or ask for less', 'Ask for less, or wait')
    """
    first, *others = ways
    between = "; or " if first.endswith(" would fit") else ", or "
    return between.join((first[:1].upper() + first[1:], *others))
