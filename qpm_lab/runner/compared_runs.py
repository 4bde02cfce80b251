"""The runs of a comparison: which jobs, whether they go together, and what a reader should know of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

from qpm_lab.errors import InputError
from qpm_lab.experiment import Status
from qpm_lab.ledger import JobRow, Ledger
from qpm_lab.runner.order import whole
from qpm_lab.runner.plan import find_backend
from qpm_lab.runner.record import histograms

MOST_RUNS = 20
MOST_PAIRS = 2000
"""Pairs of histograms, over all circuits and points of a sweep."""
LAST = 5


@dataclass(frozen=True, slots=True)
class Run:
    """One job of a comparison."""

    row: JobRow
    asked: Mapping[str, Any]
    counts: Sequence[Mapping[str, int]]
    """One histogram per execution."""

    @property
    def facts(self) -> list[Mapping[str, Any]]:
        """Of its circuits."""
        return list(self.asked["request"]["circuits"])

    @property
    def sample(self) -> tuple[Any, ...]:
        """What makes the shots of a simulation come out the same, as far as both go."""
        marks, twirl = tuple(facts["fingerprint"] for facts in self.facts), self.asked.get("twirl")
        return (self.row.backend, self.asked.get("seed"), marks, str(self.asked.get("sweeps")), str(twirl))

    @property
    def names(self) -> list[str]:
        """What each histogram belongs to: its circuit, in a sweep with the number of the point."""
        return [
            facts["name"] if facts["points"] == 1 else f"{facts['name']}, point {point}"
            for facts in self.facts
            for point in range(facts["points"])
        ]

    def told(self) -> dict[str, Any]:
        """The run in the document."""
        row = self.row
        return {
            "job_id": row.job_id,
            "name": row.name,
            "backend": row.backend,
            "shots": row.shots,
            "seed": self.asked.get("seed"),
            "fingerprint": row.fingerprint,
            "created_at": row.created_at,
        }


def latest_runs(ledger: Ledger, experiment: str, last: int | None) -> list[str]:
    """The ids of the latest completed jobs of an experiment, oldest first.

    Raises:
        InputError: there are fewer than two.
    """
    limit = LAST if last is None else whole(last, "number of runs", 2, MOST_RUNS)
    rows = ledger.jobs(experiment=experiment, status=Status.COMPLETED, limit=limit)
    if len(rows) < 2:
        found = "one completed run" if rows else "no completed run"
        raise InputError(
            f"The experiment {experiment[:80]!r} has {found}; two at least can be compared.",
            f"Run it again with --experiment {experiment[:80]}; %qjobs --experiment lists its jobs.",
        )
    return [row.job_id for row in reversed(rows)]


def the_runs(ledger: Ledger, job_ids: Sequence[str]) -> list[Run]:
    """The jobs to compare, in order.

    Raises:
        InputError: there are too few or too many, one is named twice, is not completed, or does not go with the others.
    """
    ids = [ledger.job(job_id).job_id for job_id in job_ids[: MOST_RUNS + 1]]
    if not 2 <= len(ids) <= MOST_RUNS:
        found = "one" if len(ids) == 1 else "none" if not ids else "more"
        raise InputError(
            f"A comparison takes 2 to {MOST_RUNS} jobs; there is {found}.",
            "Write the ids of two or more jobs, or --experiment NAME. %qjobs lists them.",
        )
    twice = next((job_id for n, job_id in enumerate(ids) if job_id in ids[:n]), None)
    if twice:
        raise InputError(f"Job {twice} is named twice.", "A run is not compared with itself; run it again.")
    runs = [_run(ledger, job_id) for job_id in ids]
    _require_alike(runs)
    return runs


def _run(ledger: Ledger, job_id: str) -> Run:
    row = ledger.job(job_id)
    if row.status != Status.COMPLETED:
        raise InputError(f"Job {row.job_id} is {row.status}; only completed jobs can be compared.", "See %qjobs.")
    return Run(row, ledger.entries(row.job_id)[0].payload, histograms(ledger, row.job_id))


def _require_alike(runs: Sequence[Run]) -> None:
    """That there is the same number of histograms, and of bits in each.

    Raises:
        InputError: there is not.
    """
    first, what = runs[0], "Compare runs of one circuit; %qjob --again ID repeats a job."
    pairs = len(first.counts) * comb(len(runs), 2)
    if pairs > MOST_PAIRS:
        raise InputError(
            f"These jobs have {pairs:,} pairs of histograms; at most {MOST_PAIRS:,} are compared.",
            "Compare fewer jobs, or single points of the sweep.",
        )
    for other in runs[1:]:
        if len(other.counts) != len(first.counts):
            numbers = f"{len(first.counts):,} and {len(other.counts):,}"
            raise InputError(f"The jobs {first.row.job_id} and {other.row.job_id} have {numbers} histograms.", what)
        if _widths(other) != _widths(first):
            raise InputError(
                f"The jobs {first.row.job_id} and {other.row.job_id} measure different numbers of bits.", what
            )


def _widths(run: Run) -> list[int]:
    return [len(next(iter(counts)).replace(" ", "")) for counts in run.counts]


def copies(runs: Sequence[Run]) -> str | None:
    """Which runs are one simulation seen twice; None when all are independent as far as is known."""
    for first, second in combinations(runs, 2):
        if _is_simulator(first.row.backend) and first.asked.get("seed") is not None and first.sample == second.sample:
            return (
                f"The jobs {first.row.job_id} and {second.row.job_id} are simulations with the same seed "
                f"({first.asked['seed']}): one run seen twice. Run it again without --seed."
            )
    return None


def _is_simulator(backend: str) -> bool:
    """True when it is known as a simulator; a backend that is not there any more is taken for a machine."""
    try:
        return find_backend(backend).kind == "simulator"
    except InputError:
        return False


def differences(runs: Sequence[Run]) -> Iterator[str]:
    """In what the runs differ, so that a reader knows what was compared."""
    if len({tuple(facts["fingerprint"] for facts in run.facts) for run in runs}) > 1:
        yield "The runs have different circuits: equal outcomes do not make them the same experiment."
    elif len({str(run.asked.get("sweeps")) for run in runs}) > 1:
        yield "The runs sweep different values: equal outcomes do not make them the same experiment."
    if len(backends := {run.row.backend for run in runs}) > 1:
        yield f"The runs are from different backends: {', '.join(sorted(backends))}."
    if len(shots := {run.row.shots for run in runs}) > 1:
        yield f"The runs have different numbers of shots: {', '.join(f'{n:,}' for n in sorted(shots))}."
    if len({str((run.asked.get("twirl") or {}).get("kind")) for run in runs}) > 1:
        yield "Some of the runs are twirled differently."
