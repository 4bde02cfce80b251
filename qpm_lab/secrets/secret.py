"""A value that does not show itself."""

from __future__ import annotations

from typing import NoReturn

from qpm_lab.errors import InputError

MIN_LENGTH = 6
"""Characters. A shorter value could not be kept out of texts without spoiling them."""
MAX_BYTES = 65_536


class Secret:
    """A key, password or token; only `reveal` gives it away.

    >>> f"{Secret('s3cret-value')} {Secret('s3cret-value')!r}"
    '*** Secret(***)'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the call that needs it and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Secret is not copied, pickled or sent to another process.")

    def __getstate__(self) -> NoReturn:
        raise TypeError("A Secret is not copied, pickled or sent to another process.")


def require_value(value: str) -> str:
    """The value itself, if it can be kept as a secret.

    Raises:
        InputError: it is too short, too long, or not text; the value is not shown.
    """
    if len(value) < MIN_LENGTH or not value.strip():
        raise InputError(
            f"The value is shorter than {MIN_LENGTH} characters, so it could not be kept out of outputs.",
            "Check that the whole key was given.",
        )
    if "\0" in value or not _fits(value):
        raise InputError(f"The value is not text of at most {MAX_BYTES // 1024} KiB.", "Check what was given.")
    return value


def _fits(value: str) -> bool:
    try:
        return len(value.encode()) <= MAX_BYTES
    except UnicodeEncodeError:
        return False
