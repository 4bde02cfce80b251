"""`chaos/…`: faults at stated rates and seeds, under the rules and prices of the backend that is wrapped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from qpm_lab import Lab, doubles
from qpm_lab.errors import CancelledError, CapacityError, DeniedError, InputError, ProviderError
from qpm_lab.providers import all_backends, backend, chaos, provider_of, remote, routed, target, vendors
from qpm_lab.providers.chaos import Chaos
from qpm_lab.providers.chaos_faults import ChaosProvider, ChaosRemote, with_faults, with_noise
from qpm_lab.providers.interface import Task
from qpm_lab.providers.vendor import Answer, Parcel, Standing
from qpm_lab.runner.breaker import Breakers
from tests.conftest import ROOT
from tests.providers.making import leaning, run

PARCEL = Parcel("simulator", (), 100, "0" * 32, seed=3)


def local(told: str) -> Any:
    """A local simulator with faults, its draws from the beginning."""
    faults, wrapped = chaos.read(f"chaos/{told}@aer/simulator")
    return with_faults(faults, backend(f"chaos/{told}@{wrapped}"), backend(wrapped), provider_of(wrapped))


def task(told: str, seed: int = 5) -> Task:
    return Task(backend(f"chaos/{told}@aer/simulator"), (leaning(),), 1000, seed)


class Vendor:
    """What a vendor's provider would be asked, with answers of its own."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        self.asked.append(name)
        assert arguments.get("backend", "simulator") == "simulator"
        answers = {
            "send": "id-1",
            "find": ("id-1",),
            "standing": Standing("done"),
            "answer": Answer([{"001": 90, "110": 10}], details={"api": "v0"}),
            "cancel": None,
        }
        return answers[name]


def at_vendor(told: str) -> tuple[ChaosRemote, Vendor]:
    faults, _ = chaos.read(f"chaos/{told}@ionq/simulator")
    inner, info = Vendor(), backend("ionq/simulator")
    real = vendors()["ionq"]
    made: Any = SimpleNamespace(vendor=real.vendor, access=real.access, _call=inner._call)
    return ChaosRemote(faults, replace(info, id=f"chaos/{told}@ionq/simulator"), info, made), inner


def test_an_id_says_the_faults_and_the_backend() -> None:
    """Rates, times and seed are read as written; the rest is the id of what is wrapped."""
    told = "outage=0.3,latency=250ms,fidelity_loss=0.2,schema_change=1,duplicate=0,lost_answer=0.05,stuck,seed=7"
    assert chaos.read(f"chaos/{told}@ionq/qpu.forte-1") == (
        Chaos(0.3, 0.25, 0.2, 1.0, 0.0, 0.05, True, 7),
        "ionq/qpu.forte-1",
    )


