"""What every command has in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from qpm_lab.cli.output import Output

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
