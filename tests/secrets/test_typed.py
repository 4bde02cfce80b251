"""`qpm secret` and `%qsecret`: what is typed, asked for and shown."""

from __future__ import annotations

import builtins
import getpass
import io
import json
import os
import pty
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from qpm_lab.cli import main

from ..magics.shells import Ran

VALUE = "sk-live-0123456789"


class Said(SimpleNamespace):
    """What one command gave."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def qpm(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs one command in this process, with this on standard input, which is no terminal."""

    def run(*words: str, given: bytes = b"") -> Said:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = main(list(words))
        captured = capsys.readouterr()
        return Said(code=code, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def shell(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A fresh shell with the magics."""
    monkeypatch.delattr(builtins, "_", raising=False)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "qpm_magics")
    yield made
    InteractiveShell.clear_instance()


def test_a_script_sets_lists_and_deletes_a_key(qpm: Any, home: Path) -> None:
    """By name; the value comes on standard input and is never printed."""
    said = [qpm("secret", "set", "ionq", "--stdin", "--json", given=f"{VALUE}\n".encode())]
    assert said[-1].document["store"] == "file"
    assert "readable by you only; use a keyring on a shared machine" in said[-1].document["message"]
    assert (home / "secrets" / "ionq").read_text() == VALUE
    said.append(qpm("secret", "list", "--json"))
    assert said[-1].document == {"secrets": [{"name": "ionq", "store": "file"}]}
    said.append(qpm("secret", "list"))
    assert "ionq" in said[-1].out
    said.append(qpm("secret", "delete", "ionq", "--json"))
    assert said[-1].document == {"name": "ionq", "deleted": ["file"], "still": None}
    said.append(qpm("secret", "list"))
    assert "qpm secret set NAME" in said[-1].out
    assert [each.code for each in said] == [0] * 5
    assert not [each for each in said if VALUE in each.out + each.err]
    assert not (home / "ledger.db").exists()


def test_without_a_terminal_nothing_is_asked(qpm: Any) -> None:
    """The way for scripts is named."""
    said = qpm("secret", "set", "ionq")
    assert said.code == 2
    assert "no terminal" in said.err
    assert "--stdin" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("set", "ionq", VALUE),
        ("set", VALUE),
        ("set", "ionq", "--value", VALUE),
        ("set", "ionq", f"--value={VALUE}", "--json"),
        ("set", "ionq", "--stdin", VALUE, "--json"),
        ("set", "ionq", f"--stdin={VALUE}"),
        ("set", f"--json={VALUE}"),
        ("delete", VALUE),
        ("delete", "ionq", VALUE),
        ("list", VALUE),
    ],
)
def test_a_value_on_the_command_line_is_refused_and_not_repeated(qpm: Any, words: tuple[str, ...], home: Path) -> None:
    """Wherever it stands."""
    said = qpm("secret", *words, given=b"another-value")
    assert said.code == 2
    assert VALUE not in said.out + said.err
    assert not (home / "secrets").exists()


def test_a_value_on_the_command_line_has_to_be_revoked(qpm: Any) -> None:
    """As it is in the shell's history."""
    assert "Revoke the key" in qpm("secret", "set", "ionq", VALUE).err


@pytest.mark.parametrize("given", [b"", b"\n", b"12345\n", b"\xff\xfe1234567", b"x" * 70_000])
def test_what_is_no_value_is_refused(qpm: Any, given: bytes) -> None:
    """With exit code 2."""
    assert qpm("secret", "set", "ionq", "--stdin", given=given).code == 2


def test_deleting_what_is_not_there_is_an_error(qpm: Any) -> None:
    """Or a misspelt name would go unnoticed."""
    said = qpm("secret", "delete", "ionq", "--json")
    assert (said.code, said.document["error"]["message"]) == (2, "No key of that name is stored here.")


def test_a_person_is_asked_without_echo(home: Path) -> None:
    """On a real terminal: what is typed does not come back."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "QPM_HOME": str(home), "QPM_KEYRING": "off"}
    command = [sys.executable, "-m", "qpm_lab.cli", "secret", "set", "ionq"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as running:
        seen = b""
        while b"not shown" not in seen:
            seen += os.read(ours, 1024)
        os.write(ours, f"{VALUE}\n".encode())
        assert running.wait(60) == 0
        seen += os.read(ours, 4096)
    assert VALUE.encode() not in seen
    assert (home / "secrets" / "ionq").read_text() == VALUE


def test_a_cell_asks_for_a_value_and_lists_names(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """Through the front end's own question for passwords."""
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return VALUE

    monkeypatch.setattr(getpass, "getpass", answer)
    ran = [Ran(shell, "%qsecret set braket/secret_access_key"), Ran(shell, "%qsecret")]
    assert asked == ["Value of braket/secret_access_key (is not shown): "]
    assert "readable by you only" in ran[0].text
    assert "braket/secret_access_key" in ran[1].plain
    ran.append(Ran(shell, "%qsecret delete braket/secret_access_key"))
    assert "is deleted from: file" in ran[2].text
    shown = [each.text + str([output.data for output in each.outputs]) for each in ran]
    assert not [text for text in shown if VALUE in text]
    assert [each.error for each in ran] == [None] * 3


@pytest.mark.parametrize(
    "line", [f"set ionq {VALUE}", f"set ionq={VALUE}", f"{VALUE}", f"delete {VALUE}", f"set {VALUE}"]
)
def test_a_value_in_a_cell_is_refused_and_not_repeated(shell: InteractiveShell, line: str, home: Path) -> None:
    """It is in the notebook already."""
    ran = Ran(shell, f"%qsecret {line}")
    assert ran.error is not None
    assert VALUE not in str(ran.error) + ran.text
    assert not (home / "secrets").exists()


def test_a_value_in_a_cell_has_to_be_revoked(shell: InteractiveShell) -> None:
    """And the way without one is named."""
    error = str(Ran(shell, f"%qsecret set ionq {VALUE}").error)
    assert "in the notebook and its history now" in error
    assert "revoke the key" in error
    assert "%qsecret set NAME" in error


def test_a_variable_is_not_put_into_the_line(shell: InteractiveShell) -> None:
    """It would be a value in a cell by another way."""
    Ran(shell, f"key = '{VALUE}'")
    assert Ran(shell, "%qsecret set ionq $key").error is not None
    assert VALUE not in str(Ran(shell, "%qsecret set {key}").error)


def test_where_nobody_can_answer_without_echo_nothing_is_asked(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a notebook is run by a program, or a terminal cannot hide what is typed."""

    def no_answer(prompt: str) -> str:
        raise OSError("no input here")

    def with_echo(prompt: str) -> str:
        warnings.warn("cannot hide", getpass.GetPassWarning, stacklevel=2)
        return VALUE

    for answer in (no_answer, with_echo):
        monkeypatch.setattr(getpass, "getpass", answer)
        assert "cannot be asked for here" in str(Ran(shell, "%qsecret set ionq").error)
