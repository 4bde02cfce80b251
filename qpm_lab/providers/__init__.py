"""Where circuits run. One provider per file; others join by the entry point group `qpm_lab.providers`."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from importlib import import_module, metadata
from typing import TYPE_CHECKING

from qpm_lab.errors import InputError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers import chaos
from qpm_lab.providers.calibrations import Calibration, of_target, read_calibration
from qpm_lab.providers.ideal import ideal_probabilities, measured_bits, why_no_ideal
from qpm_lab.providers.interface import Provider
from qpm_lab.providers.remote import NO_ACCESS, RemoteProvider
from qpm_lab.providers.vendor import Access, Vendor

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

__all__ = [
    "Calibration",
    "accessing",
    "all_backends",
    "backend",
    "calibration",
    "ideal_probabilities",
    "measured_bits",
    "provider_of",
    "providers",
    "read_calibration",
    "remote",
    "routed",
    "target",
    "use_access",
    "vendors",
    "why_no_ideal",
]

BUILT_IN = {
    "aer": "qpm_lab.providers.aer:AerProvider",
    "aqt": "qpm_lab.providers.aqt:VENDOR",
    "azure": "qpm_lab.providers.azure:VENDOR",
    "braket": "qpm_lab.providers.braket:VENDOR",
    "ibm": "qpm_lab.providers.ibm:VENDOR",
    "ionq": "qpm_lab.providers.ionq:VENDOR",
    "iqm": "qpm_lab.providers.iqm:VENDOR",
    "pennylane": "qpm_lab.providers.pennylane:PennyLaneProvider",
    "qiskit": "qpm_lab.providers.qiskit:VENDOR",
    "quantinuum": "qpm_lab.providers.quantinuum:VENDOR",
    "stim": "qpm_lab.providers.stim:StimProvider",
}
"""Provider name → where it is; what an entry point of the same name says does not change these.

A vendor's file names its `Vendor`; any other provider its class."""


def _no_access(name: str) -> Access:
    return NO_ACCESS


_source: Callable[[str], Access] = _no_access
_own_source: ContextVar[Callable[[str], Access] | None] = ContextVar("own_source", default=None)


@cache
def providers() -> Mapping[str, Provider]:
    """All providers by name; none of them has imported an SDK yet.

    A provider of another package that cannot be loaded is left out, with a warning: it must not take
    the others with it.
    """
    found = {name: _load(place) for name, place in BUILT_IN.items()}
    for point in metadata.entry_points(group="qpm_lab.providers"):
        if point.name not in found:
            try:
                found[point.name] = _load(point.value)
            except Exception as error:
                warnings.warn(f"The provider {point.name!r} cannot be loaded: {error}", stacklevel=2)
    return found


def _load(place: str) -> Provider:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    provider: Provider = RemoteProvider(found, _access) if isinstance(found, Vendor) else found()
    return provider


def _access(name: str) -> Access:
    return (_own_source.get() or _source)(name)


@contextmanager
def accessing(source: Callable[[str], Access]) -> Iterator[None]:
    """Within the block, in this thread, keys, addresses and settings are those of `source`, whatever else is open."""
    before = _own_source.set(source)
    try:
        yield
    finally:
        _own_source.reset(before)


def use_access(source: Callable[[str], Access]) -> None:
    """Says where vendors' keys, addresses and settings come from where nobody else says so; the latest source counts.

    Args:
        source: Provider name → by what its client gets in.
    """
    global _source
    _source = source


def vendors() -> Mapping[str, RemoteProvider]:
    """Those providers that speak to a vendor."""
    return {name: each for name, each in providers().items() if isinstance(each, RemoteProvider)}


def remote(backend_id: str) -> RemoteProvider | None:
    """Who speaks to the vendor of that machine; None for a backend that runs on this machine.

    Raises:
        InputError: There is no such backend.
    """
    info, found = backend(backend_id), provider_of(backend_id)
    return found if isinstance(found, RemoteProvider) and not info.local else None


def all_backends() -> tuple[BackendInfo, ...]:
    """Every backend of every provider."""
    return tuple(info for provider in providers().values() for info in provider.backends())


def backend(backend_id: str) -> BackendInfo:
    """The backend of that id.

    Raises:
        InputError: There is none; the hint names the nearest ids.
    """
    if chaos.is_chaos(backend_id):
        return chaos.wrapped_info(backend_id, backend)
    # Only its own provider: others may have to look for keys.
    own = providers().get(backend_id.partition("/")[0])
    for info in own.backends() if own else ():
        if info.id == backend_id:
            return info
    found = all_backends()
    known = {info.id for info in found}
    near = difflib.get_close_matches(backend_id, known, n=3, cutoff=0.5)
    near = near or [name for name in known if backend_id and backend_id.lower() in name.lower()]
    here = sorted(info.id for info in found if info.local and info.state == "ready")
    all_of_them = f"On this machine there are {', '.join(here)}; %qbackends lists all {len(known)}."
    hint = f"Did you mean {' or '.join(near)}?" if near else all_of_them
    raise InputError(f"There is no backend {backend_id[:100]!r}.", hint)


def provider_of(backend_id: str) -> Provider:
    """Who runs that backend.

    Raises:
        InputError: There is no such backend.
    """
    info = backend(backend_id)
    return _with_faults(backend_id) if chaos.is_chaos(backend_id) else providers()[info.provider]


@lru_cache(64)
def _with_faults(backend_id: str) -> Provider:
    """Kept, so that its draws go on from job to job."""
    from qpm_lab.providers.chaos_faults import with_faults

    faults, wrapped = chaos.read(backend_id)
    return with_faults(faults, backend(backend_id), backend(wrapped), provider_of(wrapped))


def target(backend_id: str) -> Target:
    """What that backend offers, as Qiskit's transpiler reads it.

    Raises:
        InputError: There is no such backend.
    """
    return provider_of(backend_id).target(backend_id)


def calibration(backend_id: str) -> Calibration:
    """That backend as it is now, under a digest that changes when anything of it does.

    Raises:
        InputError: There is no such backend.
    """
    return of_target(target(backend_id))


def routed(backend_id: str, circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit as that backend will execute it; see `Provider.routed`.

    Raises:
        InputError: There is no such backend.
        CapacityError: The circuit is wider than it.
        CircuitError: It cannot run an instruction, by name.
    """
    return provider_of(backend_id).routed(circuit, backend_id)
