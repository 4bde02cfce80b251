"""Whatever happens to jobs and sessions in whatever order: counters are what holds and settlements add up to."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_lab.errors import LedgerError
from qpm_lab.ledger import Ending, Entry, Ledger
from tests.ledger.making import hold, new_job, new_session, owner

KEYS = ("a", "b", "c")
LIMIT = 50
AMOUNTS = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 30), max_size=3)
NUMBERS = st.integers(0, 5)
EPOCHS = st.sampled_from((1, 1, 1, 2))
USED = st.integers(0, 40)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), AMOUNTS, NUMBERS, st.booleans()),
        st.tuples(st.just("submit_ended"), AMOUNTS, NUMBERS, USED),
        st.tuples(st.just("finish"), NUMBERS, EPOCHS, USED),
        st.tuples(st.just("release"), NUMBERS, EPOCHS),
        st.tuples(st.just("retry"), NUMBERS, EPOCHS, AMOUNTS),
        st.tuples(st.just("cancel"), NUMBERS),
        st.tuples(st.just("take"), NUMBERS, EPOCHS),
        st.tuples(st.just("refuse")),
        st.tuples(st.just("open_session"), AMOUNTS),
        st.tuples(st.just("close_session"), NUMBERS),
    ),
    min_size=12,
    max_size=30,
)

Holding = dict[str, tuple[int, str | None]]
"""Counter → amount, and the session it was drawn from."""


class Model:
    """The same ledger in dictionaries, and the expectations that follow from it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.ids: list[str] = []
        self.open: dict[str, tuple[int, Holding]] = {}
        """Open job → epoch and what it holds."""
        self.session_of: dict[str, str | None] = {}
        self.session_ids: list[str] = []
        self.envelopes: dict[str, dict[str, int]] = {}
        """Open session → what it holds."""
        self.settled = dict.fromkeys(KEYS, 0)
        self.overrun = False

    def reserved(self, key: str) -> int:
        jobs = sum(holding.get(key, (0, None))[0] for _, holding in self.open.values())
        return jobs + sum(envelope.get(key, 0) for envelope in self.envelopes.values())

    def drawn(self, amounts: dict[str, int], session: str | None) -> Holding:
        envelope = self.envelopes.get(session or "", {})
        return {k: (n, session if n <= envelope.get(k, -1) else None) for k, n in amounts.items()}

    def fits(self, holding: Holding) -> bool:
        fresh = {k: n for k, (n, session) in holding.items() if session is None}
        return all(self.settled[k] + self.reserved(k) + n <= LIMIT for k, n in fresh.items())

    def hold(self, holding: Holding) -> None:
        for key, (amount, session) in holding.items():
            if session is not None:
                self.envelopes[session][key] -= amount

    def settle(self, holding: Holding, used: int) -> None:
        for key, (amount, session) in holding.items():
            self.settled[key] += used
            self.overrun |= used > amount
            if session in self.envelopes:
                self.envelopes[session][key] = max(0, self.envelopes[session][key] + amount - used)

    def job(self, number: int, epoch: int) -> tuple[str, bool]:
        job_id = self.ids[number % len(self.ids)] if self.ids else "none"
        return job_id, job_id in self.open and self.open[job_id][0] == epoch

    def session(self, number: int) -> str | None:
        """One in three jobs belongs to no session."""
        return self.session_ids[number % len(self.session_ids)] if self.session_ids and number % 3 else None

    def new(self, number: int) -> tuple[Any, str | None, bool]:
        session = self.session(number)
        job = new_job(f"J{len(self.ids):05d}", session_id=session)
        return job, session, session is None or session in self.envelopes

    def submit(self, amounts: dict[str, int], number: int, started: bool) -> None:
        job, session, may = self.new(number)
        holding = self.drawn(amounts, session)
        fits = may and self.fits(holding)
        try:
            answer = self.ledger.submit(job, {}, holds_of(amounts), owner(), started=started)
        except LedgerError:
            assert not may
            return
        assert may
        assert isinstance(answer, Entry) is fits
        if fits:
            self.ids.append(job.job_id)
            self.session_of[job.job_id] = session
            self.hold(holding)
            self.open[job.job_id] = (1, holding)

    def submit_ended(self, amounts: dict[str, int], number: int, used: int) -> None:
        job, session, may = self.new(number)
        holding = self.drawn(amounts, session)
        fits = may and self.fits(holding)
        ending = Ending("job.completed", {}, dict.fromkeys(amounts, used))
        try:
            answer = self.ledger.submit_ended(job, {}, holds_of(amounts), owner(), ending)
        except LedgerError:
            assert not may
            return
        assert may
        assert isinstance(answer, Entry) is fits
        if fits:
            self.ids.append(job.job_id)
            self.hold(holding)
            self.settle(holding, used)

    def finish(self, number: int, epoch: int, used: int) -> None:
        job_id, current = self.job(number, epoch)
        if job_id != "none":
            holding = self.open[job_id][1] if current else {}
            settled = dict.fromkeys(holding, used)
            answer = self.ledger.finish(job_id, epoch, "job.completed", {}, settled=settled)
            assert (answer is not None) is current
            if current:
                del self.open[job_id]
                self.settle(holding, used)

    def release(self, number: int, epoch: int) -> None:
        job_id, current = self.job(number, epoch)
        if job_id != "none":
            answer = self.ledger.finish(job_id, epoch, "job.failed", {}, settled=None)
            assert (answer is not None) is current
            if current:
                self.settle(self.open.pop(job_id)[1], 0)

    def retry(self, number: int, epoch: int, amounts: dict[str, int]) -> None:
        job_id, current = self.job(number, epoch)
        if job_id == "none":
            return
        answer = self.ledger.retry(job_id, epoch, {}, holds_of(amounts))
        assert (answer is None) is not current
        if current:
            _, before = self.open.pop(job_id)
            self.settle(before, 0)
            holding = self.drawn(amounts, self.session_of[job_id])
            fits = self.fits(holding)
            assert isinstance(answer, Entry) is fits
            self.open[job_id] = (epoch, holding if fits else before)
            self.hold(self.open[job_id][1] if fits else still_drawn(before, self.envelopes))

    def cancel(self, number: int) -> None:
        job_id, _ = self.job(number, 0)
        if job_id != "none":
            assert (self.ledger.request_cancel(job_id, "ada") is not None) is (job_id in self.open)

    def take(self, number: int, epoch: int) -> None:
        job_id, current = self.job(number, epoch)
        if job_id != "none":
            assert self.ledger.take_over(job_id, epoch, owner("new")) == (epoch + 1 if current else None)
            if current:
                self.open[job_id] = (epoch + 1, self.open[job_id][1])

    def refuse(self) -> None:
        self.ids.append(f"J{len(self.ids):05d}")
        self.ledger.refuse(new_job(self.ids[-1]), {})

    def open_session(self, amounts: dict[str, int]) -> None:
        session = new_session(f"S{len(self.session_ids):05d}")
        fits = self.fits(self.drawn(amounts, None))
        answer = self.ledger.open_session(session, {}, holds_of(amounts), owner())
        assert isinstance(answer, Entry) is fits
        if fits:
            self.session_ids.append(session.session_id)
            self.envelopes[session.session_id] = dict(amounts)

    def close_session(self, number: int) -> None:
        if self.session_ids:
            session = self.session_ids[number % len(self.session_ids)]
            released = self.envelopes.pop(session, None)
            answer = self.ledger.close_session(session, {})
            assert (None if answer is None else answer.payload["ledger"]["released"]) == released


