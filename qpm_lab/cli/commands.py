"""What every command has in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpm_lab.cli.output import Output
from qpm_lab.errors import InputError
from qpm_lab.options import job_arguments, parameter_values

if TYPE_CHECKING:
    from qpm_lab.lab import Lab

SUFFIXES = (".qasm", ".qasm2", ".qasm3", ".qpy")

Run = Callable[[argparse.Namespace, Output], int]
"""Carries a command out and returns its exit code."""


def add_command(commands: Any, name: str, summary: str, run: Run) -> argparse.ArgumentParser:
    """Registers a command that takes `--json`; more options are added to what is returned."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.set_defaults(run=run)
    return parser


def add_family(commands: Any, name: str, summary: str) -> Any:
    """Registers a command that has actions, and returns where they are added."""
    family = commands.add_parser(name, help=summary, description=summary)
    return family.add_subparsers(title="actions", metavar="ACTION", required=True)


def circuit_path(name: str) -> Path:
    """A circuit file that was named on the command line.

    Raises:
        InputError: it is not there, or not a circuit file.
    """
    path = Path(name)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{name}: not a circuit file.", f"Give a file ending in {', '.join(SUFFIXES)}.")
    if path.is_dir():
        raise InputError(f"{name}: this is a folder.", "Give one circuit file.")
    if not path.is_file():
        raise InputError(f"{name}: no such file.", "Check the path.")
    return path


def order_keywords(options: argparse.Namespace) -> dict[str, Any]:
    """The options of a job, which is called as its file unless they say otherwise."""
    parameters = parameter_values(options)
    stem = Path(options.file).stem[:120]
    name = options.name or (stem if stem.isprintable() else None)
    return {**job_arguments(options), "name": name, "parameters": parameters or None}


def the_lab() -> Lab:
    """The Lab of this command, which is no notebook run and too short to follow jobs of others."""
    from qpm_lab.lab import default_lab

    return default_lab(notebook_run="", follow=False)
