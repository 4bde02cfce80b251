"""Paired timing: contenders take turns in one process, so whatever slows the machine slows all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some paired figures and their quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Median and quartiles; a single value is all three."""
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


def seconds(work: Work) -> float:
    """How long one call takes, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def interleave(contenders: Mapping[str, Work], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of every contender in every round, after `warm_up` rounds that do not count.

    Which one begins moves on by one each round, and every other round goes backwards, so that none always
    runs in another's wake.
    """
    for _ in range(warm_up):
        for work in contenders.values():
            work()
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in _order(names, turn):
            times[name].append(seconds(contenders[name]))
    return times


def _order(names: Sequence[str], turn: int) -> list[str]:
    first = turn % len(names)
    order = [*names[first:], *names[:first]]
    return order[:1] + order[:0:-1] if turn // len(names) % 2 else order


def ratios(over: Sequence[float], under: Sequence[float]) -> Spread:
    """Of each pair, how many times the second fits into the first."""
    return Spread.of([a / b for a, b in zip(over, under, strict=True)])


def differences(longer: Sequence[float], shorter: Sequence[float]) -> list[float]:
    """Of each pair, first less second."""
    return [a - b for a, b in zip(longer, shorter, strict=True)]


def milliseconds(values: Sequence[float]) -> str:
    """The median of some seconds as text, e.g. `1,640 ms`."""
    median = statistics.median(values) * 1e3
    return f"{median:,.0f} ms" if median >= 100 else f"{median:.1f} ms" if median >= 10 else f"{median:.2f} ms"
