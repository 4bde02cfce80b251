"""The YAML files of a bundle as typed documents; every fault comes back with its line."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
)

from qpm_lab.policy.quotas import MEASURES, Quota, Scope, read_limit
from qpm_lab.policy.routes import MOST_ATTEMPTS, Route, is_place
from qpm_lab.policy.strict_yaml import Document
from qpm_lab.policy.windows import Window

Classification = Literal["public", "internal", "confidential"]
Id = Field(pattern=r"^[a-z][a-z0-9.-]*$", max_length=80)
Written = StrictInt | StrictFloat | StrictStr
"""A number, or an amount with its unit."""


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is not a whole number; leave it out, or write null for none")
    return value


Count = Annotated[StrictInt | None, BeforeValidator(_no_boolean)]
"""A whole number, or null for none."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WhereEntry(_Strict):
    """Which backends a quota counts."""

    kind: Literal["qpu", "simulator"] | None = None
    provider: str | None = None
    backend: str | None = None
    local: StrictBool | None = None
    tier: str | None = None


class QuotaEntry(_Strict):
    """One entry of `quotas`."""

    id: str = Id
    measure: str
    scope: Scope
    window: Window
    limit: Written
    owner: str = Field(min_length=1)
    keys: dict[str, Written] = {}
    where: WhereEntry = WhereEntry()
    require: StrictBool = False
    message: str = ""

    @field_validator("measure")
    @classmethod
    def _known_measure(cls, value: str) -> str:
        if value not in MEASURES:
            raise ValueError(f"{value!r} is not a measure; use one of {', '.join(MEASURES)}")
        return value


class QuotasFile(_Strict):
    """`quotas.yaml`."""

    description: str = Field(min_length=1)
    time_zone: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    default_classification: Classification = "internal"
    quotas: list[QuotaEntry] = Field(max_length=500)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone; use a name such as Europe/Berlin") from None
        return value


