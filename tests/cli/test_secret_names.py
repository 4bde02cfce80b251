"""A key under a name that no provider uses is kept, and said to be of no use now."""

from __future__ import annotations

import getpass
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from qpm_lab.cli import main
from tests.magics.shells import Ran

VALUE = b"sk-live-0123456789"


@pytest.fixture
def qpm(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path) -> Any:
    """Stores a key under a name; gives exit code, document and messages."""

    def run(name: str) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(VALUE)))
        code = main(["secret", "set", name, "--stdin", "--json"])
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return run


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ionk", "Did you mean ionq?"),
        ("ionq/token", "Did you mean ionq?"),
        ("braket", "Did you mean braket/access_key_id or braket/secret_access_key?"),
        ("nosuch", "In use are: aqt, azure, braket/access_key_id,"),
    ],
)
def test_a_name_of_no_provider_is_kept_with_a_warning(qpm: Any, home: Path, name: str, meant: str) -> None:
    """With the names that may be meant, and those in use; the value is in none of it."""
    code, document, messages = qpm(name)
    assert code == 0
    assert (home / "secrets" / name.replace("/", "__")).read_bytes() == VALUE
    assert f"No provider here uses {name}." in messages
    assert meant in messages
    assert document["warning"] == messages.strip()
    assert VALUE.decode() not in messages


def test_a_name_that_is_used_is_kept_without_a_word(qpm: Any) -> None:
    """Also where a provider has several fields."""
    for name in ("ionq", "qiskit", "braket/access_key_id"):
        code, document, messages = qpm(name)
        assert (code, document["warning"], messages) == (0, None, "")


def test_a_cell_says_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`%qsecret set` prints it below the sentence that says where the key is."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "qpm_magics")
    monkeypatch.setattr(getpass, "getpass", lambda prompt: VALUE.decode())
    told = Ran(shell, "%qsecret set ionk").text
    InteractiveShell.clear_instance()
    assert "ionk is stored in a file" in told
    assert "Did you mean ionq?" in told
