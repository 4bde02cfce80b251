"""docs/performance.md: the table, the picture, how each comparison is made, what was tried, and where it ran."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.finding import Finding, number

REMARKS = Path(__file__).with_name("remarks.md")
"""Written by hand, one `## name` for a comparison; what the page says about misses survives the next run there."""


@dataclass(frozen=True, slots=True)
class Section:
    """One comparison with everything it found."""

    name: str
    description: str
    findings: Sequence[Finding]
    versions: Mapping[str, str]


def markdown(sections: Sequence[Section], picture: str, command: str, seconds: float) -> str:
    """The whole page.

    Args:
        sections: In the order of the table.
        picture: File name of the picture beside the page.
        command: What was run.
        seconds: How long everything took.
    """
    findings = [finding for section in sections for finding in section.findings]
    parts = [
        "# Performance\n",
        "Written by `make bench`; every figure is the median of paired runs that took turns in one process, its\n"
        "spread the quartiles of the pairs. Do not edit: remarks belong into `benchmarks/remarks.md`.\n",
        "\n".join(_table(findings)) + "\n",
        f"![Each figure as a multiple of its target]({picture})\n",
        *_explained(sections, remarks()),
        "## Where it ran\n",
        "\n".join(_machine(sections, command, seconds)) + "\n",
    ]
    return "\n".join(parts)


def plain(findings: Sequence[Finding]) -> str:
    """The table for a terminal."""
    rows = [("work", "against", "target", "measured", "verdict")]
    rows += [(each.work, each.against, _target(each), _measured(each), each.verdict) for each in findings]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def remarks() -> dict[str, str]:
    """What was written by hand, by comparison."""
    found: dict[str, str] = {}
    for part in REMARKS.read_text(encoding="utf-8").split("\n## ")[1:]:
        name, _, text = part.partition("\n")
        found[name.strip()] = text.strip()
    return found


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    yield "| work | against | target | measured (quartiles) | medians | verdict |"
    yield "|---|---|---|---|---|---|"
    for each in findings:
        verdict = each.verdict if each.met else f"**{each.verdict}**"
        yield f"| {each.work} | {each.against} | {_target(each)} | {_measured(each)} | {each.detail} | {verdict} |"


def _target(finding: Finding) -> str:
    return str(finding.target) if finding.target else "–"


def _measured(finding: Finding) -> str:
    spread = finding.measured
    return f"{number(spread.median)}{finding.unit} ({number(spread.low)} … {number(spread.high)})"


def _explained(sections: Sequence[Section], remarks: Mapping[str, str]) -> Iterator[str]:
    yield "## How each is compared\n"
    for section in sections:
        title, _, text = section.description.partition("\n")
        yield f"### {title.rstrip('.')}\n"
        yield f"`benchmarks/{section.name}.py`. {text.strip()}\n"
        if remark := remarks.get(section.name):
            yield f"**What was tried.** {remark}\n"


def _machine(sections: Sequence[Section], command: str, seconds: float) -> Iterator[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield f"- {_cpu()}, {os.cpu_count()} cores, {memory:.0f} GiB; {platform.system()} {platform.release()}"
    yield f"- {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, `{command}`, {seconds / 60:.1f} minutes"
    yield f"- Python {platform.python_version()}; " + _listed(sections[0].versions)
    for section in sections:
        if section.versions != sections[0].versions:
            yield f"- `{section.name}`, in its own environment: {_listed(section.versions)}"


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def _cpu() -> str:
    """The processor's name; Linux has it in a file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return found[0] if found else platform.machine()
