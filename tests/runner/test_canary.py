"""Canaries: governed jobs whose history tells when a machine has become worse, and nothing before."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from qpm_lab import Lab
from qpm_lab.errors import DeniedError, InputError, ProviderError
from qpm_lab.providers.aer import AerProvider
from qpm_lab.providers.interface import RunResult
from qpm_lab.runner import canary
from qpm_lab.runner.canary_record import Watch

from .scripted import Held, ended

HEALTHY = (952, 948, 950, 951, 949)
Feed = Callable[..., None]


@pytest.fixture
def feed(scripted: Any) -> Feed:
    """Lets the next canaries come back with so many successes of 1,000 shots, or fail."""

    from qpm_lab import providers

    genuine = providers.provider_of("aer/noisy")

    def prepare(*outcomes: int | Exception) -> None:
        runs = [
            ended(found if isinstance(found, Exception) else RunResult(({"0000": found, "0100": 1000 - found},), 0.1))
            for found in outcomes
        ]
        scripted(*runs).target = genuine.target

    return prepare


def watch(lab: Lab, many: int, **options: Any) -> dict[str, Any]:
    """Runs some canaries and gives the last document."""
    return [lab.canary("aer/noisy", **options) for _ in range(many)][-1]


def test_the_known_circuit_entangles_and_has_one_outcome() -> None:
    """A perfect machine gives 0000 in every shot, and no compiler may cancel the halves."""
    from qiskit import transpile

    from qpm_lab.providers import ideal_probabilities

    circuit = canary.known_circuit()
    assert dict(ideal_probabilities(circuit).probabilities or {}) == pytest.approx({"0000": 1.0})
    assert transpile(circuit, optimization_level=3, basis_gates=["cx", "rz", "sx"]).count_ops()["cx"] == 6


def test_a_canary_is_a_governed_job_on_a_real_simulator(lab: Lab) -> None:
    """It has a record like any job, with its successes and their interval."""
    found = lab.canary("aer/noisy", seed=1, experiment="watch")
    record = lab.job(found["job_id"]).record()
    assert record["status"] == "completed"
    assert record["labels"]["experiment"] == "watch"
    told = record["canary"]
    assert told["series"] == found["series"]
    assert told["successes"] == record["counts"]["0000"]
    assert told["rate"]["low"] < told["successes"] / 1000 < told["rate"]["high"]
    assert told["text"] == found["text"]
    json.dumps(found, allow_nan=False)


def test_the_first_five_are_the_baseline_and_raise_no_alarm(lab: Lab, feed: Feed) -> None:
    """Even when they are far apart; the floor is known with the fifth."""
    feed(990, 600, 900, 700, 800)
    documents = [lab.canary("aer/noisy") for _ in range(5)]
    assert [document["alarm"] for document in documents] == [False] * 5
    assert [document["floor"] is None for document in documents] == [True] * 4 + [False]
    assert "3 more" in documents[1]["text"]
    assert "while the success rate stays above the floor (floor = lower 95 % bound" in documents[1]["promise"]
    assert documents[4]["baseline"]["rate"] == pytest.approx(0.798)


def test_a_machine_that_stays_as_it_was_raises_no_alarm(lab: Lab, feed: Feed) -> None:
    """And the stated false-alarm rate is beside the verdict, with its condition."""
    feed(*HEALTHY, 950, 947, 953)
    found = watch(lab, 8)
    assert not found["alarm"]
    assert found["text"] == "No sign of drift in 8 canaries, 5 of which are the baseline."
    assert "at most one false alarm in 1,000 canaries while the success rate" in found["promise"]
    assert "stays above the floor, 0.9" in found["promise"]
    assert "floor = lower 95 % bound of the baseline − tolerance 0.01" in found["promise"]


def test_a_machine_that_falls_raises_one_alarm_in_the_ledger(lab: Lab, feed: Feed) -> None:
    """The event stands with the job that raised it, and only there, however long the alarm goes on."""
    feed(*HEALTHY, 900, 898, 899)
    documents = [lab.canary("aer/noisy") for _ in range(8)]
    alarms = [document["alarm"] for document in documents]
    assert alarms[-1]
    raised = alarms.index(True)
    events = [
        [entry.event for entry in lab.ledger.entries(document["job_id"])].count("drift.alarm") for document in documents
    ]
    assert events == [int(place == raised) for place in range(8)]
    assert f"canary {raised + 1} ({raised - 4} after the baseline) raised the alarm" in documents[-1]["text"]
    assert "there is evidence that the share of successes is below 0." in documents[-1]["text"]
    assert lab.job(documents[raised]["job_id"]).record()["canary"]["alarm"] is True
    assert lab.ledger.verify().ok


def alarms(lab: Lab) -> list[dict[str, Any]]:
    """What the ledger has of drift alarms."""
    return [dict(entry.payload) for entry in lab.ledger.tail(0) if entry.event == "drift.alarm"]


def test_an_alarm_whose_process_died_is_noted_by_the_next_canary(
    lab: Lab, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and with the canary that raised it: the job was recorded and the plug pulled before the alarm was."""
    feed(*HEALTHY, 300, 301, 302)
    watch(lab, 5)

    def interrupted(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as pulled:
        pulled.setattr(lab.ledger, "note", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lab.canary("aer/noisy")
    assert alarms(lab) == []
    found = watch(lab, 2)
    (alarm,) = alarms(lab)
    assert (alarm["successes"], alarm["canaries"], alarm["raised"]) == (300, 6, True)
    assert lab.job(found["history"][5]["job_id"]).record()["canary"]["alarm"] is True
    assert lab.ledger.verify().ok


def test_an_alarm_that_an_earlier_canary_brings_with_it_late_is_noted(lab: Lab, feed: Feed, scripted: Any) -> None:
    """Two kernels: what was submitted first ends last, and only both together raise the alarm."""
    feed(*HEALTHY)
    document = watch(lab, 5)
    slow, quick = (Held(RunResult(({"0000": k, "0100": 1000 - k},), 0.1)) for k in (903, 903))
    scripted(slow, quick).target = AerProvider().target
    quick.released.set()
    other, documents = Lab(lab.home), []
    late = threading.Thread(target=lambda: documents.append(other.canary("aer/noisy")))
    late.start()
    while not other.runner.live or not any(live.running for live in list(other.runner.live.values())):
        time.sleep(0.01)
    assert not lab.canary("aer/noisy")["alarm"]
    assert alarms(lab) == []
    slow.released.set()
    late.join()
    other.close()
    assert documents[0]["alarm"]
    (alarm,) = alarms(lab)
    assert alarm["series"] == document["series"]
    assert alarm["canaries"] == 7


def test_watched_more_closely_an_alarm_is_noted_once_for_each_way_of_watching(lab: Lab, feed: Feed) -> None:
    """The same history raises it at a canary that was judged before."""
    feed(*HEALTHY, 903, 903, 950, 950, 950)
    assert not watch(lab, 7, tolerance=0.04)["alarm"]
    assert watch(lab, 2)["alarm"]
    (alarm,) = alarms(lab)
    assert (alarm["tolerance"], alarm["canaries"]) == (0.01, 7)
    assert not lab.canary("aer/noisy", tolerance=0.04)["alarm"]
    assert len(alarms(lab)) == 1


def test_looking_at_the_history_notes_nothing(lab: Lab, feed: Feed) -> None:
    """However closely one looks."""
    feed(*HEALTHY, 903, 903)
    watch(lab, 7, tolerance=0.04)
    head = lab.head()
    assert lab.canary("aer/noisy", history=True)["alarm"]
    assert lab.head() == head


def test_the_same_simulation_again_is_left_out_and_said(lab: Lab) -> None:
    """The same seed gives the same shots; a history of copies would show a machine that never scatters."""
    first = lab.canary("aer/noisy", shots=200, seed=7)
    assert first["warning"] is None
    again = lab.canary("aer/noisy", shots=200, seed=7)
    assert again["canaries"] == 1
    assert first["job_id"] in again["warning"]
    assert "not part of the history" in again["warning"]
    assert lab.job(again["job_id"]).record()["canary"] is None
    assert lab.canary("aer/noisy", shots=200, seed=8)["canaries"] == 2
    assert lab.canary("aer/noisy", shots=200, seed=7, reset=True)["warning"] is None


def test_the_command_of_the_next_canary_is_of_the_same_series(lab: Lab) -> None:
    """Its circuit, its shots and how closely it is watched; what is usual is left out."""
    bell = "OPENQASM 3; include 'stdgates.inc'; qubit[2] q; h q[0]; cx q[0], q[1];"
    assert lab.canary("aer/noisy", history=True)["command"] == "%qcanary aer/noisy"
    given = {"shots": 200, "tolerance": 0.05, "arl": 500, "seed": 1, "experiment": "my watch"}
    found = lab.canary("aer/noisy", **given)
    assert found["command"] == "%qcanary aer/noisy --shots 200 --tolerance 0.05 --arl 500 --experiment 'my watch'"
    own = lab.canary("aer/noisy", bell, 200, history=True)
    assert own["command"] == "%qcanary aer/noisy --circuit CIRCUIT --shots 200"
    own = lab.canary("aer/noisy", bell, history=True, prefix="qpm canary aer/noisy --circuit bell.qasm")
    assert own["command"] == "qpm canary aer/noisy --circuit bell.qasm"


def test_the_state_is_worked_out_from_the_history_alone(lab: Lab, feed: Feed, home: Any) -> None:
    """Another process that only looks sees the same."""
    feed(*HEALTHY, 930, 925)
    found = watch(lab, 7)
    other = Lab(home)
    seen = other.canary("aer/noisy", history=True)
    other.close()
    assert {**seen, "job_id": found["job_id"]} == found


def test_a_reset_begins_a_new_baseline_and_keeps_the_history(lab: Lab, feed: Feed) -> None:
    """An alarm does not outlive it, and the old canaries stay in the ledger."""
    feed(*HEALTHY, 900, 898, 899, 900)
    watch(lab, 8)
    fresh = lab.canary("aer/noisy", reset=True)
    assert (fresh["canaries"], fresh["alarm"], fresh["baseline_number"]) == (1, False, 2)
    assert lab.canary("aer/noisy", history=True)["canaries"] == 1
    assert len(lab.ledger.jobs(text="canary-ghz4")) == 9


def test_series_are_apart_by_backend_circuit_and_shots(lab: Lab) -> None:
    """Other shots have another spread, another circuit another rate."""
    bell = "OPENQASM 3; include 'stdgates.inc'; qubit[2] q; h q[0]; cx q[0], q[1];"
    documents = [
        lab.canary("aer/noisy"),
        lab.canary("aer/simulator"),
        lab.canary("aer/noisy", shots=500),
        lab.canary("aer/noisy", bell),
    ]
    assert len({document["series"] for document in documents}) == 4
    assert [document["canaries"] for document in documents] == [1, 1, 1, 1]


def test_successes_of_an_own_circuit_are_its_favoured_outcomes(lab: Lab) -> None:
    """Of an asymmetric circuit, read in the right order of bits."""
    circuit = "OPENQASM 3; include 'stdgates.inc'; qubit[3] q; x q[0]; h q[2];"
    found = lab.canary("aer/simulator", circuit, seed=1)
    assert found["history"][-1]["successes"] == 1000
    assert set(lab.job(found["job_id"]).record()["counts"]) == {"001", "101"}


def test_a_canary_that_fails_or_is_refused_is_not_part_of_the_history(lab: Lab, feed: Feed) -> None:
    """And says so; the next one counts again."""
    feed(ProviderError("The machine is down.", "Try later."), 950)
    with pytest.raises(ProviderError, match="not part of the history"):
        lab.canary("aer/noisy")
    assert lab.canary("aer/noisy", history=True)["canaries"] == 0
    with pytest.raises(DeniedError, match="not part of the history"):
        lab.canary("aer/noisy", shots=5_000_000_000)
    assert lab.canary("aer/noisy")["canaries"] == 1


def test_a_baseline_that_cannot_be_watched_says_why(lab: Lab, feed: Feed) -> None:
    """A machine that hardly ever succeeds leaves no room below."""
    feed(2, 1, 3, 2, 2, 1)
    found = watch(lab, 6)
    assert "leaves no room" in found["text"]
    assert found["promise"] == ""
    assert not found["alarm"]
    assert [row["watched"] for row in found["history"]] == [False] * 5 + [None]


@pytest.mark.parametrize(
    ("circuit", "words"),
    [
        ("OPENQASM 3; include 'stdgates.inc'; qubit[3] q; h q;", "equally often"),
        ("OPENQASM 3; include 'stdgates.inc'; qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; x q[0];", "canary"),
        (["OPENQASM 3; qubit[1] q;"] * 2, "one circuit"),
    ],
)
def test_a_circuit_that_can_tell_nothing_is_refused_before_it_runs(lab: Lab, circuit: Any, words: str) -> None:
    """With what to take instead."""
    with pytest.raises(InputError, match=words) as refused:
        lab.canary("aer/noisy", circuit)
    assert refused.value.hint
    assert lab.ledger.jobs() == []


@pytest.mark.parametrize(
    "options", [{"tolerance": 0}, {"tolerance": 1.0}, {"tolerance": True}, {"arl": 1}, {"arl": 1.5}]
)
def test_how_closely_it_is_watched_is_bounded(options: dict[str, Any]) -> None:
    """A tolerance is a share, arl a number of canaries."""
    with pytest.raises(InputError):
        Watch(**options)


def test_options_that_a_canary_does_not_have_are_named(lab: Lab) -> None:
    """Before anything runs."""
    with pytest.raises(InputError, match="no option 'twirl'"):
        lab.canary("aer/noisy", twirl="readout")
    with pytest.raises(InputError, match="no backend"):
        lab.canary("aer/nothing")
    with pytest.raises(InputError, match="only looked at"):
        lab.canary("aer/noisy", history=True, reset=True)
