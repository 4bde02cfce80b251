"""The options of a governed job, defined once for the cell magics and the command line."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NoReturn

from qpm_lab.errors import InputError
from qpm_lab.experiment import CLASSIFICATIONS, Status

STATES = [status.value for status in Status]
USAGE_GROUPS = ["user", "team", "cost_center", "project", "experiment", "backend", "day"]


class OptionParser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises `InputError` where argparse would end the process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        where = f"{self.prog.split()[0]}? lists its options." if self.prog[0] == "%" else f"See {self.prog} --help."
        raise InputError(f"{self.prog}: {message}.", where)


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that describe a job: where, how much, under which labels."""
    add = parser.add_argument
    add("-b", "--backend", default="aer/simulator", metavar="ID", help="where it runs; %%qbackends lists them")
    add("-n", "--shots", type=_count, default=1024, metavar="N", help="shots of each circuit (1,024)")
    add("--seed", type=_count, metavar="N", help="makes a simulation repeatable; drawn and recorded if absent")
    add("-e", "--experiment", metavar="NAME", help="the named series this job belongs to")
    add("--project", metavar="NAME", help="the project it counts for")
    add("--cost-center", "--cost-centre", dest="cost_center", metavar="NAME", help="who pays")
    add("--classification", choices=CLASSIFICATIONS, help="how sensitive the circuit is")
    add("--max-cost", metavar="AMOUNT", help="refuse if the upper quote exceeds this, e.g. 2.50")
    add("--name", metavar="NAME", help="what the job is called in cards and lists")


def add_list_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that choose among the jobs recorded, or cancel one."""
    add = parser.add_argument
    add("--status", choices=STATES, metavar="STATE", help=f"only jobs in this state: {', '.join(STATES)}")
    add("-e", "--experiment", metavar="NAME", help="only this experiment")
    add("--text", metavar="TEXT", help="only jobs whose name, backend, experiment or user contains it")
    add("-n", "--limit", type=_count, default=20, metavar="N", help="how many (20)")
    add("--cancel", metavar="ID", help="stop a job, whichever process runs it")


def list_filters(options: argparse.Namespace) -> dict[str, Any]:
    """The filters among the parsed options, as `Lab.page` takes them."""
    return {name: getattr(options, name) for name in ("status", "experiment", "text")}


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
    ]
    return {name: getattr(options, name) for name in names}


def literal(text: str, what: str) -> Any:
    """Reads a Python literal typed as an option.

    Raises:
        InputError: it is not a literal.
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError) as error:
        raise InputError(f"{what} {text!r} cannot be read.", "Write Python literals, e.g. 0.3 or [1, 2].") from error


def assignments(pairs: Sequence[str]) -> dict[str, Any]:
    """Reads `name=value` pairs, the values of a parametrised circuit."""
    values = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise InputError(f"{pair!r} is not name=value.", "Write --parameter theta=0.3.")
        values[name.strip()] = literal(value, f"The value of {name.strip()}")
    return values


WHOLE = re.compile(r"[+-]?(\d+|\d{1,3}([,_]\d{3})+|\d+(\.\d+)?[eE]\+?\d{1,2})")


def _count(text: str) -> int:
    """A whole number; `4_096`, `4,096` and `1e6` are read as people write them, `1,5` is not one.

    >>> _count("1.5e3")
    1500
    """
    number = Decimal(re.sub("[,_]", "", text)) if WHOLE.fullmatch(text) else None
    if number is None or number != number.to_integral_value():
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number")
    return int(number)
