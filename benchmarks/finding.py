"""One line of the table: what was compared, the target, what was measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.timing import Spread


@dataclass(frozen=True, slots=True)
class Target:
    """What has to be reached."""

    amount: float
    at_least: bool
    unit: str
    """`×`, ` ms` or ` B/B`, as it follows the number."""

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.amount:g}{self.unit}"

    def margin(self, measured: float) -> float:
        """How many times better than the target; below 1 it is missed. A figure of 0 or less counts as 100 times."""
        return measured / self.amount if self.at_least else self.amount / max(measured, self.amount / 100)


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison, measured."""

    work: str
    against: str
    unit: str
    """As in `Target`; said here too because not every line has a target."""
    measured: Spread
    detail: str
    """The medians behind the figure."""
    target: Target | None = None
    """None where the line is beside the point but good to know."""

    @property
    def met(self) -> bool:
        """Whether the median reaches the target; true where there is none."""
        return self.target is None or self.target.margin(self.measured.median) >= 1

    @property
    def verdict(self) -> str:
        """`met`, or by how much it falls short."""
        if self.target is None:
            return "no target"
        if self.met:
            return "met"
        short = abs(self.measured.median - self.target.amount)
        return f"missed by {number(short)}{self.unit} ({short / self.target.amount:.0%})"

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """The inverse of `to_dict`."""
        target = Target(**data["target"]) if data["target"] else None
        return cls(**{**data, "measured": Spread(**data["measured"]), "target": target})


def number(value: float) -> str:
    """Three significant figures, without an exponent."""
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
