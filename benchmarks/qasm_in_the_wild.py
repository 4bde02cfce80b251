"""How much OpenQASM found in the wild can be read: `python benchmarks/qasm_in_the_wild.py FOLDER`.

Point it at a checkout of a circuit collection, for example QASMBench. Prints one line per file that was not
loaded and a table: loaded, refused by our limits, not readable (the text itself is wrong or not supported).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from qpm_lab.circuits import prepare
from qpm_lab.errors import CircuitError


def verdict(path: Path) -> tuple[str, str]:
    """`loaded`, `refused` or `not readable`, and the reason."""
    try:
        prepare(path)
    except CircuitError as error:
        return ("not readable" if "could not be read" in error.message else "refused"), error.message
    return "loaded", ""


def main() -> int:
    """Reads every .qasm file below a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    files = sorted(parser.parse_args().folder.rglob("*.qasm"))
    tally: Counter[str] = Counter()
    slowest = (0.0, "")
    for path in files:
        start = time.perf_counter()
        kind, reason = verdict(path)
        slowest = max(slowest, (time.perf_counter() - start, path.name))
        tally[kind] += 1
        if reason:
            print(f"{kind:13} {path.name}: {reason}")
    for kind, count in tally.most_common():
        print(f"{kind:13} {count:4}  of {len(files)}")
    print(f"slowest: {slowest[1]} in {slowest[0]:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
