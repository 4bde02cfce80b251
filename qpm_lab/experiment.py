"""The values that travel between the parts: frozen, comparable, without I/O.

Money is held in integer nano-units of its currency (10⁻⁹), QPU time in integer nanoseconds; both are
rounded up on the way in and leave as decimal strings (see `to_nano` and `from_nano`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any, Literal

NANO = 10**9
Measure = Literal["jobs", "shots", "cost", "qpu_seconds"]
Effect = Literal["allow", "deny", "needs-approval"]
CLASSIFICATIONS = ("public", "internal", "confidential")
"""How sensitive a circuit is, the least first."""


def to_nano(amount: Decimal | int | str) -> int:
    """Turns an amount of money or seconds into nano-units, rounded up.

    >>> to_nano("0.0000000001")
    1
    """
    return int((Decimal(amount) * NANO).to_integral_value(ROUND_CEILING))


def from_nano(nano: int) -> str:
    """The shortest exact decimal string of a nano amount.

    >>> from_nano(1_500_000_000), from_nano(0), from_nano(-5)
    ('1.5', '0', '-0.000000005')
    """
    sign, rest = ("-" if nano < 0 else ""), abs(nano)
    whole, part = divmod(rest, NANO)
    return f"{sign}{whole}" + (f".{part:09d}".rstrip("0") if part else "")


class Status(StrEnum):
    """Where a job stands. `OPEN` are the states in which it may still change."""

    SUBMITTED = "submitted"
    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DENIED = "denied"
    AWAITING_APPROVAL = "awaiting_approval"


OPEN = frozenset({Status.SUBMITTED, Status.QUEUED, Status.RUNNING, Status.PARKED})


@dataclass(frozen=True, slots=True)
class CircuitFacts:
    """What policy, pricing and the ledger may know of one circuit."""

    fingerprint: str
    """`sha256:` and 64 hex digits; see `qpm_lab.circuits.fingerprint`."""
    qubits: int
    """Number of qubits the circuit acts on or declares."""
    clbits: int
    depth: int
    """Qiskit's circuit depth, measurements included."""
    gates: Mapping[str, int]
    """Operation name → how often, measurements and barriers left out."""
    two_qubit_gates: int
    name: str = ""
    points: int = 1
    """How many sets of parameter values it is run with; more than one in a sweep."""
    one_qubit_gates: int = 0
    """Executed at most: every branch, loops as often as they repeat, the user's own gates by their definition."""
    measurements: int = 0
    """Measurements and resets, executed at most."""
    wide_gates: Mapping[int, int] = field(default_factory=dict)
    """Number of qubits, 2 or more → how many such gates are executed at most; a swap counts as its three CNOTs."""
    countable: bool = True
    """False when nobody can say how much it executes: a `while`, or gates nested too deeply."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "fingerprint": self.fingerprint,
            "name": self.name,
            "qubits": self.qubits,
            "clbits": self.clbits,
            "depth": self.depth,
            "gates": dict(self.gates),
            "two_qubit_gates": self.two_qubit_gates,
            "points": self.points,
            "one_qubit_gates": self.one_qubit_gates,
            "measurements": self.measurements,
            "wide_gates": {str(qubits): count for qubits, count in sorted(self.wide_gates.items())},
            "countable": self.countable,
        }


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """A machine or simulator as a provider describes it, known without importing an SDK."""

    id: str
    """`provider/backend`, for example `aer/simulator`."""
    description: str
    qubits: int
    """The most qubits it takes; for simulators what this machine's memory allows at best."""
    kind: Literal["simulator", "qpu"]
    local: bool
    """True when nothing leaves this machine."""
    noisy: bool
    """False for an ideal simulator, whose only error is sampling noise."""
    state: Literal["ready", "needs-key", "not-installed", "offline"] = "ready"
    note: str = ""
    """What to do when it is not ready."""
    gates: tuple[str, ...] = ()
    """Its own gates by Qiskit's names; empty where they are not stated."""
    region: str = ""
    """Where the machine stands, as the vendor calls it; empty when nothing leaves this machine."""
    legal_seat: str = ""
    """Country of the company that gets the circuit, ISO 3166 (`US`); empty when nothing leaves this machine."""

    @property
    def provider(self) -> str:
        return self.id.partition("/")[0]

    @property
    def ruled_as(self) -> str:
        """Id of the backend whose rules, quotas and prices hold for it; see `ruled_as`."""
        return ruled_as(self.id)


