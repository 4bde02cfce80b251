"""`chaos/<faults>@<backend id>`: any backend, made to misbehave on purpose at stated rates and seeds.

    chaos/outage=0.3,latency=2s,seed=7@ionq/simulator      chaos/fidelity_loss=0.2@aer/simulator

A prefix, not a provider of its own: nothing of it is listed, and rules, quotas and prices are those of the backend that
is wrapped (`experiment.ruled_as`). A bundle that does not list `chaos/*` refuses it. docs/chaos.md says what each does.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from qpm_lab.errors import InputError
from qpm_lab.experiment import BackendInfo, ruled_as

PREFIX = "chaos/"
FORM = "chaos/<faults>@<backend id>, for example chaos/outage=0.3,latency=2s,seed=7@aer/simulator"
LONGEST_ID = 200
LONGEST_SECONDS = 600.0
_RATES = ("outage", "fidelity_loss", "schema_change", "duplicate", "lost_answer")
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Chaos:
    """What goes wrong, and how often. Rates are probabilities from 0 to 1."""

    outage: float = 0.0
    """Of submissions, and of questions after the machine, that fail before anything is sent."""
    latency_seconds: float = 0.0
    """Before every answer of a vendor, and before the result of a local run."""
    fidelity_loss: float = 0.0
    """Share of the shots that are replaced by uniformly random outcomes."""
    schema_change: float = 0.0
    """Of answers that cannot be read."""
    duplicate: float = 0.0
    """Of results that are delivered twice, and of look-ups that list a job twice."""
    lost_answer: float = 0.0
    """Of submissions that are carried out and whose answer never arrives."""
    stuck: bool = False
    """Jobs never leave the queue."""
    seed: int = 0
    """The same seed and the same calls give the same faults."""

    def told(self) -> dict[str, float | int | bool]:
        """What was asked for, as the record says it."""
        return {name: value for name, value in asdict(self).items() if value or name == "seed"}


def is_chaos(backend_id: str) -> bool:
    """Whether an id asks for faults, well-formed or not."""
    return backend_id.startswith(PREFIX) or backend_id == PREFIX[:-1]


def read(backend_id: str) -> tuple[Chaos, str]:
    """The faults, and the id of the backend that is wrapped.

    Raises:
        InputError: they cannot be read; the message names the first that is wrong.

    >>> read("chaos/fidelity_loss=0.2@aer/simulator")[1]
    'aer/simulator'
    """
    text, at, wrapped = backend_id.removeprefix(PREFIX).partition("@")
    if not at or not wrapped or len(backend_id) > LONGEST_ID:
        raise InputError(f"{backend_id[:LONGEST_ID]!r} names no backend to wrap.", f"Write {FORM}.")
    if is_chaos(wrapped):
        raise InputError("Faults are given once, not one around another.", f"Write {FORM}.")
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, value = _fault(part)
        if name in found:
            raise InputError(f"The fault {part.partition('=')[0]!r} is given twice.", f"Write {FORM}.")
        found[name] = value
    return Chaos(**found), wrapped


def _fault(part: str) -> tuple[str, float | int | bool]:
    name, _, text = part.partition("=")
    if name in _RATES:
        if _NUMBER.fullmatch(text) and float(text) <= 1:
            return name, float(text)
        raise _bad(name, text, "takes a rate from 0 to 1, such as 0.3")
    if name == "latency":
        found = _SECONDS.fullmatch(text)
        seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else LONGEST_SECONDS + 1
        if seconds <= LONGEST_SECONDS:
            return "latency_seconds", seconds
        raise _bad(name, text, f"takes a time up to {LONGEST_SECONDS:.0f}s, such as 2s or 250ms")
    if name == "seed":
        if _WHOLE.fullmatch(text):
            return name, int(text)
        raise _bad(name, text, "takes a whole number, such as 7")
    if name == "stuck":
        if part == "stuck":
            return name, True
        raise _bad(name, text, "takes no value")
    raise _unknown(name)


def _bad(name: str, text: str, wanted: str) -> InputError:
    return InputError(f"The fault {name!r} {wanted}; {text[:40]!r} is none.", f"Write {FORM}.")


def _unknown(name: str) -> InputError:
    known = [field.name.removesuffix("_seconds") for field in fields(Chaos)]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return InputError(f"There is no fault {name[:40]!r}.", f"{hint}There are: {', '.join(known)}. Write {FORM}.")


def wrapped_info(backend_id: str, backend: Callable[[str], BackendInfo]) -> BackendInfo:
    """The backend that is wrapped, under the id that says what goes wrong with it.

    Args:
        backend_id: With its faults.
        backend: Finds a backend by its id.

    Raises:
        InputError: the faults cannot be read, or there is no such backend.
    """
    chaos, _ = read(backend_id)
    info = backend(ruled_as(backend_id))
    description = f"{info.description}; with faults on purpose: {_words(chaos.told())}"
    return replace(info, id=backend_id, description=description)


def _words(told: Mapping[str, float | int | bool]) -> str:
    return ", ".join(f"{name} {value}" for name, value in told.items())
