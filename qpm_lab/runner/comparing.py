"""Are runs the same? The histograms of several jobs, circuit by circuit, and one verdict on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab import circuits, fidelity
from qpm_lab.errors import QpmError
from qpm_lab.runner.again import order_again
from qpm_lab.runner.compared_runs import Run, copies, differences, the_runs
from qpm_lab.runner.naming import more_shots

if TYPE_CHECKING:
    from qpm_lab.fidelity import Equivalence
    from qpm_lab.runner.runner import Runner

VERDICTS = ("different", "inconclusive", "equivalent")
"""The worst first: the verdict on all circuits is the worst of any."""
NOT_INDEPENDENT = "The runs agree because they are the same simulation, which shows nothing about the next one."


def compare(runner: Runner, job_ids: Sequence[str], delta: float = 0.1, alpha: float = 0.05) -> dict[str, Any]:
    """The verdict of the equivalence test on completed jobs, as a document.

    All circuits have to pass; that needs no correction for their number. That one of several differs is claimed only
    at alpha divided by their number.

    Args:
        runner: Knows the ledger, and what more shots would cost.
        job_ids: Ids or unique beginnings, two at least.
        delta: Total variation distance from which on runs count as different, between 0 and 1.
        alpha: How often each verdict may be wrong.

    Raises:
        InputError: a job is not there, has no result, or cannot be compared with the others.
    """
    runs = the_runs(runner.ledger, job_ids)
    copied = copies(runs)
    exact = _exact(runner, runs)
    compared = [_compared(runs, index, exact, delta, alpha) for index in range(len(runs[0].counts))]
    verdict = min((found.verdict for found in compared), key=VERDICTS.index)
    withheld = copied is not None and verdict == "equivalent"
    needed = max((found.shots_needed or 0 for found in compared if found.verdict == "inconclusive"), default=0)
    return {
        "verdict": "inconclusive" if withheld else verdict,
        "delta": delta,
        "alpha": alpha,
        "reason": NOT_INDEPENDENT if withheld else _reason(verdict, compared),
        "shots_needed": needed or None,
        "rerun": _rerun(runner, runs[-1], needed) if needed else None,
        "warnings": [*([copied] if copied else []), *differences(runs)],
        "runs": [run.told() for run in runs],
        "circuits": [_circuit(runs, name, found) for name, found in zip(runs[0].names, compared, strict=True)],
    }


def _exact(runner: Runner, runs: Sequence[Run]) -> list[Any]:
    """For each histogram the exact distribution, None where it is not known or the runs' circuits differ."""
    marks = [[facts["fingerprint"] for facts in run.facts] for run in runs]
    first, none = runs[0], [None] * len(runs[0].counts)
    if any(mark != marks[0] for mark in marks) or "sweeps" in first.asked:
        return none
    blobs = zip(first.asked["circuit_blobs"], marks[0], strict=True)
    read = ((circuits.read_qpy(runner.ledger.blob(digest))[0], mark) for digest, mark in blobs)
    return [runner.ideals.of(circuit, mark).probabilities for circuit, mark in read]


def _compared(runs: Sequence[Run], index: int, exact: Sequence[Any], delta: float, alpha: float) -> Equivalence:
    counts, ideal = [run.counts[index] for run in runs], exact[index]
    found = fidelity.equivalence(counts, delta, alpha, ideal=ideal)
    if found.verdict != "different" or len(exact) == 1:
        return found
    # Among many circuits one would seem different by chance.
    return fidelity.equivalence(counts, delta, alpha / len(exact), ideal=ideal)


def _reason(verdict: str, compared: Sequence[Equivalence]) -> str | None:
    """Of the circuit that decided: the first, or of inconclusive ones that which needs the most shots."""
    decided = [(n, each) for n, each in enumerate(compared, 1) if each.verdict == verdict]
    place, found = max(decided, key=lambda pair: pair[1].shots_needed or 0)
    if len(compared) == 1 or found.reason is None:
        return found.reason
    return f"Circuit {place} of {len(compared)}: {found.reason}"


def _rerun(runner: Runner, run: Run, shots: int) -> dict[str, Any]:
    """What to write for a run with so many shots, and what it would cost now; the price may be unknown."""
    job_id, backend = run.row.job_id, run.row.backend
    command = more_shots(job_id, shots, backend, routed="route" in run.asked)
    try:
        quote = runner.plan(order_again(runner.ledger, job_id, {"shots": shots, "backend": backend})).quote.to_dict()
    except QpmError:
        quote = None
    return {"shots": shots, "command": command, "quote": quote}


def _circuit(runs: Sequence[Run], name: str, found: Equivalence) -> dict[str, Any]:
    told = found.to_dict()
    for pair in told["pairs"]:
        pair["jobs"] = [runs[pair["first"]].row.job_id, runs[pair["second"]].row.job_id]
    return {"name": name, **told}
