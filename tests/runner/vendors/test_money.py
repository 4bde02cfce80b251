"""What a job at a vendor may cost, did cost, and what that is decided on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from qpm_lab import Lab
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import DeniedError, InputError
from qpm_lab.job import Job
from qpm_lab.providers import vendors
from qpm_lab.runner import clock
from tests.runner.vendors.conftest import MACHINE, SIMULATOR, asymmetric, events, flipped, reserved, until

LIST = {
    "id": "mine", "backends": [MACHINE], "formula": "task-and-shot", "currency": "USD", "unit": "task and shot",
    "rates": {"per_task": "0.30", "per_shot": "0.001"}, "source": "contract", "seen_on": "2026-11-01",
    "confidence": "A", "region": "us", "channel": "IonQ direct",
}  # fmt: skip
NO_ESTIMATE = {"outage": 1.0, "only": "GET /v0.4/jobs/estimate"}


@pytest.fixture
def listed(home: Path) -> None:
    """A price list of the site's own."""
    home.mkdir(exist_ok=True)
    (home / "prices.yaml").write_text(yaml.safe_dump({"prices": [LIST]}))


def spent(lab: Lab, measure: str = "cost") -> set[int]:
    """What the counters of a measure have settled."""
    return {c.settled for c in lab.ledger.all_counters(at=clock.now()) if c.measure == measure and c.settled}


def test_the_vendors_own_estimate_wins_over_a_list(listed: None, lab: Lab) -> None:
    """And says so, with its date."""
    quote = lab.quote(asymmetric(), backend=MACHINE, shots=100)
    assert quote.high == 25_000_000_000
    assert "IonQ, asked for this job" in quote.source
    assert quote.as_of == clock.now().date().isoformat()


def test_the_list_holds_where_the_vendor_cannot_be_asked(listed: None, lab: Lab, double: RunningDouble) -> None:
    """The note says why."""
    double.faults(**NO_ESTIMATE)
    told = lab.dry_run(asymmetric(), backend=MACHINE, shots=100)
    assert told["quote"]["high"] == "0.4"
    assert any("gave no estimate" in note for note in told["notes"])


def test_the_decision_is_made_on_the_vendors_estimate(listed: None, lab: Lab, double: RunningDouble) -> None:
    """A limit above the list price and below the estimate denies, and promises no size that the estimate does not."""
    with pytest.raises(DeniedError, match=r"up to \$25.00") as denied:
        lab.submit(asymmetric(), backend=MACHINE, shots=100, max_cost="10")
    assert "at most" not in str(denied.value).lower()
    assert not double.submissions()
    assert reserved(lab) == 0


def test_a_quota_holds_the_vendors_estimate(listed: None, lab: Lab, double: RunningDouble) -> None:
    """What is reserved is what the vendor said, until it has billed."""
    double.faults(queue_polls=10**6)
    job = lab.submit(asymmetric(), backend=MACHINE, shots=100)
    held = {each["reserved"] for each in job.record()["quota"] if each["measure"] == "cost"}
    assert held == {"25"}
    double.faults(queue_polls=0)
    job.result(60)
    assert spent(lab) == {25_000_000_000}


def test_an_unknown_price_is_denied_and_says_how_to_supply_it(lab: Lab, double: RunningDouble) -> None:
    """Nothing is sent; the words name the file and the backend."""
    double.faults(**NO_ESTIMATE)
    with pytest.raises(DeniedError, match="unknown") as denied:
        lab.submit(asymmetric(), backend=MACHINE, shots=100)
    fix = denied.value.decision.reasons[0].fix
    assert "prices.yaml" in fix
    assert MACHINE in fix
    assert "503" in fix
    assert not double.submissions()


def test_a_bill_is_what_the_job_cost(listed: None, lab: Lab) -> None:
    """Where the vendor says what it charged, that is booked, and marked so."""
    job = lab.submit(asymmetric(), backend=MACHINE, shots=100)
    job.result(60)
    assert job.record()["cost"] == {"currency": "USD", "amount": "25", "basis": "billed"}


def test_without_a_bill_the_quote_is_booked(listed: None, lab: Lab, double: RunningDouble) -> None:
    """And marked so."""
    double.faults(expired_token=True, only="/cost")
    job = lab.submit(asymmetric(), backend=MACHINE, shots=100)
    job.result(60)
    assert job.record()["cost"] == {"currency": "USD", "amount": "25", "basis": "quoted"}


def test_a_job_that_was_never_taken_costs_nothing(listed: None, lab: Lab, double: RunningDouble) -> None:
    """What it held is given back."""
    job = lab.submit(flipped(0, width=25), backend=MACHINE, shots=10, fidelity="none")
    job.wait(60)
    assert job.record()["cost"]["amount"] == "0"
    assert job.record()["cost"]["basis"] == "refunded"
    assert reserved(lab) == 0
    assert not spent(lab)


