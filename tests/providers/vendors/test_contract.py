"""What holds for every vendor: its real client, in a process apart, speaks to its double."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from qiskit.quantum_info import Statevector

from qpm_lab.doubles.double import Double
from qpm_lab.errors import ProviderError
from tests.providers.vendors.conftest import STATES, SUBMISSIONS, Rig, crossed, flipped, leaning

READING = ("standing", "answer")


def asked(rig: Rig, name: str, vendor_id: str) -> Callable[[], Any]:
    """One call by its name."""
    parcel = rig.parcel(crossed())
    return {
        "send": lambda: rig.provider.send(parcel),
        "find": lambda: rig.provider.find(rig.backend, parcel.token),
        "standing": lambda: rig.provider.standing(rig.backend, vendor_id),
        "answer": lambda: rig.provider.answer(parcel, vendor_id),
    }[name]


def taken(rig: Rig) -> int:
    return len(rig.double.submissions())


def done(rig: Rig) -> str:
    """The id of a job that has ended well."""
    vendor_id = rig.provider.send(rig.parcel(crossed()))
    assert rig.until_ended(vendor_id).state == "done"
    return vendor_id


def refused(call: Callable[[], Any]) -> ProviderError:
    """The error of a call; a person can read it, and it holds no key."""
    with pytest.raises(ProviderError) as caught:
        call()
    error = caught.value
    assert Double.token not in str(error)
    assert len(error.message) < 700
    assert error.hint
    assert "\n" not in error.message
    return error


def tail(rig: Rig) -> str:
    return SUBMISSIONS.get(rig.name, "jobs")


def distance(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """Total variation."""
    shots = sum(counts.values())
    return sum(abs(counts.get(key, 0) / shots - shares.get(key, 0.0)) for key in counts.keys() | shares.keys()) / 2


def test_counts_are_over_all_classical_bits_in_qiskits_order(rig: Rig) -> None:
    """Crossed wires, idle qubits, unmeasured qubits and unread bits come out where the circuit says."""
    assert rig.counts(crossed()) == [{"00101": 200}]


def test_counts_follow_the_circuits_distribution(rig: Rig) -> None:
    """A circuit without any symmetry has the distribution that Qiskit computes for it."""
    made = leaning()
    exact = Statevector(made.remove_final_measurements(inplace=False)).probabilities_dict([2, 0, 1])
    shots = min(4000, rig.vendor.most_shots)
    (counts,) = rig.counts(made, shots=shots)
    assert sum(counts.values()) == shots
    assert distance(counts, exact) < 0.06


def test_circuits_of_one_job_come_back_in_their_order(rig: Rig) -> None:
    """Each histogram belongs to the circuit at its place; widths may differ."""
    number = min(3, rig.vendor.most_circuits)
    counts = rig.counts(*(flipped(n, n + 2) for n in range(number)))
    assert [set(each) for each in counts] == [{f"{1 << n:0{n + 2}b}"} for n in range(number)]
    assert taken(rig) == 1


def test_a_job_is_found_by_its_token_alone(rig: Rig) -> None:
    """Among other jobs, and not under any other token; where the vendor cannot be asked, the table says so."""
    parcel = rig.parcel(crossed())
    rig.provider.send(rig.parcel(crossed()))
    vendor_id = rig.provider.send(parcel)
    rig.provider.send(rig.parcel(crossed()))
    if rig.vendor.durability.lookup == "idempotent":
        assert rig.provider.send(parcel) == vendor_id
        assert taken(rig) == 3
    elif rig.vendor.durability.lookup == "token":
        assert rig.provider.find(rig.backend, parcel.token) == [vendor_id]
        assert rig.provider.find(rig.backend, "f" * 32) == []


def test_a_new_job_may_be_invisible_and_is_not_lost(rig: Rig) -> None:
    """While the vendor does not show it, nobody claims that it failed; afterwards it is found."""
    parcel = rig.parcel(crossed())
    rig.double.faults(visibility_seconds=3600.0)
    vendor_id = rig.provider.send(parcel)
    error = refused(lambda: rig.provider.standing(rig.backend, vendor_id))
    assert error.retryable
    if rig.vendor.durability.lookup == "token":
        assert rig.provider.find(rig.backend, parcel.token) == []
    rig.double.faults(visibility_seconds=0.0)
    assert rig.until_ended(vendor_id).state == "done"
    if rig.vendor.durability.lookup == "token":
        assert rig.provider.find(rig.backend, parcel.token) == [vendor_id]


def test_a_lost_answer_leaves_one_job_and_a_doubt(rig: Rig) -> None:
    """The vendor took it, the answer never came: nothing is sent a second time by the client itself."""
    parcel = rig.parcel(crossed())
    rig.double.faults(lost_answer=1.0, only=tail(rig))
    assert refused(lambda: rig.provider.send(parcel)).uncertain
    (job,) = rig.double.submissions()
    rig.double.faults(lost_answer=0.0, only="")
    if rig.vendor.durability.lookup == "token":
        assert rig.provider.find(rig.backend, parcel.token) == [job["id"]]
    elif rig.vendor.durability.lookup == "idempotent":
        rig.provider.send(parcel)
        assert taken(rig) == 1


def test_a_waiting_job_can_be_stopped(rig: Rig) -> None:
    """It stands in the queue, then as cancelled, and the vendor has been told."""
    rig.double.faults(stuck=True)
    vendor_id = rig.provider.send(rig.parcel(crossed()))
    assert rig.provider.standing(rig.backend, vendor_id).state == "queued"
    rig.provider.stop(rig.backend, vendor_id)
    assert rig.until_ended(vendor_id).state == "cancelled"
    assert [job["cancelled"] for job in rig.double.submissions()] == [True]


def test_stopping_a_job_that_has_ended_changes_nothing(rig: Rig) -> None:
    """It is no error, and its result stays."""
    vendor_id = done(rig)
    rig.provider.stop(rig.backend, vendor_id)
    assert rig.provider.standing(rig.backend, vendor_id).state == "done"


def test_a_job_passes_through_the_queue(rig: Rig) -> None:
    """First queued, then running, then done, as the vendor's own words are translated."""
    rig.double.faults(queue_polls=1, run_polls=1)
    vendor_id = rig.provider.send(rig.parcel(crossed()))
    seen = [rig.provider.standing(rig.backend, vendor_id).state for _ in range(6)]
    assert seen == sorted(seen, key=("queued", "running", "done").index)
    assert seen[-1] == "done"


