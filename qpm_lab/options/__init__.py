"""The options of a governed job, defined once for the cell magics and the command line."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from qpm_lab.errors import InputError
from qpm_lab.experiment import CLASSIFICATIONS, Status
from qpm_lab.options.numbers import read_number, shortened, whole_number
from qpm_lab.options.sweeps import sweeps

STATES = [status.value for status in Status]
ENVELOPE = ("max_cost", "max_jobs", "max_shots")
"""The limits of a session; one of them at least."""
FIDELITIES = ["auto", "mirror", "proxy", "none"]
TWIRLS = ["readout", "gates", "all"]
USAGE_GROUPS = ["user", "team", "cost_center", "project", "experiment", "backend", "day"]


class OptionParser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises `InputError` where argparse would end the process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments") and message.endswith((")", "]")):
            raise InputError(
                f"{self.prog}: {message}.", "Put a value with spaces in quotes: --sweep 'theta=[0.1, 0.2]'."
            )
        where = f"{self.prog.split()[0]}? lists its options." if self.prog[0] == "%" else f"See {self.prog} --help."
        raise InputError(f"{self.prog}: {message}.", where)


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that describe a job: where, how much, under which labels."""
    add = parser.add_argument
    add("-b", "--backend", default="aer/simulator", metavar="ID", help="where it runs, e.g. aer/noisy; auto chooses")
    add("-n", "--shots", type=whole_number, default=1024, metavar="N", help="shots of each circuit or point (1,024)")
    add("--seed", type=whole_number, metavar="N", help="makes a simulation repeatable; drawn and recorded if absent")
    add("-e", "--experiment", metavar="NAME", help="the named series this job belongs to")
    add("--project", metavar="NAME", help="the project it counts for")
    add("--cost-center", "--cost-centre", dest="cost_center", metavar="NAME", help="who pays")
    add("--classification", choices=CLASSIFICATIONS, help="how sensitive the circuit is")
    add("--max-cost", metavar="AMOUNT", help="refuse if the upper quote exceeds this, e.g. 2.50")
    add("--name", metavar="NAME", help="what the job is called in cards and lists")
    add("--fidelity", choices=FIDELITIES, help="how it is measured; auto chooses, none leaves it out")
    add("--twirl", choices=TWIRLS, help="make readout or gate errors symmetric with 32 random variants of the circuit")
    add(
        "--validate",
        action="append",
        default=[],
        metavar="CONDITION",
        help="what the result has to meet, e.g. 'fidelity>=0.9'; passes if the interval does",
    )
    add("--parameter", action="append", default=[], metavar="NAME=VALUE", help="value of a circuit parameter")
    add(
        "--sweep",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="run it for each value, e.g. 'theta=linspace(0, 2*pi, 100)'; two make a grid",
    )


def add_session_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that open or close a session."""
    add = parser.add_argument
    add("--max-cost", metavar="AMOUNT", help="all its jobs together may cost this much, e.g. 5")
    add("--max-jobs", type=whole_number, metavar="N", help="how many jobs it may have")
    add("--max-shots", type=whole_number, metavar="N", help="how many shots all its jobs together may take")
    add("-b", "--backend", metavar="ID", help="where its jobs will run: whose quotas are reserved")
    add("-e", "--experiment", metavar="NAME", help="the named series its jobs belong to")
    add("--project", metavar="NAME", help="the project it counts for")
    add("--cost-center", "--cost-centre", dest="cost_center", metavar="NAME", help="who pays")
    add("--classification", choices=CLASSIFICATIONS, help="how sensitive its circuits are")
    add("--name", metavar="NAME", help="what the session is called")
    add("--close", action="store_true", help="close the open session and show what it used")


def session_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The options that were given, as keyword arguments of `Lab.session`."""
    names = (*ENVELOPE, "backend", "experiment", "project", "cost_center", "classification", "name")
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def add_list_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that choose among the jobs recorded, or cancel one."""
    add = parser.add_argument
    add("--status", choices=STATES, metavar="STATE", help=f"only jobs in this state: {', '.join(STATES)}")
    add("-e", "--experiment", metavar="NAME", help="only this experiment")
    add("--session", metavar="NAME", help="only jobs of this session: its name (the latest one) or id")
    add("--text", metavar="TEXT", help="only jobs whose name, backend, experiment or user contains it")
    add("-n", "--limit", type=whole_number, default=20, metavar="N", help="how many (20)")
    add("--cancel", metavar="ID", help="stop a job, whichever process runs it")


def list_filters(options: argparse.Namespace) -> dict[str, Any]:
    """The filters among the parsed options, as `Lab.page` takes them."""
    return {name: getattr(options, name) for name in ("status", "experiment", "session", "text")}


def add_usage_options(parser: argparse.ArgumentParser) -> None:
    """Adds what usage is grouped by."""
    parser.add_argument("--by", choices=USAGE_GROUPS, default="user", help="what to group by (user)")


def job_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The parsed options as keyword arguments of `Lab.submit`, `Lab.quote` and `Lab.explain`."""
    names = [
        "backend",
        "shots",
        "seed",
        "experiment",
        "project",
        "cost_center",
        "classification",
        "max_cost",
        "name",
        "fidelity",
        "twirl",
        "validate",
    ]
    return {name: getattr(options, name) for name in names}


def parameter_values(options: argparse.Namespace, names: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What --parameter and --sweep give, as `parameters` of `Lab.submit`.

    Args:
        options: The parsed options.
        names: Variables that a sweep may be given by.

    Raises:
        InputError: a value cannot be read, or a parameter is given twice.
    """
    fixed, swept = assignments(options.parameter), sweeps(options.sweep, names)
    if twice := sorted(fixed.keys() & swept.keys()):
        raise InputError(f"{twice[0]} is given by --parameter and by --sweep.", "Leave one of them out.")
    return {**fixed, **swept}


def literal(text: str, what: str) -> Any:
    """Reads a Python literal typed as an option.

    Raises:
        InputError: it is not a literal.
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError) as error:
        raise InputError(f"{what} {text!r} cannot be read.", "Write Python literals, e.g. 0.3 or [1, 2].") from error


def assignments(pairs: Sequence[str]) -> dict[str, float]:
    """Reads `name=value` pairs, the fixed values of a parametrised circuit."""
    values: dict[str, float] = {}
    for pair in pairs:
        name, sign, value = (part.strip() for part in pair.partition("="))
        if not sign or not name:
            raise InputError(f"{shortened(pair)!r} is not name=value.", "Write --parameter theta=0.3.")
        if name in values:
            raise InputError(f"{name} is given twice.", "Give each parameter once.")
        if value.startswith("["):
            hint = f"Run through several values with --sweep '{name}={shortened(value)}'."
            raise InputError(f"--parameter {name} takes one number.", hint)
        values[name] = read_number(value, f"The value of {name}")
    return values
