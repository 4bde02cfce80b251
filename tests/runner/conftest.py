"""Replaces the real provider by a scripted one where a test asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runner.scripted import Held, Scripted


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(*runs: Held) -> Scripted:
        from qpm_lab import providers

        provider = Scripted(*runs)
        monkeypatch.setattr(providers, "provider_of", lambda backend_id: provider)
        return provider

    return install
