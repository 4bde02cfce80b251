"""A ledger of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qpm_lab.ledger import Ledger


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    made = Ledger.open(home)
    yield made
    made.close()
