"""The shell that the tests of this folder type into."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def shell(home: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A fresh shell with the magics loaded; its Lab is closed afterwards."""
    # A doctest run before leaves its own `_` in builtins, to which IPython would yield.
    monkeypatch.delattr(builtins, "_", raising=False)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "qpm_magics")
    yield made
    from qpm_lab.lab import close_default_lab

    close_default_lab()
    InteractiveShell.clear_instance()