def ruled_as(backend_id: str) -> str:
    """Id of the backend by which one is judged, counted and priced: its own, or that of the one it wraps.

    >>> ruled_as("aer/simulator"), ruled_as("chaos/outage=0.3@aer/simulator")
    ('aer/simulator', 'aer/simulator')
    """
    return backend_id.partition("@")[2] or backend_id if backend_id.startswith("chaos/") else backend_id


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. Team, roles and clearance come from the policy bundle, never from the request."""

    user: str
    notebook_run: str = ""
    """Scope of one kernel's life; empty for the command line."""


@dataclass(frozen=True, slots=True)
class Companions:
    """Further circuits of a job, which measure the fidelity of its own: quoted, authorised and recorded with it."""

    method: Literal["mirror", "proxy"]
    circuits: int
    shots: int
    """Of each."""
    facts: CircuitFacts
    """Of the largest: no companion has more qubits, depth or gates of a kind. Its fingerprint is that of the circuit
    they belong to."""


@dataclass(frozen=True, slots=True)
class Request:
    """One governed submission, as policy and pricing see it."""

    principal: Principal
    backend: BackendInfo
    circuits: tuple[CircuitFacts, ...]
    shots: int
    """Shots of each execution; `total_shots` is what quotas count."""
    seed: int | None = None
    experiment: str | None = None
    project: str | None = None
    cost_center: str | None = None
    classification: str | None = None
    """`public`, `internal` or `confidential`; None means the bundle's default."""
    name: str = ""
    session: str | None = None
    """Id of the session whose envelope it draws down."""
    variants: int = 1
    """As how many variants each circuit is run, its shots divided among them: more than one when it is twirled."""
    companions: Companions | None = None
    """Further circuits, run to measure how far the result can be trusted."""

    @property
    def points(self) -> int:
        """How many histograms the user gets: one per circuit, in a sweep one per point."""
        return sum(circuit.points for circuit in self.circuits)

    @property
    def executions(self) -> int:
        """How many circuits are handed to the backend: variants and companions included."""
        return self.points * self.variants + (self.companions.circuits if self.companions else 0)

    @property
    def total_shots(self) -> int:
        """Shots of all executions."""
        further = self.companions
        return self.shots * self.points + (further.circuits * further.shots if further else 0)

    @property
    def all_facts(self) -> tuple[CircuitFacts, ...]:
        """Of the user's circuits and of the largest companion: what limits and prices are worked out on."""
        return (*self.circuits, self.companions.facts) if self.companions else self.circuits


