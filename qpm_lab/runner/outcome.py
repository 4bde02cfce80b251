"""What came back, checked and judged: the provider's answer is untrusted until it passes here."""

from __future__ import annotations

import json
import logging
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qpm_lab import fidelity, providers
from qpm_lab.counts import MAGIC, CountsTable
from qpm_lab.errors import ProviderError
from qpm_lab.experiment import Estimate
from qpm_lab.ledger import Blob
from qpm_lab.providers.interface import RunResult, Task

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.providers.ideal import Ideal

log = logging.getLogger("qpm_lab")
LEVEL = 0.95
IDEAL_ON_SIMULATOR = 12
"""Qubits up to which an ideal simulator's counts are compared with the exact distribution: beyond, the
comparison costs as much as the job and can only show sampling noise."""
SAMPLING_ONLY = "ideal simulator, sampling noise only"
NOT_ASKED = "not asked for"
OF_A_SWEEP = "not computed for the points of a sweep; run a point by itself to get its fidelity"
SMALL_TABLE = 512
"""Counts up to which text is quicker to write than an archive of arrays."""
MAX_PLAIN_BLOB = 1 << 20
MAX_IDEALS = 64
MAX_IDEAL_OUTCOMES = 4096
FIDELITY_ON_SIMULATOR = 16
"""Circuits of an ideal simulator's job that are compared with the exact distribution."""


def counts_blob(counts: Sequence[Mapping[str, int]]) -> Blob:
    """The full counts: a table as such, else canonical JSON; compressed when they are large."""
    if isinstance(counts, CountsTable) and len(counts.values) > SMALL_TABLE:
        return Blob("counts.npz", counts.to_bytes())
    text = json.dumps([dict(c) for c in counts], sort_keys=True, separators=(",", ":")).encode()
    if len(text) <= MAX_PLAIN_BLOB:
        return Blob("counts.json", text)
    return Blob("counts.json.zlib", zlib.compress(text, 1))


def counts_of(blob: bytes) -> Sequence[Mapping[str, int]]:
    """The inverse of `counts_blob`: plain JSON begins with a bracket, zlib's format never does."""
    if blob.startswith(MAGIC):
        return CountsTable.from_bytes(blob)
    text = blob if blob[:1] == b"[" else zlib.decompress(blob)
    counts: list[dict[str, int]] = json.loads(text)
    return counts


@dataclass(frozen=True, slots=True)
class Outcome:
    """A recorded result, kept so that the process that ran the job need not read it back."""

    counts: Sequence[Mapping[str, int]]
    """One histogram per execution."""
    estimates: tuple[Estimate, ...]
    """One per circuit."""
    cost: Mapping[str, str]
    """`currency`, `amount` (decimal string) and `basis` (`quoted` or `billed`)."""


def validate(result: RunResult, task: Task) -> None:
    """Checks that the counts can be those of the task.

    Raises:
        ProviderError: naming the circuit and what is wrong with its counts.
    """
    if len(result.counts) < task.executions:
        raise _unusable(_wrong_number(result.counts, task))
    validate_counts(result.counts, task)


def validate_counts(counts: Sequence[Mapping[str, int]], task: Task) -> None:
    """Checks the first histograms of a task, as many as there are.

    Raises:
        ProviderError: naming the circuit and what is wrong with its counts.
    """
    if len(counts) > task.executions:
        raise _unusable(_wrong_number(counts, task))
    check: Any = _validate_table if isinstance(counts, CountsTable) else _validate_each
    first = 0
    for index, (circuit, points) in enumerate(zip(task.circuits, task.points, strict=True)):
        check(counts[first : first + points], index, circuit.num_clbits, task.shots)
        first += points


def _wrong_number(counts: Sequence[Mapping[str, int]], task: Task) -> str:
    return f"{len(counts)} histograms for {task.executions} executions"


def _validate_each(histograms: Sequence[Mapping[str, int]], index: int, width: int, shots: int) -> None:
    for counts in histograms:
        total = sum(counts.values())
        if total != shots:
            raise _unusable(f"circuit {index} has {total:,} shots instead of {shots:,}")
        _require_outcomes(counts, index, width)
        if min(counts.values()) < 0:
            raise _unusable(f"circuit {index} has a negative count")


