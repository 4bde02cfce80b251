"""How vendors' answers are read: nothing is guessed, every failure says whether the job may have been taken."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import (
    checked_counts,
    field,
    http_error,
    network_error,
    no_others,
    one_of,
    unreadable,
    vendor_words,
    whole_counts,
    words,
)
from qpm_lab.providers.apart.bounds import TooLargeError, TooSlowError

FROM: dict[str, Any] = {"vendor": "Vendor", "what": "GET /jobs/ID"}
KEYS = st.text("01", min_size=4, max_size=4)


def marks(error: ProviderError) -> tuple[bool, bool]:
    return error.retryable, error.uncertain


@pytest.mark.parametrize(
    ("status", "sending", "retryable", "uncertain"),
    [
        (400, True, False, False),
        (401, True, False, False),
        (402, True, False, False),
        (403, True, False, False),
        (404, True, False, False),
        (422, True, False, False),
        (408, True, False, True),
        (429, True, True, False),
        (500, True, False, True),
        (502, True, False, True),
        (503, True, False, True),
        (504, True, False, True),
        (302, True, False, True),
        (400, False, False, False),
        (401, False, False, False),
        (404, False, True, False),
        (429, False, True, False),
        (500, False, True, False),
        (503, False, True, False),
    ],
)
def test_a_status_says_whether_the_job_may_have_been_taken(
    status: int, sending: bool, retryable: bool, uncertain: bool
) -> None:
    """Only a vendor's own failure while sending is a doubt; what may pass by itself may be tried again."""
    error = http_error("Vendor", "vendor", status, "no", sending=sending)
    assert marks(error) == (retryable, uncertain)
    assert str(status) in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"message": "too wide"}', "too wide"),
        ('{"error": {"type": "x", "message": "too wide"}}', "too wide"),
        ('{"statusCode": 400, "error": "Bad Request", "message": "too wide"}', "too wide"),
        ('{"errors": [{"code": 1, "message": "too wide"}, {"message": "and long"}]}', "too wide; and long"),
        ('{"detail": [{"msg": "x"}]}', '{"msg": "x"}'),
        ('"too wide"', "too wide"),
        ("<html><body><h1>502</h1>\n<p>Bad Gateway</p></body></html>", "502 Bad Gateway"),
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("", "no message"),
        ("{}", "{}"),
        ("[" * 100_000, "[" * 299 + "…"),
    ],
)
def test_a_vendors_words_come_through_on_one_line(body: str, said: str) -> None:
    """Wherever it puts them, without control characters and markup."""
    assert vendor_words(body) == said


@given(st.one_of(st.text(), st.binary(), st.integers(), st.dictionaries(st.text(), st.text())))
def test_words_are_short_and_printable(value: object) -> None:
    """Whatever a vendor sends."""
    found = words(value)
    assert len(found) <= 300
    assert found.isprintable()


class WrappedError(Exception):
    """As libraries do it: the cause only among the arguments."""


class ConnectTimeout(OSError):
    """By the name that `requests` and `httpx` give it."""


