"""Records of sweeps, as the runner writes them; gallery and tests draw these."""

from __future__ import annotations

import math
from typing import Any

from . import documents

KEYS = ("000", "111", "010", "101", "011", "110")


def share(key: str, angle: float) -> float:
    """A smooth share for each outcome; together below one."""
    turn = KEYS.index(key)
    return (0.45 if turn < 2 else 0.1) * (1 + math.cos(angle * (1 + turn // 2) + math.pi * turn)) / 2 + 0.005


def spread(many: int, whole: int) -> list[int]:
    """`many` places of `whole`, evenly, with both ends."""
    return list(range(whole)) if whole <= many else [round(i * (whole - 1) / (many - 1)) for i in range(many)]


def outcomes(angles: list[float], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = []
    for key in keys:
        shares = [share(key, angle) for angle in angles]
        rows.append(
            {
                "key": key,
                "share": shares,
                "low": [max(0.0, s - 0.03 * math.sqrt(s)) for s in shares],
                "high": [min(1.0, s + 0.03 * math.sqrt(s)) for s in shares],
            }
        )
    return rows


def block(
    shape: list[int], names: list[str], indices: list[int], shown: list[int], done: int, keys: tuple[str, ...]
) -> dict[str, Any]:
    """The block `sweep` of a record; every parameter runs evenly from 0 to 2π along its own axis."""
    found = [i for i in indices if i < done]
    steps = [(i // shape[-1], i % shape[-1]) if len(shape) == 2 else (i, i) for i in found]
    sides = (shape[0], shape[-1])
    values = {
        name: [math.tau * step[axis] / max(1, sides[axis] - 1) for step in steps] for axis, name in enumerate(names[:2])
    }
    angles = [sum(values[name][i] for name in names[:2]) / len(names[:2]) for i in range(len(found))]
    return {
        "parameters": names,
        "shape": shape,
        "points": math.prod(shape),
        "done": done,
        "shown": {"indices": found, "shape": shown},
        "values": values,
        "outcomes": outcomes(angles, keys) if found else [],
        "level": 0.95,
        "method": "Clopper–Pearson, each point by itself",
    }


def line(points: int = 1000, done: int | None = None, keys: tuple[str, ...] = KEYS[:4]) -> dict[str, Any]:
    indices = spread(200, points)
    return block([points], ["theta"], indices, [len(indices)], points if done is None else done, keys)


def grid(rows: int = 60, columns: int = 50, done: int | None = None) -> dict[str, Any]:
    ups, acrosses = spread(40, rows), spread(40, columns)
    indices = [r * columns + c for r in ups for c in acrosses]
    many = rows * columns
    return block(
        [rows, columns],
        ["theta", "phi"],
        indices,
        [len(ups), len(acrosses)],
        many if done is None else done,
        KEYS[:3],
    )


def sweep(block: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The completed record of a sweep."""
    reason = "A sweep has no fidelity of its own: ask for that of a single point."
    circuit = {**documents.completed()["circuit"], "name": "ansatz", "points": block["points"]}
    fields = {
        **{"name": "ansatz", "circuit": circuit, "shots": 1024, "sweep": block, "counts": None, "outcomes": None},
        **{"fidelity": documents.estimate(None, None, None, reason), "notes": []},
    }
    return documents.completed(**{**fields, **changes})


def running(block: dict[str, Any]) -> dict[str, Any]:
    progress = {"done": block["done"], "total": block["points"], "unit": "points", "message": "sampling"}
    return sweep(
        block,
        status="running",
        cost=None,
        progress=progress,
        fidelity=None,
        next=None,
        times={**documents.completed()["times"], "ended_at": None, "run_seconds": None, "total_seconds": None},
    )


def cancelled(block: dict[str, Any]) -> dict[str, Any]:
    error = {"type": "CancelledError", "message": "The job was cancelled.", "hint": ""}
    return sweep(block, status="cancelled", error=error, fidelity=None, next=None)


def gallery() -> dict[str, dict[str, Any]]:
    """Every kind of sweep by name."""
    planned = {"status": "denied", "sweep": None, "decision": documents.denied()["decision"], "cost": None}
    return {
        "sweep": sweep(line()),
        "sweep-six": sweep(line(keys=KEYS)),
        "sweep-few": sweep(line(9, keys=KEYS[:2])),
        "sweep-one": sweep(line(1, keys=KEYS[:2])),
        "sweep-begun": running(line(done=0)),
        "sweep-running": running(line(done=420)),
        "sweep-cancelled": cancelled(line(done=420)),
        "grid": sweep(grid()),
        "grid-running": running(grid(done=1210)),
        "grid-cancelled": cancelled(grid(7, 5, done=17)),
        "sweep-denied": sweep(line(), **planned),
        "cube": sweep({**line(24), "shape": [2, 3, 4], "parameters": ["a", "b", "c"], "values": {}}),
    }
