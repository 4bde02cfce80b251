"""Secrets in files: mounted by whoever runs the machine, or written into the home, readable by its owner only."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from qpm_lab.errors import InputError
from qpm_lab.secrets.names import BETWEEN, file_name, is_name
from qpm_lab.secrets.secret import MAX_BYTES

MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of secrets, one file each: `ionq`, `braket__region` or `braket/region`."""

    path: Path
    own: bool
    """Whether it lies in the home, where we write and nobody else may read."""

    def get(self, name: str) -> str | None:
        """The text of the file, without one newline at its end; None when there is no file.

        Raises:
            InputError: others may read the file, it leads out of the folder, or it is no text.
        """
        for path in self._places(name):
            if os.path.lexists(path):
                return self._read(path)
        return None

    def names(self) -> Iterator[str]:
        """Of all files that may be secrets, unread."""
        for entry in _entries(self.path):
            name = entry.name.replace(BETWEEN, "/")
            if is_name(entry.name) and entry.is_dir():
                yield from (n for inner in _entries(entry) if is_name(n := f"{entry.name}/{inner.name}"))
            elif is_name(name) and entry.is_file():
                yield name

    def set(self, name: str, value: str) -> None:
        """Writes the file anew, 0600 in a folder of 0700, and renames: no half of it is ever there.

        Raises:
            InputError: it cannot be written.
        """
        target = self.path / file_name(name)
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            self._write(target, (value + "\n" if value.endswith("\n") else value).encode())
        except OSError as error:
            raise InputError(f"{target} cannot be written: {error.strerror}.", "Check the folder.") from None

    def delete(self, name: str) -> bool:
        """Removes the file; False when there is none.

        Raises:
            InputError: it cannot be removed.
        """
        found = [path for path in self._places(name) if os.path.lexists(path)]
        try:
            for path in found:
                path.unlink()
        except OSError as error:
            raise InputError(f"{found[0]} cannot be removed: {error.strerror}.", "Check the folder.") from None
        return bool(found)

    def _places(self, name: str) -> list[Path]:
        return list(dict.fromkeys([self.path / file_name(name), self.path / name]))

    @staticmethod
    def _write(target: Path, data: bytes) -> None:
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".partial")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise

    def _read(self, path: Path) -> str | None:
        # Links are how Kubernetes mounts a secret, but only within its folder.
        real = path.resolve()
        if not real.is_relative_to(self.path.resolve()):
            raise InputError(f"{path} leads out of its folder.", "Put the file itself there.")
        try:
            # Without O_NONBLOCK a pipe would be waited for.
            handle = os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.", "Check who may read it.") from None
        try:
            status = os.fstat(handle)
            if stat.S_ISDIR(status.st_mode):
                return None
            self._require_private(path, handle, status)
            return _text(path, _content(handle))
        finally:
            os.close(handle)

    def _require_private(self, path: Path, handle: int, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is not a file.", "Put the value into a plain file.")
        if status.st_mode & 0o077 and (self.own or not _mounted(handle, status)):
            raise InputError(
                f"Others can read {path}, so the secret in it is not used.",
                f"Revoke the key if the machine is shared, then: chmod 600 {path}",
            )


def _mounted(handle: int, status: os.stat_result) -> bool:
    """True of a file that this user was given and cannot protect: read-only, or of another owner."""
    read_only = bool(os.fstatvfs(handle).f_flag & os.ST_RDONLY) or not status.st_mode & 0o222
    return read_only or status.st_uid != os.getuid()


def _content(handle: int) -> bytes:
    with os.fdopen(handle, "rb", closefd=False) as file:
        return file.read(MAX_BYTES + 1)


def _text(path: Path, data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text.", "Secrets are UTF-8 text.") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES // 1024} KiB.", "It cannot be a secret.")
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(islice((entry for entry in folder.iterdir() if entry.name[:1] != "."), MAX_FILES))
    except OSError:
        return []
