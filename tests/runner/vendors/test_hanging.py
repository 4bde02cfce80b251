"""A vendor that hangs, beside one that answers."""

from __future__ import annotations

import threading

import pytest

from qpm_lab import Lab
from qpm_lab.experiment import OPEN
from qpm_lab.providers import vendors
from qpm_lab.providers.vendor import Standing
from tests.runner.vendors.conftest import SIMULATOR, asymmetric, flipped

ANSWERS = f"chaos/latency=1ms@{SIMULATOR}"
"""The same double as a provider of its own."""


def test_a_job_ends_while_another_vendor_hangs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many jobs wait for the one that does not answer."""
    remote, standing = vendors()["ionq"], vendors()["ionq"].standing
    let_go, hangs = threading.Event(), threading.Event()

    def hang(backend_id: str, vendor_id: str) -> Standing:
        hangs.set()
        let_go.wait(60)
        return standing(backend_id, vendor_id)

    monkeypatch.setattr(remote, "standing", hang)
    stuck = [lab.submit(flipped(0), backend=SIMULATOR, shots=5, fidelity="none") for _ in range(6)]
    try:
        assert hangs.wait(60)
        other = lab.submit(asymmetric(), backend=ANSWERS, shots=20, fidelity="none")
        assert other.result(60).counts == {"01 1": 20}
        assert not let_go.is_set()
        assert all(each.status in OPEN for each in stuck)
    finally:
        let_go.set()
    assert [each.result(60).counts for each in stuck] == [{"001": 5}] * 6
