"""Shots planned: as the formula says, and enough for the half-width asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from acceptance.cases import ghz, porter_thomas
from acceptance.table import Row, share
from qpm_lab.fidelity import clopper_pearson, heavy_fidelity, plan_shots

TITLE = "Planning shots"
LARGEST_ERROR = 0.01
LEAST_MET = 0.88


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """Distance from the formula, and the share of runs whose half-width is met."""
    widths = (0.05,) if fast else (0.08, 0.05, 0.02)
    ideals = _ideals()[:2] if fast else _ideals()
    for name, ideal in ideals:
        for half_width in widths:
            yield _formula(name, ideal, half_width)
    yield from _proxy_formula()
    repetitions = 200 if fast else 1000
    cells = [(name, ideal, h, f) for name, ideal in ideals for h in widths for f in (0.3, 0.6, 0.9, 0.98)]
    for place, (name, ideal, half_width, fidelity) in enumerate(cells[:: 2 if fast else 1]):
        rng = np.random.default_rng([seed, place])
        yield from _met(rng, f"{name}, ± {half_width}, F {fidelity}", ideal, half_width, fidelity, repetitions, seed)
    for place, fidelity in enumerate((0.5, 0.9)):
        yield _proxy_met(np.random.default_rng([seed, 1000 + place]), fidelity, repetitions, seed)


def _formula(name: str, ideal: Any, half_width: float) -> Row:
    plan = plan_shots(ideal, half_width)
    heavy = ideal[ideal > 1 / len(ideal) * (1 + 1e-6)]
    unit = half_width * float(heavy.sum() - len(heavy) / len(ideal))
    off = abs((plan.shots or 0) / (0.9604 / unit**2 + 1 / unit) - 1)
    return Row("heavy: off the formula", f"{name}, ± {half_width}", off, 0, None, LARGEST_ERROR, 0)


def _proxy_formula() -> Iterator[Row]:
    for half_width, fidelity in ((0.05, 0.0), (0.02, 0.9), (0.01, 0.5)):
        plan = plan_shots(None, half_width, method="proxy", fidelity=fidelity)
        off = abs((plan.shots_expected or 0) / (3.8415 * (1 - fidelity**2) / half_width**2) - 1)
        yield Row("proxy: off the formula", f"± {half_width}, F {fidelity}", off, 0, None, LARGEST_ERROR, 0)


def _met(
    rng: np.random.Generator, cell: str, ideal: Any, half_width: float, fidelity: float, repetitions: int, seed: int
) -> Iterator[Row]:
    plan = plan_shots(ideal, half_width, fidelity=fidelity)
    faded = fidelity * ideal + (1 - fidelity) / len(ideal)
    for what, shots in (("met, worst-case shots", plan.shots), ("met, expected shots", plan.shots_expected)):
        hits = sum(_half_width(rng.multinomial(shots or 1, faded), ideal) <= half_width for _ in range(repetitions))
        value, error = share(hits, repetitions)
        yield Row(what, cell, value, error, LEAST_MET, None, repetitions, seed)


def _half_width(counts: Any, ideal: Any) -> float:
    found = heavy_fidelity(counts, ideal)
    return (found.high - found.low) / 2 if found.low is not None and found.high is not None else float("inf")


def _proxy_met(rng: np.random.Generator, fidelity: float, repetitions: int, seed: int) -> Row:
    half_width = 0.03
    shots = plan_shots(None, half_width, method="proxy").shots or 1
    low, high = clopper_pearson(rng.binomial(shots, (1 + fidelity) / 2, repetitions), shots)
    value, error = share(int((high - low <= half_width).sum()), repetitions)
    cell = f"proxy, ± {half_width}, F {fidelity}"
    return Row("met, worst-case shots", cell, value, error, LEAST_MET, None, repetitions, seed)


def _ideals() -> list[tuple[str, Any]]:
    uneven = 0.8 ** np.arange(64)
    return [
        ("GHZ-5", ghz(5)),
        ("Porter–Thomas 8 qubits", porter_thomas(8, 11)),
        ("geometric, 6 qubits", uneven / uneven.sum()),
    ]
