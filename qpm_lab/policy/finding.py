"""Finds a bundle: a folder, or the name of one that is shipped."""

from __future__ import annotations

from pathlib import Path

from qpm_lab.errors import BundleError
from qpm_lab.policy.bundle import Bundle
from qpm_lab.policy.files import SCHEMA

DEFAULT = "personal"


def shipped_folder() -> Path:
    """Where the shipped bundles are: inside the wheel, or `policies/` of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_policies"
    return installed if installed.is_dir() else package.parent / "policies"


def shipped_names() -> list[str]:
    folder = shipped_folder()
    return sorted(f.name for f in folder.iterdir() if (f / SCHEMA).is_file()) if folder.is_dir() else []


def find_folder(path_or_name: str | Path | None) -> Path:
    """The folder of a bundle.

    Raises:
        BundleError: neither a folder nor a shipped name; lists the names there are.
    """
    wanted = str(path_or_name or DEFAULT)
    if wanted in shipped_names():
        return shipped_folder() / wanted
    try:
        folder = Path(wanted).expanduser()
        if folder.is_dir():
            return folder
    except (OSError, RuntimeError, ValueError) as error:
        raise _not_found(wanted) from error
    raise _not_found(wanted)


def find_bundle(path_or_name: str | Path | None) -> Bundle:
    """Loads a bundle by folder or shipped name; None is `personal`.

    Raises:
        BundleError: neither a folder nor a shipped name; lists the names there are.
    """
    return Bundle.load(find_folder(path_or_name))


def _not_found(wanted: str) -> BundleError:
    names = ", ".join(shipped_names()) or "none"
    hint = f"Give a folder with rules, quotas and entities, or a shipped name: {names}."
    return BundleError(f"There is no policy bundle {wanted!r}.", hint)
