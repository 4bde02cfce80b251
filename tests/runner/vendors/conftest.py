"""A home whose settings name a double, a bundle that lets hardware be paid for, and one client for all tests."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qpm_lab import Lab, doubles
from qpm_lab.doubles import RunningDouble
from qpm_lab.job import Job
from qpm_lab.runner import delivery

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENTS = Path(sys.prefix) / "providers"
QUICK = {"poll_seconds": 0.2, "timeout_seconds": 20, "visibility_seconds": 0.5}
SIMULATOR, MACHINE = "ionq/simulator", "ionq/qpu.forte-1"
Settings = Callable[..., None]


@pytest.fixture(scope="session")
def listening() -> Iterator[RunningDouble]:
    """One for all tests: a client whose access stays the same stays alive too."""
    with doubles.started("ionq") as running:
        yield running


@pytest.fixture
def double(listening: RunningDouble) -> RunningDouble:
    """IonQ's double, with no memory of earlier tests."""
    listening.reset()
    return listening


@pytest.fixture(scope="session")
def dear_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The personal bundle with room for the double's prices, which begin at 25 USD."""
    folder = tmp_path_factory.mktemp("bundle") / "dear"
    shutil.copytree(ROOT / "policies" / "personal", folder)
    rules = (folder / "rules.cedar").read_text()
    assert "context.cost_high_nano > 10000000000" in rules
    (folder / "rules.cedar").write_text(
        rules.replace("cost_high_nano > 10000000000", "cost_high_nano > 900000000000000")
    )
    document = yaml.safe_load((folder / "quotas.yaml").read_text())
    for quota in document["quotas"]:
        if quota["measure"] == "cost":
            quota["limit"] = "900000.00 USD"
    (folder / "quotas.yaml").write_text(yaml.safe_dump(document))
    return folder


@pytest.fixture
def settings(home: Path, double: RunningDouble, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Writes settings.yaml: the double's address and short times, changed as told; None leaves a setting out."""
    monkeypatch.setenv("QPM_SECRET_IONQ", double.access["secrets"]["token"])
    monkeypatch.setenv("QPM_PROVIDERS", os.environ.get("QPM_PROVIDERS") or str(ENVIRONMENTS))
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0.05)

    def write(**changes: Any) -> None:
        options = {**QUICK, **double.access["options"], "url": double.access["url"], **changes}
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in options.items() if value is not None}
        (home / "settings.yaml").write_text(yaml.safe_dump({"providers": {"ionq": kept}}))

    write()
    return write


@pytest.fixture
def make_lab(home: Path, settings: Settings, dear_bundle: Path) -> Iterator[Callable[..., Lab]]:
    """Makes Labs of this home; all are closed afterwards."""
    made: list[Lab] = []

    def make(**options: Any) -> Lab:
        made.append(Lab(home, **{"policies": dear_bundle, **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    return make_lab()


def asymmetric() -> QuantumCircuit:
    """Gives `01 1` in register order `late early`: no two of its bits are alike, and its names are the user's own."""
    early, late = ClassicalRegister(1, "early_secret"), ClassicalRegister(2, "late_secret")
    made = QuantumCircuit(QuantumRegister(4, "ions_secret"), early, late, name="plan_secret")
    made.x(0)
    made.cx(0, 2)
    made.measure(2, early[0])
    made.measure(0, late[0])
    made.measure(1, late[1])
    return made


def flipped(bit: int, width: int = 3) -> QuantumCircuit:
    """Gives a single 1, at that bit."""
    made = QuantumCircuit(width, width)
    made.x(bit)
    made.measure(range(width), range(width))
    return made


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Waits for a condition; what it gave."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
    return found


def events(job: Job) -> list[str]:
    """What the ledger says of a job, in order."""
    return [entry.event for entry in job._lab.ledger.entries(job.id)]


def reserved(lab: Lab) -> int:
    """What all counters hold."""
    from qpm_lab.runner import clock

    return sum(counter.reserved for counter in lab.ledger.all_counters(at=clock.now()))


@pytest.fixture
def unused_port() -> int:
    """One at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
