"""IBM Quantum: what its wire, its tags and its caps promise, and what is known of its machines.

What holds for all vendors is in the contract tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from qpm_lab.doubles.double import Reply
from qpm_lab.doubles.ibm import IbmDouble
from qpm_lab.errors import CapacityError, CircuitError, ProviderError
from qpm_lab.providers.calibrations import read_calibration
from qpm_lab.providers.ibm_watch import MOST_EXCHANGES
from qpm_lab.providers.vendor import Parcel
from tests.providers.vendors.conftest import Rig, circuit, crossed, rigged

MACHINE = "ibm/ibm_torino"
SUBMISSION = "POST /api/v1/jobs"


@pytest.fixture(scope="module")
def vendor_rig() -> Iterator[Rig]:
    yield from rigged("ibm", MACHINE)


def test_a_submission_carries_the_token_as_its_only_tag_and_no_other_name(rig: Rig) -> None:
    """IBM learns circuits, shots, machine and token, and that no error mitigation is asked for."""
    parcel = rig.parcel(crossed(), shots=300)
    rig.provider.send(parcel)
    (asked,) = rig.received(SUBMISSION)
    assert asked.keys() == {"program_id", "params", "backend", "log_level", "tags"}
    assert (asked["program_id"], asked["backend"], asked["tags"]) == ("executor", "ibm_torino", [parcel.token])
    program = asked["params"]["quantum_program"]
    assert (program["shots"], [each["item_type"] for each in program["items"]]) == (300, ["circuit"])
    assert program["passthrough_data"]["post_processor"]["twirling"] is False


@pytest.mark.parametrize(("cap", "cost"), [(30.0, 30), (30.9, 30), (0.2, 1), (None, None)])
def test_a_cap_in_seconds_is_ibms_own(rig: Rig, cap: float | None, cost: int | None) -> None:
    """Whole seconds, never more than was reserved except for the least that IBM takes; none when there is none."""
    rig.provider.send(replace(rig.parcel(), cap_seconds=cap))
    (asked,) = rig.received(SUBMISSION)
    assert asked.get("cost") == cost


def test_an_error_answer_to_a_submission_is_not_sent_again_by_the_client(rig: Rig) -> None:
    """The client by itself repeats a POST that was answered with 503 five times."""
    parcel = rig.parcel()
    rig.double.faults(outage=1.0, only=SUBMISSION)
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(parcel)
    assert caught.value.uncertain
    assert len(rig.received(SUBMISSION)) == 1


def test_an_outage_before_the_submission_is_certain(rig: Rig) -> None:
    """When not even the machine's status came, nothing was sent."""
    parcel = rig.parcel()
    rig.double.faults(outage=1.0, only="/status")
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (False, True)
    assert rig.double.submissions() == []


def test_a_lost_answer_is_found_by_its_tag_once_it_is_visible(rig: Rig) -> None:
    """One submission; the list shows it after its delay, and the job then gives its counts."""
    parcel = rig.parcel()
    rig.double.faults(lost_answer=1.0, visibility_seconds=3600.0, only=SUBMISSION)
    with pytest.raises(ProviderError) as caught:
        rig.provider.send(parcel)
    assert caught.value.uncertain
    assert rig.provider.find(MACHINE, parcel.token) == []
    rig.double.faults(lost_answer=0.0, visibility_seconds=0.0)
    (vendor_id,) = rig.provider.find(MACHINE, parcel.token)
    assert [job["id"] for job in rig.double.submissions()] == [vendor_id]
    assert rig.provider.standing(MACHINE, vendor_id).state == "done"
    assert rig.provider.answer(parcel, vendor_id).counts == [{"00101": 200}]


def test_an_instance_without_time_left_gets_no_job(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a job would wait until somebody pays."""
    parcel = rig.parcel()
    monkeypatch.setattr(IbmDouble, "limit_reached", property(lambda double: True), raising=False)
    with pytest.raises(ProviderError, match="usage limit") as caught:
        rig.provider.send(parcel)
    assert (caught.value.uncertain, caught.value.retryable) == (False, False)
    assert rig.double.submissions() == []


def test_a_result_that_could_not_be_read_is_not_paid_for(rig: Rig) -> None:
    """Every shot comes back: what would pass the bound of an answer is refused before it is sent."""
    many = tuple(circuit(1, 150) for _ in range(20))
    with pytest.raises(CapacityError, match="MiB are read"):
        rig.provider.send(Parcel("ibm_torino", many, 100_000, "0" * 32))
    assert rig.double.submissions() == []


def test_a_missing_key_is_said(rig: Rig) -> None:
    """With what to do, before anything is asked."""
    with rig.reached(secrets={}) as keyless, pytest.raises(ProviderError, match="qpm secret set ibm"):
        keyless.standing(MACHINE, "d0")


@pytest.mark.parametrize("field", ["devices", "length_queue", "status", "last_update_date"])
def test_a_field_missing_in_what_is_told_of_a_machine_is_named(rig: Rig, field: str) -> None:
    """The client would fill in a queue of 0, or take the machine for gone."""
    rig.double.faults(schema_change=field)
    with pytest.raises(ProviderError, match=rf"'{field}' is missing"):
        rig.provider.availability(MACHINE)


def test_a_list_that_never_ends_is_given_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count above what the pages hold makes the client ask for ever."""
    parcel = rig.parcel()
    endless = Reply(200, {"jobs": [], "count": 1, "limit": 20, "offset": 0})
    monkeypatch.setattr(IbmDouble, "_list", lambda double, call: endless)
    with pytest.raises(ProviderError, match=f"{MOST_EXCHANGES} times"):
        rig.provider.find(MACHINE, parcel.token)


def test_a_machine_that_the_key_may_not_use_is_named(rig: Rig) -> None:
    """Instead of the client's empty search."""
    with pytest.raises(ProviderError, match="no machine 'ibm_nowhere'"):
        rig.provider.availability("ibm/ibm_nowhere")


def test_a_machine_tells_its_queue_and_the_date_of_its_calibration(rig: Rig) -> None:
    """As its vendor publishes them."""
    found = rig.provider.availability(MACHINE)
    assert (found.available, found.queue, found.calibrated_at) == (True, 3, "2026-11-20T06:00:00+00:00")


def test_a_machines_calibration_has_errors_durations_and_couplings(rig: Rig) -> None:
    """So that circuits are routed to it, and its fidelity can be expected."""
    found = read_calibration(rig.provider._pool.call("calibration", {"backend": "ibm_torino"}))
    assert found["qubits"] == 133
    assert all(each["error"] > 0 and each["duration_seconds"] > 0 for each in found["gates"]["cz"])
    assert all(each["error"] > 0 for each in found["gates"]["measure"])
    assert all(each["t1_seconds"] > 0 for each in found["qubit_properties"])


def test_what_a_machine_cannot_decide_is_refused_before_it_is_sent(rig: Rig) -> None:
    """A loop that depends on measurements is no instruction of IBM's machines."""
    looping = circuit(1, 1)
    looping.x(0)
    with looping.while_loop((looping.clbits[0], 1)):
        looping.x(0)
    looping.measure(0, 0)
    with pytest.raises(CircuitError, match="while_loop"):
        rig.provider.routed(looping, MACHINE)
