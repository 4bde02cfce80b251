"""A real Jupyter server with our extension over a hand-written lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.fake_lab import FakeLab


def pytest_configure(config: pytest.Config) -> None:
    """Loads the server's fixtures here, so that they do not enter the other tests."""
    config.pluginmanager.import_plugin("pytest_jupyter.jupyter_server")


@pytest.fixture
def lab(tmp_path: Path) -> FakeLab:
    home = tmp_path / "qpm-home"
    home.mkdir()
    return FakeLab(home)


@pytest.fixture
def jp_server_config(lab: FakeLab) -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"qpm_lab.server": True},
            "tornado_settings": {"qpm_lab": lab},
        }
    }
