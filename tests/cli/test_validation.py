"""`qpm run --validate`: exit codes and the document a pipeline reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.cli import main
from qpm_lab.lab import close_default_lab

BELL = Path(__file__).resolve().parent.parent.parent / "notebooks" / "bell.qasm"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the Bell circuit in this process; gives exit code, document and messages."""

    def run(*words: str) -> tuple[int, Any, str]:
        code = main(["run", str(BELL), "--json", "--seed", "1", *words])
        close_default_lab()
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return run


def test_conditions_that_are_met_exit_zero(run: Any) -> None:
    """All of them, in their one spelling."""
    code, document, _ = run("--shots", "2000", "--validate", "p(00) >= 45%", "--validate", "p(01)<=0.01")
    assert code == 0
    assert document["validation"]["passed"] is True
    assert [each["text"] for each in document["validation"]["conditions"]] == ["p(00)>=0.45", "p(01)<=0.01"]


def test_a_condition_that_is_missed_exits_six_with_the_whole_document(run: Any) -> None:
    """The job completed, its counts are there, and the pipeline stops."""
    code, document, _ = run("--shots", "2000", "--validate", "p(00)>=0.45", "--validate", "p(11)>=0.9")
    assert code == 6
    assert document["status"] == "completed"
    assert sum(document["counts"].values()) == 2000
    assert [each["passed"] for each in document["validation"]["conditions"]] == [True, False]


def test_trying_again_is_visible(run: Any) -> None:
    """The second attempt says that there was a first, in another process too."""
    run("--shots", "100", "--validate", "p(11)>=0.9")
    _, document, _ = run("--shots", "100", "--validate", "p(11)>=0.1")
    assert (document["validation"]["attempts"], document["validation"]["earlier"]) == (2, {"passed": 0, "failed": 1})


@pytest.mark.parametrize("condition", ["fidelity==1", "fidelity>=90", "fidelty>=0.9", "fidelity>=0.9", "p(0)>=0.5"])
def test_a_condition_that_cannot_be_judged_exits_two(run: Any, condition: str) -> None:
    """Nothing runs, and the error says what to write."""
    code, document, _ = run("--validate", condition)
    assert code == 2
    assert document["error"]["type"] == "InputError"
    assert document["error"]["hint"]


def test_a_dry_run_checks_the_conditions_too(run: Any) -> None:
    """A typing error is found before money is spent."""
    assert run("--dry-run", "--validate", "p(00)>=0.4")[0] == 0
    assert run("--dry-run", "--validate", "p(000)>=0.4")[0] == 2


def test_the_commands_it_offers_are_those_of_a_shell(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What is pasted into a terminal runs there: no notebook magic is offered."""
    _, document, _ = run("--backend", "aer/noisy", "--shots", "20")
    command, *words = document["rerun"]["command"].split()
    assert (command, document["next"]["command"]) == ("qpm", document["rerun"]["command"])
    assert main([*words, "--json"]) == 0
    close_default_lab()
    assert json.loads(capsys.readouterr().out)["fidelity"]["value"] is not None
