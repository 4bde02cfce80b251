"""Runs compared: a verdict that a gate may rely on, what a reader has to know, and what cannot be compared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qpm_lab import Lab
from qpm_lab.errors import InputError

BELL = "OPENQASM 3; include 'stdgates.inc'; qubit[2] q; h q[0]; cx q[0], q[1];"
FLIPPED = "OPENQASM 3; include 'stdgates.inc'; qubit[2] q; h q[0]; cx q[0], q[1]; x q[0];"


def run(lab: Lab, circuit: Any = BELL, **options: Any) -> str:
    """The id of a job that has completed."""
    job = lab.submit(circuit, **{"shots": 4000, "backend": "aer/noisy", **options})
    job.result()
    return job.id


def test_runs_of_one_circuit_are_equivalent(lab: Lab) -> None:
    """Every pair's bound is below delta, and the document is plain JSON."""
    ids = [run(lab, seed=seed) for seed in (1, 2, 3)]
    found = lab.compare(ids)
    assert found["verdict"] == "equivalent"
    assert found["reason"] is None
    assert found["warnings"] == []
    assert len(found["circuits"][0]["pairs"]) == 3
    assert all(pair["upper"] < 0.1 for pair in found["circuits"][0]["pairs"])
    assert found["circuits"][0]["pairs"][0]["jobs"] == ids[:2]
    json.dumps(found, allow_nan=False)


def test_a_run_of_another_circuit_is_different_and_named(lab: Lab) -> None:
    """The circuits differ, which the reader is told as well."""
    found = lab.compare([run(lab, seed=1), run(lab, FLIPPED, seed=2)])
    assert found["verdict"] == "different"
    assert "apart" in found["reason"]
    assert any("different circuits" in words for words in found["warnings"])


def test_too_few_shots_are_inconclusive_and_say_how_many_would_do_at_what_price(lab: Lab) -> None:
    """Not significantly different is not the same."""
    ids = [run(lab, shots=60, seed=seed) for seed in (1, 2)]
    found = lab.compare(ids)
    assert found["verdict"] == "inconclusive"
    assert found["shots_needed"] > 60
    assert found["rerun"]["command"] == f"%qjob --again {ids[1]} --shots {found['shots_needed']}"
    assert found["rerun"]["quote"]["high"] == "0"
    assert found["rerun"]["quote"]["as_of"]


def test_one_simulation_seen_twice_is_no_evidence(lab: Lab) -> None:
    """The same seed gives the same shots: a gate must not open for them."""
    found = lab.compare([run(lab, seed=7), run(lab, seed=7)])
    assert found["verdict"] == "inconclusive"
    assert "shows nothing about the next" in found["reason"]
    assert any("same seed (7)" in words for words in found["warnings"])


def test_a_twirled_run_is_not_the_untwirled_simulation(lab: Lab) -> None:
    """The same seed gives other shots there; two runs twirled alike are one seen twice."""
    plain, twirled, again = run(lab, seed=7), run(lab, seed=7, twirl="readout"), run(lab, seed=7, twirl="readout")
    found = lab.compare([plain, twirled])
    assert found["verdict"] == "equivalent"
    assert found["warnings"] == ["Some of the runs are twirled differently."]
    assert lab.compare([twirled, again])["verdict"] == "inconclusive"


def test_the_circuit_that_needs_the_most_shots_gives_the_reason(lab: Lab) -> None:
    """The shots that are named are the shots that settle it."""
    ids = [run(lab, [BELL, "OPENQASM 3; include 'stdgates.inc'; qubit[5] q; h q;"], shots=60, seed=s) for s in (1, 2)]
    found = lab.compare(ids)
    needed = [block["shots_needed"] for block in found["circuits"]]
    assert needed[1] > needed[0]
    assert found["shots_needed"] == needed[1]
    assert found["reason"].startswith("Circuit 2 of 2")
    assert f"{needed[1]:,}" in found["reason"]


def test_sweeps_over_different_values_are_said_to_be(lab: Lab) -> None:
    """Their points are compared one by one, and are not the same points."""
    circuit = "OPENQASM 3; include 'stdgates.inc'; input float theta; qubit[1] q; rx(theta) q[0];"
    ids = [run(lab, circuit, parameters={"theta": [0.1, 0.7 + 0.01 * n]}, seed=n) for n in (1, 2)]
    assert any("different values" in words for words in lab.compare(ids)["warnings"])


def test_other_shots_do_not_make_the_same_seed_independent(lab: Lab) -> None:
    """The shorter simulation may be the beginning of the longer one."""
    found = lab.compare([run(lab, seed=7), run(lab, seed=7, shots=3000)])
    assert found["verdict"] == "inconclusive"
    assert len(found["warnings"]) == 2


