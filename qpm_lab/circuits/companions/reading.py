"""What comes back from a companion, and the numbers one is asked for with."""

from __future__ import annotations

from qpm_lab.errors import InputError


def bits_of(key: str, width: int) -> int:
    """A key of counts as a number, bit 0 being the rightmost character; spaces between registers do not matter.

    Raises:
        InputError: It is not a bit string of that width.
    """
    plain = key.replace(" ", "") if isinstance(key, str) else ""
    if len(plain) != width or plain.strip("01"):
        raise InputError(f"{str(key)[:80]!r} is not a bit string of {width} bits.", "Give the counts of this circuit.")
    return int(plain or "0", 2)


def require_number(number: int, what: str, least: int = 1) -> None:
    """Refuses what is not a whole number, or too small.

    Raises:
        InputError: It is.
    """
    if not isinstance(number, int) or isinstance(number, bool) or number < least:
        raise InputError(f"The number of {what} must be a whole number from {least} on, not {number!r}.")
