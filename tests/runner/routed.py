"""A lab whose bundle has the routes that a test wants, and IonQ's double behind `ionq/…`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from qpm_lab import Lab
from qpm_lab.doubles import RunningDouble

ROOT = Path(__file__).resolve().parents[2]
ION, NOISY, IDEAL = "ionq/qpu.forte-1", "aer/noisy", "aer/simulator"
GENEROUS = [
    {"id": "shots", "measure": "shots", "scope": "user", "window": "day", "limit": 1_000_000},
    {"id": "cost", "measure": "cost", "scope": "user", "window": "day", "limit": "1000 USD"},
    {"id": "jobs", "measure": "jobs", "scope": "user", "window": "day", "limit": 100},
]


def bundle(folder: Path, *routes: dict[str, Any], quotas: Any = GENEROUS, rules: str = "") -> Path:
    """The personal bundle with these routes and quotas, these further rules, and dear jobs allowed."""
    shutil.copytree(ROOT / "policies" / "personal", folder, dirs_exist_ok=True)
    (folder / "routes.yaml").write_text(yaml.safe_dump({"routes": [{"owner": "tests", **each} for each in routes]}))
    document = yaml.safe_load((folder / "quotas.yaml").read_text())
    document["quotas"] = [{"owner": "tests", **each} for each in quotas]
    (folder / "quotas.yaml").write_text(yaml.safe_dump(document))
    written = (folder / "rules.cedar").read_text().replace("10000000000", "900000000000")
    (folder / "rules.cedar").write_text(written + rules)
    return folder


def lab_with(home: Path, double: RunningDouble | None, folder: Path, monkeypatch: Any) -> Lab:
    """A Lab that reaches the double, asks often and gives up soon."""
    home.mkdir(parents=True, exist_ok=True)
    if double is not None:
        options = {**double.access["options"], "url": double.access["url"]}
        options |= {"poll_seconds": 0.2, "timeout_seconds": 3, "visibility_seconds": 0}
        (home / "settings.yaml").write_text(yaml.safe_dump({"providers": {"ionq": options}}))
        monkeypatch.setenv("QPM_SECRET_IONQ", double.access["secrets"]["token"])
    return Lab(home, folder)


def nothing_held(lab: Lab) -> bool:
    """True when no reservation is left and the ledger verifies."""
    return lab.ledger.verify().ok and all(line["reserved"] == "0" for line in lab.budgets())
