"""Whatever happens to jobs in whatever order: counters are what the open holds and settlements add up to."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_lab.ledger import Entry, Ledger
from tests.ledger.making import hold, new_job, owner

KEYS = ("a", "b", "c")
LIMIT = 50
AMOUNTS = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 30), max_size=3)
EPOCHS = st.integers(1, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), AMOUNTS, st.booleans()),
        st.tuples(st.just("finish"), st.integers(0, 9), EPOCHS, st.integers(0, 40)),
        st.tuples(st.just("release"), st.integers(0, 9), EPOCHS),
        st.tuples(st.just("retry"), st.integers(0, 9), EPOCHS, AMOUNTS),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("take"), st.integers(0, 9), EPOCHS),
        st.tuples(st.just("refuse")),
    ),
    max_size=25,
)


class Model:
    """The same ledger in a dictionary, and the expectations that follow from it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.ids: list[str] = []
        self.open: dict[str, tuple[int, dict[str, int]]] = {}
        """Open job → epoch and holds."""
        self.settled = dict.fromkeys(KEYS, 0)

    def reserved(self, key: str, but: str = "") -> int:
        return sum(holds.get(key, 0) for job, (_, holds) in self.open.items() if job != but)

    def fits(self, amounts: dict[str, int], but: str = "") -> bool:
        return all(self.settled[k] + self.reserved(k, but) + n <= LIMIT for k, n in amounts.items())

    def current(self, number: int, epoch: int) -> tuple[str, bool]:
        job_id = self.ids[number % len(self.ids)] if self.ids else "none"
        return job_id, job_id in self.open and self.open[job_id][0] == epoch

    def submit(self, amounts: dict[str, int], started: bool) -> None:
        job = new_job(f"J{len(self.ids):05d}")
        fits = self.fits(amounts)
        answer = self.ledger.submit(job, {}, holds_of(amounts), owner(), started=started)
        assert isinstance(answer, Entry) is fits
        if fits:
            self.ids.append(job.job_id)
            self.open[job.job_id] = (1, amounts)

    def finish(self, number: int, epoch: int, used: int) -> None:
        job_id, current = self.current(number, epoch)
        if job_id != "none":
            held = self.open[job_id][1] if current else {}
            settled = dict.fromkeys(held, used)
            answer = self.ledger.finish(job_id, epoch, "job.completed", {}, settled=settled)
            assert (answer is not None) is current
            if current:
                self.settled.update({k: self.settled[k] + used for k in held})
                del self.open[job_id]

    def release(self, number: int, epoch: int) -> None:
        job_id, current = self.current(number, epoch)
        if job_id != "none":
            answer = self.ledger.finish(job_id, epoch, "job.failed", {}, settled=None)
            assert (answer is not None) is current
            if current:
                del self.open[job_id]

    def retry(self, number: int, epoch: int, amounts: dict[str, int]) -> None:
        job_id, current = self.current(number, epoch)
        if job_id != "none":
            fits = current and self.fits(amounts, but=job_id)
            answer = self.ledger.retry(job_id, epoch, {}, holds_of(amounts))
            assert isinstance(answer, Entry) is fits
            assert (answer is None) is not current
            if fits:
                self.open[job_id] = (epoch, amounts)

    def cancel(self, number: int) -> None:
        job_id, _ = self.current(number, 0)
        if job_id != "none":
            assert (self.ledger.request_cancel(job_id, "ada") is not None) is (job_id in self.open)

    def take(self, number: int, epoch: int) -> None:
        job_id, current = self.current(number, epoch)
        if job_id != "none":
            assert self.ledger.take_over(job_id, epoch, owner("new")) == (epoch + 1 if current else None)
            if current:
                self.open[job_id] = (epoch + 1, self.open[job_id][1])

    def refuse(self) -> None:
        self.ids.append(f"J{len(self.ids):05d}")
        self.ledger.refuse(new_job(self.ids[-1]), {})


def holds_of(amounts: dict[str, int]) -> list[Any]:
    return [hold(key, amount, LIMIT) for key, amount in amounts.items()]


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_counters_are_the_sum_of_what_happened(steps: list[tuple[Any, ...]]) -> None:
    """After any sequence, each counter agrees with a plain model and with the replay of the chain."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder) / "home")
        model = Model(ledger)
        for name, *arguments in steps:
            getattr(model, name)(*arguments)
        for key, counter in ledger.counters(KEYS).items():
            assert (counter.settled, counter.reserved) == (model.settled[key], model.reserved(key))
        assert {row.job_id for row in ledger.open_jobs()} == set(model.open)
        assert ledger.verify().problems == ()
        ledger.close()
