"""What is IonQ's own: how its answers are read, what is sent to it, and what its jobs cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from qiskit import QuantumCircuit

from qpm_lab.doubles.double import Call, Reply
from qpm_lab.doubles.ionq import IonqDouble
from qpm_lab.doubles.serving import Server
from qpm_lab.errors import CircuitError, ProviderError
from qpm_lab.providers.ionq import VENDOR, IonQClient
from qpm_lab.providers.ionq_calibration import content
from qpm_lab.providers.vendor import Access, Parcel
from tests.providers.vendors.conftest import Rig, circuit, crossed, flipped, recorded, rigged, shape

FORTE = "qpu.forte-1"


@pytest.fixture(scope="module")
def vendor_rig() -> Iterator[Rig]:
    yield from rigged("ionq", f"ionq/{FORTE}")


class Listening(IonqDouble):
    """Keeps what it is sent, and answers with changed documents."""

    def __init__(self, shares: Any = None, estimate: Any = None, cost: Any = None, **changes: Any) -> None:
        super().__init__()
        self.shares = shares
        self.estimate = estimate
        self.cost = cost
        self.changes = changes
        self.asked: list[Mapping[str, Any]] = []

    def _submit(self, call: Call) -> Reply:
        self.asked.append({"body": call.json(), "headers": call.headers})
        return super()._submit(call)

    def _job(self, call: Call) -> Reply:
        reply = super()._job(call)
        return Reply(reply.status, {**reply.body, **self.changes}) if reply.status == 200 else reply

    def _results(self, call: Call) -> Reply:
        reply = super()._results(call)
        return reply if self.shares is None else Reply(body=self.shares)

    def _estimate(self, call: Call) -> Reply:
        return super()._estimate(call) if self.estimate is None else Reply(body=self.estimate)

    def _cost(self, call: Call) -> Reply:
        return super()._cost(call) if self.cost is None else self.cost


@contextmanager
def listening(
    monkeypatch: pytest.MonkeyPatch, options: Mapping[str, Any] | None = None, **changes: Any
) -> Iterator[Any]:
    """The client in this process, and the double it speaks to."""
    monkeypatch.setenv("IONQ_API_URL", "")
    double = Listening(**changes)
    server = Server(double)
    server.start()
    try:
        yield IonQClient(Access(**{**double.access(), "options": dict(options or {})})), double
    finally:
        server.stop()


def parcel(*circuits: QuantumCircuit, backend: str = FORTE, shots: int = 100) -> Parcel:
    return Parcel(backend, circuits or (crossed(),), shots, "a" * 32, seed=3)


def test_only_circuit_shots_token_and_settings_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No metadata: neither the system and versions that the client would tell, nor names of ours."""
    with listening(monkeypatch) as (client, double):
        client.send(parcel())
    (asked,) = double.asked
    assert asked["body"].keys() == {"type", "backend", "shots", "name", "input", "settings"}
    assert asked["body"]["name"] == "a" * 32
    assert asked["body"]["settings"] == {"error_mitigation": {"debiasing": False}}


def test_debiasing_is_on_only_when_the_site_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It changes the price: the vendor's default from 500 shots on does not decide."""
    with listening(monkeypatch, {"debiasing": True}) as (client, double):
        client.send(parcel(shots=1000))
        assert double.asked[0]["body"]["settings"] == {"error_mitigation": {"debiasing": True}}


def test_qubits_are_numbered_by_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """A circuit that declares more qubits than it uses is sent on those that it uses."""
    made = circuit(60, 2)
    made.x(50)
    made.cx(50, 7)
    made.measure([7], [1])
    with listening(monkeypatch) as (client, double):
        vendor_id = client.send(parcel(made))
        assert double.asked[0]["body"]["input"]["qubits"] == 2
        assert client.answer(parcel(made), vendor_id).counts == [{"10": 100}]


def test_a_circuit_that_goes_on_after_measuring_is_refused_unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    """IonQ's gate list measures at the end."""
    made = circuit(1, 2)
    made.measure(0, 0)
    made.x(0)
    made.measure(0, 1)
    with listening(monkeypatch) as (client, double), pytest.raises(CircuitError, match="measures at the end"):
        client.send(parcel(made))
    assert double.asked == []


@pytest.mark.parametrize("state", ["paused", None, 7])
def test_an_unknown_state_is_named_and_not_guessed(monkeypatch: pytest.MonkeyPatch, state: Any) -> None:
    """Field and value are in the message."""
    with listening(monkeypatch, status=state) as (client, _):
        vendor_id = client.send(parcel())
        with pytest.raises(ProviderError, match=rf"'status'.*'{state}'"):
            client.standing(FORTE, vendor_id)


