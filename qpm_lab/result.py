"""What came back from one job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qpm_lab.experiment import Estimate

if TYPE_CHECKING:
    import pandas as pd
    from qiskit import QuantumCircuit


@dataclass(frozen=True, slots=True)
class Result:
    """Counts, fidelity and cost of a completed job; several circuits are indexed: `result[1].counts`."""

    counts: Mapping[str, int]
    """Bit string in Qiskit's order → shots; of the first circuit."""
    fidelity: Estimate
    """Outcome fidelity with its interval; a refused one has value None and a reason."""
    cost: Mapping[str, str]
    """`currency`, `amount` (decimal string, of the whole job) and `basis` (`quoted` or `billed`)."""
    circuit: QuantumCircuit
    """Exactly what was run, measurements included."""
    backend: str
    shots: int
    parts: tuple[Result, ...] = ()
    """One result per circuit when the job has several."""

    @classmethod
    def of_parts(cls, parts: tuple[Result, ...]) -> Result:
        """One result for a job: the only part itself, or the first with all parts beside it."""
        return parts[0] if len(parts) == 1 else replace(parts[0], parts=parts)

    @classmethod
    def from_record(
        cls, record: Mapping[str, Any], circuits: Sequence[Any], histograms: Sequence[Mapping[str, int]]
    ) -> Result:
        """Builds the result from a completed job's record, its circuits and its full counts."""
        blocks = record["results"] or [record]
        common = {"cost": record["cost"], "backend": record["backend"], "shots": record["shots"]}
        triples = zip(histograms, blocks, circuits, strict=True)
        return cls.of_parts(
            tuple(cls(counts=dict(n), fidelity=Estimate(**b["fidelity"]), circuit=c, **common) for n, b, c in triples)
        )

    def probabilities(self) -> dict[str, float]:
        """Observed share of each outcome; the shares sum to one."""
        return {key: count / self.shots for key, count in self.counts.items()}

    def to_frame(self) -> pd.DataFrame:
        """One row per circuit and outcome: circuit, outcome, count, share."""
        import pandas as pd

        rows = [
            (index, key, count, count / self.shots)
            for index, part in enumerate(self.parts or (self,))
            for key, count in part.counts.items()
        ]
        return pd.DataFrame(rows, columns=["circuit", "outcome", "count", "share"])

    def __len__(self) -> int:
        return len(self.parts) or 1

    def __getitem__(self, index: int) -> Result:
        return (self.parts or (self,))[index]

    def __iter__(self) -> Iterator[Result]:
        return iter(self.parts or (self,))
