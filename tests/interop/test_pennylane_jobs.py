"""What a QNode on `qpm.lab` leaves behind and how it ends: refusals, labels, sessions, interrupts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp

from qpm_lab import Lab, QuotaError
from qpm_lab.errors import DeniedError, InputError
from tests.interop.conftest import Device
from tests.interop.test_pennylane import FAR, HERMITIAN


def test_a_refusal_reaches_the_caller_as_it_is(device: Device, lab: Lab) -> None:
    """DeniedError with its hint, from a call and from inside a gradient; nothing ran."""
    node = qml.QNode(lambda x: [qml.RX(x, 0), qml.expval(qml.Z(0))][1], device(wires=1, shots=2 * 10**9))
    with pytest.raises(DeniedError) as refused:
        node(0.1)
    assert refused.value.hint
    with pytest.raises(DeniedError):
        qml.grad(node)(pnp.array(0.1, requires_grad=True))
    assert {row["status"] for row in lab.page()["jobs"]} == {"denied"}


def test_an_unknown_backend_is_refused_when_the_device_is_made(device: Device) -> None:
    """With the nearest names as the hint."""
    with pytest.raises(InputError, match="aer/simulator"):
        device(wires=1, backend="aer/simulatr")


def test_labels_reach_the_record(device: Device, lab: Lab) -> None:
    """Who pays and what for, as with `Lab.submit`; the job is found under its id."""
    made = device(wires=1, shots=5, experiment="e1", project="p1", cost_center="c1", classification="internal")
    qml.QNode(lambda: qml.counts(), made)()
    labels = lab.record(made.jobs[0])["labels"]
    assert [labels[k] for k in ("experiment", "project", "cost_center", "classification")] == [
        "e1",
        "p1",
        "c1",
        "internal",
    ]


def test_a_noisy_backend_is_noisy(device: Device) -> None:
    """Noise belongs to the backend: the same QNode on aer/noisy leaves its ideal outcome."""
    node = qml.QNode(
        lambda: [qml.X(0), [qml.CNOT([0, 1]) for _ in range(10)], qml.counts()][2], device(wires=2, backend="aer/noisy")
    )
    counts = node()
    assert max(counts, key=lambda key: counts[key]) == "10"
    assert len(counts) > 1


def test_a_session_stops_the_step_that_does_not_fit(device: Device, lab: Lab) -> None:
    """Jobs of a device made before draw from it as well."""
    node = qml.QNode(lambda: qml.counts(), device(wires=1, shots=10))
    with lab.session(max_jobs=2) as session:
        node()
        node()
        with pytest.raises(QuotaError) as refused:
            node()
        assert refused.value.hint
    assert session.record()["jobs"]["completed"] == 2
    assert node() == {"0": 10}


def test_the_tracker_counts_what_ran(device: Device) -> None:
    """Executions and shots as PennyLane's own devices report them."""
    made = device(wires=2, shots=100)
    node = qml.QNode(lambda: qml.expval(qml.Z(0) + qml.X(0)), made)
    with qml.Tracker(made) as tracker:
        node()
    assert tracker.totals["batches"] == 1
    assert tracker.totals["shots"] == 200
    assert tracker.totals["executions"] == 2


def test_noise_channels_are_refused_by_name(device: Device) -> None:
    """Pure circuits only: noise is chosen with the backend."""
    node = qml.QNode(lambda: [qml.BitFlip(0.1, 0), qml.counts()][1], device(wires=1))
    with pytest.raises(qml.exceptions.DeviceError, match="BitFlip"):
        node()


def test_angles_that_are_not_finite_are_refused(device: Device, lab: Lab) -> None:
    """Before anything is recorded."""
    node = qml.QNode(lambda x: [qml.RX(x, 0), qml.counts()][1], device(wires=1))
    with pytest.raises(InputError, match="finite"):
        node(np.nan)
    assert lab.page()["jobs"] == []


def test_interrupting_a_run_cancels_its_job(device: Device, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while waiting leaves nothing running."""
    from qpm_lab.job import Job

    cancelled: list[str] = []

    def interrupted(self: Job, timeout: float | None = None) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Job, "result", interrupted)
    monkeypatch.setattr(Job, "cancel", lambda self: cancelled.append(self.id))
    made = device(wires=1, shots=10)
    with pytest.raises(KeyboardInterrupt):
        qml.QNode(lambda: qml.counts(), made)()
    assert cancelled == list(made.jobs)


def test_what_cannot_be_written_out_is_refused_before_it_runs(device: Device, lab: Lab) -> None:
    """All 2^28 probabilities: the hint names counts, and no shot is spent."""
    node = qml.QNode(lambda: qml.probs(), device(wires=28, shots=10))
    with pytest.raises(InputError, match="28 wires") as refused:
        node()
    assert "counts" in refused.value.hint
    assert lab.page()["jobs"] == []


def test_sums_of_other_than_pauli_words_are_measured_term_by_term(device: Device) -> None:
    """A matrix, a Hadamard and a Pauli word that overlap, beside a variance of a sum in its own basis."""

    def circuit() -> Any:
        qml.RY(0.3, 0)
        qml.CNOT([0, 1])
        qml.RX(1.1, 2)
        mixed = qml.Hermitian(HERMITIAN, [0, 1]) + 2 * qml.Z(2) + qml.Hadamard(0) @ qml.X(2)
        return qml.expval(mixed), qml.expval(3 * qml.Hadamard(1))

    exact = qml.QNode(circuit, qml.device("default.qubit", wires=3))()
    np.testing.assert_allclose(qml.QNode(circuit, device(wires=3))(), exact, atol=6 * FAR)


def test_a_measurement_of_ones_own_is_read_off_samples(device: Device) -> None:
    """Any SampleMeasurement works; two tapes with different ones keep theirs."""

    class Ones(qml.measurements.SampleMeasurement):
        """How many ones there are on the first `most` wires."""

        def __init__(self, most: int) -> None:
            super().__init__(wires=qml.wires.Wires([0, 1]))
            self.most = most

        def process_samples(self, samples: Any, wire_order: Any, *_: Any, **__: Any) -> Any:
            return samples[:, : self.most].sum()

        def process_counts(self, counts: Any, wire_order: Any) -> Any:
            raise NotImplementedError

    tapes = [qml.tape.QuantumScript([qml.X(0), qml.X(1)], [Ones(most)], shots=10) for most in (1, 2)]
    assert qml.execute(tapes, device(wires=2)) == (10, 20)


def test_a_priced_backend_that_cannot_run_yet_refuses_as_everywhere(device: Device) -> None:
    """The device can be made; its first job meets the rules of the bundle."""
    made = device(wires=1, shots=10, backend="ionq/qpu.forte-1")
    with pytest.raises(DeniedError):
        qml.QNode(lambda: qml.counts(), made)()
