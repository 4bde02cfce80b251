"""What a secret is called: a provider, or a provider and one of its fields."""

from __future__ import annotations

import re

from qpm_lab.errors import InputError

NAME = re.compile(r"[a-z][a-z0-9_-]*(/[a-z][a-z0-9_-]*)?")
MAX_LENGTH = 100
BETWEEN = "__"
"""Stands for the slash where a file is named, so that no name may contain it."""
PREFIX = "QPM_SECRET_"


def require_name(name: str) -> str:
    """The name itself.

    Raises:
        InputError: it is none. What was given is not repeated: it may be a value in the wrong place.
    """
    if not is_name(name):
        raise InputError(
            "This is not the name of a secret.",
            "Name the provider, and its field if it needs several: ionq, ibm, braket/secret_access_key. "
            "If it was a key, revoke it: it is in your history now.",
        )
    return name


def is_name(text: object) -> bool:
    return isinstance(text, str) and len(text) <= MAX_LENGTH and BETWEEN not in text and bool(NAME.fullmatch(text))


def file_name(name: str) -> str:
    """Of the file that holds it, in one folder.

    >>> file_name("braket/secret_access_key")
    'braket__secret_access_key'
    """
    return name.replace("/", BETWEEN)


def variable(name: str) -> str:
    """Of the environment variable that may hold it.

    >>> variable("braket/secret_access_key")
    'QPM_SECRET_BRAKET_SECRET_ACCESS_KEY'
    """
    return PREFIX + re.sub("[/-]", "_", name).upper()


def named_by(variable_name: str) -> str | None:
    """What a variable of the environment most likely stands for; providers' names have no underscore.

    >>> named_by("QPM_SECRET_BRAKET_SECRET_ACCESS_KEY")
    'braket/secret_access_key'
    """
    if not variable_name.startswith(PREFIX):
        return None
    name = variable_name.removeprefix(PREFIX).lower().replace("_", "/", 1)
    return name if is_name(name) else None
