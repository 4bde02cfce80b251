"""What the ledger knows of conditions met and missed, and of canaries."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import sqlalchemy as sa

from qpm_lab.errors import LedgerError
from qpm_lab.ledger import Ending, Ledger, NewJob
from qpm_lab.ledger.reading import _ATTEMPTS, _CANARIES
from tests.ledger.making import hold, new_job, owner

Verdict = Literal["passed", "failed"]


def ending(verdict: Verdict | None = None, **columns: Any) -> Ending:
    if verdict is None:
        return Ending("job.completed", {}, None, columns)
    further = ((f"validation.{verdict}", {"passed": verdict == "passed"}),)
    return Ending("job.completed", {}, None, {"validation": verdict, **columns}, further=further)


def done(ledger: Ledger, verdict: Verdict | None = None, job: NewJob | None = None, **columns: Any) -> str:
    job = job or new_job()
    ledger.submit_ended(job, {}, [], owner(), ending(verdict, **columns))
    return job.job_id


def finished(ledger: Ledger, job: NewJob, how: Ending) -> None:
    ledger.submit(job, {}, [hold(amount=1)], owner(), started=True)
    entry = ledger.finish(
        job.job_id, 1, how.event, how.payload, settled=how.settled, summary=how.summary, further=how.further
    )
    assert entry is not None
    assert entry.event == how.event


@pytest.mark.parametrize("whole", [True, False])
def test_what_follows_an_outcome_stands_in_the_same_transaction(both: Ledger, whole: bool) -> None:
    """The verdict comes right after the outcome, for a job recorded as a whole and for one recorded in steps."""
    job = new_job()
    if whole:
        done(both, "failed", job)
    else:
        finished(both, job, ending("failed"))
    entries = both.entries(job.job_id)
    assert [entry.event for entry in entries[-2:]] == ["job.completed", "validation.failed"]
    assert entries[-1].seq == entries[-2].seq + 1
    row = both.job(job.job_id)
    assert (row.status, row.validation, row.last_entry) == ("completed", "failed", entries[-1].seq)
    assert both.verify().ok


@pytest.mark.parametrize("event", ["job.failed", "ledger.key_added", "Nonsense"])
def test_what_follows_an_outcome_can_move_nothing(ledger: Ledger, event: str) -> None:
    """Such an entry is refused together with the outcome, and the job stays open."""
    job = new_job()
    ledger.submit(job, {}, [], owner(), started=True)
    with pytest.raises(LedgerError):
        ledger.finish(job.job_id, 1, "job.completed", {}, settled=None, further=[(event, {})])
    assert ledger.job(job.job_id).open
    assert ledger.verify().ok


@pytest.mark.parametrize("summary", [{"validation": "maybe"}, {"validation": True}, {"canary_successes": 0.5}])
def test_a_verdict_is_passed_or_failed(ledger: Ledger, summary: dict[str, Any]) -> None:
    """No other word, and no share of a shot, reaches the columns that rates are computed from."""
    with pytest.raises(LedgerError):
        done(ledger, None, **summary)


def test_attempts_are_counted_by_user_circuit_and_backend(both: Ledger) -> None:
    """Only validated jobs count, and only those of the same user with the same circuit on the same backend."""
    verdicts: tuple[Verdict, ...] = ("failed", "passed", "failed")
    for verdict in verdicts:
        done(both, verdict)
    done(both)
    done(both, "failed", new_job(user="bob"))
    done(both, "failed", new_job(fingerprint="sha256:g"))
    done(both, "failed", new_job(backend="aer/noisy"))
    both.refuse(new_job(), {})
    assert both.attempts("ada", "sha256:f", "aer/simulator") == {"passed": 1, "failed": 2}
    assert both.attempts("ada", "sha256:nothing", "aer/simulator") == {"passed": 0, "failed": 0}


def test_attempts_before_an_entry_leave_out_what_was_submitted_later(both: Ledger) -> None:
    """The count of a job does not change when it is run again."""
    ids = [done(both, "failed"), done(both, "failed"), done(both, "passed")]
    counts = [both.attempts("ada", "sha256:f", "aer/simulator", both.job(each).first_entry) for each in ids]
    assert counts == [{"passed": 0, "failed": 0}, {"passed": 0, "failed": 1}, {"passed": 0, "failed": 2}]


def test_canaries_of_a_series_come_oldest_first(both: Ledger) -> None:
    """Those that completed, the latest ones when there are more than asked for."""
    for number, successes in enumerate((95, 93, 97)):
        done(both, None, new_job(f"CANARY{number}", canary="ghz"), canary_successes=successes)
    done(both, None, new_job(canary="other"), canary_successes=1)
    failed = Ending("job.failed", {}, None, {"error": "it broke"})
    both.submit_ended(new_job(canary="ghz"), {}, [], owner(), failed)
    found = both.canaries("ghz")
    assert [row["canary_successes"] for row in found] == [95, 93, 97]
    assert found[0] == {
        "job_id": "CANARY0",
        "created_at": both.job("CANARY0").created_at,
        "backend": "aer/simulator",
        "canary_successes": 95,
        "shots": 100,
    }
    assert [row["job_id"] for row in both.canaries("ghz", 2)] == ["CANARY1", "CANARY2"]
    assert both.canaries("nothing") == []
    assert both.verify().ok


def test_usage_tells_success_from_completion(both: Ledger) -> None:
    """M1 and M3: a job that completes without meeting its conditions has not succeeded."""
    verdicts: tuple[Verdict | None, ...] = ("passed", "failed", None)
    for verdict in verdicts:
        done(both, verdict)
    both.submit_ended(new_job(), {}, [], owner(), Ending("job.failed", {}, None, {"error": "it broke"}))
    both.refuse(new_job(), {})
    (row,) = both.usage()
    names = ("jobs", "completed", "failed", "denied", "succeeded", "validated", "passed")
    assert {name: row[name] for name in names} == dict(zip(names, (5, 3, 1, 1, 2, 2, 1), strict=True))


@pytest.mark.parametrize(("query", "index"), [(_ATTEMPTS, "jobs_validated"), (_CANARIES, "jobs_canary")])
def test_counting_never_reads_the_whole_list_of_jobs(ledger: Ledger, query: sa.Select[Any], index: str) -> None:
    """Attempts and canaries are found by the index that only such jobs are in."""
    names = ("p_user", "p_fingerprint", "p_backend", "p_series")
    values: dict[str, Any] = dict.fromkeys(names, "x") | {"p_before": 9, "p_limit": 9}
    with ledger._database.read() as connection:
        compiled = query.compile(connection.engine)
        wanted = [values.get(name, compiled.params[name]) for name in compiled.positiontup or ()]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple(wanted)).all()
    assert any(index in str(step) for step in plan)
