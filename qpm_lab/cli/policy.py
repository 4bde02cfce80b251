"""`qpm policy check|test`: is a bundle sound, and does it decide as its tests say?"""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from qpm_lab.cli.commands import add_command, add_family
from qpm_lab.cli.output import Output
from qpm_lab.errors import BundleError, PromotionError

if TYPE_CHECKING:
    from qpm_lab.policy import TestReport, TestRow


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    actions = add_family(commands, "policy", "check or test a policy bundle")
    for name, summary, run in (
        ("check", "find every fault of a bundle", check_bundle),
        ("test", "run the bundle's own tests.yaml", test_bundle),
    ):
        parser = add_command(actions, name, summary, run)
        parser.add_argument("bundle", nargs="?", metavar="DIR", help="a folder or a shipped name; default QPM_POLICIES")


def check_bundle(options: argparse.Namespace, output: Output) -> int:
    """Prints every problem; exit code 2 when there is one."""
    from qpm_lab.policy import Bundle, check, find_folder

    folder = find_folder(options.bundle or os.environ.get("QPM_POLICIES") or None)
    problems = check(folder)
    version = Bundle.load(folder).version
    document = {"bundle": folder.name, "version": version, "ok": not problems, "problems": problems}
    output.show(document, lambda _: "\n".join(problems) or f"{folder.name}: sound ({version[:19]}…)")
    return BundleError.exit_code if problems else 0


def test_bundle(options: argparse.Namespace, output: Output) -> int:
    """Prints each test's outcome; exit code 2 when the tests cannot run, 6 when one fails."""
    from qpm_lab.policy import find_folder, test

    folder = find_folder(options.bundle or os.environ.get("QPM_POLICIES") or None)
    report = test(folder)
    if report.problems:
        raise BundleError(
            f"The tests of bundle {folder.name} cannot run.",
            "Mend what `qpm policy check` lists.",
            problems=report.problems,
        )
    rows = [asdict(row) | {"reasons": [r.to_dict() for r in row.reasons]} for row in report.rows]
    output.show({"bundle": folder.name, "ok": report.ok, "tests": rows}, lambda _: _told(report))
    return 0 if report.ok else PromotionError.exit_code


def _told(report: TestReport) -> str:
    lines = [f"{'✓' if r.ok else '✗'} {r.name}" + ("" if r.ok else f": {_difference(r)}") for r in report.rows]
    passed = sum(row.ok for row in report.rows)
    return "\n".join([*lines, f"{passed} of {len(report.rows)} passed"])


def _difference(row: TestRow) -> str:
    return f"expected {row.expected}, got {row.got}"
