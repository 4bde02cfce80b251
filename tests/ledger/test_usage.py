"""Who used how much, of jobs that had several attempts."""

from __future__ import annotations

from typing import Any

from qpm_lab.ledger import Ledger
from tests.ledger.making import NOON, hold, new_job, owner


def moved(ledger: Ledger, first: int, total: int | None, *, currency: str = "USD", **labels: Any) -> str:
    """A job that began on ionq/simulator at a cost, and ended on aer/noisy with that total; None leaves it open."""
    job = new_job(backend="ionq/simulator", **labels)
    ledger.submit(job, {}, [hold("a", 9)], owner())
    cost = {"currency": currency, "nano": first, "basis": "billed"}
    ledger.retry(job.job_id, 1, {"cost": cost}, [hold("a", 1)], settled={"a": 9}, backend="aer/noisy")
    if total is not None:
        summary = {"cost_nano": total, "currency": "USD"}
        ledger.finish(job.job_id, 1, "job.completed", {}, settled={"a": 1}, summary=summary)
    return job.job_id


def costs(ledger: Ledger, **filters: Any) -> dict[str, dict[str, int]]:
    return {row["backend"]: row["cost_nano"] for row in ledger.usage(by="backend", **filters)}


def test_each_attempt_costs_where_it_ran(both: Ledger) -> None:
    """The job counts once, where it ended; its money counts where it was spent, and adds up to the same."""
    moved(both, 7, 10)
    assert costs(both) == {"aer/noisy": {"USD": 3}, "ionq/simulator": {"USD": 7}}
    assert {row["backend"]: row["jobs"] for row in both.usage(by="backend")} == {"aer/noisy": 1, "ionq/simulator": 0}
    assert [row["cost_nano"] for row in both.usage(by="user")] == [{"USD": 10}]
    assert both.verify().ok


def test_what_a_retry_on_the_same_backend_cost_stays_there(both: Ledger) -> None:
    """Nothing is moved to where it is."""
    job = new_job(backend="ionq/simulator")
    both.submit(job, {}, [], owner())
    both.retry(job.job_id, 1, {"cost": {"currency": "USD", "nano": 4, "basis": "quoted"}}, [])
    both.finish(job.job_id, 1, "job.failed", {}, settled=None, summary={"cost_nano": 6, "currency": "USD"})
    assert costs(both) == {"ionq/simulator": {"USD": 6}}


def test_only_what_the_sums_have_is_moved(both: Ledger) -> None:
    """Not of an open job, nor in another currency than the job's own, and only of the jobs that are asked for."""
    moved(both, 7, None)
    assert not any(costs(both).values())
    moved(both, 7, 3, currency="CHF")
    assert costs(both) == {"aer/noisy": {"USD": 3}}
    assert costs(both, session="nobody's") == {}
    assert costs(both, since=NOON) == {"aer/noisy": {"USD": 3}}
