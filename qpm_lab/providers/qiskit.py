"""Any installed Qiskit provider, by this site's settings: for a vendor that has no file of its own here.

    providers:
      qiskit:
        backends:
          garching:
            provider: "some_package.module:SomeProvider"   # a callable; gives a provider, or the backend itself
            arguments: {url: "https://quantum.example"}     # by name, for the callable
            secret_argument: token                          # gets the key `qiskit`
            environment: {SOME_REGION: eu}                  # variables set before the module is imported
            backend: garching20                             # at the provider; the name above when left out
            qubits: 20
            gates: [rz, sx, cz]                             # in place of what the backend's target says
            local: false                                    # true: it runs here, nothing may leave this machine

A Qiskit provider has no place for a token. So a job whose answer was lost is parked, never sent again; and one that
cannot be fetched by its id, so that it would be lost with the process that sent it, is not sent at all.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module, metadata
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import checked_counts, http_error, network_error, one_of, words
from qpm_lab.providers.vendor import Access, Answer, Availability, Durability, Parcel, Standing, Vendor

if TYPE_CHECKING:
    from qiskit.transpiler import Target

TITLE = "The Qiskit provider"
VENDOR = Vendor(
    name="qiskit",
    title=TITLE,
    client="qpm_lab.providers.qiskit:QiskitClient",
    module="qiskit",
    packages=("qiskit>=2.1,<3", "qiskit-aer>=0.17.2"),
    secrets=("token",),
    backends=(),
    durability=Durability("none", how="Qiskit's interface has no place for a token"),
)
STATES = {
    "INITIALIZING": "queued",
    "VALIDATING": "queued",
    "QUEUED": "queued",
    "RUNNING": "running",
    "DONE": "done",
    "ERROR": "failed",
    "CANCELLED": "cancelled",
}
"""Of `qiskit.providers.JobStatus`."""
FETCHERS = ("retrieve_job", "get_job", "job")
"""What providers and backends call it when a job is fetched by its id."""

NETWORK_SECONDS = 60.0
_PLACE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class QiskitClient:
    """Speaks to whatever provider the settings name; see `vendor.Client`."""

    def __init__(self, access: Access) -> None:
        # Of connections whose library sets no time of its own.
        socket.setdefaulttimeout(NETWORK_SECONDS)
        self._access = access
        self._made: dict[str, tuple[Any, Any]] = {}

    def calibration(self, backend: str) -> bytes | None:
        """The backend's target; None when it has none, or when the settings state the gates."""
        settings = self._settings(backend)
        if settings.get("gates"):
            return None
        with _told(sending=False):
            target = getattr(self._machine(backend), "target", None)
            return None if target is None else _content(target, int(settings["qubits"]))

    def availability(self, backend: str) -> Availability:
        """What the backend's `status()` tells, where it has one."""
        with _told(sending=False):
            status = getattr(self._machine(backend), "status", None)
            told = status() if callable(status) else None
            operational, pending = getattr(told, "operational", None), getattr(told, "pending_jobs", None)
            return Availability(
                operational if isinstance(operational, bool) else None,
                pending if isinstance(pending, int) and pending >= 0 else None,
            )

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        """None: Qiskit's interface knows no prices."""
        return None

    def send(self, parcel: Parcel) -> str:
        """Submits the circuit; only to a provider that gives a job back by its id."""
        with _told(sending=False):
            machine = self._machine(parcel.backend)
            if self._fetcher(parcel.backend) is None:
                raise ProviderError(
                    f"The provider of qiskit/{parcel.backend} has none of {', '.join(FETCHERS)}: a job would be lost "
                    "with the process that sent it.",
                    "Nothing was sent. Use a provider whose jobs can be fetched by their id.",
                )
        with _told(sending=True):
            return str(machine.run(parcel.circuits[0], shots=parcel.shots).job_id())

    def find(self, backend: str, token: str) -> Sequence[str]:
        """Nothing: a job cannot be found by its token."""
        return ()

    def standing(self, backend: str, vendor_id: str) -> Standing:
        """How the job stands, its place in the queue and the provider's own words where it has them."""
        with _told(sending=False):
            job = self._job(backend, vendor_id)
            state: Any = STATES[_state(job)]
            position = job.queue_position() if state == "queued" and hasattr(job, "queue_position") else None
            message = job.error_message() if state == "failed" and hasattr(job, "error_message") else ""
            return Standing(state, position if isinstance(position, int) else None, words(message or ""))

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        """Counts of a job that is done."""
        with _told(sending=False):
            job = self._job(parcel.backend, vendor_id)
            if _state(job) != "DONE":
                raise ProviderError(f"The job {vendor_id} is not done.", "Ask again later.", retryable=True)
            return self._answer(parcel, job)

    def cancel(self, backend: str, vendor_id: str) -> None:
        """Asks the provider to cancel it."""
        with _told(sending=False):
            job = self._job(backend, vendor_id)
            if STATES[_state(job)] in ("queued", "running"):
                job.cancel()

    def run(self, parcel: Parcel) -> Answer:
        """Runs on a backend of this machine and waits for it."""
        with _told(sending=False), _kept_here(parcel.backend):
            machine = self._machine(parcel.backend)
            seeded = hasattr(getattr(machine, "options", None), "seed_simulator")
            named = {"seed_simulator": parcel.seed % 2**31} if seeded else {}
            return self._answer(parcel, machine.run(parcel.circuits[0], shots=parcel.shots, **named))

    def _answer(self, parcel: Parcel, job: Any) -> Answer:
        counts = job.result().get_counts()
        one = counts[0] if isinstance(counts, list) and len(counts) == 1 else counts
        width = parcel.circuits[0].num_clbits
        checked = checked_counts(one, width, parcel.shots, vendor=TITLE, what=f"result of {parcel.backend}")
        return Answer((checked,), details={"client": _version(self._settings(parcel.backend)["provider"])})

    def _job(self, backend: str, vendor_id: str) -> Any:
        fetch = self._fetcher(backend)
        if fetch is None:
            raise ProviderError(
                f"The provider of qiskit/{backend} cannot be asked for the job {vendor_id}.",
                "Look at the vendor, then: qpm jobs resolve ID",
            )
        return fetch(vendor_id)

    def _fetcher(self, backend: str) -> Any:
        machine = self._machine(backend)
        owners = (machine, self._made[backend][0])
        found = (getattr(owner, name, None) for owner in owners for name in FETCHERS)
        return next((each for each in found if callable(each)), None)

    def _machine(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _make(name, self._settings(name), self._access.secrets)
        return self._made[name][1]

    def _settings(self, name: str) -> Mapping[str, Any]:
        backends = self._access.options.get("backends") or {}
        if not isinstance(backends, Mapping) or not isinstance(backends.get(name), Mapping):
            raise _setting(name, "it is not there")
        found: Mapping[str, Any] = backends[name]
        place = found.get("provider")
        if not isinstance(place, str) or not _PLACE.fullmatch(place):
            raise _setting(name, "`provider` should be like package.module:callable")
        if not isinstance(found.get("qubits"), int):
            raise _setting(name, "`qubits` should be a number")
        for field in ("arguments", "environment"):
            if not isinstance(found.get(field) or {}, Mapping):
                raise _setting(name, f"`{field}` should be a mapping")
        return found


def _setting(name: str, problem: str) -> ProviderError:
    message = f"The setting providers.qiskit.backends.{name[:80]} cannot be used: {problem}."
    return ProviderError(message, "Correct this site's settings.")


def _make(name: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> tuple[Any, Any]:
    """The provider and its backend; the backend twice, when the callable gives it at once."""
    os.environ.update({str(key): str(value) for key, value in (settings.get("environment") or {}).items()})
    arguments = dict(settings.get("arguments") or {})
    if settings.get("secret_argument"):
        if not secrets.get("token"):
            raise ProviderError(f"qiskit/{name} needs a key.", "Store it: qpm secret set qiskit")
        arguments[str(settings["secret_argument"])] = secrets["token"]
    provider = _callable(name, settings["provider"])(**arguments)
    for way in ("get_backend", "backend"):
        if callable(getattr(provider, way, None)):
            return provider, getattr(provider, way)(str(settings.get("backend") or name))
    if not callable(getattr(provider, "run", None)):
        raise _setting(name, "what `provider` gives has neither get_backend nor run")
    return provider, provider


def _callable(name: str, place: str) -> Any:
    module, _, path = place.partition(":")
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except ImportError as error:
        message = f"The provider of qiskit/{name} is not installed: {words(error)}"
        raise ProviderError(message, f"Install the package of {module} beside qpm_lab's.", cause=error) from error
    except AttributeError as error:
        raise _setting(name, f"{module} has no {path}") from error
    return found


@contextmanager
def _told(*, sending: bool) -> Iterator[None]:
    """Whatever a provider raises, as what it means for the job.

    Only what certainly never left is called so: any other failure of a submission leaves it in doubt.
    """
    try:
        yield
    except ProviderError:
        raise
    except Exception as error:
        raise _meant(error, sending) from error


def _meant(error: Exception, sending: bool) -> ProviderError:
    each: BaseException | None = error
    while each is not None:
        response = getattr(each, "response", None)
        status = getattr(response, "status_code", None)
        if isinstance(status, int) and not isinstance(status, bool):
            return http_error(TITLE, "qiskit", status, str(getattr(response, "text", "")), sending=sending)
        if isinstance(each, OSError):
            return network_error(TITLE, error, sending=sending)
        each = each.__cause__ or each.__context__
    hint = "Nobody can tell whether it took the job: look at the vendor." if sending else "See the provider's words."
    message = f"{TITLE} failed: {type(error).__name__}: {words(error)}"
    return ProviderError(message, hint, uncertain=sending, cause=error)


@contextmanager
def _kept_here(name: str) -> Iterator[None]:
    """Connects to no other machine: what is called local by mistake would leave with all its names."""
    original = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not _is_here(str(address[0])):
            self.close()
            raise ProviderError(
                f"qiskit/{name} is local by the settings, and speaks to {words(str(address[0]))}: nothing was sent.",
                "Write `local: false`.",
            )
        original(self, address)

    _replace(socket.socket, "connect", connect)
    try:
        yield
    finally:
        _replace(socket.socket, "connect", original)


def _replace(owner: Any, name: str, made: Any) -> None:
    setattr(owner, name, made)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _state(job: Any) -> str:
    status = job.status()
    return one_of(getattr(status, "name", status), STATES, "status", vendor=TITLE, what=f"job {job.job_id()}")


def _content(target: Target, qubits: int) -> bytes:
    """The part of a target that Qiskit's own gates cover: circuits are translated to no others.

    Args:
        target: As the backend gives it.
        qubits: As the settings say, for a simulator that states no number.
    """
    from qiskit.circuit.library import get_standard_gate_name_mapping
    from qiskit.transpiler import Target as Made

    from qpm_lab.providers.calibrations import of_target

    kept = Made(num_qubits=target.num_qubits or qubits, dt=target.dt, qubit_properties=target.qubit_properties)
    standard = get_standard_gate_name_mapping()
    for name in sorted(standard.keys() & set(target.operation_names)):
        places = target[name]
        anywhere = not places or None in places
        kept.add_instruction(standard[name], None if anywhere else dict(places), name=name)
    return of_target(kept).content


def _version(place: str) -> str:
    """The package behind a place, with its version."""
    package = place.partition(":")[0].partition(".")[0]
    names = metadata.packages_distributions().get(package, [])
    return f"{names[0]} {metadata.version(names[0])}" if names else package
