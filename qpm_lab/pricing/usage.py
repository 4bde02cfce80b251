"""What a vendor said of a job that has ended, and what is booked for it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Basis = Literal["billed", "metered", "quoted", "refunded"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What the vendor said of a job that has ended; None is what it did not say."""

    billed: tuple[str, int] | None = None
    """Currency and nano-units."""
    qpu_nanoseconds: int | None = None
    hqc: Decimal | None = None
    """Quantinuum's credits."""
    outcome: Literal["completed", "failed", "cancelled"] = "completed"
    accepted: bool = True
    """False when the vendor never took the job."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is booked. In the quote's currency, unless the vendor billed in one that no rate leads from."""

    currency: str
    nano: int
    basis: Basis
    """`billed`: the vendor named the amount. `metered`: it named the usage. `quoted`: neither. `refunded`: nothing is
    charged, because the vendor never took the job or gives back what failed or was cancelled. Of several parts the one
    that is known least well."""
    reason: str = ""
    """How the parts of a job were booked, where that differs between them."""
