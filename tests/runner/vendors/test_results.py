"""What goes to a vendor and what comes back: circuits, shots and names."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qpm_lab import Lab
from qpm_lab.doubles import RunningDouble
from qpm_lab.providers import vendors
from qpm_lab.runner.record import histograms
from tests.runner.vendors.conftest import MACHINE, SIMULATOR, asymmetric, events, flipped, reserved, until


def test_a_job_queues_runs_and_comes_back_under_the_users_own_registers(lab: Lab, double: RunningDouble) -> None:
    """The vendor's state is shown while it waits, and the counts are split into the registers of the circuit."""
    double.faults(queue_polls=3, run_polls=2)
    job = lab.submit(asymmetric(), backend=MACHINE, shots=50)
    assert until(lambda: "queued at IonQ" in job.record()["progress"]["message"])
    until(lambda: job.wait(0) or "running at IonQ" in job.record()["progress"]["message"])
    assert job.result(60).counts == {"01 1": 50}
    assert events(job) == ["job.submitted", "job.accepted", "job.started", "job.completed"]
    assert job.record()["vendor_ids"] == [each["id"] for each in double.submissions()]
    assert reserved(lab) == 0
    assert lab.ledger.verify().ok


def test_nothing_of_the_users_names_reaches_the_vendor(lab: Lab, double: RunningDouble) -> None:
    """Neither the circuit's name, its registers', its parameters' nor any label of the job is in any request."""
    angle = Parameter("angle_secret")
    circuit = asymmetric()
    circuit.metadata = {"note": "metadata_secret"}
    swept = circuit.copy(name="copy_secret")
    swept.rx(angle, 3)
    job = lab.submit(
        [circuit, swept], backend=MACHINE, shots=10, name="job_secret", project="project_secret", fidelity="none",
        cost_center="center_secret", experiment="experiment_secret", parameters={angle: 0.25},
    )  # fmt: skip
    job.result(60)
    told = double.received()
    assert any("POST /v0.4/jobs" in each for each in told)
    assert not [each for each in told if "secret" in each or "ada" in each.lower() or job.id in each]


def test_a_list_of_circuits_is_sent_in_as_many_vendor_jobs_as_it_takes(
    lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each circuit gets its own counts, whichever vendor job carried it."""
    import dataclasses

    remote = vendors()["ionq"]
    monkeypatch.setattr(remote, "vendor", dataclasses.replace(remote.vendor, most_circuits=2))
    job = lab.submit([flipped(n) for n in (0, 1, 2, 1, 0)], backend=SIMULATOR, shots=20, fidelity="none")
    assert [dict(each.counts) for each in job.result(60)] == [
        {"001": 20}, {"010": 20}, {"100": 20}, {"010": 20}, {"001": 20},
    ]  # fmt: skip
    assert len({each["token"] for each in double.submissions()}) == 3
    assert job.record()["vendor_ids"] == [each["id"] for each in double.submissions()]


def test_a_sweep_comes_back_point_by_point(lab: Lab) -> None:
    """Points that are sent as circuits of their own come back in their shape and order."""
    angle = Parameter("angle")
    circuit = QuantumCircuit(2, 2)
    circuit.rx(angle, 0)
    circuit.measure([0, 1], [1, 0])
    values = np.array([0.0, np.pi, 0.0, np.pi])
    job = lab.submit(circuit, backend=SIMULATOR, shots=30, parameters={angle: values}, fidelity="none")
    job.result(60)
    assert [dict(each) for each in histograms(lab.ledger, job.id)] == [{"00": 30}, {"10": 30}, {"00": 30}, {"10": 30}]


def test_twirled_variants_are_undone_in_the_counts(lab: Lab, double: RunningDouble) -> None:
    """A readout twirl flips bits before they are read; the user sees none of it."""
    job = lab.submit(asymmetric(), backend=SIMULATOR, shots=64, twirl="readout", fidelity="none")
    assert job.result(60).counts == {"01 1": 64}


def test_companions_run_at_the_vendor_beside_the_job(lab: Lab, double: RunningDouble) -> None:
    """A fidelity by mirror circuits is measured there, and the job's own counts are whole."""
    job = lab.submit(asymmetric(), backend=MACHINE, shots=200, fidelity="mirror")
    result = job.result(60)
    assert result.counts == {"01 1": 200}
    assert job.record()["companions"]["circuits"] > 0
    assert result.fidelity.value is not None
    assert result.fidelity.value > 0.9


def test_labels_and_classification_stay_with_the_job(lab: Lab) -> None:
    """What leaves unnamed comes back under the labels that it was submitted with."""
    job = lab.submit(flipped(0), backend=SIMULATOR, shots=10, classification="public", project="p7", cost_center="c9")
    job.result(60)
    labels = job.record()["labels"]
    assert (labels["classification"], labels["project"], labels["cost_center"]) == ("public", "p7", "c9")


def test_a_confidential_job_never_leaves(lab: Lab, double: RunningDouble) -> None:
    """The rule is asked before the vendor is."""
    from qpm_lab.errors import DeniedError

    with pytest.raises(DeniedError, match="confidential"):
        lab.submit(flipped(0), backend=SIMULATOR, shots=10, classification="confidential")
    assert not double.submissions()