@pytest.mark.parametrize(
    "shares",
    [
        {"0": 0.5},
        {"0": 1.0, "1": 1.0},
        {"0": -0.5, "1": 1.5},
        {"99999": 1.0},
        {"-1": 1.0},
        {"0": "1"},
        {"0": True},
        {"0": float("nan")},
        {},
        {"surprise": 1.0},
    ],
    ids=str,
)
def test_shares_that_are_no_distribution_are_refused(monkeypatch: pytest.MonkeyPatch, shares: Any) -> None:
    """Sums, signs, types and outcomes are looked at before anything is counted."""
    for backend in (FORTE, "simulator"):
        with listening(monkeypatch, shares=shares) as (client, _):
            vendor_id = client.send(parcel(backend=backend))
            with pytest.raises(ProviderError, match="IonQ's answer to GET /jobs/ID/results"):
                client.answer(parcel(backend=backend), vendor_id)


def test_counts_of_the_simulator_are_not_taken_for_those_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job may have been run elsewhere than it was sent to, without another word."""
    with listening(monkeypatch, backend="simulator") as (client, _):
        vendor_id = client.send(parcel())
        with pytest.raises(ProviderError, match="on its simulator and not on qpu"):
            client.answer(parcel(), vendor_id)


def test_shares_of_a_machine_become_counts_that_sum_to_the_shots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mitigated shares are no multiples of a shot: the largest remainders are rounded up."""
    made = flipped(0, 2)
    with listening(monkeypatch, shares={"0": 0.125, "1": 0.5, "3": 0.375}) as (client, _):
        vendor_id = client.send(parcel(made, shots=10))
        assert client.answer(parcel(made, shots=10), vendor_id).counts == [{"00": 1, "01": 5, "11": 4}]


def test_the_simulators_shots_are_drawn_from_its_exact_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed draws the same shots, so that a job read again after a crash has the same result."""
    made = circuit(1, 1)
    made.h(0)
    made.measure(0, 0)
    with listening(monkeypatch) as (client, _):
        sent = parcel(made, backend="simulator", shots=1001)
        vendor_id = client.send(sent)
        first, second = (client.answer(sent, vendor_id).counts for _ in range(2))
    assert first == second
    assert sum(first[0].values()) == 1001


def test_a_jobs_price_is_ionqs_own_estimate_of_each_circuit(rig: Rig) -> None:
    """Gates of the circuits as they are sent, shots and mitigation go into it; the figures are the double's."""
    wide = circuit(3, 3)
    wide.cx([0, 1, 0], [1, 2, 2])
    wide.measure([0, 1, 2], [0, 1, 2])
    sent = rig.parcel(wide, flipped(0, 2), shots=10_000)
    # 3 two-qubit gates at 0.0011 and one one-qubit gate at 0.00016 per shot; the second below the least price of 25.
    assert rig.provider.price(sent) == ("USD", "58.0")


@pytest.mark.parametrize("unit", ["cost_unit", "estimated_unit"])
@pytest.mark.parametrize("cost", ["estimated_cost", "estimated_total_cost"])
def test_an_estimate_is_read_under_its_old_names_too(monkeypatch: pytest.MonkeyPatch, unit: str, cost: str) -> None:
    """IonQ renamed them within one version of its API, and not both at once."""
    with listening(monkeypatch, estimate={unit: "usd", cost: 25.79}) as (client, _):
        assert client.price(parcel()) == ("USD", "25.79")


@pytest.mark.parametrize("estimate", [{"estimated_unit": "usd"}, {"estimated_total_cost": 3.0}])
def test_what_an_estimate_lacks_is_named(monkeypatch: pytest.MonkeyPatch, estimate: dict[str, Any]) -> None:
    """By the name that it has now."""
    (missing,) = {"estimated_unit", "estimated_total_cost"} - estimate.keys()
    with listening(monkeypatch, estimate=estimate) as (client, _), pytest.raises(ProviderError, match=missing):
        client.price(parcel())


def test_credits_are_no_money(monkeypatch: pytest.MonkeyPatch) -> None:
    """Organisations may be billed in IonQ's credits: the price is unknown then, and the result is there."""
    estimate = {"estimated_unit": "credit", "estimated_total_cost": 3.0}
    cost = Reply(body={"dry_run": False, "cost": {"value": 3.0, "unit": "credit"}})
    with listening(monkeypatch, estimate=estimate, cost=cost) as (client, _):
        sent = parcel()
        answer = client.answer(sent, client.send(sent))
        assert (client.price(sent), answer.billed) == (None, None)
        assert answer.counts == [{"00101": 100}]


@pytest.mark.parametrize("cost", [Reply(404, {"error": "Not Found"}), Reply(body={"dry_run": False})])
def test_a_cost_that_ionq_does_not_say_leaves_the_result(monkeypatch: pytest.MonkeyPatch, cost: Reply) -> None:
    """Of a job that cost nothing it says none, or has no such answer at all."""
    with listening(monkeypatch, cost=cost) as (client, _):
        sent = parcel()
        assert client.answer(sent, client.send(sent)).billed is None


