"""An environment whose Python also finds the client that pretends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Access, Durability, Vendor

KEY = "very-secret-key-31415"
VENDOR = Vendor(
    name="pretending",
    title="Pretending",
    client="pretending:PretendingClient",
    module="pretending_that_is_nowhere",
    packages=("pretending==1",),
    secrets=("token",),
    backends=(BackendInfo("pretending/x", "", 2, "qpu", False, True),),
    durability=Durability("none"),
)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `qpm provider install` makes it."""
    own = tmp_path_factory.mktemp("providers") / VENDOR.name
    (own / "bin").mkdir(parents=True)
    python = own / "bin" / "python"
    folder = Path(__file__).parent
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o700)
    (own / "installed").touch()
    return own.parent


@pytest.fixture
def provider(environment: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RemoteProvider]]:
    """Makes a provider with the settings given; all are closed at the end."""
    monkeypatch.setenv("QPM_PROVIDERS", str(environment))
    made: list[RemoteProvider] = []

    def make(url: str = "", vendor: Vendor = VENDOR, **options: Any) -> RemoteProvider:
        made.append(RemoteProvider(vendor, lambda name: Access(url, {"token": KEY}, options)))
        return made[-1]

    yield make
    for each in made:
        each.close()
