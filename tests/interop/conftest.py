"""Makes `qpm.lab` devices for the tests of PennyLane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qpm_lab import Lab

SHOTS = 20_000
Device = Callable[..., Any]


@pytest.fixture
def device(lab: Lab) -> Device:
    """Makes `qpm.lab` devices over the test's own Lab."""

    import pennylane as qml

    def make(wires: Any = None, **options: Any) -> Any:
        return qml.device("qpm.lab", wires=wires, lab=lab, **{"shots": SHOTS, "seed": 11, **options})

    return make