def caused(inner: BaseException) -> BaseException:
    try:
        try:
            raise inner
        except BaseException as error:
            raise RuntimeError("outer") from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "wrapped", [lambda e: e, lambda e: WrappedError("x", e), caused], ids=["bare", "args", "cause"]
)
@pytest.mark.parametrize(
    ("inner", "sent"),
    [
        (ConnectionRefusedError("refused"), False),
        (socket.gaierror(-2, "unknown name"), False),
        (ConnectTimeout("no route"), False),
        (ConnectionResetError("reset"), True),
        (TimeoutError("timed out"), True),
        (TooLargeError("its answer is larger"), True),
        (TooSlowError("its answer did not arrive"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_a_connection_that_was_never_made_took_nothing(inner: BaseException, sent: bool, wrapped: Any) -> None:
    """However deep a library hides what happened."""
    error = network_error("Vendor", wrapped(inner), sending=True)
    assert marks(error) == (not sent, sent)
    assert "Vendor" in error.message
    assert error.hint


def test_a_chain_that_goes_round_is_read_once() -> None:
    """An exception that is its own cause does not end in a loop."""
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert network_error("Vendor", first, sending=False).retryable


@pytest.mark.parametrize(
    ("document", "path", "missing"),
    [
        ({}, ("a",), "'a'"),
        ({"a": {}}, ("a", "b"), "'a.b'"),
        ({"a": None}, ("a", "b"), "'a.b'"),
        ({"a": []}, ("a", "b", "c"), "'a.b'"),
        (None, ("a",), "'a'"),
    ],
)
def test_a_missing_field_is_named_with_its_path(document: Any, path: tuple[str, ...], missing: str) -> None:
    """Also where something else stands in its place."""
    with pytest.raises(ProviderError, match=missing) as caught:
        field(document, *path, **FROM)
    assert "GET /jobs/ID" in caught.value.message
    assert caught.value.uncertain


def test_a_field_that_is_there_is_given() -> None:
    """Also when it is empty."""
    assert field({"a": {"b": 0}}, "a", "b", **FROM) == 0
    assert field({"a": None}, "a", **FROM) is None


@pytest.mark.parametrize("value", ["paused", 1, None, ["done"], {"done": 1}])
def test_a_value_outside_its_set_is_named(value: Any) -> None:
    """With its field."""
    with pytest.raises(ProviderError, match="'state'"):
        one_of(value, {"done", "failed"}, "state", **FROM)
    assert one_of("done", {"done"}, "state", **FROM) == "done"


def test_a_field_that_nobody_knows_is_named() -> None:
    """And one that is known is not."""
    no_others({"a": 1}, {"a", "b"}, **FROM)
    with pytest.raises(ProviderError, match="'c'"):
        no_others({"a": 1, "c": 2}, {"a", "b"}, **FROM)


def test_what_cannot_be_read_is_a_doubt_only_while_sending() -> None:
    """A result may be asked for again."""
    assert marks(unreadable("Vendor", "POST /jobs")) == (False, True)
    assert marks(unreadable("Vendor", "GET /jobs", sending=False)) == (True, False)


@given(st.dictionaries(KEYS, st.integers(0, 1000), min_size=1).filter(lambda d: sum(d.values())), st.integers(1, 10**6))
def test_shares_become_counts_that_sum_to_the_shots(weights: Mapping[str, int], shots: int) -> None:
    """Each is less than one shot away from its share."""
    total = sum(weights.values())
    shares = {key: weight / total for key, weight in weights.items()}
    counts = whole_counts(shares, shots, **FROM)
    assert sum(counts.values()) == shots
    assert all(abs(counts.get(key, 0) - share * shots) < 1 + 1e-6 for key, share in shares.items())
    assert 0 not in counts.values()


@given(st.dictionaries(KEYS, st.integers(0, 50), min_size=1).filter(lambda d: sum(d.values())))
def test_shares_that_are_whole_shots_come_back_exactly(counts: Mapping[str, int]) -> None:
    """What a machine counted is not changed by having been written as shares."""
    shots = sum(counts.values())
    shares = {key: count / shots for key, count in counts.items()}
    assert whole_counts(shares, shots, **FROM) == {key: count for key, count in counts.items() if count}


@pytest.mark.parametrize(
    "shares", [{"0": 0.9}, {"0": 1.1}, {"0": -0.1, "1": 1.1}, {"0": "1"}, {"0": True}, {}], ids=str
)
def test_what_is_no_distribution_is_refused(shares: Any) -> None:
    """Sums, signs and types."""
    with pytest.raises(ProviderError, match="GET /jobs/ID"):
        whole_counts(shares, 10, **FROM)


def test_a_good_histogram_is_given_without_spaces() -> None:
    """Registers are joined; whole numbers of any type are counts."""
    assert checked_counts({"0 1": 2.0, "11": 3}, 2, 5, **FROM) == {"01": 2, "11": 3}


@pytest.mark.parametrize(
    "counts",
    [
        {"0": 5},
        {"02": 5},
        {"01": -5, "11": 10},
        {"01": 2.5, "11": 2.5},
        {"01": True},
        {"01": 4},
        [5],
        {"01": "5"},
        {"01": None},
    ],
    ids=json.dumps,
)
def test_what_is_no_histogram_is_refused(counts: Any) -> None:
    """Widths, digits, signs, types and the sum."""
    with pytest.raises(ProviderError, match="GET /jobs/ID"):
        checked_counts(counts, 2, 5, **FROM)
