"""What a way of charging is: from a job to an amount, and from what the vendor measured to an amount."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from qpm_lab.experiment import CircuitFacts, Request
from qpm_lab.pricing.usage import Usage

Rate = Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=12, allow_inf_nan=False)]
Ends = tuple[Decimal, Decimal, Decimal]
"""Low, expected and high."""
UNCOUNTABLE = (
    "Nobody can say how much the circuit executes: it has a `while`, or an operation that cannot be counted. "
    "Write it with `for` and with gates on one and two qubits."
)
_BLOCKS = frozenset({"if_else", "for_loop", "while_loop", "switch_case", "box"})


class Amount(NamedTuple):
    """A cost in units of the row's currency, with the QPU time it stands for."""

    ends: Ends | None
    """None when this formula cannot give money for this job."""
    text: str
    """The formula with the figures of this job, for the user; without `ends` or `native` the reason why."""
    qpu_seconds: Decimal = Decimal(0)
    """Upper estimate; 0 where the vendor does not bill by time."""
    native: tuple[str, Ends] | None = None
    """The vendor's own unit, where it does not bill in money."""


class Formula(Protocol):
    """What a catalogue row's `formula` names."""

    def cost(self, request: Request) -> Amount:
        """The cost of a whole job: all its circuits, points, variants and companions."""

    def metered(self, usage: Usage) -> Decimal | None:
        """The cost of what the vendor measured; None when it did not, or does not bill by it."""

    def weight(self, circuits: int, shots: int) -> Decimal:
        """How much of a job's cost so many of its circuits and shots stand for, next to others of the same job."""


class Rates(BaseModel):
    """The fields of a formula are the rates of a row; nothing else may stand there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def metered(self, usage: Usage) -> Decimal | None:
        """By default nothing is billed by what is measured."""
        return None

    def weight(self, circuits: int, shots: int) -> Decimal:
        """By default a job's cost is shared out by shots."""
        return Decimal(shots)


class Part(NamedTuple):
    """Executions of one circuit."""

    facts: CircuitFacts
    executions: int
    """How often a circuit is handed over: once per point and variant."""
    shots: int
    """Of all executions together."""
    twirled: bool

    @property
    def one_qubit(self) -> int:
        """Gates on one qubit; twirling adds at most four around each wider one and one before each measurement."""
        twirls = 4 * self.two_qubit + self.facts.measurements if self.twirled else 0
        return self.facts.one_qubit_gates + twirls

    @property
    def two_qubit(self) -> int:
        """Gates on two qubits; one on N > 2 counts as 6 (N - 2) (IonQ's way to bill gates with many controls)."""
        return sum(count * billed(qubits) for qubits, count in self._wide)

    @property
    def two_qubit_most(self) -> int:
        """The same where a gate on N qubits is taken apart without ancillas: at most min(2ᴺ, 48 N²) gates on two
        (Barenco et al., arXiv:quant-ph/9503016, lemma 7.1 and corollary 7.6)."""
        return sum(count * max(billed(qubits), _textbook(qubits)) for qubits, count in self._wide)

    @property
    def layers(self) -> int:
        """At most so many operations follow one another: depth counts a block or a gate of one's own as one."""
        facts, written = self.facts, sum(self.facts.gates.values())
        hidden = max(0, facts.one_qubit_gates + sum(facts.wide_gates.values()) - written)
        blocks = written + facts.measurements if _BLOCKS & facts.gates.keys() else 0
        return facts.depth + hidden + blocks

    @property
    def _wide(self) -> list[tuple[int, int]]:
        # Facts made by hand may only have the plain count.
        return list(self.facts.wide_gates.items()) or [(2, self.facts.two_qubit_gates)]


def parts(request: Request) -> Iterator[Part]:
    """Everything that is executed: the circuits of the job, then its companions."""
    for facts in request.circuits:
        executions = facts.points * request.variants
        yield Part(facts, executions, request.shots * facts.points, request.variants > 1)
    if further := request.companions:
        yield Part(further.facts, further.circuits, further.circuits * further.shots, False)


def countable(request: Request) -> bool:
    """True when there is a bound on what is executed."""
    return all(facts.countable for facts in request.all_facts)


def billed(qubits: int) -> int:
    """As how many two-qubit gates a gate on so many qubits is billed.

    >>> billed(2), billed(3), billed(4)
    (1, 6, 12)
    """
    return 1 if qubits == 2 else 6 * (qubits - 2)


def _textbook(qubits: int) -> int:
    return 1 if qubits == 2 else min(2 ** min(qubits, 64), 48 * qubits**2)
