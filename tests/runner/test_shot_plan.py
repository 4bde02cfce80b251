"""How many shots for ± h: what the formula says, at which price, and where no number would do."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from qpm_lab import Lab
from qpm_lab.errors import InputError, QpmError

BELL = "OPENQASM 3; include 'stdgates.inc'; qubit[2] q; h q[0]; cx q[0], q[1];"
UNIFORM = "OPENQASM 3; include 'stdgates.inc'; qubit[4] q; h q;"
CATALOGUED = "ionq/qpu.forte-1"


def row(document: dict[str, Any], backend: str) -> dict[str, Any]:
    """What the plan says of one backend."""
    return next(each for each in document["rows"] if each["backend"] == backend)


def test_the_worst_case_is_that_of_the_method(lab: Lab) -> None:
    """N = 0.9604 / (h·c)² + 1 / (h·c), within one per cent; a Bell pair's contrast is one half."""
    found = row(lab.plan_shots(BELL, 0.02), "aer/noisy")
    unit = 0.02 * 0.5
    assert found["measured"] == "histogram"
    assert found["shots"] == pytest.approx(0.9604 / unit**2 + 1 / unit, rel=0.01)


def test_the_planned_shots_meet_the_half_width(lab: Lab) -> None:
    """In a real run, even though this machine is noisy."""
    shots = row(lab.plan_shots(BELL, 0.05), "aer/noisy")["shots"]
    fidelity = lab.submit(BELL, backend="aer/noisy", shots=shots, seed=1).result().fidelity
    assert fidelity.low is not None
    assert fidelity.high is not None
    assert (fidelity.high - fidelity.low) / 2 <= 0.05


def test_a_prediction_saves_shots_and_is_shown_beside_the_worst_case(lab: Lab) -> None:
    """Only where a backend reports its errors."""
    document = lab.plan_shots(BELL, 0.02)
    noisy, far = row(document, "aer/noisy"), row(document, CATALOGUED)
    assert 0.5 < noisy["predicted_fidelity"] < 1
    assert noisy["shots_expected"] < noisy["shots"]
    assert far["predicted_fidelity"] is None
    assert far["shots_expected"] is None
    assert far["shots"] == noisy["shots"]


def test_every_backend_is_there_with_price_verdict_and_the_line_to_write(lab: Lab) -> None:
    """Unknown prices stay unknown, and what has nothing to plan comes last."""
    document = lab.plan_shots(BELL, 0.02, experiment="bell pair")
    json.dumps(document, allow_nan=False)
    assert {each["backend"] for each in document["rows"]} == {each["id"] for each in lab.backend_rows()}
    noisy, far = row(document, "aer/noisy"), row(document, CATALOGUED)
    assert noisy["decision"]["effect"] == "allow"
    assert noisy["quote"]["high"] == "0"
    assert noisy["command"] == f"%%qjob --backend aer/noisy --shots {noisy['shots']} --experiment 'bell pair'"
    assert far["quote"]["high"] is None
    assert far["decision"]["effect"] == "deny"
    assert far["note"]
    assert document["rows"][-1]["measured"] == "none"


def ghz(qubits: int) -> str:
    """A circuit of so many qubits."""
    gates = "".join(f" cx q[{n}], q[{n + 1}];" for n in range(qubits - 1))
    return f"OPENQASM 3; include 'stdgates.inc'; qubit[{qubits}] q; h q[0];{gates}"


def test_the_line_to_write_measures_a_fidelity_in_a_session_too(lab: Lab) -> None:
    """There a job measures none unless it says so."""
    with lab.session(max_jobs=3):
        found = row(lab.plan_shots(BELL, 0.05, ["aer/noisy"]), "aer/noisy")
        assert found["command"] == f"%%qjob --backend aer/noisy --shots {found['shots']} --fidelity auto"
        large = row(lab.plan_shots(ghz(40), 0.1, ["stim/noisy"]), "stim/noisy")
        assert (large["measured"], large["companions"]["circuits"]) == ("proxy", 2000)


