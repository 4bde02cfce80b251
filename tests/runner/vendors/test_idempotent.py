"""A vendor that takes a token as a key, by its own client in its own environment: Amazon Braket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from qpm_lab import Lab, doubles
from qpm_lab.doubles import RunningDouble
from qpm_lab.experiment import OPEN
from qpm_lab.providers import vendors
from tests.runner.vendors.conftest import ENVIRONMENTS, QUICK, asymmetric, events, reserved, until

CREATE = "POST /quantum-task"


@pytest.fixture(scope="module")
def listening() -> Iterator[RunningDouble]:
    with doubles.started("braket") as running:
        yield running


@pytest.fixture
def double(listening: RunningDouble) -> RunningDouble:
    listening.reset()
    return listening


@pytest.fixture
def machine() -> str:
    """The first of Braket's machines that is not local, a simulator where there is one."""
    known = [info for info in vendors()["braket"].vendor.backends if not info.local]
    return min(known, key=lambda info: info.kind != "simulator").id


@pytest.fixture
def braket(
    home: Path, double: RunningDouble, monkeypatch: pytest.MonkeyPatch, make_braket_lab: Callable[[], Lab]
) -> Lab:
    """A Lab whose settings name the double."""
    for name, value in double.access["secrets"].items():
        monkeypatch.setenv(f"QPM_SECRET_BRAKET_{name.upper()}", value)
    monkeypatch.setenv("QPM_PROVIDERS", str(ENVIRONMENTS))
    home.mkdir()
    options = {**QUICK, "visibility_seconds": 0.5, **double.access["options"], "url": double.access["url"]}
    (home / "settings.yaml").write_text(yaml.safe_dump({"providers": {"braket": options}}))
    return make_braket_lab()


@pytest.fixture
def make_braket_lab(home: Path, dear_bundle: Path) -> Iterator[Callable[[], Lab]]:
    made: list[Lab] = []

    def make() -> Lab:
        made.append(Lab(home, policies=dear_bundle))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_lost_answer_is_settled_by_sending_the_same_key_again(
    braket: Lab, double: RunningDouble, machine: str
) -> None:
    """The vendor makes no second job of it, and the counts are unmasked as with any other."""
    double.faults(lost_answer=1.0, only=CREATE)
    job = braket.submit(asymmetric(), backend=machine, shots=20, fidelity="none")
    until(lambda: "vendor.unclear" in events(job))
    double.faults(lost_answer=0.0)
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1
    assert reserved(braket) == 0
    assert braket.ledger.verify().ok


def test_a_refusal_of_the_second_try_says_nothing_of_the_first(
    braket: Lab, double: RunningDouble, machine: str
) -> None:
    """It waits with the vendor's words, since the first may well be running, and goes on once it is let in."""
    double.faults(lost_answer=1.0, only=CREATE)
    job = braket.submit(asymmetric(), backend=machine, shots=20, fidelity="none")
    until(lambda: "vendor.unclear" in events(job))
    double.faults(lost_answer=0.0, expired_token=True)
    until(lambda: "expired" in str(job.record()["progress"]))
    assert job.status in OPEN
    double.faults(expired_token=False)
    assert job.result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


def test_the_next_kernel_sends_the_same_key(
    braket: Lab, double: RunningDouble, machine: str, make_braket_lab: Callable[[], Lab]
) -> None:
    """The key is in the ledger before anything leaves."""
    double.faults(lost_answer=1.0, only=CREATE)
    job = braket.submit(asymmetric(), backend=machine, shots=20, fidelity="none")
    until(lambda: "vendor.unclear" in events(job))
    braket.close()
    double.faults(lost_answer=0.0)
    assert make_braket_lab().job(job.id).result(60).counts == {"01 1": 20}
    assert len(double.submissions()) == 1


def test_the_users_names_are_in_none_of_its_requests(braket: Lab, double: RunningDouble, machine: str) -> None:
    """Neither in the program nor in a tag or the place of the result."""
    braket.submit(asymmetric(), backend=machine, shots=20, project="project_secret", fidelity="none").result(60)
    assert double.received()
    assert not [each for each in double.received() if "secret" in each.replace("secret_access_key", "")]
