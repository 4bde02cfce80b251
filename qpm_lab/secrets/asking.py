"""Asks a person for a value without showing it, and says where it went."""

from __future__ import annotations

import getpass
import warnings
from collections.abc import Callable, Sequence

from qpm_lab.errors import InputError


def ask(name: str, require_terminal: Callable[[], None] = lambda: None) -> str:
    """What is typed, which appears nowhere.

    Args:
        name: The secret's.
        require_terminal: Raises InputError where nobody can answer.

    Raises:
        InputError: nobody can answer, or not without echo.
    """
    require_terminal()
    try:
        with warnings.catch_warnings():
            # It would go on, with echo.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(f"Value of {name} (is not shown): ")
    except (EOFError, OSError, NotImplementedError, getpass.GetPassWarning, RuntimeError) as error:
        raise InputError(
            f"The value cannot be asked for here ({type(error).__name__}).",
            "Run `qpm secret set NAME` in a terminal, or `qpm secret set NAME --stdin` in a script.",
        ) from None


def kept_in(name: str, store: str) -> str:
    """Where a value is now, as a sentence."""
    if store == "file":
        return f"{name} is stored in a file readable by you only; use a keyring on a shared machine."
    return f"{name} is stored in the {store}."


def deleted_from(name: str, stores: Sequence[str], left: str | None) -> str:
    """Where a value is no more, and where one of that name still is, as a sentence."""
    told = f"{name} is deleted from: {', '.join(stores)}."
    return told if left is None else f"{told} It is still given by: {left}."