@pytest.mark.parametrize("backend", ["aer/noisy", "braket/iqm_emerald", "braket/iqm_garnet"])
@pytest.mark.parametrize("source", [ghz(100), [BELL, ghz(100)]])
def test_a_backend_with_too_few_qubits_is_not_offered(lab: Lab, backend: str, source: Any) -> None:
    """Neither a price nor a line to write; both widths are said."""
    found = row(lab.plan_shots(source, 0.1, [backend]), backend)
    assert found["measured"] == "none"
    assert (found["quote"], found["decision"], found["command"]) == (None, None, None)
    assert "The circuit has 100 qubits" in found["reason"]


def test_a_gate_that_a_backend_does_not_have_is_not_offered(lab: Lab) -> None:
    """It would be refused at submission, for the reason that is given."""
    turned = "OPENQASM 3; include 'stdgates.inc'; qubit[2] q; ry(0.3) q[0]; cx q[0], q[1];"
    found = row(lab.plan_shots(turned, 0.1, ["stim/noisy"]), "stim/noisy")
    assert found["command"] is None
    with pytest.raises(QpmError) as refused:
        lab.submit(turned, backend="stim/noisy", shots=200)
    assert refused.value.message in found["reason"]


def test_a_list_whose_fidelity_nothing_measures_is_not_offered(lab: Lab) -> None:
    """Further circuits belong to one circuit."""
    found = row(lab.plan_shots([BELL, ghz(40)], 0.1, ["stim/noisy"]), "stim/noisy")
    assert (found["measured"], found["shots"], found["command"]) == ("none", None, None)
    assert "plan each by itself" in found["reason"]


def test_one_backend_may_be_named_without_a_list(lab: Lab) -> None:
    """Not read letter by letter."""
    assert [each["backend"] for each in lab.plan_shots(BELL, 0.1, "aer/noisy")["rows"]] == ["aer/noisy"]


def test_nothing_is_recorded_or_held(lab: Lab) -> None:
    """A plan is free."""
    before = lab.head()
    lab.plan_shots(BELL, 0.02)
    assert lab.head() == before


def test_an_ideal_simulator_has_no_fidelity_to_plan(lab: Lab) -> None:
    """It says so instead of a number."""
    found = row(lab.plan_shots(BELL, 0.02, ["aer/simulator"]), "aer/simulator")
    assert found["measured"] == "none"
    assert found["shots"] is None
    assert "ideal simulator" in found["reason"]


def test_uniform_outcomes_are_refused_with_what_would_do(lab: Lab) -> None:
    """No number of shots measures fidelity from this histogram."""
    document = lab.plan_shots(UNIFORM, 0.02, ["aer/noisy"])
    assert "no number of shots" in document["reason"]
    assert document["rows"][0]["shots"] is None
    assert document["rows"][0]["quote"] is None


def test_the_most_demanding_circuit_decides(lab: Lab) -> None:
    """A list is one job, and each of its fidelities has to be as exact."""
    three = "OPENQASM 3; include 'stdgates.inc'; qubit[3] q; x q[0];"
    alone = [row(lab.plan_shots(each, 0.02, ["aer/noisy"]), "aer/noisy")["shots"] for each in (BELL, three)]
    both = row(lab.plan_shots([BELL, three], 0.02, ["aer/noisy"]), "aer/noisy")
    assert alone[0] > alone[1]
    assert both["shots"] == alone[0]


def test_companions_measure_what_was_asked_for(lab: Lab) -> None:
    """Their number is fixed: the plan says how exact they are, and that the job's own shots do not matter."""
    found = row(lab.plan_shots(BELL, 0.05, ["aer/noisy"], fidelity="proxy", shots=500), "aer/noisy")
    assert found["measured"] == "proxy"
    assert found["shots"] == 500
    further = found["companions"]
    assert found["total_shots"] == 500 + further["circuits"] * further["shots"]
    assert f"{math.sqrt(3.84 / further['circuits']):.2g}" in found["reason"]
    mirrored = row(lab.plan_shots(BELL, 0.02, ["aer/noisy"], fidelity="mirror"), "aer/noisy")
    assert mirrored["measured"] == "mirror"
    assert "depends on the machine" in mirrored["reason"]
    assert (mirrored["reachable"], mirrored["half_width_expected"]) == (False, None)
    assert (mirrored["shots"], mirrored["command"]) == (None, None)


