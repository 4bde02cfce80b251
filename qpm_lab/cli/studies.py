"""`qpm plan|compare|canary`: how many shots, are the runs the same, does the machine drift."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from qpm_lab.cli.commands import add_command, circuit_path, order_keywords, the_lab
from qpm_lab.cli.output import Output
from qpm_lab.errors import DeniedError, PromotionError
from qpm_lab.options import add_job_options
from qpm_lab.options.studies import (
    add_canary_options,
    add_compare_options,
    add_plan_options,
    canary_arguments,
    canary_prefix,
    compare_arguments,
    several,
)

NOT_MET = PromotionError.exit_code
"""Runs that are not shown to be equivalent, or a machine that has drifted."""


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    plan = add_command(commands, "plan", "how many shots a fidelity needs, and what they cost where", plan_file)
    plan.add_argument("file", metavar="FILE", help="OpenQASM 2 or 3 (.qasm) or QPY (.qpy)")
    add_job_options(plan)
    add_plan_options(plan)
    plan.set_defaults(backend=None)
    add_compare_options(add_command(commands, "compare", "are completed jobs the same; exit code 6 if not", compare))
    canary = add_command(commands, "canary", "run a known circuit; exit code 6 when the backend has drifted", watch)
    add_canary_options(canary)
    canary.add_argument("--circuit", metavar="FILE", help="your own circuit; a GHZ state undone again if absent")


def plan_file(options: argparse.Namespace, output: Output) -> int:
    """Prints the shots, price and command for each backend."""
    from qpm_lab.display import plan_text

    given = {name: value for name, value in order_keywords(options).items() if name != "backend"}
    backends = several(options.backends) or several(options.backend)
    prefix = f"qpm run {shlex.quote(options.file)}"
    document = the_lab().plan_shots(
        circuit_path(options.file), options.half_width, backends, level=options.level, prefix=prefix, **given
    )
    output.show(document, plan_text)
    return 0


def compare(options: argparse.Namespace, output: Output) -> int:
    """Prints the verdict; exit code 0 only when the runs are equivalent."""
    from qpm_lab.display import comparison_text

    document = the_lab().compare(options.jobs, **compare_arguments(options))
    output.show(document, comparison_text)
    return 0 if document["verdict"] == "equivalent" else NOT_MET


def watch(options: argparse.Namespace, output: Output) -> int:
    """Runs a canary and prints the history; exit code 6 when there is an alarm."""
    from qpm_lab.display import canary_text, to_text

    lab = the_lab()
    circuit = None if options.circuit is None else circuit_path(options.circuit)
    try:
        document = lab.canary(
            options.backend, circuit, prefix=canary_prefix("qpm canary", options), **canary_arguments(options)
        )
    except DeniedError as denied:
        record = lab.record(denied.job_id or "")
        output.show(record, to_text)
        return denied.exit_code
    output.show(document, canary_text)
    return NOT_MET if document["alarm"] else 0