class RouteEntry(_Strict):
    """Backends in order of preference; the rules decide about each as about any other."""

    id: str = Id
    backends: list[str] = Field(min_length=1, max_length=50)
    by: Literal["listed", "cost", "availability", "fidelity"] = "listed"
    owner: str = Field(min_length=1)
    jurisdictions: list[str] | None = Field(default=None, min_length=1, max_length=100)
    """Where a machine may stand: countries by ISO 3166, or EU; what runs on this machine always may."""
    legal_seats: list[str] | None = Field(default=None, min_length=1, max_length=100)
    """In which countries the company may have its seat that gets the circuit."""
    tiers: list[str] | None = Field(default=None, min_length=1, max_length=100)
    """Of the backends in entities.json."""
    max_attempts: Annotated[StrictInt, Field(ge=1, le=MOST_ATTEMPTS)] = MOST_ATTEMPTS
    fallback: StrictBool = True
    """Whether the next backend is taken when one fails."""
    rerun_on_failed_validation: StrictBool = False

    @field_validator("jurisdictions", "legal_seats")
    @classmethod
    def _known_places(cls, value: list[str] | None) -> list[str] | None:
        wrong = next((place for place in value or () if not is_place(place)), None)
        if wrong is not None:
            raise ValueError(f"{wrong!r} is not a place; use EU or a country code such as FI")
        return value

    @field_validator("backends")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        twice = next((name for name in value if value.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} is listed twice")
        return value

    def route(self) -> Route:
        """The same as a value."""
        return Route(
            id=self.id,
            backends=tuple(self.backends),
            by=self.by,
            owner=self.owner,
            jurisdictions=None if self.jurisdictions is None else tuple(self.jurisdictions),
            legal_seats=None if self.legal_seats is None else tuple(self.legal_seats),
            tiers=None if self.tiers is None else tuple(self.tiers),
            max_attempts=self.max_attempts,
            fallback=self.fallback,
            rerun_on_failed_validation=self.rerun_on_failed_validation,
        )


class RoutesFile(_Strict):
    """`routes.yaml`."""

    routes: list[RouteEntry] = Field(max_length=200)


class AskedEntry(_Strict):
    """A request as a test row writes it; what a row leaves out comes from `defaults`."""

    user: str | None = None
    notebook_run: str | None = None
    backend: str | None = None
    kind: Literal["qpu", "simulator"] | None = None
    local: StrictBool | None = None
    circuits: Count = Field(default=None, ge=0, le=1_000_000)
    points: Count = Field(default=None, ge=1, le=10_000_000)
    """Points of a sweep over each circuit."""
    qubits: Count = None
    depth: Count = None
    gates: Count = None
    two_qubit_gates: Count = None
    shots: Count = None
    seed: Count = None
    experiment: str | None = None
    project: str | None = None
    cost_center: str | None = None
    classification: str | None = None
    cost: Written | None = None
    """For example `12.50 USD`, `unknown` or `stale`."""
    qpu_seconds: Written | None = None
    max_cost: Written | None = None


class TestEntry(_Strict):
    """One row of `tests`."""

    name: str = Field(min_length=1)
    request: AskedEntry = AskedEntry()
    used: dict[str, Written] = {}
    """Quota id → how much of it is already used."""
    expect: Literal["allow", "deny", "needs-approval"]
    reasons: list[str] = []
    """Exactly the ids that have to be given."""


class RouteTestEntry(_Strict):
    """One row of `routes`: in which order a route's backends are taken."""

    name: str = Field(min_length=1)
    route: str
    request: AskedEntry = AskedEntry()
    costs: dict[str, Written] = {}
    """Backend → its upper quote, for example `12.50 USD`, `unknown` or `stale`; free where it is left out."""
    queues: dict[str, StrictInt] = {}
    """Backend → jobs that wait there."""
    fidelities: dict[str, StrictFloat] = {}
    """Backend → what its errors predict."""
    unreachable: list[str] = []
    expect: list[str]
    """The backends that are taken, the first one first."""


class TestsFile(_Strict):
    """`tests.yaml`."""

    defaults: AskedEntry
    tests: list[TestEntry] = Field(min_length=1, max_length=5000)
    routes: list[RouteTestEntry] = Field(default=[], max_length=1000)


T = TypeVar("T", bound=BaseModel)


def typed(document: Document, model: type[T]) -> tuple[T | None, list[str]]:
    """The document as `model`, or every fault as `file:line: path: fault`."""
    if document.problems:
        return None, list(document.problems)
    if not isinstance(document.data, dict):
        return None, [f"{document.place(())}: expected a mapping with {', '.join(model.model_fields)}."]
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        return None, [_fault(document, dict(fault)) for fault in error.errors(include_url=False)]


def _fault(document: Document, fault: dict[str, Any]) -> str:
    path = tuple(fault["loc"])
    text = str(fault["msg"]).removeprefix("Value error, ")
    return f"{document.place(path)}: {'.'.join(map(str, path))}: {text}."


def quotas(document: Document, file: QuotasFile) -> tuple[tuple[Quota, ...], list[str]]:
    """The quotas of a sound file, and what makes single ones unusable."""
    found: dict[str, Quota] = {}
    problems: list[str] = []
    for index, entry in enumerate(file.quotas):
        place = document.place(("quotas", index))
        try:
            quota = _quota(entry, file.currency)
        except ValueError as error:
            problems.append(f"{document.place(('quotas', index, 'limit'))}: quota {entry.id!r}: {error}.")
            continue
        if entry.window == "life" and entry.scope != "notebook_run":
            problems.append(f"{place}: quota {entry.id!r}: only the scope notebook_run has the window life.")
        if twin := found.get(quota.identity):
            problems.append(f"{place}: quota {entry.id!r} counts the same as {twin.id!r}; keep one of them.")
        found[quota.identity] = quota
    return tuple(found.values()), problems


def _quota(entry: QuotaEntry, currency: str) -> Quota:
    measure = MEASURES[entry.measure]
    return Quota(
        id=entry.id,
        measure=measure,
        scope=entry.scope,
        window=entry.window,
        limit=read_limit(entry.limit, measure, currency),
        currency=currency,
        keys={key: read_limit(limit, measure, currency) for key, limit in entry.keys.items()},
        where=entry.where.model_dump(exclude_none=True),
        require=entry.require,
        owner=entry.owner,
        message=entry.message,
    )
