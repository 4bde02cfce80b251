"""One submission as the user wrote it, and the checks of what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qpm_lab.errors import InputError
from qpm_lab.experiment import CLASSIFICATIONS, from_nano, to_nano
from qpm_lab.runner.naming import MAX_LABEL

FIDELITIES = ("auto", "mirror", "proxy", "none")
TWIRLS = ("readout", "gates", "all")
MOST_AMOUNT = 10**18
"""Nano-units of money, or shots of one job: what the ledger can add up in 64 bits."""


@dataclass(frozen=True, slots=True)
class Order:
    """One submission as the user wrote it, before anything has been looked at."""

    source: Any
    """Anything `qpm_lab.circuits.prepare` takes."""
    backend: str = "aer/simulator"
    """An id; or `auto` or `route:NAME`, for a backend of one of the bundle's routes."""
    shots: int = 1024
    seed: int | None = None
    experiment: str | None = None
    project: str | None = None
    cost_center: str | None = None
    classification: str | None = None
    max_cost: str | None = None
    """Decimal amount in the quote's currency that the caller will not exceed."""
    name: str | None = None
    parameters: Mapping[Any, Any] | None = None
    args: Sequence[Any] = ()
    fidelity: str | None = None
    """One of `FIDELITIES`; None means `auto`, within a session `none`."""
    twirl: str | None = None
    """One of `TWIRLS`: which errors are made symmetric by running random variants of the circuit."""
    validate: str | Sequence[str] = ()
    """Conditions that the result has to meet, for example `fidelity>=0.9`."""
    canary: str | None = None
    """The series of canaries that the job belongs to."""


def checked(order: Order) -> Order:
    """The order itself, once the kinds of its values are known.

    Raises:
        InputError: an option cannot be used.
    """
    named = order.parameters is None or isinstance(order.parameters, Mapping)
    if not named or not isinstance(order.args, (tuple, list)):
        raise InputError(
            "parameters must be a dictionary and args a list.", "Write parameters={'theta': 0.5}, args=[0.1]."
        )
    if order.fidelity is not None and order.fidelity not in FIDELITIES:
        raise InputError(f"fidelity={order.fidelity!r} is not known.", f"Use one of: {', '.join(FIDELITIES)}.")
    if order.twirl is not None and order.twirl not in TWIRLS:
        raise InputError(f"twirl={order.twirl!r} is not known.", f"Use one of: {', '.join(TWIRLS)}.")
    return order


def whole(value: Any, what: str, low: int, high: int) -> int:
    """A whole number within bounds; InputError otherwise."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        value = int(value)  # 1e6 is how people write a million
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InputError(f"The {what} must be a whole number, not {str(value)[:40]!r}.", f"Write {what} as 1000.")
    number = int(value.__index__())
    if not low <= number <= high:
        raise InputError(f"The {what} must be between {low:,} and {high:,}.", "Choose a number in that range.")
    return number


def label(value: str | None, what: str) -> str | None:
    """A name somebody gave, None when it is empty; InputError when it cannot be shown."""
    if value is None or value == "":
        return None
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > MAX_LABEL or not text.isprintable():
        raise InputError(
            f"The {what} must be 1 to {MAX_LABEL} printable characters.",
            "Use a short name such as bell-family.",
        )
    return text


def classification(value: str | None) -> str | None:
    """A known classification or None; InputError otherwise."""
    if value is not None and value not in CLASSIFICATIONS:
        raise InputError(f"Classification {value!r} is not known.", f"Use one of: {', '.join(CLASSIFICATIONS)}.")
    return value


def nano_amount(value: str, what: str) -> int:
    """A decimal amount of money in nano-units.

    Raises:
        InputError: it is not an amount.
    """
    try:
        nano = to_nano(str(value).strip().lstrip("$"))
    except (ArithmeticError, ValueError) as error:
        raise InputError(
            f"{what} {value!r} is not an amount.", "Write a decimal number such as 2.50.", cause=error
        ) from error
    if nano < 0:
        raise InputError(f"{what} cannot be negative.", "Write a decimal number such as 2.50.")
    if nano > MOST_AMOUNT:
        raise InputError(f"{what} {value!r} is too large.", f"It goes up to {from_nano(MOST_AMOUNT)}.")
    return nano
