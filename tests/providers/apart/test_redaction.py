"""No key leaves the process apart, however it is written."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.providers.apart.redaction import Redactor

KEY = 'k+e/y="31415926535'
CONNECTION = "Endpoint=https://example.net/;SubscriptionId=1;ApiKey=abcdefghijklmnopqrst"


@pytest.mark.parametrize(
    "form", [KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode(), KEY.replace('"', '\\"')]
)
def test_a_key_is_taken_out_in_every_form(form: str) -> None:
    """As it is, in an address, in a header, in JSON."""
    assert Redactor([KEY])(f"wrong key {form}, try again") == "wrong key [key], try again"


@pytest.mark.parametrize("end", ["", "…"])
def test_a_key_that_was_cut_off_is_taken_out(end: str) -> None:
    """A message that ends in the middle of a key still tells too much."""
    assert Redactor([KEY])(f"wrong key {KEY[:12]}{end}") == "wrong key [key]"


def test_a_key_within_a_connection_string_is_one_by_itself() -> None:
    """A vendor quotes only that part."""
    assert Redactor([CONNECTION])("bad ApiKey abcdefghijklmnopqrst") == "bad ApiKey [key]"


def test_ordinary_words_stay() -> None:
    """No value at all, and a very short one, blank out nothing."""
    assert Redactor(["", "no"])("there is no key…") == "there is no key…"


@given(st.text(min_size=8), st.text(), st.text())
def test_no_key_survives(key: str, before: str, after: str) -> None:
    """Whatever stands around it."""
    if key not in "[key]":
        assert key not in Redactor([key])(before + key + after) or key in before + after + "[key]"


def test_what_a_vendor_says_steers_no_terminal() -> None:
    """An escape sequence in an error would be carried out by the terminal, or the notebook, that shows it."""
    assert Redactor([])("failed: \x1b]0;title\x07\x1b[31mred") == "failed:  ]0;title  [31mred"
