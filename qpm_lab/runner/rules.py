"""The policy bundle in force: read again when a file of it changes, so that a rule holds once it is saved."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from qpm_lab.policy import Bundle

Signature = tuple[tuple[str, int, int], ...]


class Rules:
    """Gives the bundle of a folder as its files stand now.

    Args:
        folder: A policy bundle.

    Raises:
        BundleError: the folder cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._signature = _signature(folder)
        self._bundle = Bundle.load(folder)

    def bundle(self) -> Bundle:
        """The bundle in force; a folder that has vanished leaves the last one in force."""
        signature = _signature(self._folder)
        with self._lock:
            if signature is not None and signature != self._signature:
                self._bundle, self._signature = Bundle.load(self._folder), signature
            return self._bundle


def _signature(folder: Path) -> Signature | None:
    """Name, time of change and size of every file; None without the folder. Costs tens of microseconds."""
    try:
        with os.scandir(folder) as files:
            stats = [(file.name, file.stat()) for file in files]
    except OSError:
        return None
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))
