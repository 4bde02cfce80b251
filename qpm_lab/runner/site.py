"""What a site or user has set: vendors' addresses and options, prices, and where keys are kept."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from qpm_lab import providers
from qpm_lab.errors import InputError, SettingsError, UnreadableKeyError
from qpm_lab.pricing import Prices, load_prices
from qpm_lab.pricing.reading import read_document
from qpm_lab.providers.vendor import Access
from qpm_lab.secrets import Secrets

ANY_PROVIDER = "qiskit"
"""Whose machines the settings describe in full."""
SETTINGS, PRICES = "settings.yaml", "prices.yaml"
FRESH_SECONDS = 2.0
"""How long keys that were looked up are taken for the present ones; a keyring may be slow."""
T = TypeVar("T")


class Machine(BaseModel):
    """A machine that the settings add to a vendor's."""

    model_config = ConfigDict(frozen=True, extra="allow")

    qubits: int = Field(ge=1)
    description: str = ""
    kind: Literal["qpu", "simulator"] = "qpu"
    local: bool = False
    noisy: bool = True
    gates: tuple[str, ...] = ()
    region: str = ""
    legal_seat: str = ""


class Vendor(BaseModel):
    """What is read of one vendor here; its client reads the rest."""

    model_config = ConfigDict(frozen=True, extra="allow")

    url: str = ""
    backends: Mapping[str, Machine] | None = None
    timeout_seconds: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    visibility_seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    poll_seconds: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class Settings(BaseModel):
    """`settings.yaml` in `QPM_HOME`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    providers: Mapping[str, Mapping[str, Any]] = {}
    """Provider name → `url` for another address than the vendor's own, `backends` for further machines,
    `visibility_seconds`, `timeout_seconds`, and whatever options the vendor has. Never a key."""

    @field_validator("providers")
    @classmethod
    def _readable(cls, told: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
        for name, options in told.items():
            try:
                read = Vendor.model_validate(options)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(map(str, (name, *first["loc"])))
                raise ValueError(f"{place}: {first['msg']}") from None
            here = [each for each, machine in (read.backends or {}).items() if machine.local and name != ANY_PROVIDER]
            if here:
                raise ValueError(f"{name}.backends.{here[0]}.local: only machines of {ANY_PROVIDER} may run here")
        return told


class Latest(Generic[T]):
    """What a file says, read again when it changes."""

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        self._path = path
        self._read = read
        self._guard = threading.Lock()
        self._known: tuple[tuple[int, int] | None, T] | None = None

    def get(self) -> T:
        """As the file stands now.

        Raises:
            InputError: it cannot be used.
        """
        mark = _mark(self._path)
        with self._guard:
            if self._known is None or self._known[0] != mark:
                self._known = (mark, self._read(self._path))
            return self._known[1]


class Site:
    """The settings of one home.

    Args:
        home: `QPM_HOME`.
    """

    def __init__(self, home: Path) -> None:
        self.secrets = Secrets(home)
        self._settings = Latest(home / SETTINGS, _read_settings)
        self._prices = Latest(home / PRICES, load_prices)
        self._accesses: dict[str, tuple[float, Access]] = {}

    @property
    def prices(self) -> Prices:
        """The prices in force."""
        return self._prices.get()

    def in_force(self) -> AbstractContextManager[None]:
        """Within it vendors are spoken to by these settings and keys, whatever other homes are open in this process."""
        return providers.accessing(self.access)

    def access(self, provider: str) -> Access:
        """By what the client of a provider gets in."""
        known = self._accesses.get(provider)
        if known is None or time.monotonic() - known[0] > FRESH_SECONDS:
            known = self._accesses[provider] = (time.monotonic(), self._access(provider))
        return known[1]

    def _access(self, provider: str) -> Access:
        options = dict(self._settings.get().providers.get(provider, {}))
        url = str(options.pop("url", ""))
        vendor = providers.vendors().get(provider)
        fields = vendor.vendor.secrets if vendor else ()
        try:
            found = {field: self.secrets.get(_secret(provider, field)) for field in fields}
        except InputError as error:  # a keyring that is locked now, a file that others may read
            raise UnreadableKeyError(error.message, error.hint, cause=error) from error
        return Access(url, {field: secret.reveal() for field, secret in found.items() if secret is not None}, options)


def _secret(provider: str, field: str) -> str:
    return provider if field == "token" else f"{provider}/{field}"


def _read_settings(path: Path) -> Settings:
    try:
        return read_document(path, "settings", Settings) if path.exists() else Settings()
    except InputError as error:
        raise SettingsError(error.message, error.hint, cause=error) from error


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
