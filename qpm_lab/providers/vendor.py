"""What one vendor's file offers; the lowest file of that family.

A vendor's file has two halves. `VENDOR` says who it is and what it promises, and needs no client, key or network. The
class it names, a `Client`, speaks to the vendor with the vendor's own client; it only ever runs in a process of its own
(`qpm_lab.providers.apart`), so that it can neither slow, block nor crash a kernel, and sees nothing but its calls.

Errors of a `Client` are `ProviderError`s: `retryable` when the vendor certainly took nothing and may do so later,
`uncertain` when nobody can tell whether it took the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from qpm_lab.experiment import BackendInfo

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

Lookup = Literal["idempotent", "token", "none"]


@dataclass(frozen=True, slots=True)
class Durability:
    """What can be promised when the answer to a submission was lost."""

    lookup: Lookup
    """`idempotent`: sending the same token again cannot make a second job. `token`: jobs can be listed by name or tag.
    `none`: the vendor cannot be asked, and such a job is parked."""
    visibility_seconds: float | None = None
    """How long a job that was taken may be missing from the list, as the vendor states it; None when it states nothing:
    then a job that is not found is parked. A site may state it (`visibility_seconds` in its settings)."""
    how: str = ""
    """By what means, for the README's table, for example `job_tags`."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor, without its client."""

    name: str
    """Before the slash of a backend id; also module, extra and entry point."""
    title: str
    """As the vendor writes it."""
    client: str
    """`module:class` of its `Client`, for example `qpm_lab.providers.ionq:IonQClient`."""
    module: str
    """The vendor's Python module; where it can be imported, its client is installed."""
    packages: tuple[str, ...]
    """What `qpm provider install` puts into an environment of its own, as requirements."""
    secrets: tuple[str, ...]
    """The keys that its client needs for machines that are not local, by field: `token` for most."""
    backends: tuple[BackendInfo, ...]
    """Known machines and simulators. `local` ones run in our own process apart, without key or network."""
    durability: Durability
    most_circuits: int = 1
    """How many circuits one vendor job takes."""
    most_shots: int = 100_000
    """Of one circuit."""
    serves_prices: bool = False
    """Whether its client can say what a parcel would cost."""
    decides: bool = False
    """Whether it runs loops and decisions on measured bits, and measures in the middle."""


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """By what a client gets in: handed to the process apart, never written down."""

    url: str = ""
    """Another address than the vendor's own, for example that of a loopback double."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Values by field."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The site's settings for this vendor: instance, region, workspace."""

    def __repr__(self) -> str:
        return f"Access({self.url!r}, secrets of {sorted(self.secrets)})"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one vendor job carries."""

    backend: str
    """The backend's name at the vendor: what follows the slash."""
    circuits: tuple[QuantumCircuit, ...]
    """Measured, bound and masked: one quantum register `q`, one classical register `c`, no names."""
    shots: int
    """Of each circuit."""
    token: str
    """32 hex digits, drawn at random: idempotency key or client-chosen id where there is one, else name or tag."""
    seed: int = 0
    """For simulators that take one."""
    cap_seconds: float | None = None
    """Most QPU time it may be billed for, where the vendor bills by time and takes a cap."""
    cap_hqc: float | None = None
    """The same in Quantinuum's credits."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a vendor job stands."""

    state: Literal["queued", "running", "done", "failed", "cancelled"]
    queue_position: int | None = None
    """Jobs before it, where the vendor says so."""
    message: str = ""
    """The vendor's own words, of a job that failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of a vendor job that is done."""

    counts: Sequence[Mapping[str, int]]
    """One histogram per circuit of the parcel, in order; keys are bit strings over `c`, its bit 0 rightmost."""
    run_seconds: float = 0.0
    """Execution at the vendor, 0 when it does not say."""
    queue_seconds: float = 0.0
    billed: tuple[str, str] | None = None
    """Currency and decimal amount, when the vendor said what it charged."""
    qpu_seconds: float | None = None
    """Billed QPU time, when the vendor said so."""
    hqc: float | None = None
    """Quantinuum's credits, when the vendor said so."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON values worth recording: versions of client and API."""


@dataclass(frozen=True, slots=True)
class Availability:
    """A machine as its vendor describes it now."""

    available: bool | None = None
    """None when the vendor does not say."""
    queue: int | None = None
    """Jobs that wait."""
    queue_seconds: float | None = None
    """Expected wait, where the vendor states it."""
    calibrated_at: str | None = None
    """RFC 3339 UTC."""
    message: str = ""


class Client(Protocol):
    """A vendor's client behind one interface; made with an `Access`. `backend` is the name after the slash."""

    def __init__(self, access: Access) -> None: ...

    def calibration(self, backend: str) -> bytes | None:
        """What is known of the machine, as `calibrations.Calibration.content`; None when nothing is.

        Its gates decide what circuits are translated to before they are sent.
        """

    def availability(self, backend: str) -> Availability:
        """The machine now."""

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        """Currency and decimal amount by the vendor's own estimate; None where it has none."""

    def send(self, parcel: Parcel) -> str:
        """Submits one vendor job under the parcel's token and returns the vendor's id."""

    def find(self, backend: str, token: str) -> Sequence[str]:
        """Ids of all vendor jobs that carry the token, also of failed ones; empty when the vendor lists none."""

    def standing(self, backend: str, vendor_id: str) -> Standing:
        """How the job stands."""

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        """The result of a job that is done.

        Raises:
            ProviderError: a field is missing or not known; the message names it.
        """

    def cancel(self, backend: str, vendor_id: str) -> None:
        """Asks the vendor to stop it; a job that has ended is left as it is."""

    def run(self, parcel: Parcel) -> Answer:
        """Runs on a local backend, in this process."""
