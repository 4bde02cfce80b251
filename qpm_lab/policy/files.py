"""Reads a bundle's folder: bounded in size, never outside the folder."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from qpm_lab.errors import BundleError

MAX_BYTES = 1 << 20
"""Size of one file."""
MAX_FILES = 64
SCHEMA, ENTITIES, QUOTAS, ROUTES, TESTS = (
    "schema.cedarschema",
    "entities.json",
    "quotas.yaml",
    "routes.yaml",
    "tests.yaml",
)
_REQUIRED = (SCHEMA, ENTITIES, QUOTAS)


@dataclass(frozen=True, slots=True)
class Folder:
    """The texts of a bundle by file name, and what could not be read."""

    name: str
    texts: dict[str, str]
    """Line ends are `\\n`."""
    problems: tuple[str, ...]

    @property
    def rule_files(self) -> dict[str, str]:
        return {name: text for name, text in self.texts.items() if name.endswith(".cedar")}


def read(folder: Path) -> Folder:
    """Reads every file of a bundle.

    Raises:
        BundleError: there is no such folder, or it may not be read.
    """
    try:
        root = folder.resolve(strict=True)
        found = sorted(entry.name for entry in os.scandir(root))
    except (OSError, RuntimeError, ValueError) as error:
        message = f"The policy bundle {str(folder)!r} cannot be read."
        raise BundleError(message, "Give a folder with rules, quotas and entities.") from error
    names = [name for name in found if _belongs(name)]
    texts: dict[str, str] = {}
    problems = [f"{len(names)} files; a bundle has at most {MAX_FILES}."] if len(names) > MAX_FILES else []
    for name in names[:MAX_FILES]:
        text, problem = _read(root, name)
        if problem:
            problems.append(f"{name}: {problem}.")
        else:
            texts[name] = text
    return Folder(root.name, texts, (*problems, *_missing(names), *_strange(found)))


def _belongs(name: str) -> bool:
    return name.endswith(".cedar") or name in (*_REQUIRED, ROUTES, TESTS)


def _strange(found: list[str]) -> list[str]:
    """What lies in the folder and would be ignored: a rule in a misspelt file protects nobody."""
    strange = [name for name in found if not _belongs(name) and not _beside(name)]
    known = ", ".join(("*.cedar", *_REQUIRED, ROUTES, TESTS))
    fault = f"is not a file of a bundle, which are {known} (and *.md, LICENSE*, dotfiles); rename or remove it."
    problems = [f"{name if name.isprintable() else ascii(name)}: {fault}" for name in strange[:MAX_FILES]]
    return problems + ([f"{len(strange) - MAX_FILES} more such files."] if len(strange) > MAX_FILES else [])


def _beside(name: str) -> bool:
    """True for what may lie in the folder without being read."""
    return not name.endswith("~") and (name.startswith((".", "LICENSE")) or name.lower().endswith(".md"))


def _missing(names: list[str]) -> list[str]:
    missing = [f"{name}: this file is missing." for name in _REQUIRED if name not in names]
    if not any(name.endswith(".cedar") for name in names):
        missing.append("*.cedar: there is no file with rules.")
    return missing


def _read(root: Path, name: str) -> tuple[str, str]:
    """The text and an empty problem, or the other way round."""
    path = root / name
    try:
        if not path.resolve(strict=True).is_relative_to(root):
            return "", "is a link that leads outside the bundle's folder"
        if not stat.S_ISREG(path.stat().st_mode):
            return "", "is not a regular file"
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, RuntimeError) as error:
        return "", f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if len(data) > MAX_BYTES:
        return "", f"is larger than {MAX_BYTES:,} bytes"
    return _decode(data)


def _decode(data: bytes) -> tuple[str, str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return "", f"line {line}: is not UTF-8 text (byte {error.start})"
    return text.replace("\r\n", "\n").replace("\r", "\n"), ""