def test_what_differs_between_runs_is_said(lab: Lab) -> None:
    """Backends and shots, with the values."""
    found = lab.compare([run(lab, seed=1), run(lab, seed=2, backend="aer/simulator", shots=3000)])
    said = " ".join(found["warnings"])
    assert "aer/noisy, aer/simulator" in said
    assert "3,000, 4,000" in said


def test_jobs_of_several_circuits_are_compared_circuit_by_circuit(lab: Lab) -> None:
    """One circuit that differs makes the runs different, and the reason says which."""
    same = lab.compare([run(lab, [BELL, FLIPPED], seed=seed) for seed in (1, 2)])
    assert same["verdict"] == "equivalent"
    assert len(same["circuits"]) == 2
    other = lab.compare([run(lab, [BELL, FLIPPED], seed=1), run(lab, [BELL, BELL], seed=2)])
    assert other["verdict"] == "different"
    assert [block["verdict"] for block in other["circuits"]] == ["equivalent", "different"]
    assert other["reason"].startswith("Circuit 2 of 2")


def test_the_points_of_a_sweep_are_compared_one_by_one(lab: Lab) -> None:
    """Each point has its own distance."""
    circuit = "OPENQASM 3; include 'stdgates.inc'; input float theta; qubit[1] q; rx(theta) q[0];"
    ids = [run(lab, circuit, parameters={"theta": [0.1, 0.7, 1.3]}, seed=seed) for seed in (1, 2)]
    found = lab.compare(ids)
    assert found["verdict"] == "equivalent"
    assert [block["name"].rpartition(", ")[2] for block in found["circuits"]] == ["point 0", "point 1", "point 2"]


def test_the_latest_runs_of_an_experiment_are_found(lab: Lab) -> None:
    """Oldest first, as many as asked for, completed ones only."""
    ids = [run(lab, experiment="bell", seed=seed) for seed in (1, 2, 3)]
    run(lab, experiment="other", seed=4)
    assert [each["job_id"] for each in lab.compare(experiment="bell")["runs"]] == ids
    assert [each["job_id"] for each in lab.compare(experiment="bell", last=2)["runs"]] == ids[1:]


def test_jobs_can_be_named_by_the_beginnings_of_their_ids_or_given_themselves(lab: Lab) -> None:
    """As everywhere else."""
    ids = [run(lab, seed=seed) for seed in (1, 2)]
    assert lab.compare([ids[0][:8], lab.job(ids[1])])["verdict"] == "equivalent"


def test_what_cannot_be_compared_is_refused_with_the_way_out(lab: Lab) -> None:
    """One job, a job twice, too many bits apart, an experiment without runs."""
    one = run(lab, seed=1)
    wide = run(lab, "OPENQASM 3; include 'stdgates.inc'; qubit[3] q; h q[0];", seed=2)
    two = run(lab, [BELL, BELL], seed=3)
    for jobs, words in [
        ([one], "there is one"),
        ([one, one[:10]], "named twice"),
        ([one, wide], "different numbers of bits"),
        ([one, two], "1 and 2 histograms"),
        ([one, "ffffffffffff"], "no job"),
        ([one, 5], "'5' is no job"),
        ([one, None], "'None' is no job"),
        (5, "'5' is no job"),
        (one, "there is one"),
    ]:
        with pytest.raises(InputError, match=words) as refused:
            lab.compare(jobs)
        assert refused.value.hint
    with pytest.raises(InputError, match="no completed run"):
        lab.compare(experiment="nothing")
    with pytest.raises(InputError, match="either jobs or an experiment"):
        lab.compare([one], experiment="bell")
    with pytest.raises(InputError, match="either jobs or an experiment"):
        lab.compare([one, two], last=3)


def test_a_job_without_a_result_is_not_compared(lab: Lab) -> None:
    """A refused job has no histogram."""
    done = run(lab, seed=1)
    with pytest.raises(Exception, match="shots") as denied:
        lab.submit(BELL, shots=5_000_000_000)
    with pytest.raises(InputError, match="only completed jobs"):
        lab.compare([done, denied.value.job_id])


@pytest.mark.parametrize("options", [{"delta": 0.0}, {"delta": 1.5}, {"alpha": 0.0}, {"alpha": 0.7}])
def test_impossible_limits_are_refused(lab: Lab, options: dict[str, float]) -> None:
    """Delta is a distance, alpha a probability below one half."""
    ids = [run(lab, seed=seed) for seed in (1, 2)]
    with pytest.raises(InputError, match="must lie between"):
        lab.compare(ids, **options)
