"""Quantinuum's H-Series machines and emulators, by its Nexus client.

Circuits are sent as pytket circuits of native gates under the job's token as their name, each an item of one job; a
lost job is found by that name. The key is a refresh token of Nexus, as `qnx login` leaves it in
`~/.qnx/auth/token.json`: it is exchanged for a session in memory, and nothing is written to disk. Helios is not listed:
its results come in a form of their own, which this file does not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from qpm_lab.errors import ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.answers import checked_counts, words
from qpm_lab.providers.quantinuum_fields import Look
from qpm_lab.providers.vendor import Access, Answer, Availability, Durability, Parcel, Standing, Vendor

if TYPE_CHECKING:
    from datetime import datetime

API = "v1beta3"
TITLE = "Quantinuum"
REQUEST_SECONDS = 60.0
"""Of one request; the client itself would wait for ever."""
_PROJECT = "qpm"
_GATES = ("rz", "r", "rzz", "reset")
_EMULATOR = "E"
_STATES: Mapping[str, Literal["queued", "running", "done", "failed", "cancelled"]] = {
    "SUBMITTED": "queued",
    "QUEUED": "queued",
    "RETRYING": "queued",
    "RUNNING": "running",
    "CANCELLING": "running",
    "COMPLETED": "done",
    "CANCELLED": "cancelled",
    "ERROR": "failed",
    "TERMINATED": "failed",
    "DEPLETED": "failed",
}


def _machine(name: str, qubits: int) -> BackendInfo:
    emulated = name.endswith(_EMULATOR)
    told = f"Emulator of {name.removesuffix(_EMULATOR)} with its noise" if emulated else f"{name}, trapped ions"
    return BackendInfo(
        id=f"quantinuum/{name}",
        description=f"Quantinuum {told}, any pair of qubits",
        qubits=qubits,
        kind="simulator" if emulated else "qpu",
        local=False,
        noisy=True,
        gates=_GATES,
        region="United States",
        legal_seat="US",
    )


VENDOR = Vendor(
    name="quantinuum",
    title=TITLE,
    client="qpm_lab.providers.quantinuum:QuantinuumClient",
    module="qnexus",
    packages=("qnexus>=0.51,<0.52", "pytket>=2.18,<3", "qiskit>=2.1,<3"),
    secrets=("token",),
    backends=(
        _machine("H2-1", 56),
        _machine("H2-2", 56),
        _machine("H1-1", 20),
        _machine("H2-1E", 32),
        _machine("H1-1E", 20),
    ),
    durability=Durability("token", how="job name"),
    most_circuits=1,  # `max_cost` holds for each program, and a reservation for all of them
    most_shots=10_000,
)


class QuantinuumClient:
    """Quantinuum Nexus behind the interface of `qpm_lab.providers.vendor.Client`.

    Args:
        access: `token`, a refresh token of Nexus; `url` of another Nexus; settings `project`, `user_group`, and
            `unknown_fields`: `allow` reads answers with fields that nobody here has read about, refused otherwise.
    """

    def __init__(self, access: Access) -> None:
        self._configuration = {"store_tokens": False, **_address(access.url)}
        self._token = access.secrets.get("token", "")
        self._project_name = str(access.options.get("project") or _PROJECT)
        self._user_group = access.options.get("user_group")
        self._look = Look(access.options.get("unknown_fields") != "allow")
        self._project: Any = None
        self._is_open = False

    def calibration(self, backend: str) -> bytes | None:
        """Nexus serves none; every pair of qubits is joined."""
        return None

    def availability(self, backend: str) -> Availability:
        """The machine's state; emulators have none and are always there."""
        if backend.endswith(_EMULATOR):
            return Availability()
        from qnexus.models import QuantinuumConfig

        with self._speaking(f"GET /api/machines/{backend}/status") as nexus:
            state = nexus.devices.status(QuantinuumConfig(device_name=backend)).value
        return Availability(state == "online", message=state)

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        """Nexus prices in credits, by a job of its own; there is no amount of money to ask for."""
        return None

    def send(self, parcel: Parcel) -> str:
        """Uploads the circuits, then submits the job by one POST that is never repeated."""
        try:
            uploaded = self._uploaded(parcel)
            asked = self._asked(parcel)
        except ProviderError as error:
            # Circuits alone run nothing: what would be a doubt afterwards may simply be tried again.
            error.retryable, error.uncertain = error.retryable or error.uncertain, False
            raise
        with self._speaking(f"POST /api/jobs/{API}", sending=True) as nexus:
            return str(nexus.start_execute_job(programs=uploaded, **asked).id)

    def find(self, backend: str, token: str) -> Sequence[str]:
        """Jobs of that name, on whatever machine."""
        project = self._opened_project()
        with self._speaking(f"GET /api/jobs/{API}", searched=True) as nexus:
            listed = nexus.jobs.get_all(name_exact=[token], project=project).list()
        # What is found beyond the first is stopped, so that the name is not left to the vendor's search.
        return [str(job.id) for job in listed if job.annotations.name == token]

    def standing(self, backend: str, vendor_id: str) -> Standing:
        """State, queue position and, of a failed job, Nexus' own words."""
        told = self._job(vendor_id).last_status_detail
        state = _STATES[told.status.name]
        message = words(told.error_detail or told.message or told.status.name) if state == "failed" else ""
        return Standing(state, told.queue_position if state == "queued" else None, message)

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        """Histograms over all bits of `c`, and the credits that the job took."""
        job = self._job(vendor_id)
        with self._speaking(f"GET /api/jobs/{API}/ID", searched=True) as nexus:
            found = nexus.jobs.results(job)
            # The client takes a missing cost for 0 here, and cuts the status' own after two places.
            hqc = None if job.last_status_detail.cost is None else float(nexus.jobs.cost(job))
        if len(found) != len(parcel.circuits):
            raise ProviderError(
                f"{TITLE}'s answer has {len(found)} results for {len(parcel.circuits)} circuits.",
                f"Report it to {TITLE}.",
            )
        counts = [self._counts(each, parcel, n) for n, each in enumerate(found)]
        told = job.last_status_detail
        return Answer(
            counts,
            run_seconds=_between(told.running_time, told.completed_time),
            queue_seconds=_between(told.submitted_time, told.running_time),
            hqc=hqc,
            details=_versions(),
        )

    def cancel(self, backend: str, vendor_id: str) -> None:
        """Asks Nexus to cancel; one that has ended is left as it is."""
        job = self._job(vendor_id, searched=False)  # whatever else it says
        if _STATES[job.last_status.name] in ("queued", "running"):
            with self._speaking(f"POST /api/jobs/{API}/ID/rpc/cancel") as nexus:
                nexus.jobs.cancel(job)

    def run(self, parcel: Parcel) -> Answer:
        """Nothing of Quantinuum's runs here."""
        raise ProviderError(f"quantinuum/{parcel.backend} does not run on this machine.", "Submit it as a job.")

    def _counts(self, item: Any, parcel: Parcel, place: int) -> Mapping[str, int]:
        from pytket.circuit import Bit

        what = "GET /api/results/v1beta3/ID"
        width = parcel.circuits[place].num_clbits
        with self._speaking(what, searched=True):
            result = item.download_result()
            # The highest bit first, as Qiskit writes them.
            counted = result.get_counts(cbits=[Bit("c", n) for n in reversed(range(width))])
        counts = {"".join(map(str, outcome)): int(number) for outcome, number in counted.items()}
        return checked_counts(counts, width, parcel.shots, vendor=TITLE, what=what)

    def _asked(self, parcel: Parcel) -> dict[str, Any]:
        from qnexus.models import QuantinuumConfig

        limit = {} if parcel.cap_hqc is None else {"max_cost": [parcel.cap_hqc] * len(parcel.circuits)}
        return {
            "n_shots": [parcel.shots] * len(parcel.circuits),
            "backend_config": QuantinuumConfig(device_name=parcel.backend),
            "name": parcel.token,
            "project": self._opened_project(),
            "user_group": self._user_group,
            **limit,
        }

    def _uploaded(self, parcel: Parcel) -> list[Any]:
        from qpm_lab.providers.quantinuum_circuits import as_pytket

        circuits = [as_pytket(each) for each in parcel.circuits]
        project = self._opened_project()
        with self._speaking("POST /api/circuits/v1beta2") as nexus:
            return [nexus.circuits.upload(each, project=project, name=parcel.token) for each in circuits]

    def _job(self, vendor_id: str, *, searched: bool = True) -> Any:
        try:
            number = UUID(vendor_id)
        except ValueError as error:
            message = f"{words(vendor_id)!r} is no id of a {TITLE} job."
            raise ProviderError(message, "Nexus' ids are UUIDs.", cause=error) from error
        with self._speaking(f"GET /api/jobs/{API}/ID", searched=searched) as nexus:
            return nexus.jobs.get(id=number)

    def _opened_project(self) -> Any:
        if self._project is None:
            with self._speaking("GET /api/projects/v1beta2") as nexus:
                self._project = nexus.projects.get_or_create(name=self._project_name)
        return self._project

    @contextmanager
    def _speaking(self, what: str, *, sending: bool = False, searched: bool = False) -> Iterator[Any]:
        """The client, logged in; what it raises becomes a ProviderError that says what it means for the job.

        Args:
            what: Is asked.
            sending: Whether a job is submitted.
            searched: Whether answers are refused that have unknown fields.
        """
        import qnexus

        is_sent = False
        try:
            self._log_in(qnexus)
            is_sent, self._look.on = sending, searched
            yield qnexus
        except ProviderError:
            raise
        except Exception as error:
            from qpm_lab.providers.quantinuum_errors import failure

            raise failure(error, what, sending=is_sent) from error

    def _log_in(self, nexus: Any) -> None:
        if not self._is_open:
            from qnexus.client import get_nexus_client
            from qnexus.config import CONFIG

            for name, value in self._configuration.items():
                # Its environment variables count only until somebody imports it, and a key must not go elsewhere.
                setattr(CONFIG, name, value)
            nexus.login_with_token(self._token)
            get_nexus_client().timeout = REQUEST_SECONDS
            get_nexus_client().event_hooks = {"response": [self._look]}
            self._is_open = True


def _address(url: str) -> dict[str, Any]:
    """Where the client is to look for Nexus, in its own words."""
    if not url:
        return {}
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"protocol": parts.scheme, "domain": parts.hostname or "", "port": port}


def _between(begin: datetime | None, end: datetime | None) -> float:
    """Seconds; 0 when Nexus does not give both times."""
    return 0.0 if begin is None or end is None else max(0.0, (end - begin).total_seconds())


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"client": f"qnexus {version('qnexus')}", "api": API}
