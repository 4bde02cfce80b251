"""A job once more: what is recorded is what runs, changed only where the caller says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qpm_lab import Lab
from qpm_lab.errors import DeniedError, InputError

BELL = "OPENQASM 3; include 'stdgates.inc'; qubit[2] q; h q[0]; cx q[0], q[1];"
SWEPT = "OPENQASM 3; include 'stdgates.inc'; input float theta; qubit[1] q; rx(theta) q[0];"


def test_a_job_is_repeated_as_it_was_recorded(lab: Lab) -> None:
    """Circuit, backend, shots and labels; but as a job of its own, with a seed of its own."""
    labels = {"experiment": "bell", "project": "p", "cost_center": "c", "classification": "public", "name": "pair"}
    first = lab.submit(BELL, backend="aer/noisy", shots=300, seed=7, **labels)
    first.result()
    second = lab.again(first.id[:8])
    old, new = first.record(), second.record()
    second.result()
    assert second.id != first.id
    assert new["circuit"]["fingerprint"] == old["circuit"]["fingerprint"]
    for key in ("backend", "shots", "labels", "name"):
        assert new[key] == old[key]
    assert new["seed"] != old["seed"]


def test_only_what_is_named_differs(lab: Lab) -> None:
    """More shots on another backend, everything else as before."""
    first = lab.submit(BELL, shots=300, experiment="bell")
    first.result()
    second = lab.again(first.id, 500, backend="aer/noisy", seed=3)
    second.result()
    record = second.record()
    assert (record["shots"], record["backend"], record["seed"]) == (500, "aer/noisy", 3)
    assert record["labels"]["experiment"] == "bell"


def test_a_sweep_is_repeated_with_its_values(lab: Lab) -> None:
    """A grid stays a grid."""
    values = {"theta": np.linspace(0, 1, 6).reshape(2, 3)}
    first = lab.submit(SWEPT, parameters=values, shots=50, seed=1)
    second = lab.again(first.id, seed=1)
    frames = [job.result().to_frame() for job in (first, second)]
    assert frames[0].equals(frames[1])
    assert second.record()["sweep"]["shape"] == [2, 3]


def test_several_circuits_come_back_in_order(lab: Lab) -> None:
    """Some swept, some not."""
    first = lab.submit([BELL, SWEPT], parameters={"theta": [0.1, 0.2]}, shots=50, seed=1)
    second = lab.again(first.id, seed=1)
    assert [dict(part.counts) for part in second.result()] == [dict(part.counts) for part in first.result()]


def test_a_refused_job_can_be_asked_for_again(lab: Lab) -> None:
    """A refusal keeps the circuit, so fewer shots are one command away."""
    with pytest.raises(DeniedError) as denied:
        lab.submit(BELL, shots=5_000_000_000)
    again = lab.again(denied.value.job_id or "", shots=100)
    assert sum(again.result().counts.values()) == 100


def test_a_repeated_job_is_judged_anew(lab: Lab) -> None:
    """What was allowed once gets no free pass."""
    first = lab.submit(BELL, shots=10)
    first.result()
    with pytest.raises(DeniedError):
        lab.again(first.id, shots=5_000_000_000)


def test_choices_of_measurement_are_kept(lab: Lab) -> None:
    """Conditions and twirl are part of the job."""
    first = lab.submit(BELL, backend="aer/noisy", shots=640, twirl="readout", validate="fidelity>=0.1", seed=1)
    first.result()
    record = lab.again(first.id).record()
    assert record["twirl"]["kind"] == "readout"
    assert [each["text"] for each in lab.job(first.id).record()["validation"]["conditions"]] == ["fidelity>=0.1"]
    again = lab.again(first.id)
    again.result()
    assert again.record()["validation"]["passed"] is True


@pytest.mark.parametrize("change", [{"circuit": BELL}, {"parameters": {}}, {"canary": "x"}, {"session": "x"}])
def test_what_cannot_change_is_refused(lab: Lab, change: dict[str, Any]) -> None:
    """Another circuit is another job."""
    first = lab.submit(BELL, shots=10)
    first.result()
    with pytest.raises(InputError, match="cannot be changed"):
        lab.again(first.id, **change)


def test_zero_shots_are_refused_and_not_overlooked(lab: Lab) -> None:
    """Nothing is taken for something else."""
    first = lab.submit(BELL, shots=10)
    first.result()
    with pytest.raises(InputError, match="shots"):
        lab.again(first.id, shots=0)


def test_an_unknown_job_is_named(lab: Lab) -> None:
    """With the place to look."""
    with pytest.raises(InputError, match="no job"):
        lab.again("0123456789ab")


def test_a_job_is_repeated_within_the_limit_its_user_had_set(lab: Lab) -> None:
    """What somebody would not exceed once is not exceeded by repeating it with more shots."""
    first = lab.submit(BELL, shots=10, max_cost="0.50")
    first.result()
    with pytest.raises(DeniedError, match=r"0\.5"):
        lab.again(first.id, 1000, backend="braket/iqm_garnet")
