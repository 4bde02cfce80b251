"""Every comparison side by side: `make bench`, or `python -m benchmarks [--quick] [--check] [--only NAME]`.

Prints the table and writes it, with a picture, to docs/performance.md.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import page, picture
from benchmarks.finding import Finding
from benchmarks.page import Section

ROOT = Path(__file__).resolve().parent.parent
WITH_TRACKERS = ROOT / ".venv" / "bench" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One file of this folder, run in a process of its own."""

    name: str
    python: Path = Path(sys.executable)


COMPARISONS = (
    Comparison("sweep"),
    Comparison("wide_circuit"),
    Comparison("vqe"),
    Comparison("tracked_jobs", WITH_TRACKERS),
    Comparison("sweep_memory"),
    Comparison("governed_job"),
)


def main() -> int:
    """Runs what was asked for; 1 when `--check` was given and a target was missed."""
    options = _options()
    began = time.monotonic()
    sections = [_run(each, options.quick) for each in COMPARISONS if each.name in options.only]
    findings = [finding for section in sections for finding in section.findings]
    print(page.plain(findings))
    if options.output:
        _write(options.output, sections, time.monotonic() - began)
    missed = [finding for finding in findings if not finding.met]
    print(f"{len(findings)} comparisons, {len(missed)} below their target")
    return 1 if options.check and missed else 0


def _options() -> argparse.Namespace:
    names = [each.name for each in COMPARISONS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that everything runs")
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--output", type=Path, help="the page to write; its picture goes beside it")
    return parser.parse_args()


def _run(comparison: Comparison, quick: bool) -> Section:
    print(f"{comparison.name} …", file=sys.stderr, flush=True)
    command = [str(comparison.python), "-m", f"benchmarks.{comparison.name}", "--json", *(["--quick"] if quick else [])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    found = json.loads(done.stdout.splitlines()[-1])
    findings = [Finding.from_dict(each) for each in found["findings"]]
    print(page.plain(findings), file=sys.stderr, flush=True)
    return Section(comparison.name, _description(comparison.name), findings, found["versions"])


def _description(name: str) -> str:
    """The docstring on top of a comparison; read, not imported, for its libraries may be in another environment."""
    source = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)) or ""


def _write(path: Path, sections: list[Section], seconds: float) -> None:
    """The page and, beside it, its picture."""
    command = " ".join(["python -m benchmarks", *sys.argv[1:]])
    drawing = path.with_suffix(".svg")
    picture.draw([finding for section in sections for finding in section.findings], drawing)
    path.write_text(page.markdown(sections, drawing.name, command, seconds), encoding="utf-8")
    print(f"wrote {path} and {drawing}")


if __name__ == "__main__":
    sys.exit(main())
