"""`python -m acceptance.figures`: measures everything, draws it and writes the tables into docs/fidelity.md."""

from __future__ import annotations

from pathlib import Path

from acceptance.figures import drawing, exact, flagged, page, reported

DOCS = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Takes about one minute."""
    reports = [reported.measure(*cell) for cell in reported.CELLS]
    coverages = [exact.measure(shots) for shots in exact.SHOTS]
    flags = [flagged.measure(*cell) for cell in flagged.CELLS]
    drawing.write(drawing.reports(reports), DOCS / "fidelity-reports.svg")
    drawing.write(drawing.exact(coverages), DOCS / "fidelity-exact.svg")
    drawing.write(drawing.flags(flags), DOCS / "fidelity-flag.svg")
    tables = {"reports": page.reports(reports), "exact": page.exact(coverages), "flags": page.flags(flags)}
    path = DOCS / "fidelity.md"
    path.write_text(page.with_tables(path.read_text(), tables))


if __name__ == "__main__":
    main()
