"""A call that its caller gives up: what the process apart would still say of it reaches nobody else."""

from __future__ import annotations

import atexit
import json
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.errors import ProviderError
from qpm_lab.providers import wire
from qpm_lab.providers.apart import messages
from qpm_lab.providers.remote import RemoteProvider

Make = Callable[..., RemoteProvider]


def test_the_answer_to_an_interrupted_call_is_not_taken_for_that_to_the_next(
    provider: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while a price is asked for: the next submission must not get the price as its vendor's id."""
    made = provider()
    assert made.availability("pretending/x").available
    read = wire.read_frame

    def interrupted(stream: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as now:
        now.setattr(wire, "read_frame", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made.availability("pretending/late")
    assert wire.read_frame is read
    assert made.availability("pretending/next").message == "next"


def test_a_run_here_does_not_hold_up_what_is_asked_of_the_vendor(provider: Make) -> None:
    """Long runs on a vendor's own simulators take lines of their own, so that jobs at its machines are followed."""
    made = provider()
    lines = [made._runs.line() for _ in range(2)]
    for each in lines:
        each.__enter__()
    try:
        found: list[Any] = []
        asked = threading.Thread(target=lambda: found.append(made.availability("pretending/x")), daemon=True)
        asked.start()
        asked.join(60)
        assert [each.queue for each in found] == [3]
    finally:
        for each in lines:
            each.__exit__(None, None, None)


@pytest.mark.parametrize(
    "told",
    [
        {"billed": ["USD", "-5"]},
        {"billed": ["USD", "NaN"]},
        {"billed": ["USD", "1e400000"]},
        {"billed": ["dollars", "5"]},
        {"qpu_seconds": float("nan")},
        {"qpu_seconds": -1.0},
        {"hqc": float("inf")},
        {"run_seconds": "soon"},
    ],
)
def test_figures_that_no_vendor_can_mean_are_refused(told: dict[str, Any]) -> None:
    """Whatever a client lets through: a negative bill would give room to a quota, and no number would end no job."""
    answer: dict[str, Any] = {"counts": [{"0": 1}], "run_seconds": 0.0, "queue_seconds": 0.0, "billed": None}
    answer |= {"qpu_seconds": None, "hqc": None, "details": {}}
    assert messages.value_from("answer", messages.value_bytes(answer)).counts == [{"0": 1}]
    with pytest.raises(ProviderError, match="answer"):
        messages.value_from("answer", messages.value_bytes(answer | told))


@pytest.mark.parametrize("told", [["USD", "-1"], ["USD", "nan"], ["USD"], ["US", "1"], "1"])
def test_a_price_that_is_none_is_refused(told: Sequence[str] | str) -> None:
    """An estimate is what a job is decided on."""
    assert messages.value_from("price", messages.value_bytes(["USD", "1.5"])) == ("USD", "1.5")
    with pytest.raises(ProviderError, match="price"):
        messages.value_from("price", messages.value_bytes(told))


def test_a_forked_child_leaves_the_folders_of_its_parents_processes_alone(provider: Make) -> None:
    """It forgets their lines; their homes are still the parent's."""
    made = provider()
    home = Path(json.loads(made.standing("pretending/where", "").message)["home"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        made._pool._forget_parent()
        atexit._run_exitfuncs()  # what the interpreter does when it ends
        os._exit(0)
    os.waitpid(child, 0)
    assert home.is_dir()
