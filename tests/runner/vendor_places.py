"""Homes whose vendors are doubles in processes of their own, for the kill tests of jobs at vendors."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from qpm_lab.doubles import RunningDouble
from qpm_lab.runner import clock
from tests.conftest import ROOT

BACKENDS = {"ionq": "ionq/simulator", "braket": "braket/iqm_garnet", "aqt": "aqt/ibex", "ibm": "ibm/ibm_torino"}
"""Looked up by name, sent again under the same key, cannot be asked, looked up by tag."""
MODES = ("prompt", "delayed")
DELAYS = {"visibility_seconds": 0.6, "late_seconds": 0.25}
STATED = {"poll_seconds": 0.15, "timeout_seconds": 6, "visibility_seconds": 1}
"""What a site states of each vendor; longer than what the doubles do."""


@dataclass
class Place:
    """One home, its bundle and its vendors."""

    home: Path
    policies: Path
    doubles: dict[str, RunningDouble]
    environment: dict[str, str]
    span: float
    """How long a submission takes at most."""
    checked: set[str] = field(default_factory=set)
    """Jobs whose end is known."""
    tokens: set[str] = field(default_factory=set)
    """Of every parcel that the ledger knows of."""

    def submissions(self) -> list[dict[str, Any]]:
        return [each for double in self.doubles.values() for each in double.submissions()]


@contextmanager
def running(vendors: Sequence[str], folder: Callable[[str], Path]) -> Iterator[dict[str, Place]]:
    """A home for each way in which vendors behave, with doubles of its own, in the folder of that name."""
    wanted = [(mode, name) for mode in MODES for name in vendors]
    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        started = dict(zip(wanted, pool.map(_started, [name for _, name in wanted]), strict=True))
        for process, _ in started.values():
            stack.callback(_end, process)
        made = {}
        for mode in MODES:
            found = {name: started[mode, name][1] for name in vendors}
            for double in found.values():
                double.faults(queue_polls=1, run_polls=1, **(DELAYS if mode == "delayed" else {}))
            made[mode] = _place(folder(mode), found, delayed=mode == "delayed")
        yield made


def _started(name: str) -> tuple[subprocess.Popen[str], RunningDouble]:
    command = [sys.executable, "-m", "qpm_lab.doubles", name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    return process, RunningDouble(told["url"], told["access"])


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _place(folder: Path, doubles: dict[str, RunningDouble], *, delayed: bool) -> Place:
    home = folder / "home"
    home.mkdir()
    accesses = {name: double.access for name, double in doubles.items()}
    told = {name: {"url": each["url"], **each["options"], **STATED} for name, each in accesses.items()}
    (home / "settings.yaml").write_text(yaml.safe_dump({"providers": told}))
    (home / "prices.yaml").write_text(yaml.safe_dump({"prices": [_price(name) for name in BACKENDS.values()]}))
    environment = {"LOGNAME": "ada", "QPM_PROVIDERS": str(Path(sys.prefix) / "providers")}
    for name, access in accesses.items():
        for key, value in access["secrets"].items():
            environment[f"QPM_SECRET_{name if key == 'token' else f'{name}_{key}'}".upper()] = value
    return Place(
        home, bundle(folder / "bundle"), doubles, environment, DELAYS["late_seconds"] + 0.1 if delayed else 0.02
    )


def _price(backend: str) -> dict[str, Any]:
    return {
        "id": backend,
        "backends": [backend],
        "formula": "task-and-shot",
        "rates": {"per_task": "0.01", "per_shot": "0.0001"},
        "currency": "USD",
        "unit": "task and shot",
        "source": "a contract",
        "seen_on": clock.now().date(),
        "confidence": "A",
        "region": "us",
        "channel": "tests",
    }


def bundle(folder: Path, jobs: int = 100_000) -> Path:
    shutil.copytree(ROOT / "policies" / "personal", folder)
    document = yaml.safe_load((folder / "quotas.yaml").read_text())
    limits = {"jobs": jobs, "shots": 100_000_000, "cost": "100000 USD"}
    document["quotas"] = [
        {"id": name, "measure": name, "scope": "user", "window": "month", "limit": limit, "owner": "tests"}
        for name, limit in limits.items()
    ]
    (folder / "quotas.yaml").write_text(yaml.safe_dump(document))
    return folder