def test_a_job_that_is_done_says_what_it_was_billed(rig: Rig) -> None:
    """By IonQ's cost of the job, not by its estimate before."""
    sent = rig.parcel(crossed())
    answer = rig.provider.answer(sent, rig.provider.send(sent))
    assert answer.billed == ("USD", "25.0")
    assert answer.details["api"] == "v0.4"
    assert answer.run_seconds == 2.8


def test_a_bill_that_the_key_may_not_see_leaves_the_result(rig: Rig) -> None:
    """The counts are there; what it cost is not known then."""
    sent = rig.parcel(crossed())
    vendor_id = rig.provider.send(sent)
    rig.double.faults(expired_token=True, only="/cost")
    answer = rig.provider.answer(sent, vendor_id)
    assert answer.billed is None
    assert answer.counts == [{"00101": 200}]


def test_as_many_circuits_as_a_job_takes_come_back_in_order(rig: Rig) -> None:
    """Each is a child of the job, known by the child's id."""
    made = [flipped(n % 7, 7) for n in range(VENDOR.most_circuits)]
    assert rig.counts(*made, shots=1, backend="simulator") == [
        {f"{1 << n % 7:07b}": 1} for n in range(VENDOR.most_circuits)
    ]
    assert len(rig.double.submissions()) == 1


def test_a_token_is_looked_for_on_all_pages(rig: Rig) -> None:
    """A job that is not among the newest hundred is found, and one that is nowhere is not."""
    first = rig.parcel(flipped(0, 1), shots=1)
    vendor_id = rig.provider.send(first)
    for _ in range(101):
        rig.provider.send(rig.parcel(flipped(0, 1), shots=1))
    assert rig.provider.find(rig.backend, first.token) == [vendor_id]
    assert rig.provider.find(rig.backend, "f" * 32) == []


def test_unknown_fields_can_be_allowed_by_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """A harmless addition of IonQ's need not stop a lab until the next version."""
    with listening(monkeypatch, {"unknown_fields": "allow"}, surprise="new") as (client, _):
        assert client.standing(FORTE, client.send(parcel())).state == "done"


def test_a_machine_is_described_by_its_latest_characterization(rig: Rig) -> None:
    """Availability with the calibration's date; a target with errors that leaves every pair coupled."""
    found = rig.provider.availability(rig.backend)
    assert (found.available, found.calibrated_at, found.queue_seconds) == (True, "2026-04-30T09:30:00Z", 900.0)
    target = rig.provider.target(rig.backend)
    assert target.num_qubits == 36
    assert target["cx"][(35, 0)].error == pytest.approx(0.0065)
    assert target["measure"][(7,)].error == pytest.approx(0.0048)
    assert target.build_coupling_map() is None


@pytest.mark.parametrize("told", [{}, {"fidelity": {}}, {"fidelity": {"1q": {"median": 1.2}}}, {"timing": {"1q": "x"}}])
def test_an_unstated_error_is_missing_and_not_zero(told: dict[str, Any]) -> None:
    """What IonQ does not say stays unknown."""
    document = json.loads(content({"qubits": 2, **told}) or b"")
    assert all(each["error"] is None for places in document["gates"].values() for each in places)


def test_an_address_where_nobody_listens_took_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is certain, and may be tried again."""
    monkeypatch.setenv("IONQ_API_URL", "")
    client = IonQClient(Access("http://127.0.0.1:9", {"token": "k"}))
    with pytest.raises(ProviderError, match="cannot be reached") as caught:
        client.send(parcel())
    assert (caught.value.retryable, caught.value.uncertain) == (True, False)


def test_a_wrong_key_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's words and what to do."""
    with listening(monkeypatch) as (_, double):
        client = IonQClient(Access(double.url, {"token": "wrong-key-987654"}))
        with pytest.raises(ProviderError, match="Invalid API key") as caught:
            client.send(parcel())
    assert "wrong-key-987654" not in str(caught.value)
    assert "qpm secret set ionq" in caught.value.hint


def test_the_double_answers_in_the_shapes_that_were_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and types of each answer, by API version: a change of the double is a change of these files."""
    with listening(monkeypatch) as (client, _):
        read = client._api.read
        vendor_id = client.send(parcel())
        client.standing(FORTE, vendor_id)
        paths = {
            "job": ("jobs", vendor_id),
            "jobs": ("jobs",),
            "cost": ("jobs", vendor_id, "cost"),
            "backend": ("backends", FORTE),
            "characterizations": ("backends", FORTE, "characterizations"),
        }
        client._api._strict = False
        found = {name: shape(read(name, (), *path)) for name, path in paths.items()}
        gates = {"backend": FORTE, "1q_gates": 1, "2q_gates": 1, "qubits": 2, "shots": 100}
        found["estimate"] = shape(read("estimate", (), "jobs", "estimate", params=gates))
    assert found == recorded("ionq", "v0.4")


def test_vendor_names_what_its_client_is() -> None:
    """The static half loads nothing and names the class."""
    assert VENDOR.client == f"{IonQClient.__module__}:{IonQClient.__name__}"