def test_a_width_that_further_circuits_do_not_reach_is_said_to_be_out_of_reach(lab: Lab) -> None:
    """Neither shots nor a command, and the width that can be planned for, which then is reachable."""
    found = row(lab.plan_shots(ghz(130), 0.02, ["stim/noisy"]), "stim/noisy")
    assert (found["reachable"], found["half_width_expected"]) == (False, 0.044)
    assert (found["shots"], found["total_shots"], found["command"]) == (None, None, None)
    assert "± 0.02 is not reachable here: further circuits give ± 0.044" in found["reason"]
    enough = row(lab.plan_shots(ghz(130), 0.044, ["stim/noisy"]), "stim/noisy")
    assert (enough["reachable"], enough["half_width_expected"], enough["shots"]) == (True, 0.044, 1024)
    assert enough["command"].startswith("%%qjob --backend stim/noisy")


def test_a_higher_level_needs_a_wider_interval_of_the_same_circuits(lab: Lab) -> None:
    """z/√N with the normal quantile of the level, rounded up: 2.576/√2000."""
    found = row(lab.plan_shots(ghz(40), 0.05, ["stim/noisy"], level=0.99), "stim/noisy")
    assert (found["reachable"], found["half_width_expected"]) == (False, 0.058)


def test_a_histogram_reaches_any_width_but_not_of_uniform_outcomes(lab: Lab) -> None:
    """Each row says whether it does; one with nothing to plan says neither."""
    document = lab.plan_shots(BELL, 0.02)
    assert row(document, "aer/noisy")["reachable"] is True
    assert row(document, "aer/simulator")["reachable"] is None
    assert row(lab.plan_shots(UNIFORM, 0.02, ["aer/noisy"]), "aer/noisy")["reachable"] is False


@pytest.mark.parametrize("source", [BELL, ghz(40)])
def test_a_width_out_of_range_is_refused_with_a_remedy(lab: Lab, source: str) -> None:
    """However the fidelity would be measured."""
    with pytest.raises(InputError, match="half-width") as refused:
        lab.plan_shots(source, 0)
    assert "0.02" in refused.value.hint


def test_values_of_parameters_are_part_of_the_line_to_write(lab: Lab) -> None:
    """The plan is for these values only."""
    circuit = "OPENQASM 3; include 'stdgates.inc'; input float theta; qubit[1] q; rx(theta) q[0];"
    document = lab.plan_shots(circuit, 0.05, ["aer/noisy"], parameters={"theta": 0.3})
    assert "--parameter theta=0.3 --backend aer/noisy" in document["rows"][0]["command"]
    with pytest.raises(InputError, match="sweep"):
        lab.plan_shots(circuit, 0.05, parameters={"theta": [0.1, 0.2]})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"half_width": 0}, "half-width"),
        ({"half_width": 2}, "half-width"),
        ({"half_width": float("nan")}, "half-width"),
        ({"half_width": 0.02, "level": 1.0}, "confidence level"),
        ({"half_width": 0.02, "level": 1 - 1e-16}, "confidence level"),
        ({"half_width": 0.02, "backends": ["aer/nothing"]}, "no backend"),
        ({"half_width": 0.02, "backends": 5}, "list of ids"),
        ({"half_width": 0.02, "backends": [5]}, "named by text"),
        ({"half_width": 0.02, "fidelity": "none"}, "nothing to plan"),
        ({"half_width": 0.02, "colour": "red"}, "no option"),
    ],
)
def test_what_cannot_be_planned_is_refused(lab: Lab, options: dict[str, Any], words: str) -> None:
    """Before anything is quoted."""
    with pytest.raises(InputError, match=words):
        lab.plan_shots(BELL, **options)
