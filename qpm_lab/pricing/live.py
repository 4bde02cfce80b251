"""What a vendor itself says a job costs, asked a moment ago: it wins over the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LiveRates:
    """Either the amounts of the very job that is quoted, or rates for one of the catalogue's formulas.

    Raises:
        ValueError: neither or both are given, the amounts are negative or not in order, or there is no such currency.
    """

    currency: str
    source: str
    """Who was asked, and where; shown to the user."""
    at: datetime
    amounts: tuple[int, int, int] | None = None
    """Low, expected and high in nano-units, of one job as a whole."""
    formula: str | None = None
    """A key of `formulas.FORMULAS`."""
    rates: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ValueError(f"{self.currency!r} is no currency code")
        if (self.amounts is None) == (self.formula is None) or (self.formula is None) != (self.rates is None):
            raise ValueError("live rates are either amounts, or a formula with its rates")
        if self.amounts is not None and list(self.amounts) != sorted(max(0, each) for each in self.amounts):
            raise ValueError("0 ≤ low ≤ expected ≤ high does not hold")
