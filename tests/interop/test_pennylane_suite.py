"""PennyLane's own device test suite, run as its users run it: `pl-device-test --device qpm.lab --shots 50000`.

Nothing may fail. Every skip and expected failure below is the suite's own decision; the table gives the reason, and
the test fails for one that is not in it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pennylane.devices.tests import get_device_tests

SHOTS = 50_000
"""The suite's tolerance of 0.05 is then far from chance where it does not try again itself; a fixed seed would make it
try the same again."""
WHY: dict[str, str] = {
    r"could not import '(jax|torch)'": "Neither library is required; with one installed its gradients are run too.",
    r"analytic|If shots!=None|state information when shots": "qpm.lab measures with shots; there is no exact state.",
    r"SparseHamiltonian only supported in analytic mode": "A sparse matrix has no rotations to measure it with.",
    r"test only works with backprop": "Backpropagation needs a simulator inside the differentiating library.",
    r"test only works with parameter-shift": "The Hadamard-test variant of a parameter-shift test.",
    r"old (device )?interface": "Tests of the device interface that PennyLane has replaced.",
    r"^operation not supported on the device": "QubitDensityMatrix prepares a mixed state; noise comes with a backend.",
    r"QutritBasisState": "Qutrits.",
    r"most devices do not support CV": "Continuous variables.",
    r"custom measurement transforms": "A MeasurementTransform runs code of its own in place of a job.",
}
"""Pattern of what the suite says → why that is right for this device."""
LEAST_PASSED = 350
"""365 pass today; far fewer would mean that it no longer runs."""


@pytest.fixture
def quick_home() -> Iterator[str]:
    """A QPM_HOME in memory where the machine has one: some 450 jobs wait for the disk otherwise."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield folder


def test_pennylanes_device_suite_passes(tmp_path: Path, quick_home: str) -> None:
    """Every test of it that applies to a device with shots passes on aer/simulator."""
    command = [
        *(sys.executable, "-m", "pytest", get_device_tests()),
        *("--device", "qpm.lab", "--shots", str(SHOTS), "--no-flaky-report"),
        *("-q", "-rsxX", "--tb=short", "-p", "no:cacheprovider"),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "400", "QPM_HOME": quick_home},
        capture_output=True,
        text=True,
        check=False,
    )
    report = done.stdout + done.stderr
    assert done.returncode == 0, report[-6000:]
    passed = re.search(r"(\d+) passed", report)
    assert passed
    assert int(passed[1]) >= LEAST_PASSED
    assert [reason for reason in reasons(report) if not any(re.search(why, reason) for why in WHY)] == []


def reasons(report: str) -> list[str]:
    """What the suite's summary says after the place of each skip and expected failure."""
    skipped = re.findall(r"^SKIPPED \[\d+\] \S+: (.*)$", report, re.MULTILINE)
    expected = re.findall(r"^XFAIL \S+ - (.*)$", report, re.MULTILINE)
    assert not re.findall(r"^XPASS .*$", report, re.MULTILINE)
    return skipped + expected


@pytest.mark.parametrize(
    ("line", "said"), [("SKIPPED [2] ../a.py:9: why not", "why not"), ("XFAIL a.py::b[c] - cv", "cv")]
)
def test_the_reasons_are_found_in_a_report(line: str, said: str) -> None:
    """A summary in another form would leave the table unchecked."""
    assert reasons(f"x\n{line}\ny") == [said]
