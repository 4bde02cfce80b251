"""Starts a double and talks to it."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from qpm_lab.doubles.double import Double
from qpm_lab.doubles.faults import Faults
from qpm_lab.errors import InputError

DOUBLES = {
    "aqt": "qpm_lab.doubles.aqt:AqtDouble",
    "azure": "qpm_lab.doubles.azure:AzureDouble",
    "braket": "qpm_lab.doubles.braket:BraketDouble",
    "ibm": "qpm_lab.doubles.ibm:IbmDouble",
    "ionq": "qpm_lab.doubles.ionq:IonqDouble",
    "iqm": "qpm_lab.doubles.iqm:IqmDouble",
    "quantinuum": "qpm_lab.doubles.quantinuum:QuantinuumDouble",
}
"""Vendor → its double."""


def make(name: str, faults: Faults | None = None) -> Double:
    """A double that does not listen yet.

    Raises:
        InputError: there is none of that name.
    """
    place = DOUBLES.get(name)
    if place is None:
        raise InputError(f"There is no double of {name[:80]!r}.", f"There are: {', '.join(sorted(DOUBLES))}.")
    module, _, attribute = place.partition(":")
    double: Double = getattr(import_module(module), attribute)(faults)
    return double


class RunningDouble:
    """A double that listens, seen from outside."""

    def __init__(self, url: str, access: dict[str, Any]) -> None:
        self.url = url
        self.access = access
        """By which our side reaches it: `url`, `secrets`, `options`."""

    def faults(self, **changes: Any) -> None:
        """Changes how it misbehaves; see `Faults`."""
        self._ask("PUT", "faults", changes)

    def submissions(self) -> list[dict[str, Any]]:
        """All jobs that it accepted, in order: `id`, `token`, `cancelled`."""
        found: list[dict[str, Any]] = self._ask("GET", "submissions")["submissions"]
        return found

    def received(self) -> list[str]:
        """The newest requests as they came: method and address, then the body; keys stand in none of them."""
        found: list[str] = self._ask("GET", "received")["received"]
        return found

    def reset(self) -> None:
        """Forgets all jobs and faults."""
        self._ask("POST", "reset", {})

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_double/{what}", data=data, method=method)
        # A double's certificate is its own; what is steered here is on the loopback interface.
        context = ssl._create_unverified_context() if self.url.startswith("https") else None
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
        with urllib.request.build_opener(*handlers).open(request, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def started(name: str, faults: Faults | None = None, port: int = 0) -> Iterator[RunningDouble]:
    """A double that listens on the loopback interface until the block ends."""
    from qpm_lab.doubles.serving import Server

    double = make(name, faults)
    server = Server(double, port)
    server.start()
    try:
        yield RunningDouble(double.url, double.access())
    finally:
        server.stop()
