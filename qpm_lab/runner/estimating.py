"""How far each result of a job can be trusted: its outcome fidelity, or the reason why there is none."""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qpm_lab import fidelity, providers
from qpm_lab.experiment import Estimate
from qpm_lab.providers.interface import RunResult
from qpm_lab.runner.companions import SAMPLING_ONLY
from qpm_lab.runner.outcome import LEVEL, no_estimate

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.providers.ideal import Ideal
    from qpm_lab.runner.attempt import LiveJob
    from qpm_lab.runner.course import Histogram
    from qpm_lab.runner.plan import Plan

log = logging.getLogger("qpm_lab")
IDEAL_ON_SIMULATOR = 12
"""Qubits up to which an ideal simulator's counts are compared with the exact distribution: beyond, the
comparison costs as much as the job and can only show sampling noise."""
FIDELITY_ON_SIMULATOR = 16
"""Circuits of an ideal simulator's job that are compared with the exact distribution."""
NOT_ASKED = "not asked for"
OF_A_SWEEP = "not computed for the points of a sweep; run a point by itself to get its fidelity"
BY_ITSELF = "Run it by itself: --fidelity auto then measures it with further circuits."
OTHERWISE = "--fidelity mirror measures the circuit with further circuits."
MAX_IDEAL_BYTES = 1 << 28
BYTES_BY_KEY = 400
"""Of one outcome in a dictionary."""


class Ideals:
    """The exact distributions of circuits met lately, by fingerprint: repeated runs ask for the same one."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Ideal, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def of(self, circuit: QuantumCircuit, fingerprint: str) -> Ideal:
        """The distribution of `circuit`, whose fingerprint is given."""
        with self._lock:
            if fingerprint in self._known:
                self._known.move_to_end(fingerprint)
                return self._known[fingerprint][0]
        ideal = providers.ideal_probabilities(circuit)
        self._keep(fingerprint, ideal)
        return ideal

    def _keep(self, fingerprint: str, ideal: Ideal) -> None:
        size = _bytes(ideal)
        with self._lock:
            if size > MAX_IDEAL_BYTES or fingerprint in self._known:
                return
            self._known[fingerprint] = (ideal, size)
            self._bytes += size
            while self._bytes > MAX_IDEAL_BYTES:
                self._bytes -= self._known.popitem(last=False)[1][1]


def _bytes(ideal: Ideal) -> int:
    held: Any = ideal.probabilities
    if held is None:
        return BYTES_BY_KEY
    return int(getattr(held, "nbytes", 0)) or len(held) * BYTES_BY_KEY


def estimated(result: RunResult, live: LiveJob, ideals: Ideals) -> tuple[Estimate, ...]:
    """The fidelity of each circuit of a job, or the reason why there is none; never raises.

    Args:
        result: The counts.
        live: The job, with what its companions gave.
        ideals: Exact distributions met before.
    """
    task, plan = live.task, live.plan
    if (reason := _known_reason(live)) is not None:
        return (no_estimate(task.shots, reason),) * len(task.circuits)
    if live.read is not None and live.gathered is not None:
        return (_safely(partial(live.read, live.gathered.companions), live),)
    fingerprints = [facts.fingerprint for facts in plan.request.circuits]
    return tuple(
        _safely(partial(_fidelity, live, circuit, counts, partial(ideals.of, circuit, mark)), live)
        for circuit, counts, mark in zip(task.circuits, result.counts, fingerprints, strict=True)
    )


def _known_reason(live: LiveJob) -> str | None:
    if live.plan.fidelity == "none":
        return NOT_ASKED
    if any(live.task.bindings):
        return OF_A_SWEEP if live.task.backend.noisy else SAMPLING_ONLY
    return live.plan.no_fidelity


def _safely(estimate: Callable[[], Estimate], live: LiveJob) -> Estimate:
    """A good result is never lost to an estimate that fails."""
    try:
        return estimate()
    except Exception as error:
        log.exception("job %s: no fidelity", live.job_id)
        return no_estimate(live.task.shots, f"It could not be computed: {error}")


def _fidelity(
    live: LiveJob,
    circuit: QuantumCircuit,
    counts: Histogram,
    exact: Callable[[], Ideal],
) -> Estimate:
    task = live.task
    if not task.backend.noisy:
        return _of_a_simulator(live, circuit, counts, exact)
    ideal, reason = exact()
    if ideal is None:
        alone = "" if len(task.circuits) == 1 else f" {BY_ITSELF}"
        return no_estimate(task.shots, f"{reason}{alone}")
    bits = providers.measured_bits(circuit)
    estimate = fidelity.outcome_fidelity(counts, ideal, level=LEVEL, bits=bits)
    return estimate if estimate.low is not None else replace(estimate, reason=f"{estimate.reason} {OTHERWISE}")


def dispersion(blocks: Sequence[Histogram]) -> dict[str, Any] | None:
    """Whether parts of a job's shots, in the order of time, differ by more than chance; None without parts.

    Compared is how often more bits are 1 than in the middle one of all shots: that needs no exact distribution.
    """
    if len(blocks) < 2:
        return None
    ones = [Counter[int]() for _ in blocks]
    for counter, counts in zip(ones, blocks, strict=True):
        for key, shots in counts.items():
            counter[key.count("1")] += shots
    middle = _median(sum(ones, Counter[int]()))
    above = [sum(shots for number, shots in counter.items() if number > middle) for counter in ones]
    return fidelity.dispersion(above, [counter.total() for counter in ones]).to_dict()


def _median(counter: Counter[int]) -> int:
    seen = 0
    for number in sorted(counter):
        seen += counter[number]
        if 2 * seen >= counter.total():
            return number
    return 0


def _of_a_simulator(
    live: LiveJob, circuit: QuantumCircuit, counts: Mapping[str, int], exact: Callable[[], Ideal]
) -> Estimate:
    """No fidelity is claimed of a perfect machine; the interval shows what sampling alone leaves open."""
    if circuit.num_qubits > IDEAL_ON_SIMULATOR or len(live.task.circuits) > FIDELITY_ON_SIMULATOR:
        return no_estimate(live.task.shots, SAMPLING_ONLY)
    ideal = exact().probabilities
    if ideal is None:
        return no_estimate(live.task.shots, SAMPLING_ONLY)
    heavy = fidelity.heavy_fidelity(counts, ideal, level=LEVEL, bits=providers.measured_bits(circuit))
    return replace(heavy, value=None, reason=SAMPLING_ONLY, shots_needed=None)


def rerun(plan: Plan, estimates: Sequence[Estimate]) -> dict[str, Any] | None:
    """The shots with which every refused value would be given, and their price now; None when no number would do."""
    needed = max((each.shots_needed or 0 for each in estimates), default=0)
    if needed <= plan.request.shots:
        return None
    return {"shots": needed, "quote": plan.price(replace(plan.request, shots=needed)).to_dict()}
