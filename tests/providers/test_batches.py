"""How a task is cut into calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.providers.batches import Call, calls, derived_seed, run_calls
from qpm_lab.providers.interface import Progress


@dataclass(frozen=True)
class Price:
    """A made-up cost model of one circuit."""

    name: str
    setup_seconds: float
    shot_seconds: float

    def seconds(self, shots: int) -> float:
        return self.setup_seconds + shots * self.shot_seconds


PRICES = st.builds(Price, st.sampled_from(["dense", "sparse"]), st.floats(0, 2), st.floats(1e-7, 1e-3, allow_nan=False))


@given(st.lists(PRICES, min_size=1, max_size=8), st.integers(1, 20_000), st.integers(-5, 2**70))
def test_every_circuit_gets_exactly_its_shots(prices: list[Price], shots: int, seed: int) -> None:
    """Cutting loses no shot, mixes no methods, repeats no seed and is the same every time."""
    plan = list(calls(prices, shots, seed))
    given_shots: Counter[int] = Counter()
    for call in plan:
        given_shots.update(dict.fromkeys(call.circuits, call.shots))
        assert {prices[i].name for i in call.circuits} == {call.method}
    assert given_shots == dict.fromkeys(range(len(prices)), shots)
    assert len({call.seed for call in plan}) > len(plan) * 0.99
    assert plan == list(calls(prices, shots, seed))


def test_a_small_task_is_one_call_with_the_users_own_seed() -> None:
    """Nothing is derived when nothing is divided."""
    prices = [Price("dense", 1e-4, 1e-6)] * 3
    assert list(calls(prices, 1000, 42)) == [Call((0, 1, 2), 1000, 42, "dense")]


def test_seeds_of_any_size_become_seeds_a_simulator_takes() -> None:
    """Negative and huge seeds are mapped, ordinary ones kept."""
    assert derived_seed(7) == 7
    for seed in (-1, 2**31, 2**80):
        assert 0 <= derived_seed(seed) < 2**31
    assert derived_seed(7, 1) != derived_seed(7, 2)


def test_progress_rises_to_the_total_and_counts_add_up() -> None:
    """After each call the shots done are reported, and parts of one circuit are summed."""
    plan = [Call((0,), 60, 1, "m"), Call((0,), 40, 2, "m"), Call((1,), 100, 3, "m")]
    seen: list[Progress] = []
    counts = run_calls(plan, 2, lambda call: [{"0": call.shots}] * len(call.circuits), seen.append)
    assert counts == ({"0": 100}, {"0": 100})
    assert [p.done for p in seen] == [0, 60, 100, 200]
    assert {p.total for p in seen} == {200}


def test_a_single_call_does_not_pretend_to_know_its_progress() -> None:
    """Total 0 says that the simulator cannot tell."""
    seen: list[Progress] = []
    run_calls([Call((0,), 100, 1, "m")], 1, lambda call: [{"0": 100}], seen.append)
    assert {p.total for p in seen} == {0}
