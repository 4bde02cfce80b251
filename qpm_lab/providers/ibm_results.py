"""How IBM Quantum's results are read: bounded before they are unpacked, checked afterwards."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qpm_lab.errors import CapacityError, ProviderError
from qpm_lab.providers.answers import checked_counts, field, nothing_else
from qpm_lab.providers.apart.bounds import MOST_BYTES
from qpm_lab.providers.ibm_fields import RESULTS
from qpm_lab.providers.ibm_watch import TITLE
from qpm_lab.providers.vendor import Parcel

BASE64 = 4 / 3
"""Of an array's text to its bits: random bits cannot be compressed."""
LARGEST_ANSWER = 0.9 * MOST_BYTES
LARGEST_RESULT = 2**28
"""Bytes of one array of a result, unpacked: ten million shots of a hundred bits take half of it."""


def check_size(parcel: Parcel) -> None:
    """Refuses a job whose result could not be read: every shot comes back.

    Raises:
        CapacityError: It would be larger than any answer that is read.
    """
    expected = sum(parcel.shots * each.num_clbits for each in parcel.circuits) / 8 * BASE64
    if expected > LARGEST_ANSWER:
        raise CapacityError(
            f"The result of {len(parcel.circuits)} circuits with {parcel.shots:,} shots would take "
            f"{expected / 2**20:,.0f} MiB; at most {LARGEST_ANSWER / 2**20:,.0f} MiB are read.",
            "Nothing was sent. Use fewer shots, or circuits that measure fewer bits.",
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """The first of the decoders: looks at what the others would unpack, and hands the text on as it came."""

    what: str
    strict: bool
    """Whether fields that nobody has read about are refused."""

    def is_applicable(self, data: Any) -> bool:
        """Always."""
        return True

    def decode(self, data: str) -> str:
        """The text, if it may be unpacked."""
        check_arrays(data, self.what)
        if self.strict:
            with suppress(ValueError, RecursionError):  # What is wrong with its form, the client finds.
                nothing_else(json.loads(data), RESULTS, vendor=TITLE, what=self.what)
        return data


def check_arrays(text: str, what: str) -> None:
    """Refuses a result that lacks the register, or whose arrays unpack to more than anybody asked for.

    Raises:
        ProviderError: It does.
    """
    try:
        results = [each["results"] for each in json.loads(text)["data"]]
        packed = [base64.b64decode(array["data"]) for each in results for array in each.values()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return  # What is wrong with its form, the client finds.
    for each in results:
        field(each, "c", vendor=TITLE, what=what)
    for data in packed:
        unpacking = zlib.decompressobj()
        unpacking.decompress(data, LARGEST_RESULT)
        if unpacking.unconsumed_tail:
            raise ProviderError(
                f"A result of {TITLE} unpacks to more than {LARGEST_RESULT // 2**20} MiB.", "Report it."
            )


def counts_of(result: Any, parcel: Parcel, what: str) -> list[dict[str, int]]:
    if len(result) != len(parcel.circuits):
        message = f"{TITLE}'s answer to {what} has {len(result)} results for {len(parcel.circuits)} circuits."
        raise ProviderError(message, "Report it.")
    found = []
    for circuit, each in zip(parcel.circuits, result, strict=True):
        found.append(
            checked_counts(each.data["c"].get_counts(), circuit.num_clbits, parcel.shots, vendor=TITLE, what=what)
        )
    return found


def seconds_between(times: Mapping[str, Any], start: str, end: str) -> float:
    """Seconds between two times of a job, 0 where one is not told."""
    if not times.get(start) or not times.get(end):
        return 0.0
    began, ended = (datetime.fromisoformat(str(times[name]).replace("Z", "+00:00")) for name in (start, end))
    return max(0.0, (ended - began).total_seconds())


def charged_seconds(usage: Mapping[str, Any]) -> float | None:
    """Billed QPU time; None while IBM still reckons it."""
    seconds = usage.get("qpu_charge_time_seconds")
    if usage.get("status") == "pending" or seconds is None:
        return None
    return float(seconds)


def whole_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
