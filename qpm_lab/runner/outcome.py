"""What came back, checked and judged: the provider's answer is untrusted until it passes here."""

from __future__ import annotations

import json
import logging
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from qpm_lab import fidelity, providers
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


MAX_PLAIN_BLOB = 1 << 20
MAX_IDEALS = 64
MAX_IDEAL_OUTCOMES = 4096
FIDELITY_ON_SIMULATOR = 16
"""Circuits of an ideal simulator's job that are compared with the exact distribution."""


def counts_blob(result: RunResult) -> Blob:
    """The full counts as canonical JSON; compressed when they are large."""
    text = json.dumps([dict(c) for c in result.counts], sort_keys=True, separators=(",", ":")).encode()
    if len(text) <= MAX_PLAIN_BLOB:
        return Blob("counts.json", text)
    return Blob("counts.json.zlib", zlib.compress(text, 1))


def counts_of(blob: bytes) -> list[dict[str, int]]:
    """The inverse of `counts_blob`: plain JSON begins with a bracket, zlib's format never does."""
    text = blob if blob[:1] == b"[" else zlib.decompress(blob)
    counts: list[dict[str, int]] = json.loads(text)
    return counts


def validate(result: RunResult, task: Task) -> None:
    """Checks that the counts can be those of the task.

    Raises:
        ProviderError: naming the circuit and what is wrong with its counts.
    """
    if len(result.counts) != len(task.circuits):
        raise _unusable(f"{len(result.counts)} histograms for {len(task.circuits)} circuits")
    for index, (counts, circuit) in enumerate(zip(result.counts, task.circuits, strict=True)):
        total = sum(counts.values())
        if total != task.shots:
            raise _unusable(f"circuit {index} has {total:,} shots instead of {task.shots:,}")
        wrong = next((k for k in counts if not _is_outcome(k, circuit.num_clbits)), None)
        if wrong is not None:
            raise _unusable(f"circuit {index} has the outcome {wrong[:80]!r}, which is not one of its bit strings")
        if min(counts.values()) < 0:
            raise _unusable(f"circuit {index} has a negative count")


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


def fidelities(result: RunResult, task: Task, fingerprints: Sequence[str], ideals: Ideals) -> tuple[Estimate, ...]:
    """The outcome fidelity of each circuit, or the reason why there is none; never raises."""
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
