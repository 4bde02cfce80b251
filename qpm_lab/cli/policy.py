"""`qpm policy check|test`: is a bundle sound, and does it decide as its tests say?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from qpm_lab.cli.output import Output
from qpm_lab.errors import BundleError


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    summary = "check or test a policy bundle"
    family = commands.add_parser("policy", help=summary, description=summary)
    actions = family.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, help_text, run in (
        ("check", "find every fault of a bundle", check_bundle),
        ("test", "run the bundle's own tests.yaml", test_bundle),
    ):
        parser = actions.add_parser(name, help=help_text, description=help_text)
        parser.add_argument("bundle", nargs="?", metavar="DIR", help="a folder or a shipped bundle's name")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
        parser.set_defaults(run=run)


def check_bundle(options: argparse.Namespace, output: Output) -> int:
    """Prints every problem; exit code 2 when there is one."""
    bundle = _find(options.bundle)
    document = {"bundle": bundle.name, "version": bundle.version, "ok": not bundle.problems}
    sound = f"{bundle.name}: sound ({bundle.version[:19]}…)"
    output.show(
        {**document, "problems": list(bundle.problems)},
        lambda: "\n".join(bundle.problems) or sound,
    )
    return BundleError.exit_code if bundle.problems else 0


def test_bundle(options: argparse.Namespace, output: Output) -> int:
    """Prints each test's outcome; exit code 2 for a broken bundle, 6 when a test fails."""
    from qpm_lab.policy import test

    bundle = _find(options.bundle)
    if bundle.problems:
        raise BundleError(
            f"Bundle {bundle.name} is broken, so its tests cannot run.",
            "Mend what `qpm policy check` lists.",
            problems=bundle.problems,
        )
    report = test(bundle.folder)
    output.show(report.to_dict(), report.to_text)
    return 0 if report.ok else 6


def _find(name: str | None) -> Any:
    from qpm_lab.policy import find_bundle

    return find_bundle(Path(name) if name and Path(name).is_dir() else name)
