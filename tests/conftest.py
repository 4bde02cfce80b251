"""Every test gets a home of its own; nothing a test does reaches the user's ledger."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# No test depends on how fast the machine is, and Hypothesis would fail an example that takes 0.2 s.
settings.register_profile("qpm", deadline=None)
settings.load_profile("qpm")
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty QPM_HOME, and no policy or database from the environment."""
    folder = tmp_path / "qpm-home"
    monkeypatch.setenv("QPM_HOME", str(folder))
    monkeypatch.delenv("QPM_POLICIES", raising=False)
    monkeypatch.delenv("QPM_LEDGER_URL", raising=False)
    monkeypatch.delenv("QPM_DASK", raising=False)
    monkeypatch.setenv("QPM_KEYRING", "off")
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    return folder


@pytest.fixture
def bundle_with(tmp_path: Path) -> Callable[[list[dict[str, Any]]], Path]:
    """Makes a copy of the personal bundle with other quotas."""

    def make(quotas: list[dict[str, Any]]) -> Path:
        import yaml

        folder = tmp_path / "bundle"
        shutil.copytree(ROOT / "policies" / "personal", folder, dirs_exist_ok=True)
        document = yaml.safe_load((folder / "quotas.yaml").read_text())
        document["quotas"] = [{"owner": "tests", **quota} for quota in quotas]
        (folder / "quotas.yaml").write_text(yaml.safe_dump(document))
        return folder

    return make


@pytest.fixture
def lab(home: Path) -> Iterator[Any]:
    """A Lab under the personal bundle."""
    from qpm_lab import Lab

    made = Lab()
    yield made
    made.close()
