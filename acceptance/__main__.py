"""`python -m acceptance`: every figure beside its threshold; exit status 1 when one fails."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import cast

from acceptance.table import Chapter, Row, printed

CHAPTERS = (
    "heavy",
    "hellinger",
    "flags",
    "outcomes",
    "equivalence",
    "drift",
    "planner",
    "proxies",
    "mirrors",
    "twirling",
)
"""Modules of this package, in the order of the method."""
SEED = 20_260_723


@dataclass(slots=True)
class Tally:
    """How many figures of a chapter there were and how many failed."""

    rows: int = 0
    failed: int = 0

    def counting(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The same rows, counted as they pass."""
        for row in rows:
            self.rows += 1
            self.failed += not row.passed
            yield row


def chapter(name: str) -> Chapter:
    """One of `CHAPTERS`, loaded when it is asked for."""
    return cast(Chapter, importlib.import_module(f"acceptance.{name}"))


def run(name: str, fast: bool, seed: int) -> Tally:
    """Prints one chapter line by line, each with its name, for two may run at once."""
    tally, measured = Tally(), chapter(name)
    print(f"{name:<12} {measured.TITLE} (seed {seed})", flush=True)
    for line in printed(tally.counting(measured.rows(fast=fast, seed=seed))):
        print(f"{name:<12} {line}", flush=True)
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the chapters asked for and returns the exit status."""
    options = _parser().parse_args(arguments)
    names = options.only or CHAPTERS
    if options.jobs == 1 or len(names) == 1:
        tallies = [run(name, options.fast, options.seed) for name in names]
    else:
        with ProcessPoolExecutor(options.jobs) as pool:
            waiting = [pool.submit(run, name, options.fast, options.seed) for name in names]
            tallies = [each.result() for each in waiting]
    figures, failed = sum(tally.rows for tally in tallies), sum(tally.failed for tally in tallies)
    print(f"{figures} figures, {failed} failed")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m acceptance", description=__doc__)
    parser.add_argument("--only", action="append", choices=CHAPTERS, help="one chapter; may be repeated")
    parser.add_argument("--fast", action="store_true", help="a subset of a few seconds")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
