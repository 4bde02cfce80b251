"""The walls of the house: who imports whom, what loads when, and what a file may not hold."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = [*ROOT.glob("qpm_lab/**/*.py"), *ROOT.glob("magics/**/*.py")]
HEAVY = ("qiskit", "qiskit_aer", "pennylane", "matplotlib", "pandas", "scipy", "ipywidgets")


def test_the_import_contract_holds() -> None:
    """Layers as in CONTRIBUTING's map, without cycles."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_import_contract_names_every_part() -> None:
    """A new part has to be given its place in the layers before it is used."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {name.strip() for layer in layers for name in re.split(r"[|:]", layer)}
    named |= {name.rpartition(".")[0] for name in named}  # a part may be named by its own parts
    parts = {
        f"qpm_lab.{path.stem}"
        for path in (ROOT / "qpm_lab").iterdir()
        if (path / "__init__.py").exists() or (path.suffix == ".py" and path.stem != "__init__")
    }
    assert parts <= named


@pytest.mark.parametrize("module", ["qpm_lab", "qpm_lab.lab", "qpm_magics", "qpm_lab.cli", "qpm_lab.display"])
def test_importing_loads_no_sdk(module: str) -> None:
    """What takes seconds to import is imported when it is first needed."""
    code = f"import sys, {module}\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    """A file that long holds two things."""
    front = list((ROOT / "labextension" / "src").rglob("*.ts*"))
    long = [str(p.relative_to(ROOT)) for p in [*SOURCES, *front] if len(p.read_text().splitlines()) > 400]
    assert long == []


def test_no_tracked_file_names_a_registry_host_or_a_machine_path() -> None:
    """The project installs by package name from whatever registry the machine is set up for."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    hosts = re.compile(r"https?://[^\s\"']*(registry\.npmjs|pypi\.org|pythonhosted|deb\.debian)")
    found = [
        name
        for name in tracked.stdout.splitlines()
        if (ROOT / name).is_file() and hosts.search((ROOT / name).read_text(errors="ignore"))
    ]
    assert found == []


def test_the_public_names_are_pinned() -> None:
    """What `import qpm_lab` offers changes only on purpose."""
    import qpm_lab

    assert sorted(qpm_lab.__all__) == [
        "ApprovalNeededError",
        "DeniedError",
        "Job",
        "Lab",
        "QpmError",
        "QuotaError",
        "Result",
    ]
    assert all(getattr(qpm_lab, name) for name in qpm_lab.__all__)


def test_every_error_has_the_exit_code_of_the_public_surface() -> None:
    """One table for the whole tree."""
    from qpm_lab import errors

    assert {name: getattr(errors, name).exit_code for name in dir(errors) if name.endswith("Error")} == {
        "QpmError": 2,
        "InputError": 2,
        "CircuitError": 2,
        "SettingsError": 2,
        "UnreadableKeyError": 2,
        "PolicyError": 3,
        "BundleError": 2,
        "DeniedError": 3,
        "QuotaError": 4,
        "ApprovalNeededError": 7,
        "ProviderError": 5,
        "CapacityError": 5,
        "CancelledError": 5,
        "ValidationError": 6,
        "PromotionError": 6,
        "LedgerError": 5,
        "IntegrityError": 8,
    }
