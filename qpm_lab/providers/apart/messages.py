"""What goes through the pipe: calls to the process apart and its answers, as JSON in frames.

JSON, because what a vendor sent has passed through the process that writes it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.vendor import Access, Answer, Availability, Parcel, Standing

CALLS = frozenset({"calibration", "availability", "price", "send", "find", "standing", "answer", "cancel", "run"})
MOST_AMOUNT = 10**12
"""Of money, seconds or credits; more is a mistake."""
SENDING = "send"
"""The call after which it may be in doubt whether the vendor took a job."""


def network_seconds(access: Access) -> float:
    """How long one call may take on the network: less than after what the process apart is killed."""
    return 0.9 * float(access.options.get("timeout_seconds", 100.0))


def call_bytes(name: str, arguments: Mapping[str, Any]) -> bytes:
    """A call by the name of a `Client`'s method."""
    return json.dumps({"call": name, "arguments": {k: _written(v) for k, v in arguments.items()}}).encode()


def call_from(payload: bytes) -> tuple[str, dict[str, Any]]:
    document = json.loads(payload)
    return document["call"], {name: _read(value) for name, value in document["arguments"].items()}


@dataclass(frozen=True, slots=True)
class Opening:
    """The first message."""

    client: str
    """As `module:class`."""
    module: str
    """The vendor's, which its calls need."""
    access: Access


def opening_bytes(opening: Opening) -> bytes:
    return json.dumps(asdict(opening)).encode()


def opening_from(payload: bytes) -> Opening:
    document = json.loads(payload)
    return Opening(document["client"], document["module"], Access(**document["access"]))


def value_bytes(value: Any) -> bytes:
    return json.dumps(_plain(value)).encode()


def value_from(name: str, payload: bytes) -> Any:
    """What a call returned, in its type.

    Raises:
        ProviderError: It cannot be that.
    """
    try:
        return _typed(name, json.loads(payload))
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise ProviderError(
            f"The answer to {name} cannot be read: {type(error).__name__}.",
            "Report it.",
            uncertain=name == SENDING,
            cause=error,
        ) from error


def _typed(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in ("answer", "run"):
        for figure in ("run_seconds", "queue_seconds", "qpu_seconds", "hqc"):
            _require_amount(0 if value[figure] is None else value[figure])
        return Answer(**{**value, "billed": None if value["billed"] is None else _money(value["billed"])})
    if name == "price":
        return _money(value)
    if name == "standing":
        return Standing(**value)
    if name == "availability":
        return Availability(**value)
    if name == "calibration":
        return base64.b64decode(value)
    return tuple(value) if isinstance(value, list) else value


def _money(told: Any) -> tuple[str, str]:
    currency, amount = told
    if not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError(f"{currency[:20]!r} is no currency")
    _require_amount(amount)
    return currency, str(amount)


def _require_amount(amount: Any) -> None:
    """No bill is negative, and none is without end: such a figure would give room to a quota, or end no job."""
    number = Decimal(str(amount))
    if not number.is_finite() or not 0 <= number < MOST_AMOUNT:
        raise ValueError(f"{str(amount)[:20]!r} is no amount")


def _plain(value: Any) -> Any:
    if isinstance(value, Answer):
        counts = [dict(each) for each in value.counts]
        return {**{n: getattr(value, n) for n in Answer.__slots__}, "counts": counts, "details": dict(value.details)}
    if isinstance(value, Standing | Availability):
        return asdict(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return list(value) if isinstance(value, tuple) else value


def _written(value: Any) -> Any:
    if not isinstance(value, Parcel):
        return value
    from qpm_lab.circuits.qpy import dump

    head = {name: getattr(value, name) for name in Parcel.__slots__ if name != "circuits"}
    return {"parcel": head, "circuits": base64.b64encode(dump(list(value.circuits))).decode()}


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    import io

    from qiskit import qpy

    circuits = qpy.load(io.BytesIO(base64.b64decode(value["circuits"])))
    return Parcel(circuits=tuple(circuits), **value["parcel"])
