"""One thing that is wrong in a home stops what needs it, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.cli import main
from qpm_lab.lab import close_default_lab

BELL = Path(__file__).resolve().parents[2] / "notebooks" / "bell.qasm"


@pytest.fixture
def qpm(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs one command in this process; gives exit code and document."""

    def run(*words: str) -> tuple[int, Any]:
        code = main([*words, "--json"])
        close_default_lab()
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def key_for_all(home: Path) -> Path:
    """A key that others may read, which is refused."""
    path = home / "secrets" / "ionq"
    path.parent.mkdir(mode=0o700, parents=True)
    path.write_text("a-key-that-all-can-read")
    path.chmod(0o644)
    return path


def test_a_key_that_cannot_be_read_is_told_at_its_own_vendor_only(qpm: Any, key_for_all: Path) -> None:
    """The others are listed and quoted; of this one it says what is wrong and how to mend it."""
    code, document = qpm("backends")
    assert code == 0
    row = next(each for each in document["backends"] if each["id"] == "ionq/qpu.forte-1")
    assert row["state"] == "needs-key"
    assert "chmod" in row["note"] or "read" in row["note"]
    assert "a-key-that" not in str(document)
    code, document = qpm("quote", str(BELL), "--backend", "braket/iqm_garnet,ionq/simulator")
    assert (code, len(document["quotes"])) == (0, 2)


def test_prices_that_cannot_be_read_stop_no_local_run(qpm: Any, home: Path) -> None:
    """What runs on this machine is free whatever a site's prices say; a vendor's machine is refused with the path."""
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "prices.yaml").write_text("prices: [")
    code, document = qpm("run", str(BELL), "--backend", "aer/simulator", "--shots", "10")
    assert (code, document["status"]) == (0, "completed")
    code, document = qpm("quote", str(BELL), "--backend", "braket/iqm_garnet")
    assert code == 2
    assert "prices.yaml" in document["error"]["message"]
