"""Keyrings that keep nothing beyond a test."""

from __future__ import annotations

from typing import Any, ClassVar

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

HERE = __name__


class Kept(KeyringBackend):
    """A keyring that works."""

    priority: ClassVar[Any] = 5
    values: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.values.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.values[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.values[service, username]


class Locked(KeyringBackend):
    """One whose owner does not unlock it, and whose message repeats what it was given."""

    priority: ClassVar[Any] = 5

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"locked: {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"cannot store {password}")


class Forgetful(Kept):
    """One that takes a value and loses it."""

    values: ClassVar[dict[tuple[str, str], str]] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        return


class PlainText(Kept):
    """What no list names, though the environment asks for it."""

    priority: ClassVar[Any] = 9
    values: ClassVar[dict[tuple[str, str], str]] = {}


class Failing(Kept):
    """One that does not work here."""

    @property
    def priority(self) -> float:
        raise RuntimeError("no such service")
