"""The keyring of the operating system, chosen from a list: never what happens to be installed or configured.

`keyring` would choose any backend that a package or a settings file offers, one that writes plain text included.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from qpm_lab.errors import InputError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

ALLOWED = (
    "keyring.backends.SecretService:Keyring",
    "keyring.backends.kwallet:DBusKeyring",
    "keyring.backends.macOS:Keyring",
    "keyring.backends.Windows:WinVaultKeyring",
)
SERVICE = "qpm_lab"
SWITCH = "QPM_KEYRING"


class Keyring:
    """The best backend of the list that works here."""

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    @classmethod
    def find(cls) -> Keyring | None:
        """None where no allowed backend works, or `QPM_KEYRING=off` says to leave it alone."""
        if os.environ.get(SWITCH, "").lower() in ("off", "0", "no", "false"):
            return None
        usable = [(priority, path) for path in ALLOWED if (priority := _priority(path)) > 0]
        return cls(_class(max(usable)[1])()) if usable else None

    def get(self, name: str) -> str | None:
        """Its value; None when it has none.

        Raises:
            InputError: the keyring is locked or does not answer.
        """
        try:
            return self._backend.get_password(SERVICE, name)
        except Exception as error:
            raise _unusable("read", error) from None

    def set(self, name: str, value: str) -> None:
        """Keeps a value, and makes sure that it is there.

        Raises:
            InputError: the keyring is locked, does not answer, or keeps something else.
        """
        try:
            self._backend.set_password(SERVICE, name, value)
            kept = self._backend.get_password(SERVICE, name) == value
        except Exception as error:
            raise _unusable("written", error) from None
        if not kept:
            raise _unusable("written", ValueError())

    def delete(self, name: str) -> bool:
        """Forgets a value; False when there was none.

        Raises:
            InputError: the keyring is locked or does not answer.
        """
        if self.get(name) is None:
            return False
        try:
            self._backend.delete_password(SERVICE, name)
        except Exception as error:
            raise _unusable("written", error) from None
        return True


def _class(path: str) -> type[KeyringBackend]:
    module, _, name = path.partition(":")
    found: type[KeyringBackend] = getattr(importlib.import_module(module), name)
    return found


def _priority(path: str) -> float:
    """How well a backend works here; 0 when it does not. Each says so by raising errors of its own."""
    try:
        return float(_class(path).priority)
    except Exception:
        return 0.0


def _unusable(what: str, error: Exception) -> InputError:
    """Names the kind of the failure only: a backend's message might repeat what it was given."""
    return InputError(
        f"The keyring cannot be {what} ({type(error).__name__}).",
        f"Unlock it, or set {SWITCH}=off to use files and the environment only.",
    )
