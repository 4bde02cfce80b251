"""What the command line prints names its own commands, whatever printed it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.cli import main
from qpm_lab.lab import close_default_lab

BELL = Path(__file__).resolve().parents[2] / "notebooks" / "bell.qasm"


@pytest.fixture
def qpm(capsys: pytest.CaptureFixture[str], home: Path) -> Any:
    """Runs one command; gives what is on standard output and the messages."""

    def run(*words: str) -> tuple[str, str]:
        with contextlib.suppress(SystemExit):  # the end of --help
            main(list(words))
        close_default_lab()
        captured = capsys.readouterr()
        return captured.out, captured.err

    return run


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("jobs",), "qpm run FILE"),
        (("show", "0badc0de"), "qpm jobs"),
        (("compare", "0badc0de"), "qpm jobs"),
        (("run", str(BELL), "--backend", "nobody/nothing"), ""),
        (("run", str(BELL), "--no-wait"), "in a notebook"),
        (("run", str(BELL), "--shots", "50"), ""),
        (("explain", str(BELL), "--backend", "quantinuum/H2-1", "--shots", "50"), "qpm "),
        (("explain", str(BELL), "--route"), ""),
        (("run", "--help"), "where it runs"),
        (("plan", "--help"), "where it runs"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_magic_is_advised_on_the_command_line(
    qpm: Any, words: tuple[str, ...], advice: str, form: tuple[str, ...]
) -> None:
    """As text and as a document, in answers, messages and help."""
    out, err = qpm(*words, *form)
    assert "%q" not in out + err
    if words != ("jobs",) or not form:
        assert advice in " ".join((out + err).split())


def test_a_job_run_in_a_notebook_is_advised_on_as_here(qpm: Any, home: Path) -> None:
    """Its record holds magics; `qpm show` types commands, and the ledger's entry stays what is chained."""
    from qpm_lab.errors import DeniedError
    from qpm_lab.lab import Lab

    lab = Lab(home)
    with pytest.raises(DeniedError) as denied:
        lab.submit(BELL, backend="quantinuum/H2-1", shots=50)
    fixes = [reason.fix for reason in denied.value.decision.reasons]
    assert any("%qquote" in fix for fix in fixes), fixes
    job_id, entry = denied.value.job_id, lab.record(denied.value.job_id or "")["ledger"]["entry"]
    for form in ((), ("--json",)):
        out, _ = qpm("show", job_id, *form)
        assert "%q" not in out
        assert "qpm quote compares them" in " ".join(out.split())
    out, _ = qpm("ledger", "entry", str(entry), "--json")
    assert "%qquote" in json.dumps(json.loads(out))