def test_a_failed_job_says_why_in_the_vendors_words(rig: Rig) -> None:
    """The message reaches the user."""
    rig.double.faults(failing=1.0)
    found = rig.until_ended(rig.provider.send(rig.parcel(crossed())))
    assert found.state == "failed"
    assert "lost its calibration" in found.message


@pytest.mark.parametrize("name", ["send", "find", "standing"])
def test_an_expired_key_says_how_to_store_a_new_one(rig: Rig, name: str) -> None:
    """Nothing was taken for certain; there is no use in trying again."""
    vendor_id = done(rig)
    call = asked(rig, name, vendor_id)
    rig.double.faults(expired_token=True)
    if name == "find" and rig.vendor.durability.lookup != "token":
        return
    error = refused(call)
    assert (error.retryable, error.uncertain) == (False, False)
    assert f"qpm secret set {rig.name}" in error.hint
    assert taken(rig) == 1


def test_too_many_requests_took_nothing_and_may_be_tried_later(rig: Rig) -> None:
    """A rate limit is a certain refusal."""
    call = asked(rig, "send", "")
    rig.double.faults(rate_limit=1.0)
    error = refused(call)
    assert (error.retryable, error.uncertain) == (True, False)
    assert taken(rig) == 0


@pytest.mark.parametrize("name", READING)
def test_an_outage_while_reading_may_be_waited_out(rig: Rig, name: str) -> None:
    """And the job is there afterwards."""
    vendor_id = done(rig)
    call = asked(rig, name, vendor_id)
    rig.double.faults(outage=1.0)
    assert refused(call).retryable
    rig.double.faults(outage=0.0)
    call()


