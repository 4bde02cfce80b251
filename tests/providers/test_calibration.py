"""Backends as they were: content under a digest."""

from __future__ import annotations

import subprocess
import sys

import pytest
from qiskit.transpiler import InstructionProperties

from qpm_lab.errors import InputError
from qpm_lab.providers import all_backends, calibration, read_calibration, target, vendors
from qpm_lab.providers.calibrations import of_target
from qpm_lab.providers.generic_device import Errors, draw

ERRORS = Errors((0.001, 0.002), (0.01, 0.02), (0.03, 0.04))


@pytest.mark.parametrize("name", [info.id for info in all_backends() if info.local and info.provider not in vendors()])
def test_every_backend_has_a_calibration_that_reads_back(name: str) -> None:
    """The digest is that of the content, and asking again gives the same object."""
    from hashlib import sha256

    found = calibration(name)
    assert found.digest == f"sha256:{sha256(found.content).hexdigest()}"
    assert read_calibration(found.content)["qubits"] == target(name).num_qubits
    assert calibration(name) is found


@pytest.mark.parametrize("name", ["aer/noisy", "stim/noisy"])
def test_all_that_a_result_is_read_against_is_in_it(name: str) -> None:
    """Errors, durations, relaxation times and couplings, as the target has them."""
    found, offered = read_calibration(calibration(name).content), target(name)
    assert {tuple(pair) for pair in found["coupling"]} == set(offered["cx"])
    for gate in ("cx", "sx", "measure"):
        told = {tuple(each["qubits"]): (each["error"], each["duration_seconds"]) for each in found["gates"][gate]}
        assert told == {where: (known.error, known.duration) for where, known in offered[gate].items()}
    assert [each["t1_seconds"] for each in found["qubit_properties"]] == [q.t1 for q in offered.qubit_properties]
    assert "readout error" in calibration(name).description


def test_an_ideal_backend_says_that_it_has_no_errors() -> None:
    """Its gates act anywhere, and their errors are unknown and not zero."""
    found = read_calibration(calibration("aer/simulator").content)
    assert found["gates"]["cx"] == [{"duration_seconds": None, "error": None, "qubits": None}]
    assert "no errors stated" in calibration("aer/simulator").description


def test_another_process_finds_the_same_digest() -> None:
    """Content decides, not the order in which a process happens to hold it."""
    ask = "from qpm_lab.providers import calibration as c; print(c('aer/noisy').digest, c('stim/noisy').digest)"
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    assert said == [calibration("aer/noisy").digest, calibration("stim/noisy").digest]


def test_equal_devices_have_equal_digests_and_others_do_not() -> None:
    """A device drawn again is the same; another seed, grid or range of errors is another."""
    one, again = (of_target(draw((2, 3), ERRORS, 1, decides=True).target).digest for _ in range(2))
    others = {
        of_target(draw((2, 3), ERRORS, 2, decides=True).target).digest,
        of_target(draw((3, 2), ERRORS, 1, decides=True).target).digest,
        of_target(draw((2, 3), Errors((0.1, 0.2), (0.01, 0.02), (0.03, 0.04)), 1, decides=True).target).digest,
    }
    assert one == again
    assert len({one, *others}) == 4


@pytest.mark.parametrize("gate", ["cx", "sx", "measure"])
@pytest.mark.parametrize("field", ["error", "duration"])
def test_a_calibration_that_changes_in_place_is_another(gate: str, field: str) -> None:
    """The target object is the same, one number of it is not, and going back gives the first digest again."""
    device = draw((2, 3), ERRORS, 1, decides=False).target
    where = min(device[gate])
    before, old = of_target(device), device[gate][where]
    values = {"error": old.error, "duration": old.duration}
    device.update_instruction_properties(gate, where, InstructionProperties(**{**values, field: 0.0123}))
    assert of_target(device).digest != before.digest
    device.update_instruction_properties(gate, where, InstructionProperties(**values))
    assert of_target(device).digest == before.digest


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"schema": 2, "gates": {}}', b"\xff", b"[" * 10**5])
def test_what_is_no_calibration_is_refused(content: bytes) -> None:
    """An error of ours, whatever the bytes."""
    with pytest.raises(InputError):
        read_calibration(content)
