"""A value does not show itself, nor in any form in which others repeat it."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.secrets import Redactor, Secret, Secrets

VALUE = 'p@ss/w0rd+"quoted"\\back=ünï'
values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0*"), min_size=6, max_size=40).filter(
    lambda text: bool(text.strip())
)


def test_a_secret_never_shows_its_value(caplog: pytest.LogCaptureFixture) -> None:
    """However it is turned into text."""
    secret = Secret(VALUE)
    logging.getLogger("test").warning("key %s %r", secret, secret)
    shown = [
        str(secret),
        repr(secret),
        f"{secret:>40}",
        str.__mod__("%s", secret),
        str([secret]),
        caplog.text,
        repr({"k": secret}),
    ]
    assert not [text for text in shown if VALUE in text]
    assert secret.reveal() == VALUE


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, lambda s: s.__getstate__()])
def test_a_secret_does_not_leave_the_process(leave: object) -> None:
    """Pickle, copies and JSON are refused."""
    assert callable(leave)
    with pytest.raises(TypeError):
        leave(Secret(VALUE))
    assert not hasattr(Secret(VALUE), "__dict__")


@given(values, st.text(max_size=12), st.text(max_size=12))
def test_a_value_is_hidden_in_every_form_and_at_every_place(value: str, before: str, after: str) -> None:
    """As it is, quoted for URLs, escaped in JSON, hexadecimal, and in base64 of a longer text."""
    redact = Redactor()
    redact.learn(value)
    forms = [value, quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1]]
    forms += [json.dumps(value, ensure_ascii=False)[1:-1], value.encode().hex(), value.encode().hex().upper()]
    for form in forms:
        assert redact(f"<{form}>") == "<***>"
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = redact(encode(f"{before[:3]}:{value}:{after}".encode("utf-8", "replace")).decode())
        assert "***" in text


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
def test_of_base64_less_than_one_byte_of_each_end_remains(before: str) -> None:
    """Whatever stands before it in the same group of three."""
    redact = Redactor()
    redact.learn(VALUE)
    text = base64.b64encode(f"{before}{VALUE}".encode()).decode()
    left = redact(text)
    assert left.count("***") == 1
    assert len(left.replace("***", "").rstrip("=")) <= len(base64.b64encode(before.encode()).decode()) + 2


def test_each_line_of_a_private_key_is_hidden_by_itself() -> None:
    """A log may show only one of them."""
    redact = Redactor()
    redact.learn("-----BEGIN-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nshort\n-----END-----")
    assert redact("line 2: MIIEvQIBADANBgkqhkiG9w0BAQ; short") == "line 2: ***; short"


def test_a_value_that_holds_another_is_hidden_whole() -> None:
    """The longest form wins."""
    redact = Redactor()
    redact.learn("abcdef")
    redact.learn("abcdef-and-more")
    assert redact("x abcdef-and-more abcdef y") == "x *** *** y"


def test_a_value_is_hidden_from_when_it_is_read_or_set(secrets: Secrets, home: Path) -> None:
    """Before that nothing is known of it."""
    url = urlencode({"token": VALUE})
    assert secrets.redact(url) == url
    secrets.set("ionq", VALUE)
    assert secrets.redact(url) == "token=***"
    other = Secrets(home, Redactor())
    assert other.redact(f"Bearer {VALUE}") == f"Bearer {VALUE}"
    other.get("ionq")
    assert other.redact(f"Bearer {VALUE}") == "Bearer ***"


def test_a_value_read_by_one_part_of_a_process_is_hidden_by_all(home: Path) -> None:
    """Whoever asked for it."""
    Secrets(home).set("ionq", "known-to-this-process")
    assert Secrets(home / "other").redact("known-to-this-process!") == "***!"
