"""A vendor's client that does what its backend's name says; runs in the process apart."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
import zlib
from collections.abc import Sequence
from pathlib import Path

from qpm_lab.errors import ProviderError
from qpm_lab.providers.vendor import Access, Answer, Availability, Parcel, Standing


class PretendingClient:
    """Settings: `refuse` fails to be made, `slow` takes half a second for each call."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.made_with, self.began_with = frozenset(sys.modules), frozenset[str]()
        if access.options.get("refuse"):
            raise ProviderError(f"The key {access.secrets['token']} is of no use.", "Take another.")

    def standing(self, backend: str, vendor_id: str) -> Standing:
        self.began_with = self.began_with or frozenset(sys.modules)
        time.sleep(float(self.access.options.get("slow", 0)))
        told: object = getattr(self, backend)(vendor_id)
        return Standing("done", message=told if isinstance(told, str) else json.dumps(told))

    def where(self, vendor_id: str) -> object:
        files = sorted(str(each) for each in Path.home().iterdir())
        return {"environment": dict(os.environ), "cwd": str(Path.cwd()), "home": str(Path.home()), "files": files}

    def imported(self, vendor_id: str) -> object:
        return [vendor_id in self.made_with, vendor_id in self.began_with]

    def process(self, vendor_id: str) -> object:
        return os.getpid()

    def quote(self, vendor_id: str) -> object:
        raise ValueError(f"bad request with\nkey {self.access.secrets['token']}")

    def mention(self, vendor_id: str) -> object:
        return json.dumps(f"failed with {self.access.secrets['token']}")

    def explain(self, vendor_id: str) -> object:
        raise ProviderError(f"refused {self.access.secrets['token']}", "use another than it", retryable=True)

    def die(self, vendor_id: str) -> object:
        print("last words:", self.access.secrets["token"], file=sys.stderr, flush=True)
        os._exit(3)

    def hang(self, vendor_id: str) -> object:
        if vendor_id:
            Path(vendor_id).touch()
        time.sleep(1000)
        return None

    def chat(self, vendor_id: str) -> object:
        print("what a library prints")
        os.write(1, b"and what its C code does")
        return "heard"

    def read(self, vendor_id: str) -> object:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.access.url + vendor_id) as answer:
            body: bytes = answer.read()
        return len(body)

    def unpack(self, vendor_id: str) -> object:
        packed = zlib.compress(b"0" * int(vendor_id))
        return len(zlib.decompressobj().decompress(packed))

    def availability(self, backend: str) -> Availability:
        return Availability(True, 3, 1.5, "2026-01-01T00:00:00Z", backend)

    def calibration(self, backend: str) -> bytes | None:
        return bytes(range(256)) if backend == "known" else None

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        return ("EUR", "1.50") if parcel.shots > 1 else None

    def send(self, parcel: Parcel) -> str:
        if parcel.backend != "x":
            return str(getattr(self, parcel.backend)(""))
        circuits = [[each.num_qubits, dict(each.count_ops()), [c.name for c in each.cregs]] for each in parcel.circuits]
        head = [parcel.backend, parcel.shots, parcel.token, parcel.seed, parcel.cap_seconds, parcel.cap_hqc]
        return json.dumps([head, circuits])

    def find(self, backend: str, token: str) -> Sequence[str]:
        return (token, "x")

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        return Answer([{"01": 3}], 1.0, 2.0, ("USD", "3.1"), 4.0, 5.0, {"client": "pretending"})

    def cancel(self, backend: str, vendor_id: str) -> None:
        return None
