"""Canonical JSON and the digest of an entry.

Canonical means: keys sorted, no spaces, UTF-8, no NaN or infinity. An entry's digest is SHA-256 over the
canonical JSON of `{at, attempt, epoch, event, job_id, payload, prev, seq}`, that is over every other column.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from qpm_lab.errors import LedgerError
from qpm_lab.ledger.rows import sha256

MAX_PAYLOAD_BYTES = 1 << 20
MAX_DEPTH = 64
ZERO_DIGEST = "sha256:" + "0" * 64


def _mapping(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not a JSON value")


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_mapping
)


def canonical(value: object) -> str:
    """The canonical JSON text of a value; ValueError or TypeError when it has none."""
    return _ENCODER.encode(value)


def payload_text(payload: Mapping[str, Any]) -> str:
    """The canonical text of a payload; errors as `recorded`."""
    return recorded(payload)[0]


def recorded(payload: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The canonical text of a payload, and the payload as it will be read from that.

    Raises:
        LedgerError: it holds something that is not a JSON value, or is larger than 1 MiB.
    """
    try:
        text = _ENCODER.encode(payload)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise LedgerError(
            f"A ledger entry cannot hold this payload: {error}.",
            "Pass JSON values only: text, finite numbers, true, false, null, lists, objects with text keys.",
            cause=error,
        ) from error
    if size > MAX_PAYLOAD_BYTES:
        raise LedgerError(
            f"The payload of a ledger entry has {size:,} bytes; the most is {MAX_PAYLOAD_BYTES:,}.",
            "Put large data into a blob and its digest into the payload.",
        )
    # The encoder turns keys such as 1 or None into text: comparing is far cheaper than walking every value.
    parsed: dict[str, Any] = json.loads(text)
    if parsed != payload:
        _require_json(payload, "payload", 0)
    return text, parsed


def _require_json(value: object, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise LedgerError(f"{where[:80]}… is nested more than {MAX_DEPTH} deep.", "Flatten it or use a blob.")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise LedgerError(f"{where} has the key {key!r}, which is not text.", "Use text keys only.")
            _require_json(item, f"{where}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _require_json(item, f"{where}[{index}]", depth + 1)


def entry_digest(
    *,
    seq: int,
    at: str,
    event: str,
    job_id: str | None,
    attempt: int,
    epoch: int,
    payload: str,
    prev: str,
) -> str:
    """The digest of an entry whose payload is given as canonical text.

    The payload sorts between `job_id` and `prev`, so its text is spliced in instead of being encoded twice.
    """
    before = _ENCODER.encode({"at": at, "attempt": attempt, "epoch": epoch, "event": event, "job_id": job_id})
    after = _ENCODER.encode({"prev": prev, "seq": seq})
    return sha256(f'{before[:-1]},"payload":{payload},{after[1:]}'.encode())
