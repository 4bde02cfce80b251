"""Canonical JSON, its bounds and the digest."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.errors import LedgerError
from qpm_lab.ledger.canonical import MAX_PAYLOAD_BYTES, canonical, entry_digest, payload_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@given(st.dictionaries(st.text(), VALUES, max_size=5).filter(encodable))
def test_canonical_text_reads_back_as_the_same_value(payload: dict[str, Any]) -> None:
    """Encoding loses nothing and encoding again changes nothing."""
    text = payload_text(payload)
    assert json.loads(text) == payload
    assert canonical(json.loads(text)) == text


@given(st.dictionaries(st.text(), VALUES, max_size=5).filter(encodable), st.integers(1, 10**9))
def test_the_digest_is_that_of_the_whole_canonical_entry(payload: dict[str, Any], seq: int) -> None:
    """Anyone can recompute a digest from the documented object alone."""
    fields: dict[str, Any] = {
        "seq": seq,
        "at": "2026",
        "event": "a.b",
        "job_id": None,
        "attempt": 1,
        "epoch": 2,
        "prev": "sha256:0",
    }
    whole = json.dumps({**fields, "payload": payload}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    expected = "sha256:" + hashlib.sha256(whole.encode()).hexdigest()
    assert entry_digest(**fields, payload=payload_text(payload)) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": b"bytes"},
        {"a": {1, 2}},
        {"a": object()},
        {1: "a"},
        {"a": {None: 1}},
        {"a": [{True: 1}]},
        {"a": "\ud800"},
    ],
)
def test_what_is_not_json_is_refused(payload: Any) -> None:
    """Values that JSON would lose or bend are refused with a message."""
    with pytest.raises(LedgerError):
        payload_text(payload)


def test_deep_and_large_payloads_are_refused() -> None:
    """Payloads are bounded in size, and endless nesting ends in a message."""
    with pytest.raises(LedgerError, match="bytes"):
        payload_text({"a": "x" * MAX_PAYLOAD_BYTES})
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(LedgerError):
        payload_text({"a": deep})


def test_mappings_and_tuples_are_taken_as_objects_and_lists() -> None:
    """Frozen mappings and tuples are welcome."""
    payload = {"a": MappingProxyType({"b": (1, 2)}), "c": OrderedDict(d=1)}
    assert payload_text(payload) == '{"a":{"b":[1,2]},"c":{"d":1}}'
