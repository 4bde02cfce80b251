"""One provider and one double per vendor, for as long as a module runs: starting a vendor's client takes seconds."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qpm_lab import doubles, providers
from qpm_lab.doubles import RunningDouble
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Access, Parcel, Standing, Vendor

ENVIRONMENTS = Path(sys.prefix) / "providers"
"""Where the vendors' own environments are made for the tests."""
MACHINES = {"ionq": "ionq/simulator"}
"""The backend a vendor is tested with, where it is not its first machine."""
SUBMISSIONS = {"aqt": "POST /v1/submit", "braket": "POST /quantum-task", "ionq": "POST /v0.4/jobs"}
"""Method and path by which a vendor takes a job; all others: any request that names jobs."""
STATES = {"ionq": "status"}
"""The field in which a vendor says how a job stands."""


def vendors_with_double() -> list[str]:
    """Vendors that have a double."""
    return sorted(providers.vendors().keys() & doubles.DOUBLES.keys())


@dataclass
class Rig:
    """A vendor's client and the double it speaks to."""

    name: str
    provider: RemoteProvider
    double: RunningDouble
    backend: str
    sent: int = 0

    @property
    def vendor(self) -> Vendor:
        return self.provider.vendor

    @property
    def access(self) -> Access:
        """By which the client gets in."""
        return Access(**self.double.access)

    @contextmanager
    def reached(self, **changes: Any) -> Iterator[RemoteProvider]:
        """Another client, whose access differs in what is told."""
        access = replace(self.access, **changes)
        provider = RemoteProvider(self.vendor, lambda _: access)
        try:
            yield provider
        finally:
            provider.close()

    def parcel(self, *circuits: QuantumCircuit, shots: int = 200, backend: str = "") -> Parcel:
        """What the runner would send, under a token of its own; `backend` is the vendor's name of it."""
        self.sent += 1
        machine = backend or self.backend.partition("/")[2]
        routed = tuple(self.provider.routed(each, f"{self.name}/{machine}") for each in circuits or (crossed(),))
        return Parcel(machine, routed, shots, f"{self.sent:032x}", seed=7)

    def until_ended(self, vendor_id: str, backend: str = "") -> Standing:
        for _ in range(20):
            found = self.provider.standing(backend or self.backend, vendor_id)
            if found.state not in ("queued", "running"):
                return found
        raise AssertionError(f"the job is still {found.state}")

    def done(self, parcel: Parcel) -> str:
        """Sends, and waits for a good end."""
        vendor_id = self.provider.send(parcel)
        assert self.until_ended(vendor_id, f"{self.name}/{parcel.backend}").state == "done"
        return vendor_id

    def received(self, request: str) -> list[Any]:
        """The documents that came to the double by this method and address, in order."""
        came = (each.partition("\n") for each in self.double.received())
        return [json.loads(body) for line, _, body in came if line == request]

    def counts(self, *circuits: QuantumCircuit, shots: int = 200, backend: str = "") -> list[dict[str, int]]:
        """Sends, waits, and fetches."""
        parcel = self.parcel(*circuits, shots=shots, backend=backend)
        return [dict(each) for each in self.provider.answer(parcel, self.done(parcel)).counts]


@pytest.fixture(scope="session", autouse=True)
def environments() -> Iterator[None]:
    """Clients that cannot share this environment run in the ones made for them."""
    before = os.environ.get("QPM_PROVIDERS")
    os.environ["QPM_PROVIDERS"] = before or str(ENVIRONMENTS)
    yield
    if before is None:
        del os.environ["QPM_PROVIDERS"]


def rigged(name: str, backend: str = "") -> Iterator[Rig]:
    """A rig that lives until the generator ends."""
    vendor = providers.vendors()[name].vendor
    with doubles.started(name) as double:
        provider = RemoteProvider(vendor, lambda _: Access(**double.access))
        machine = next(each.id for each in vendor.backends if not each.local)
        yield Rig(name, provider, double, backend or MACHINES.get(name, machine))
        provider.close()


@pytest.fixture(scope="module", params=vendors_with_double())
def vendor_rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Of each vendor in turn; a module about one vendor has a fixture of this name for that one."""
    yield from rigged(request.param)


@pytest.fixture
def rig(vendor_rig: Rig) -> Rig:
    """A vendor whose double has forgotten all that was before."""
    vendor_rig.double.reset()
    return vendor_rig


def circuit(qubits: int, clbits: int) -> QuantumCircuit:
    """Empty, with the registers that every masked circuit has."""
    return QuantumCircuit(QuantumRegister(qubits, "q"), ClassicalRegister(clbits, "c"))


def crossed() -> QuantumCircuit:
    """Gives `00101` only: crossed wires, an idle qubit, an unmeasured one, two bits that nothing is read into."""
    made = circuit(4, 5)
    made.x(0)
    made.cx(0, 3)
    made.x(2)
    made.measure([0, 3, 1], [2, 0, 1])
    return made


def leaning() -> QuantumCircuit:
    """No two of its outcomes are equally likely, and no two of its qubits alike."""
    made = circuit(3, 3)
    made.ry(0.6, 0)
    made.ry(1.9, 1)
    made.crx(1.2, 1, 2)
    made.u(0.3, 0.7, 1.1, 0)
    made.measure([0, 1, 2], [1, 2, 0])
    return made


def lopsided() -> QuantumCircuit:
    """Gives `1000` and `1011`: three qubits into four bits, an idle qubit, a bit that nothing is read into."""
    made = circuit(4, 4)
    made.x(1)
    made.h(0)
    made.cx(0, 3)
    made.measure([3, 1, 0], [0, 3, 1])
    return made


def crosswise() -> QuantumCircuit:
    """Gives `10`: two of three qubits, read into each other's places."""
    made = circuit(3, 2)
    made.x(2)
    made.measure([2, 0], [1, 0])
    return made


def flipped(bit: int, bits: int) -> QuantumCircuit:
    """Gives one 1, at that bit."""
    made = circuit(bits, bits)
    made.x(bit)
    made.measure(range(bits), range(bits))
    return made


def shape(value: Any) -> Any:
    """Keys and types of a document; of a list its first entry."""
    if isinstance(value, Mapping):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def recorded(vendor: str, api: str) -> dict[str, Any]:
    """Name of an answer of a double → its shape as it was recorded for that version of the vendor's API."""
    folder = Path(__file__).with_name("shapes") / vendor / api
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
