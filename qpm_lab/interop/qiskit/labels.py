"""The options of a job that Qiskit has no word for, and the seed it calls `seed_simulator`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from qpm_lab.errors import InputError
from qpm_lab.runner.order import whole

MAX_SEED = 2**63 - 1

LABELS: Mapping[str, Any] = {
    "experiment": None,
    "project": None,
    "cost_center": None,
    "classification": None,
    "max_cost": None,
    "name": None,
    "fidelity": "none",
}
"""Options of `Lab.submit` that pass through, with their defaults: a loop asks for no fidelity unless it says so."""


def known_labels(given: Mapping[str, Any], also: tuple[str, ...] = ()) -> dict[str, Any]:
    """The labels given over the defaults.

    Raises:
        InputError: an option that is none; `also` names the caller's own in the hint.
    """
    if unknown := sorted(given.keys() - LABELS.keys()):
        raise InputError(f"There is no option {unknown[0]!r}.", f"There are: {', '.join([*also, *LABELS])}.")
    return {**LABELS, **given}


def one_seed(seed: int | None, seed_simulator: int | None) -> int:
    """The seed under either of its names, or one drawn here: the order of the shots is drawn with it too.

    Raises:
        InputError: both are given and differ, or it is no whole number.
    """
    if seed is not None and seed_simulator is not None and seed != seed_simulator:
        raise InputError("seed and seed_simulator are two names of one option.", "Give one of them.")
    given = seed_simulator if seed is None else seed
    return secrets.randbits(31) if given is None else whole(given, "seed", 0, MAX_SEED)
