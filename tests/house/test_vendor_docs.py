"""What the documentation promises of each vendor is what its adapter says."""

from __future__ import annotations

from pathlib import Path

from qpm_lab import providers

ROOT = Path(__file__).resolve().parent.parent.parent
PROMISES = {"idempotent": "the same token is sent again", "token": "looked up;", "none": "cannot be asked"}


def _rows(document: str) -> dict[str, str]:
    table = (ROOT / document).read_text().split("<!-- table: durability -->")[1].split("<!-- end -->")[0]
    rows = [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]
    return {row[0].strip("`"): row[2] for row in rows}


def test_every_vendor_has_a_row_that_says_what_is_promised() -> None:
    """A vendor that cannot be asked is not said to be looked up, and none is left out."""
    rows = _rows("README.md")
    assert rows.keys() == providers.vendors().keys()
    for name, remote in providers.vendors().items():
        durability = remote.vendor.durability
        assert rows[name].startswith(PROMISES[durability.lookup]), name
        if durability.lookup == "token":
            assert ("states no time" in rows[name]) == (durability.visibility_seconds is None), name


def test_every_vendor_is_an_extra_of_the_same_name_or_the_escape_hatch() -> None:
    """`pip install qpm-lab[NAME]` and `qpm provider install NAME` ask for the same client."""
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for name, remote in providers.vendors().items():
        assert name == "qiskit" or set(extras[name]) <= set(remote.vendor.packages), name
