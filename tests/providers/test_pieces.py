"""How a task is cut into pieces, and how their histograms come together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from qpm_lab.circuits import Bindings
from qpm_lab.counts import CountsTable
from qpm_lab.providers import backend
from qpm_lab.providers.gathering import Gathering
from qpm_lab.providers.interface import Progress, Task
from qpm_lab.providers.pieces import Piece, cut, derived_seed


@dataclass(frozen=True)
class Price:
    """A made-up cost model of one circuit."""

    kind: str
    setup_seconds: float
    shot_seconds: float
    piece_seconds: float = 0.06
    most_shots: int = 2**21
    most_points: int = 50
    memory_bytes: float = 16.0
    releases_lock: bool = False

    def seconds(self, shots: int) -> float:
        return self.setup_seconds + shots * self.shot_seconds


SECONDS = st.floats(1e-7, 1e-3, allow_nan=False)
PRICES = st.builds(Price, st.sampled_from(["dense", "sparse"]), st.floats(0, 2), SECONDS)
POINTS = st.one_of(st.none(), st.integers(1, 300))


def _task(points: list[int | None], shots: int, seed: int) -> Task:
    bindings = tuple(None if n is None else Bindings(("t",), np.zeros((n, 1)), (n,)) for n in points)
    swept = bindings if any(bindings) else ()
    return Task(backend("aer/simulator"), (QuantumCircuit(1, 1),) * len(points), shots, seed, bindings=swept)


def _runs(piece: Piece, task: Task) -> list[tuple[int, int, int]]:
    """Circuit, point and shots of each histogram of a piece."""
    if piece.points is None:
        return [(i, 0, piece.shots) for i in piece.circuits]
    return [(piece.circuits[0], point, piece.shots) for point in range(*piece.points)]


@given(st.lists(st.tuples(PRICES, POINTS), min_size=1, max_size=6), st.integers(1, 20_000), st.integers(-5, 2**70))
def test_every_execution_gets_exactly_its_shots(parts: list[tuple[Price, int | None]], shots: int, seed: int) -> None:
    """Cutting loses no shot, mixes no methods, repeats no seed and is the same every time."""
    prices, points = [price for price, _ in parts], [n for _, n in parts]
    task = _task(points, shots, seed)
    pieces = cut(prices, task)
    places = {(i, p): n for n, (i, p) in enumerate((i, p) for i, many in enumerate(task.points) for p in range(many))}
    given_shots = dict.fromkeys(places, 0)
    for piece in pieces:
        assert {prices[i].kind for i in piece.circuits} == {prices[piece.circuits[0]].kind}
        for n, (circuit, point, some) in enumerate(_runs(piece, task)):
            assert places[circuit, point] == piece.first + n
            given_shots[circuit, point] += some
        assert piece.of(task).executions == piece.executions
    assert set(given_shots.values()) == {shots}
    assert sum(piece.executions for piece in pieces if piece.completes) == task.executions
    assert [piece.first for piece in pieces] == sorted(piece.first for piece in pieces)
    assert len({piece.seed for piece in pieces}) > len(pieces) * 0.99
    assert pieces == cut(prices, task)


def test_a_small_task_is_one_piece_with_the_users_own_seed() -> None:
    """Nothing is derived when nothing is divided."""
    prices = [Price("dense", 1e-4, 1e-6)] * 3
    (piece,) = cut(prices, _task([None] * 3, 1000, 42))
    assert (piece.circuits, piece.shots, piece.seed) == ((0, 1, 2), 1000, 42)


def test_pieces_of_a_sweep_are_bounded_in_points() -> None:
    """However cheap a point is, a piece holds no more of them than its simulator allows."""
    pieces = cut([Price("dense", 1e-9, 1e-12)], _task([1001], 10, 1))
    assert [piece.executions for piece in pieces] == [50] * 20 + [1]


def test_seeds_of_any_size_become_seeds_a_simulator_takes() -> None:
    """Negative and huge seeds are mapped, ordinary ones kept."""
    assert derived_seed(7) == 7
    for seed in (-1, 2**31, 2**80):
        assert 0 <= derived_seed(seed) < 2**31
    assert derived_seed(7, 1) != derived_seed(7, 2)


@given(st.permutations(range(6)))
def test_what_is_finished_is_a_prefix_of_the_result_in_any_order_of_arrival(order: list[int]) -> None:
    """Histograms appear from the first on, complete ones only, and shots of one execution add up."""
    task = _task([None, None, None], 90, 1)
    whole = Piece(0, (0,), 30, 0, 0.1)
    pieces = [replace(whole, first=i, circuits=(i,), completes=last) for i in range(3) for last in (False, True)]
    gathering = Gathering(task, pieces)
    there: set[int] = set()
    for number in order:
        gathering.put(number, [{"0": 10 + number // 2, "1": 20}])
        there.add(number)
        complete = next((i for i in range(3) if not {2 * i, 2 * i + 1} <= there), 3)
        assert list(gathering.finished()) == [{"0": 2 * (10 + i), "1": 40} for i in range(complete)]
        assert gathering.progress().done == 30 * len(there)
    assert gathering.is_complete


@given(st.permutations(range(5)))
def test_a_sweep_becomes_one_table_in_the_order_of_its_points(order: list[int]) -> None:
    """Tables and dictionaries of pieces are joined; progress counts points."""
    task = _task([10], 9, 1)
    pieces = [Piece(2 * n, (0,), 9, 0, 0.1, (2 * n, 2 * n + 2)) for n in range(5)]
    gathering = Gathering(task, pieces)
    for number in order:
        part = [{"0": 2 * number + n, "1": 1} for n in range(2)]
        gathering.put(number, CountsTable.of(part) if number % 2 else part)
    gathering.put(3, [{"9": 9}] * 2)
    result = gathering.finished()
    assert isinstance(result, CountsTable)
    assert list(result) == [{"0": n, "1": 1} if n else {"0": 0, "1": 1} for n in range(10)]
    assert gathering.progress() == Progress(10, 10, "points", "starting")


def test_a_single_piece_does_not_pretend_to_know_its_progress() -> None:
    """Total 0 says that the simulator cannot tell."""
    gathering = Gathering(_task([None], 100, 1), [Piece(0, (0,), 100, 1, 0.1)])
    gathering.begin()
    assert gathering.progress() == Progress(0, 0, "shots", "simulating")