@dataclass(frozen=True, slots=True)
class Quote:
    """Cost before running, in nano-units of `currency`. None is *unknown*, never zero."""

    currency: str
    low: int | None
    expected: int | None
    high: int | None
    source: str
    """Where the price was read; shown to the user."""
    as_of: str
    """Date the price was seen, YYYY-MM-DD."""
    stale: bool = False
    formula: str = ""
    qpu_nanoseconds: int = 0
    """Upper estimate of QPU time; 0 for simulators."""
    channel: str = ""
    """Through whom it is bought and on which plan: the same machine costs different amounts."""
    confidence: str = ""
    """Of the price: A vendor's own text, B two third parties agree, C one; empty when there is none."""
    reason: str | None = None
    """Why it is unknown or stale, and how to supply the price; None when it is known."""
    native: tuple[str, str, str, str] | None = None
    """The vendor's own unit and low, expected and high in it, for example HQC; None where it bills in money."""
    listed: tuple[str, int, int, int] | None = None
    """Currency of the price list, and low, expected and high in it, when the amounts were converted."""

    @property
    def known(self) -> bool:
        return self.high is not None and not self.stale

    def to_dict(self) -> dict[str, Any]:
        def text(nano: int | None) -> str | None:
            return None if nano is None else from_nano(nano)

        return {
            "currency": self.currency,
            "low": text(self.low),
            "expected": text(self.expected),
            "high": text(self.high),
            "source": self.source,
            "as_of": self.as_of,
            "stale": self.stale,
            "formula": self.formula,
            "qpu_seconds": from_nano(self.qpu_nanoseconds),
            "channel": self.channel,
            "confidence": self.confidence,
            "reason": self.reason,
            "native": dict(zip(("unit", "low", "expected", "high"), self.native, strict=True)) if self.native else None,
            "listed": self._listed(),
        }

    def _listed(self) -> dict[str, str] | None:
        if self.listed is None:
            return None
        currency, *ends = self.listed
        return {"currency": currency, **dict(zip(("low", "expected", "high"), map(from_nano, ends), strict=True))}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job was not simply allowed: which rule, in whose words, and what would make it pass."""

    rule: str
    """Id of the rule or quota, for example `limit.cost-per-job`."""
    kind: Literal["rule", "quota", "price", "bundle", "default", "caller"]
    message: str
    fix: str
    owner: str = ""
    severity: str = "error"
    details: Mapping[str, Any] = field(default_factory=dict)
    """Worked-out figures, for example limit, used, reserved, left, renews_at; JSON values only."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "kind": self.kind,
            "message": self.message,
            "fix": self.fix,
            "owner": self.owner,
            "severity": self.severity,
            "details": dict(self.details),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """The policy's verdict with every reason and the version of the rules that gave it."""

    effect: Effect
    reasons: tuple[Reason, ...]
    policy: str
    """Name of the bundle."""
    policy_version: str
    """`sha256:` of the bundle's normalised content."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "effect": self.effect,
            "reasons": [r.to_dict() for r in self.reasons],
            "policy": self.policy,
            "policy_version": self.policy_version,
        }


@dataclass(frozen=True, slots=True)
class Hold:
    """What one job takes from one windowed quota: the policy works it out, the ledger holds it."""

    counter: str
    """Key of the counter: equal for all jobs that share the limit in the same window."""
    quota: str
    """Id of the quota in the bundle."""
    measure: Measure
    scope: str
    """user, team, cost_center, project, experiment, notebook_run, backend, org, or session."""
    key: str
    """Who or what within the scope, for example the user's name."""
    window: Literal["hour", "day", "month", "life"]
    """`life` is the life of the scope itself (a notebook run), which has no calendar window."""
    window_start: str
    """RFC 3339 UTC; empty for `life`."""
    window_end: str
    """RFC 3339 UTC; empty for `life`."""
    unit: str
    """`jobs`, `shots`, a currency code, or `s`."""
    amount: int
    """jobs, shots, nano-units of currency, or nanoseconds."""
    limit: int
    owner: str = ""
    message: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A hold that did not fit, with the counter as it stood (same unit as the hold)."""

    hold: Hold
    settled: int
    reserved: int

    @property
    def left(self) -> int:
        return max(0, self.hold.limit - self.settled - self.reserved)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A fidelity with its interval; never a bare number. None value: refused, `reason` says why."""

    value: float | None
    low: float | None
    high: float | None
    level: float
    estimand: str
    method: str
    shots: int
    reason: str | None = None
    shots_needed: int | None = None
    """Of a refused value: how many shots of each execution would do; None when no number would."""
    assumption: str | None = None
    """What it takes for granted beyond independent shots, as a sentence."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What a notebook shows for it: the interval, never a bare number."""
        printer.text(f"{self}  {self.estimand}; {self.method}; {self.shots:,} shots")

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"no fidelity: {self.reason}"
        interval = f"{self.low:.4f} – {self.high:.4f} ({self.level:.0%})"
        return interval + (f", {self.reason}" if self.reason else "")

    def to_dict(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "estimand": self.estimand,
            "method": self.method,
            "shots": self.shots,
            "reason": self.reason,
            "shots_needed": self.shots_needed,
            "assumption": self.assumption,
        }
