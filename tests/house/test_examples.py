"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = [(ROOT, path) for path in (ROOT / "qpm_lab").rglob("*.py")]
SOURCES += [(ROOT / "magics", path) for path in (ROOT / "magics").rglob("*.py")]
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
    for base, path in SOURCES
    if ">>> " in path.read_text()
)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_of_a_module_hold(module: str, home: Any) -> None:
    """Each is run as it stands."""
    result = doctest.testmod(import_module(module))
    assert result.attempted > 0
    assert result.failed == 0