def _validate_table(table: CountsTable, index: int, width: int, shots: int) -> None:
    import numpy as np

    wrong = np.flatnonzero(table.totals != shots)
    if len(wrong):
        total = int(table.totals[wrong[0]])
        raise _unusable(f"point {wrong[0]} of circuit {index} has {total:,} shots instead of {shots:,}")
    _require_outcomes([table.names[i] for i in np.unique(table.indices)], index, width)
    if len(table.values) and int(table.values.min()) < 0:
        raise _unusable(f"circuit {index} has a negative count")


def _require_outcomes(keys: Iterable[str], index: int, width: int) -> None:
    wrong = next((key for key in keys if not _is_outcome(key, width)), None)
    if wrong is not None:
        raise _unusable(f"circuit {index} has the outcome {wrong[:80]!r}, which is not one of its bit strings")


def _is_outcome(key: str, width: int) -> bool:
    bits = key.replace(" ", "")
    return len(bits) == width and not bits.strip("01")


def _unusable(what: str) -> ProviderError:
    return ProviderError(
        f"The provider's answer cannot be used: {what}.",
        "Run it again; the answer was not recorded as a result.",
    )


class Ideals:
    """The exact distributions of circuits met lately, by fingerprint: repeated runs ask for the same one."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Ideal] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, circuit: QuantumCircuit, fingerprint: str) -> Ideal:
        """The distribution of `circuit`, whose fingerprint is given."""
        with self._lock:
            if fingerprint in self._known:
                self._known.move_to_end(fingerprint)
                return self._known[fingerprint]
        ideal = providers.ideal_probabilities(circuit)
        if ideal.probabilities is None or len(ideal.probabilities) <= MAX_IDEAL_OUTCOMES:
            with self._lock:
                self._known[fingerprint] = ideal
                while len(self._known) > MAX_IDEALS:
                    self._known.popitem(last=False)
        return ideal


def fidelities(
    result: RunResult, task: Task, fingerprints: Sequence[str], ideals: Ideals, wanted: str
) -> tuple[Estimate, ...]:
    """The outcome fidelity of each circuit, or the reason why there is none; never raises.

    Args:
        result: The counts.
        task: What was run.
        fingerprints: Of the circuits.
        ideals: Exact distributions met before.
        wanted: `auto`, or `none` for no fidelity at all.
    """
    if wanted == "none":
        return (no_estimate(task.shots, NOT_ASKED),) * len(task.circuits)
    if any(task.bindings):
        reason = OF_A_SWEEP if task.backend.noisy else SAMPLING_ONLY
        return (no_estimate(task.shots, reason),) * len(task.circuits)
    triples = zip(task.circuits, result.counts, fingerprints, strict=True)
    return tuple(_safely(circuit, counts, task, partial(ideals.of, circuit, mark)) for circuit, counts, mark in triples)


def _safely(circuit: QuantumCircuit, counts: Mapping[str, int], task: Task, ideal: Callable[[], Ideal]) -> Estimate:
    """A good result is never lost to an estimate that fails."""
    try:
        return _fidelity(circuit, counts, task, ideal)
    except Exception as error:
        log.exception("no fidelity for %s", circuit.name)
        return no_estimate(task.shots, f"It could not be computed: {error}")


def _fidelity(circuit: QuantumCircuit, counts: Mapping[str, int], task: Task, exact: Callable[[], Ideal]) -> Estimate:
    noisy = task.backend.noisy
    if not noisy and (circuit.num_qubits > IDEAL_ON_SIMULATOR or len(task.circuits) > FIDELITY_ON_SIMULATOR):
        return no_estimate(task.shots, SAMPLING_ONLY)
    ideal, reason = exact()
    if ideal is None:
        return no_estimate(task.shots, (noisy and reason) or SAMPLING_ONLY)
    bits = providers.measured_bits(circuit)
    estimate = fidelity.heavy_fidelity(counts, ideal, level=LEVEL, bits=bits)
    if noisy or estimate.value is None:
        return estimate
    return replace(estimate, reason=SAMPLING_ONLY)


def no_estimate(shots: int, reason: str) -> Estimate:
    """An estimate that is refused as a whole."""
    return Estimate(None, None, None, LEVEL, "outcome fidelity", "heavy-set, exact", shots, reason)
