"""All stores as one: where a secret is looked for, and where it is put."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from qpm_lab.errors import InputError
from qpm_lab.secrets.files import Folder
from qpm_lab.secrets.keyrings import Keyring
from qpm_lab.secrets.names import is_name, named_by, require_name, variable
from qpm_lab.secrets.redaction import Redactor
from qpm_lab.secrets.secret import Secret, require_value

KEYRING, FILE = "keyring", "file"
_read_here = Redactor()
"""Of this process: a value is hidden whoever read it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A secret that is there."""

    name: str
    store: str
    """`keyring`, `file`, `environment` and the variable, or `unusable` and why."""


class Secrets:
    """The secrets of a user: looked for in the keyring, then in files, then in the environment.

    Files are those of `QPM_SECRETS_DIR`, if it is set, and of `home/secrets`.

    Args:
        home: The user's folder (`QPM_HOME`).
        redactor: What learns the values read; that of the process when None.
    """

    def __init__(self, home: Path, redactor: Redactor | None = None) -> None:
        self._home = home
        self.redact = _read_here if redactor is None else redactor
        """Takes every value read so far out of a text."""

    def get(self, name: str) -> Secret | None:
        """The secret of a name; None when it is nowhere.

        Raises:
            InputError: it is no name, the file may be read by others, the value is no secret, or it is nowhere that
                can be looked at and the keyring is locked.
        """
        found = self._find(require_name(name))
        if found is None:
            return None
        value = require_value(found[1])
        self.redact.learn(value)
        return Secret(value)

    def where(self, name: str) -> str | None:
        """Which store has it: `keyring`, `file`, `environment QPM_SECRET_IONQ`; None when it cannot be had."""
        require_name(name)
        try:
            found = self._find(name)
        except InputError:
            return None
        return None if found is None else found[0]

    def set(self, name: str, value: str) -> str:
        """Keeps a value in the keyring if there is one that works, else in a file; says which.

        Raises:
            InputError: it is no name or no value, or it cannot be kept so that it would be found again.
        """
        require_name(name)
        self.redact.learn(require_value(value))
        if self._set_in_keyring(name, value):
            self._remember({*self._in_keyring(), name})
            self._own.delete(name)
            return KEYRING
        if self._mounted is not None and self._mounted.get(name) is not None:
            raise InputError(
                f"{name} is given by a file in {self._mounted.path}, which comes first.", "Change it there."
            )
        self._own.set(name, value)
        return FILE

    def delete(self, name: str) -> list[str]:
        """Removes a value from the keyring and the home; returns the stores that had it.

        Raises:
            InputError: neither has it, or it cannot be removed.
        """
        require_name(name)
        deleted = [KEYRING] if self._keyring is not None and self._keyring.delete(name) else []
        if name in (known := self._in_keyring()) and self._keyring is not None:
            self._remember(known - {name})
        if self._own.delete(name):
            deleted.append(FILE)
        if not deleted:
            elsewhere = self.where(name)
            raise InputError(
                "No key of that name is stored here."
                if elsewhere is None
                else f"{name} is given from outside: {elsewhere}.",
                "`qpm secret list` shows what there is." if elsewhere is None else "Remove it there.",
            )
        return deleted

    def names(self) -> list[Stored]:
        """All secrets there are, by name; never a value.

        A keyring cannot be asked what it has, so of it only those are listed that were set here.
        """
        candidates: set[str] = set(self._in_keyring())
        for folder in self._folders:
            candidates.update(folder.names())
        candidates.update(name for found in os.environ if (name := named_by(found)) is not None)
        return [Stored(name, store) for name in sorted(candidates) if (store := self._shown(name)) is not None]

    def _shown(self, name: str) -> str | None:
        """Also a file that is refused is listed: that it is there is what its owner has to know."""
        try:
            found = self._find(name)
        except InputError as error:
            return f"unusable: {error.message}"
        return None if found is None else found[0]

    def _find(self, name: str) -> tuple[str, str] | None:
        """Store and value."""
        locked: InputError | None = None
        try:
            if self._keyring is not None and (value := self._keyring.get(name)) is not None:
                return KEYRING, value
        except InputError as error:
            locked = error
        for folder in self._folders:
            if (value := folder.get(name)) is not None:
                return FILE, value
        if value := os.environ.get(variable(name), ""):
            return f"environment {variable(name)}", value
        if locked is not None:
            raise locked
        return None

    def _set_in_keyring(self, name: str, value: str) -> bool:
        if self._keyring is None:
            return False
        try:
            self._keyring.set(name, value)
        except InputError:
            # An earlier value that stays there would be found before the file's.
            if name in self._in_keyring():
                raise
            return False
        return True

    @cached_property
    def _keyring(self) -> Keyring | None:
        return Keyring.find()

    @property
    def _own(self) -> Folder:
        return Folder(self._home / "secrets", own=True)

    @property
    def _mounted(self) -> Folder | None:
        given = os.environ.get("QPM_SECRETS_DIR")
        path = Path(given).expanduser().absolute() if given else self._own.path
        return None if path == self._own.path else Folder(path, own=path.is_relative_to(self._home))

    @property
    def _folders(self) -> list[Folder]:
        return [folder for folder in (self._mounted, self._own) if folder is not None]

    @property
    def _index(self) -> Path:
        return self._home / "secret-names.json"

    def _in_keyring(self) -> frozenset[str]:
        """The names that were set in the keyring."""
        try:
            names = json.loads(self._index.read_text())
        except (OSError, ValueError):
            return frozenset()
        return frozenset(filter(is_name, names)) if isinstance(names, list) else frozenset()

    def _remember(self, names: Iterable[str]) -> None:
        partial = self._index.with_suffix(f".{os.getpid()}.partial")
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial.write_text(json.dumps(sorted(names)))
        partial.replace(self._index)
