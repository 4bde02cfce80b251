"""No keyring unless a test names one, and no keys from the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qpm_lab.secrets import Redactor, Secrets, keyrings

from . import fakes


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine is seen."""
    monkeypatch.setattr(keyrings, "ALLOWED", ())
    for name in [*os.environ]:
        if name.startswith("QPM_SECRET") or name == keyrings.SWITCH:
            monkeypatch.delenv(name)


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes one of the fake keyrings the allowed one."""

    def allow(name: str) -> None:
        monkeypatch.setattr(keyrings, "ALLOWED", (f"{fakes.HERE}:{name}",))

    fakes.Kept.values.clear()
    fakes.PlainText.values.clear()
    return allow


@pytest.fixture
def secrets(home: Path) -> Secrets:
    """Secrets of an empty home, which know no values of other tests."""
    return Secrets(home, Redactor())