def test_an_outage_while_sending_is_in_doubt_or_certainly_nothing(rig: Rig) -> None:
    """It is never taken for success, and nothing is taken twice."""
    call = asked(rig, "send", "")
    rig.double.faults(outage=1.0)
    error = refused(call)
    assert error.uncertain or error.retryable
    assert taken(rig) == 0


def test_a_missing_field_is_named(rig: Rig) -> None:
    """An answer without the job's state is not guessed."""
    vendor_id = done(rig)
    missing = STATES.get(rig.name, "status")
    rig.double.faults(schema_change=missing)
    error = refused(lambda: rig.provider.standing(rig.backend, vendor_id))
    assert re.search(rf"\b{missing}\b", error.message)
    assert not error.retryable


@pytest.mark.parametrize("name", READING)
def test_an_unknown_field_is_named(rig: Rig, name: str) -> None:
    """Also where the vendor's own client passes over it; the job stays, and can be read when the field is gone."""
    vendor_id = done(rig)
    call = asked(rig, name, vendor_id)
    rig.double.faults(extra_field="surprise")
    error = refused(call)
    assert "'surprise'" in error.message
    assert not error.retryable
    rig.double.faults(extra_field="")
    call()


def test_an_unknown_field_does_not_undo_a_submission(rig: Rig) -> None:
    """An answer that brought an id is not searched for further fields."""
    rig.double.faults(extra_field="surprise", only=tail(rig))
    assert rig.provider.send(rig.parcel(crossed())) == rig.double.submissions()[0]["id"]


def test_an_unknown_field_keeps_no_job_from_being_stopped(rig: Rig) -> None:
    """Whatever else is said of it: while it runs it may cost money."""
    rig.double.faults(stuck=True)
    vendor_id = rig.provider.send(rig.parcel(crossed()))
    rig.double.faults(stuck=True, extra_field="surprise")
    rig.provider.stop(rig.backend, vendor_id)
    assert [job["cancelled"] for job in rig.double.submissions()] == [True]


@pytest.mark.parametrize("fault", [{"malformed": True}, {"wrong_type": True}, {"large_bytes": 50 * 2**20}], ids=str)
@pytest.mark.parametrize("name", READING)
def test_an_unreadable_answer_is_reported_and_the_job_stays(rig: Rig, name: str, fault: dict[str, Any]) -> None:
    """Cut off, a login page, 50 MB: an error that a person understands, and afterwards the job is as it was."""
    vendor_id = done(rig)
    call = asked(rig, name, vendor_id)
    rig.double.faults(**fault)
    refused(call)
    rig.double.faults(malformed=False, wrong_type=False, large_bytes=0)
    call()


@pytest.mark.parametrize("fault", [{"malformed": True}, {"wrong_type": True}, {"large_bytes": 50 * 2**20}], ids=str)
def test_an_unreadable_answer_to_a_submission_is_a_doubt(rig: Rig, fault: dict[str, Any]) -> None:
    """The vendor may have taken it, once."""
    call = asked(rig, "send", "")
    rig.double.faults(**fault, only=tail(rig))
    assert refused(call).uncertain
    assert taken(rig) == 1


def test_an_answer_that_drips_is_given_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte at a time ends in an error, not in waiting for ever; how long is waited is the site's to say."""
    vendor_id = done(rig)
    access = rig.provider.access(rig.name)
    hurried = replace(access, options={**access.options, "timeout_seconds": 2})
    monkeypatch.setattr(rig.provider, "access", lambda name: hurried)
    rig.double.faults(drip_seconds=0.2)
    refused(lambda: rig.provider.standing(rig.backend, vendor_id))
