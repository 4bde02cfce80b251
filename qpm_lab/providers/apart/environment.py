"""Where the process apart finds the vendor's client: in an environment of its own, or in the main one."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from qpm_lab.errors import ProviderError
from qpm_lab.providers.vendor import Vendor

READY = "installed"
"""Written into an environment once it is whole."""


def folder(name: str) -> Path:
    """The environment of a vendor: `QPM_PROVIDERS`, else `providers` in `QPM_HOME`."""
    home = Path(os.environ.get("QPM_HOME") or Path.home() / ".qpm")
    return Path(os.environ.get("QPM_PROVIDERS") or home / "providers").expanduser().absolute() / name


def interpreter(vendor: Vendor) -> Path | None:
    """The Python that has the vendor's client; None when none has."""
    own = folder(vendor.name)
    if (own / READY).is_file():
        return _python(own)
    return Path(sys.executable) if _is_here(vendor.module) else None


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False


def place(vendor: Vendor) -> str | None:
    """Where its client is: the folder of its own environment, `main`, or None."""
    own = folder(vendor.name)
    if (own / READY).is_file():
        return str(own)
    return "main" if interpreter(vendor) is not None else None


def install(vendor: Vendor, told: Callable[[str], None] = lambda line: None) -> Path:
    """Makes the vendor's own environment, anew when it is there; nothing is left of an attempt that fails.

    Args:
        vendor: Whose client.
        told: Gets a line for each step.

    Returns:
        Its folder.

    Raises:
        ProviderError: It could not be made; the message ends with what the installer said.
    """
    own = folder(vendor.name)
    told(f"Making an environment for {vendor.title} in {own}")
    remove(vendor)
    for place in (own.parent.parent, own.parent):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _run([*_maker(), str(own)], vendor)
        told(f"Installing {', '.join(vendor.packages)}")
        _run([*_installer(own), *vendor.packages], vendor)
        (own / READY).write_text("\n".join(vendor.packages))
    except BaseException:
        remove(vendor)
        raise
    return own


def remove(vendor: Vendor) -> bool:
    """Removes the vendor's own environment; False when there was none."""
    own = folder(vendor.name)
    if not own.exists():
        return False
    (own / READY).unlink(missing_ok=True)
    shutil.rmtree(own)
    return True


def _python(own: Path) -> Path:
    return own / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _maker() -> Iterable[str]:
    uv = _uv()
    return [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]


def _installer(own: Path) -> Iterable[str]:
    python, uv = str(_python(own)), _uv()
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", python]
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


def _run(command: list[str], vendor: Vendor) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-800:]
        message = f"The client of {vendor.title} could not be installed: {said}"
        raise ProviderError(message, "Check the network, then try again.")