def test_a_job_that_fails_at_the_vendor_is_booked_by_the_vendors_rule(
    listed: None, lab: Lab, double: RunningDouble
) -> None:
    """What a vendor does not say it gives back is booked as if it did not."""
    double.faults(failing=1.0)
    job = lab.submit(asymmetric(), backend=MACHINE, shots=100)
    job.wait(60)
    cost = job.record()["cost"]
    assert (cost["basis"] == "quoted") == (cost["amount"] == "25")
    assert spent(lab) == ({25_000_000_000} if cost["amount"] == "25" else set())
    assert reserved(lab) == 0


@pytest.fixture
def overrun(listed: None, lab: Lab, double: RunningDouble) -> Job:
    """A job that was reserved at the list price and billed at 25 USD."""
    double.faults(**NO_ESTIMATE)
    job = lab.submit(asymmetric(), backend=MACHINE, shots=100)
    job.result(60)
    return job


def test_a_bill_above_its_reservation_is_recorded_as_an_overrun(overrun: Job, lab: Lab) -> None:
    """The whole bill counts against the quotas, and the ledger verifies."""
    assert overrun.record()["cost"] == {"currency": "USD", "amount": "25", "basis": "billed"}
    assert "cost.overrun" in events(overrun)
    assert spent(lab) == {25_000_000_000}
    assert reserved(lab) == 0
    assert lab.ledger.verify().ok


def test_an_overrun_blocks_what_costs_until_somebody_has_looked(
    overrun: Job, lab: Lab, double: RunningDouble, make_lab: Callable[..., Lab]
) -> None:
    """In this kernel and in the next; what is free goes on, and so does all once it is acknowledged."""
    for each in (lab, make_lab(notebook_run="another")):
        with pytest.raises(DeniedError, match=f"Job {overrun.id} was charged 25 USD") as denied:
            each.submit(asymmetric(), backend=MACHINE, shots=100)
        assert f"qpm jobs acknowledge {overrun.id}" in denied.value.hint
    assert lab.submit(flipped(0), backend="aer/simulator", shots=5).result(60).counts == {"001": 5}
    assert lab.submit(flipped(0), backend=SIMULATOR, shots=5).result(60).counts == {"001": 5}
    lab.acknowledge(overrun.id)
    double.faults(outage=0.0)
    assert lab.submit(asymmetric(), backend=MACHINE, shots=100).result(60).counts == {"01 1": 100}
    assert events(overrun)[-1] == "cost.overrun_acknowledged"
    assert lab.ledger.verify().ok
    with pytest.raises(InputError, match="no overrun"):
        lab.acknowledge(overrun.id)


def test_the_open_overruns_are_found_by_their_index(overrun: Job, lab: Lab) -> None:
    """Nothing on the path of a job grows with the ledger."""
    from qpm_lab.ledger import reading

    statement = reading._OVERRUNS.compile(compile_kwargs={"literal_binds": True})
    with lab.ledger._database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert "ledger_entries_overruns" in str(plan)
    assert "SCAN ledger_entries'" not in str(plan)


def test_parts_that_ran_are_paid_for_when_the_rest_is_cancelled(
    home: Path, lab: Lab, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor that takes nothing for a cancelled job has charged for the part that it did run."""
    row = {**LIST, "refunds": {"cancelled": "all", "failed": "all"}}
    (home / "prices.yaml").write_text(yaml.safe_dump({"prices": [row]}))
    remote = vendors()["ionq"]
    monkeypatch.setattr(remote, "vendor", dataclasses.replace(remote.vendor, most_circuits=1))

    def hold_up_the_next(name: str) -> None:
        if name == "after-answer":
            double.faults(stuck=True)

    lab.runner.boundary = hold_up_the_next
    job = lab.submit([flipped(0), flipped(1)], backend=MACHINE, shots=10, fidelity="none")
    until(lambda: "queued" in job.record()["progress"]["message"] and len(double.submissions()) == 2)
    until(lambda: job.record()["progress"]["done"] == 10)
    job.cancel()
    assert job.wait(60)
    assert job.record()["cost"] == {"currency": "USD", "amount": "25", "basis": "billed"}
    assert [each["cancelled"] for each in double.submissions()] == [False, True]


def test_a_bill_in_money_that_nobody_can_change_spoils_no_quota(
    home: Path, lab: Lab, listed: None, double: RunningDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record names the vendor's currency; the quota is charged what was held, in its own."""
    double.faults(**NO_ESTIMATE)
    settle = type(lab.runner.site.prices).settle

    def in_francs(self: Any, request: Any, quote: Any, usage: Any) -> Any:
        return dataclasses.replace(settle(self, request, quote, usage), currency="CHF", nano=10**12)

    monkeypatch.setattr(type(lab.runner.site.prices), "settle", in_francs)
    job = lab.submit(asymmetric(), backend=MACHINE, shots=100)
    job.result(60)
    assert job.record()["cost"]["currency"] == "CHF"
    assert spent(lab) == {400_000_000}
