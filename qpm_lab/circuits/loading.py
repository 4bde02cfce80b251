"""Loads Qiskit by a thread that never ends.

Qiskit 2's compiled part ties its memory allocator to the thread that loads it. If that thread ends, the next use of
Qiskit by another thread crashes the process; a server's page threads and our own workers all end some day.
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module

_guard = threading.Lock()


def load_qiskit() -> None:
    """Makes sure that Qiskit is loaded; costs nothing once it is."""
    if "qiskit._accelerate" in sys.modules or threading.current_thread() is threading.main_thread():
        return
    with _guard:
        if "qiskit._accelerate" in sys.modules:
            return
        loaded = threading.Event()
        threading.Thread(target=_load_and_stay, args=(loaded,), name="qpm-qiskit", daemon=True).start()
        loaded.wait()


def _load_and_stay(loaded: threading.Event) -> None:
    try:
        import_module("qiskit")
    finally:
        loaded.set()
    threading.Event().wait()
