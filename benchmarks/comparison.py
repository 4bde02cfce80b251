"""What every comparison shares: its command line, a ledger of its own, and how it hands over what it found."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.finding import Finding, number
from qpm_lab import Lab

PACKAGES = ("qpm-lab", "qiskit", "qiskit-aer", "pennylane", "numpy", "scipy", "sqlalchemy", "devqubit", "mlflow")

Measure = Callable[[bool], list[Finding]]
"""Takes whether to be quick: enough to see that it runs, too little for a figure."""


@contextmanager
def fresh_lab() -> Iterator[Lab]:
    """A Lab with the default policy and a new ledger on the disk of the temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "home")
        try:
            yield lab
        finally:
            lab.close()


def main(measure: Measure) -> None:
    """Runs one comparison by itself: a line for each finding, or with `--json` one document."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it runs")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args()
    # The user's own home, policies and cluster stay out of it.
    for name in [name for name in os.environ if name.startswith("QPM_")]:
        del os.environ[name]
    findings = measure(options.quick)
    if options.json:
        print(json.dumps({"findings": [each.to_dict() for each in findings], "versions": versions()}))
    else:
        print("\n".join(_lines(findings)))


def versions() -> dict[str, str]:
    """The versions of what is compared, as far as it is installed here."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    for each in findings:
        measured = f"{number(each.measured.median)}{each.unit}"
        spread = f"{number(each.measured.low)} … {number(each.measured.high)}"
        target = f"target {each.target}" if each.target else ""
        yield f"{each.work} | {each.against} | {target} | {measured} ({spread}) | {each.verdict} | {each.detail}"
