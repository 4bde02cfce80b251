"""The options of the questions about fidelity: how many shots, are the runs the same, does the machine drift."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from typing import Any

from qpm_lab.errors import InputError
from qpm_lab.options.numbers import fraction, whole_number

CHANGES = ("backend", "shots", "seed", "experiment", "project", "cost_center", "classification", "max_cost", "name")
CHOICES = ("fidelity", "twirl", "validate")
LAST = 5
"""Runs of an experiment that are compared unless the caller says how many."""


def add_again_option(parser: argparse.ArgumentParser, named: str = "its id") -> None:
    """Adds the choice of a recorded job to repeat, and how it may be named."""
    parser.add_argument("--again", metavar="JOB", help=f"repeat a job, by {named}; only the options given differ")


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Adds what a plan of shots is made for."""
    add = parser.add_argument
    width, level = fraction(0, 1, "0.02"), fraction(0, 1, "0.95")
    add("--half-width", type=width, required=True, metavar="H", help="how exact the fidelity has to be, e.g. 0.02")
    add("--level", type=level, default=0.95, metavar="P", help="confidence of the interval (0.95)")
    add("--backends", metavar="A,B", help="only these; all that can run or be quoted if absent")


def add_compare_options(parser: argparse.ArgumentParser) -> None:
    """Adds which runs are compared, and how."""
    add = parser.add_argument
    add("jobs", nargs="*", metavar="JOB", help="two or more: ids, or beginnings of ids")
    add("-e", "--experiment", metavar="NAME", help="the latest completed runs of this experiment")
    add("--last", type=whole_number, metavar="N", help=f"how many of them ({LAST})")
    delta, alpha = fraction(0, 1, "0.1"), fraction(0, 0.5, "0.05")
    add("--delta", type=delta, default=0.1, metavar="D", help="how far apart runs may be and count as equal (0.1)")
    add("--alpha", type=alpha, default=0.05, metavar="A", help="how often a wrong verdict is tolerated (0.05)")


def compare_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The parsed options as keyword arguments of `Lab.compare`, without the jobs."""
    names = ("experiment", "last", "delta", "alpha")
    return {name: getattr(options, name) for name in names}


def add_canary_options(parser: argparse.ArgumentParser) -> None:
    """Adds how a canary is run and watched."""
    add = parser.add_argument
    add("backend", metavar="BACKEND", help="the machine or simulator that is watched")
    add("-n", "--shots", type=whole_number, default=1000, metavar="N", help="shots of each canary (1,000)")
    below = fraction(0, 1, "0.01")
    add("--tolerance", type=below, default=0.01, metavar="T", help="how much worse than the baseline is fine (0.01)")
    add(
        "--arl",
        type=whole_number,
        default=1000,
        metavar="A",
        help="one false alarm in so many canaries at most (1,000)",
    )
    add("--history", action="store_true", help="only show the history; nothing is run")
    add("--reset", action="store_true", help="begin a new baseline with this canary; the history is kept")
    add("-e", "--experiment", metavar="NAME", help="the named series the job belongs to")
    add("--project", metavar="NAME", help="the project it counts for")
    add("--cost-center", "--cost-centre", dest="cost_center", metavar="NAME", help="who pays")
    add("--max-cost", metavar="AMOUNT", help="refuse if the upper quote exceeds this, e.g. 2.50")
    add("--seed", type=whole_number, metavar="N", help="makes a simulation repeatable; a repeated one does not count")


def canary_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The parsed options as keyword arguments of `Lab.canary`, without backend and circuit."""
    names = ("shots", "tolerance", "arl", "history", "reset")
    labels = ("experiment", "project", "cost_center", "max_cost", "seed")
    given = {name: getattr(options, name) for name in labels if getattr(options, name) is not None}
    return {name: getattr(options, name) for name in names} | given


def canary_prefix(command: str, options: argparse.Namespace) -> str:
    """How another canary of the same circuit on the same backend is begun: `%qcanary aer/noisy --circuit qc`."""
    circuit = "" if options.circuit is None else f" --circuit {shlex.quote(options.circuit)}"
    return f"{command} {options.backend}{circuit}"


def changes(options: argparse.Namespace, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What is to differ when a job is repeated: the options that were given.

    Args:
        options: The parsed options; None or empty where nothing was given.
        parameters: Values of parameters, of which there must be none.

    Raises:
        InputError: new values for its parameters were given.
    """
    if parameters:
        raise InputError(
            "--again repeats a job with the values it was run with.",
            "Leave out --parameter, --sweep and --args, or submit the circuit itself.",
        )
    return {name: value for name in (*CHANGES, *CHOICES) if (value := getattr(options, name)) not in (None, [])}


def several(text: str | None) -> list[str] | None:
    """Names separated by commas; None when there are none."""
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    return names or None
