"""What came back, checked and judged: the provider's answer is untrusted until it passes here."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qpm_lab.counts import MAGIC, CountsTable
from qpm_lab.errors import ProviderError
from qpm_lab.experiment import Estimate
from qpm_lab.ledger import Blob
from qpm_lab.providers.interface import RunResult, Task

LEVEL = 0.95
SMALL_TABLE = 512
"""Counts up to which text is quicker to write than an archive of arrays."""
MAX_PLAIN_BLOB = 1 << 20


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


def no_estimate(shots: int, reason: str) -> Estimate:
    """An estimate that is refused as a whole."""
    return Estimate(None, None, None, LEVEL, "outcome fidelity", "heavy-set, exact", shots, reason)
