"""The price catalogue: rows of data, checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from qpm_lab.errors import InputError
from qpm_lab.pricing.formulas import FORMULAS, Formula

STALE_AFTER_DAYS = 365
LARGEST_BYTES = 2**20
_SHIPPED = Path(__file__).with_name("catalogue.yaml")
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Row(BaseModel):
    """One price as it was read, for one or more backends of the same vendor and channel."""

    model_config = _STRICT

    id: str = Field(min_length=1)
    backends: tuple[str, ...] = Field(min_length=1)
    formula: str | None = None
    """A key of FORMULAS; None together with `rates` when the price is unknown."""
    rates: Mapping[str, Any] | None = None
    currency: str = Field(pattern="^[A-Z]{3}$")
    unit: str
    """What the vendor counts, in words."""
    source: str = Field(min_length=1)
    seen_on: date
    stale_after_days: int | None = Field(default=STALE_AFTER_DAYS, ge=0)
    """None for a price that nobody can change."""
    confidence: Literal["A", "B", "C"]
    region: str
    channel: str

    @model_validator(mode="after")
    def _known_formula(self) -> Row:
        if (self.formula is None) != (self.rates is None):
            raise ValueError("`formula` and `rates` belong together; leave both out for an unknown price")
        if self.formula is not None and self.formula not in FORMULAS:
            raise ValueError(f"unknown formula {self.formula!r}; there are {', '.join(sorted(FORMULAS))}")
        return self


class Machine(BaseModel):
    """A machine that can be quoted though this version has no adapter for it."""

    model_config = _STRICT

    id: str = Field(pattern=r"^[a-z0-9_-]+/\S+$")
    qubits: int = Field(ge=1)
    description: str


class _Document(BaseModel):
    model_config = _STRICT

    prices: tuple[Row, ...]
    machines: tuple[Machine, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """A row with its formula ready to compute; no formula means unknown."""

    row: Row
    formula: Formula | None

    def stale(self, today: date) -> bool:
        """True when the price was read too long ago."""
        allowed = self.row.stale_after_days
        return allowed is not None and (today - self.row.seen_on).days > allowed


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Prices by backend id, and machines without an adapter."""

    prices: Mapping[str, Price]
    machines: tuple[Machine, ...]


@cache
def shipped_catalogue() -> Catalogue:
    """The catalogue of this version, read once."""
    return load_catalogue(_SHIPPED)


def load_catalogue(path: Path) -> Catalogue:
    """Reads and checks a catalogue.

    Raises:
        InputError: It cannot be read; the message names each place and fault.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"The price catalogue {path} is larger than {LARGEST_BYTES:,} bytes.")
        document = _Document.model_validate(yaml.safe_load(path.read_text("utf-8")))
        return Catalogue(_by_backend(document.prices), document.machines)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise _broken(path, "; ".join(faults)) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _broken(path, str(error)) from error


def _by_backend(rows: tuple[Row, ...]) -> dict[str, Price]:
    prices: dict[str, Price] = {}
    for row in rows:
        formula = None if row.formula is None else FORMULAS[row.formula].model_validate(row.rates)
        for backend in row.backends:
            if backend in prices:
                raise ValueError(f"{backend} has two prices, in {prices[backend].row.id} and {row.id}")
            prices[backend] = Price(row, formula)
    return prices


def _broken(path: Path, faults: str) -> InputError:
    return InputError(f"The price catalogue {path} cannot be used: {faults[:2000]}", "Correct these places.")