def still_drawn(holding: Holding, envelopes: dict[str, Any]) -> Holding:
    return {key: told for key, told in holding.items() if told[1] in envelopes}


def holds_of(amounts: dict[str, int]) -> list[Any]:
    return [hold(key, amount, LIMIT) for key, amount in amounts.items()]


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_counters_are_the_sum_of_what_happened(steps: list[tuple[Any, ...]]) -> None:
    """After any sequence, counters and holders agree with a plain model and with the replay of the chain."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder) / "home")
        model = Model(ledger)
        model.open_session({"a": 30, "b": 20, "c": 0})
        for name, *arguments in steps:
            getattr(model, name)(*arguments)
            for counter in ledger.counters(KEYS).values():
                assert 0 <= counter.reserved <= LIMIT
                assert model.overrun or counter.settled + counter.reserved <= LIMIT
        for key, counter in ledger.counters(KEYS).items():
            assert (counter.settled, counter.reserved) == (model.settled[key], model.reserved(key))
        assert {row.job_id for row in ledger.open_jobs()} == set(model.open)
        assert {row.session_id: ledger.held(row.session_id) for row in ledger.open_sessions()} == model.envelopes
        for job_id, (_, holding) in model.open.items():
            assert ledger.held(job_id) == {key: amount for key, (amount, _) in holding.items()}
        assert ledger.verify().problems == ()
        ledger.close()