@pytest.mark.parametrize(
    ("backend_id", "said"),
    [
        ("chaos", "names no backend"),
        ("chaos/", "names no backend"),
        ("chaos/outage=0.3", "names no backend"),
        ("chaos/outage=0.3@", "names no backend"),
        ("chaos/outage=0.3@" + "x" * 200, "names no backend"),
        ("chaos/@aer/simulator", "There is no fault ''"),
        ("chaos/outtage=0.3@aer/simulator", "There is no fault 'outtage'"),
        ("chaos/outage@aer/simulator", "a rate from 0 to 1"),
        ("chaos/outage=1.5@aer/simulator", "a rate from 0 to 1"),
        ("chaos/outage=-0.1@aer/simulator", "a rate from 0 to 1"),
        ("chaos/outage=nan@aer/simulator", "a rate from 0 to 1"),
        ("chaos/outage=٠@aer/simulator", "a rate from 0 to 1"),
        ("chaos/latency=1h@aer/simulator", "a time up to 600s"),
        ("chaos/latency=601s@aer/simulator", "a time up to 600s"),
        ("chaos/seed=x@aer/simulator", "a whole number"),
        ("chaos/stuck=yes@aer/simulator", "no value"),
        ("chaos/outage=0.1,outage=0.2@aer/simulator", "given twice"),
        ("chaos/outage=0.1@chaos/outage=0.1@aer/simulator", "not one around another"),
        ("chaos/outage=0.1@aer/simulater", "There is no backend 'aer/simulater'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_to_write_it(backend_id: str, said: str) -> None:
    """Each fault of the id is named, and the hint shows a right one."""
    with pytest.raises(InputError, match=said) as caught:
        backend(backend_id)
    assert "chaos/<faults>@<backend id>" in caught.value.hint or "aer/simulator" in caught.value.hint


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_text_breaks_the_reader(told: str, wrapped: str) -> None:
    """Any text is read or refused in words."""
    with suppress(InputError):
        faults, name = chaos.read(f"chaos/{told}@{wrapped}")
        assert name.endswith(wrapped)
        assert 0 <= faults.outage <= 1


def test_a_backend_with_faults_has_the_facts_of_the_one_it_wraps() -> None:
    """Only id and description differ, and none is listed."""
    for name in ("aer/simulator", "aer/noisy", "ionq/qpu.forte-1"):
        told = backend(f"chaos/outage=0.5@{name}")
        assert replace(told, id=name, description="") == replace(backend(name), description="")
        assert told.ruled_as == name
    assert not [info for info in all_backends() if info.id.startswith("chaos")]


def test_circuits_are_routed_for_the_machine_that_is_wrapped() -> None:
    """Target and routed circuit are those of the wrapped backend."""
    name, told = "aer/noisy", "chaos/outage=0.5@aer/noisy"
    assert routed(told, leaning()) == routed(name, leaning())
    assert target(told) is target(name)
    assert isinstance(provider_of(told), ChaosProvider)
    assert isinstance(remote("chaos/outage=0.5@ionq/simulator"), ChaosRemote)
    assert remote(told) is None


@pytest.mark.parametrize("fault", ["outage", "schema_change", "lost_answer"])
def test_faults_strike_at_their_rate_and_alike_for_the_same_seed(fault: str) -> None:
    """Of 400 draws at 0.3 about 120 strike; the same seed repeats them, another does not."""

    def struck(seed: int) -> list[bool]:
        asked, _ = at_vendor(f"{fault}=0.3,seed={seed}")
        return [asked._dice.hit(fault) for _ in range(400)]

    assert 80 < sum(struck(7)) < 160
    assert struck(7) == struck(7) != struck(8)


def test_a_local_run_without_a_hit_is_the_run_itself() -> None:
    """Rate 0 changes nothing but the record."""
    result = local("outage=0").submit(task("outage=0")).result()
    assert result.counts == run("aer/simulator", leaning()).counts
    assert result.details["chaos"] == {"seed": 0}


@pytest.mark.parametrize(
    ("told", "said", "retryable", "uncertain"),
    [
        ("outage=1", "cannot be reached; nothing was sent", True, False),
        ("lost_answer=1", "was lost", False, False),
        ("schema_change=1", "The field 'counts' is missing", False, True),
    ],
)
def test_a_local_fault_is_an_error_of_its_kind(told: str, said: str, retryable: bool, uncertain: bool) -> None:
    """Outages may be tried again; what is lost or unreadable has ended."""
    with pytest.raises(ProviderError, match=said) as caught:
        local(told).submit(task(told)).result()
    assert (caught.value.retryable, caught.value.uncertain) == (retryable, uncertain)
    assert "on purpose" in caught.value.hint


def test_a_stuck_run_ends_only_when_it_is_cancelled() -> None:
    """It computes nothing, says that it is stuck, and its cancellation is one."""
    running = local("stuck").submit(task("stuck"))
    assert not running.wait(0.01)
    assert "stuck" in running.progress().message
    running.cancel()
    assert running.wait(0)
    with pytest.raises(CancelledError):
        running.result()


def test_latency_comes_before_the_result() -> None:
    """The result is not there before its time, also when the run itself has ended."""
    running = local("latency=300ms").submit(task("latency=300ms"))
    assert not running.wait(0.0)
    assert running.wait(60)
    assert sum(running.result().counts[0].values()) == 1000
    assert local("latency=3s").expected_seconds(task("latency=3s")) > 3


def test_lost_fidelity_is_uniform_noise_in_the_share_asked_for() -> None:
    """A fifth of the shots of a fixed outcome is spread over all eight; shots stay; the same seeds repeat it."""
    circuit = QuantumCircuit(3)
    circuit.x(2)
    circuit.measure_all()
    asked = replace(task("fidelity_loss=0.2"), circuits=(circuit,), shots=80_000)
    counts = local("fidelity_loss=0.2").submit(asked).result().counts[0]
    assert sum(counts.values()) == 80_000
    for key in (format(n, "03b") for n in range(8)):
        expected = 80_000 * (0.825 if key == "100" else 0.025)
        assert abs(counts[key] - expected) < 6 * expected**0.5
    assert counts == local("fidelity_loss=0.2").submit(asked).result().counts[0]
    assert counts != local("fidelity_loss=0.2,seed=1").submit(asked).result().counts[0]


@given(
    st.dictionaries(st.tuples(st.text("01", min_size=2, max_size=2), st.sampled_from("01")), st.integers(1, 500)),
    st.floats(0, 1),
)
def test_noise_keeps_shots_and_the_form_of_the_keys(told: dict[tuple[str, str], int], share: float) -> None:
    """Registers stay apart by a space, whatever is replaced."""
    counts = {f"{a} {b}": number for (a, b), number in told.items()}
    made = with_noise([counts], Chaos(fidelity_loss=share), 1)[0]
    assert sum(made.values()) == sum(counts.values())
    assert all(len(key) == 4 and key[2] == " " and number > 0 for key, number in made.items())


def test_wide_noise_is_drawn_shot_by_shot_and_bounded() -> None:
    """Sixty bits do not become a table of all outcomes, and what would not fit is refused before it runs."""
    made = with_noise([{"0" * 60: 1000}], Chaos(fidelity_loss=1), 1)[0]
    assert sum(made.values()) == 1000 == len(made)
    wide = QuantumCircuit(25, 25)
    wide.measure(range(25), range(25))
    with pytest.raises(CapacityError, match="at most 1,000,000 shots"):
        local("fidelity_loss=0.5").check(replace(task("fidelity_loss=0.5"), circuits=(wide,), shots=3_000_000))


def test_a_vendors_outage_sends_nothing() -> None:
    """Certainly not taken, and may be tried again."""
    asked, vendor = at_vendor("outage=1")
    with pytest.raises(ProviderError) as caught:
        asked.send(PARCEL)
    assert (vendor.asked, caught.value.retryable, caught.value.uncertain) == ([], True, False)


def test_a_lost_answer_leaves_the_job_at_the_vendor() -> None:
    """The submission is carried out once, and nobody can tell from its answer."""
    asked, vendor = at_vendor("lost_answer=1")
    with pytest.raises(ProviderError) as caught:
        asked.send(PARCEL)
    assert (vendor.asked, caught.value.uncertain) == (["send"], True)
    assert asked.find("chaos/lost_answer=1@ionq/simulator", PARCEL.token) == ["id-1"]


def test_a_changed_schema_names_the_field() -> None:
    """The answer is there and cannot be read: the job is kept."""
    asked, _ = at_vendor("schema_change=1")
    with pytest.raises(ProviderError, match=r"'counts' is missing in IonQ's answer") as caught:
        asked.answer(PARCEL, "id-1")
    assert caught.value.uncertain


def test_a_result_may_be_delivered_twice() -> None:
    """It is read twice, and said so; a look-up lists the job twice."""
    asked, vendor = at_vendor("duplicate=1,fidelity_loss=0.5")
    once, _ = at_vendor("fidelity_loss=0.5")
    answer = asked.answer(PARCEL, "id-1")
    assert vendor.asked == ["answer", "answer"]
    assert answer.counts == once.answer(PARCEL, "id-1").counts
    assert answer.details == {
        "api": "v0",
        "chaos": {"duplicate": 1.0, "fidelity_loss": 0.5, "seed": 0, "delivered_twice": True},
    }
    assert asked.find("x", PARCEL.token) == ["id-1", "id-1"]


def test_a_stuck_job_at_a_vendor_can_be_cancelled() -> None:
    """It queues until it is stopped; then the vendor's own word holds."""
    asked, _ = at_vendor("stuck")
    assert asked.standing("x", "id-1").state == "queued"
    asked.stop("x", "id-1")
    assert asked.standing("x", "id-1").state == "done"


def test_prices_and_rules_are_those_of_the_wrapped_backend(lab: Lab) -> None:
    """The same quote, the same refusals, the same quotas counted under the same keys."""
    for name in ("aer/simulator", "braket/iqm_garnet"):
        asked = {"shots": 30_000, "classification": "confidential"}
        plain, told = (lab.runner.plan(lab_order(each, **asked)) for each in (name, f"chaos/outage=0.5@{name}"))
        assert told.quote == plain.quote
        assert [r.rule for r in told.decision.reasons] == [r.rule for r in plain.decision.reasons]
        assert [h.counter for h in told.holds] == [h.counter for h in plain.holds]


def lab_order(name: str, **options: Any) -> Any:
    from qpm_lab.runner.studies import order_from

    return order_from(leaning(), {**options, "backend": name})


def test_a_bundle_that_does_not_list_faults_refuses_them(home: Path, tmp_path: Path) -> None:
    """Nothing runs, and the refusal says what its owner would have to list."""
    folder = tmp_path / "plain"
    shutil.copytree(ROOT / "policies" / "personal", folder)
    entities = folder / "entities.json"
    listed = [each for each in json.loads(entities.read_text()) if each["uid"]["id"] != "chaos/*"]
    entities.write_text(json.dumps(listed))
    lab = Lab(home, folder)
    with pytest.raises(DeniedError) as caught:
        lab.submit(leaning(), backend="chaos/outage=0.5@aer/simulator", shots=10)
    lab.close()
    (reason,) = caught.value.decision.reasons
    assert (reason.rule, "chaos/*" in reason.fix) == ("default.unknown-backend", True)


def test_a_local_outage_is_tried_again_and_the_record_says_what_was_on_purpose(lab: Lab) -> None:
    """One that strikes at times costs attempts; the job completes, its id and details telling of the faults."""
    name = "chaos/outage=0.5,seed=2@aer/simulator"
    jobs = [lab.submit(leaning(), backend=name, shots=10) for _ in range(4)]
    assert all(job.wait(60) for job in jobs)
    events = [[e.event for e in lab.ledger.entries(job.id)] for job in jobs]
    assert any("job.retried" in each for each in events)
    done = next(job for job in jobs if job.status == "completed")
    assert done.record()["backend"] == name
    ended = lab.ledger.entries(done.id)[-1].payload
    assert ended["details"]["chaos"] == {"outage": 0.5, "seed": 2}


@pytest.fixture
def at_double(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Lab, doubles.RunningDouble]]:
    home.mkdir(parents=True)
    with doubles.started("ionq") as double:
        told = {"url": double.access["url"], **double.access["options"]}
        told |= {"poll_seconds": 0.2, "timeout_seconds": 20, "visibility_seconds": 0}
        (home / "settings.yaml").write_text(yaml.safe_dump({"providers": {"ionq": told}}))
        monkeypatch.setenv("QPM_SECRET_IONQ", double.access["secrets"]["token"])
        lab = Lab(home)
        lab.runner.breakers = Breakers(outages=1000)  # what is tried here is what comes after an outage
        yield lab, double
        lab.close()


def test_jobs_through_faults_at_a_vendor_are_lost_by_nobody_and_sent_once(at_double: Any) -> None:
    """Lost answers, outages, doubled and unreadable results: each completed job has one submission and one outcome."""
    lab, double = at_double
    told = "outage=0.3,lost_answer=0.4,duplicate=0.5,schema_change=0.3,latency=10ms,fidelity_loss=0.1,seed=4"
    name = f"chaos/{told}@ionq/simulator"
    jobs = [lab.submit(leaning(), backend=name, shots=50) for _ in range(4)]
    assert all(job.wait(120) for job in jobs)
    assert {job.status for job in jobs} <= {"completed", "failed"}
    assert [job.status for job in jobs].count("completed") >= 3
    tokens = [each["token"] for each in double.submissions()]
    assert len(tokens) == len(set(tokens)) == [job.status for job in jobs].count("completed")
    done = next(job for job in jobs if job.status == "completed")
    assert sum(done.result().counts.values()) == 50
    assert [e.event for e in lab.ledger.entries(done.id)].count("job.completed") == 1
    assert lab.ledger.verify().ok
