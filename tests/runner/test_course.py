"""The order in which a job with companions or variants is run, and what its histograms are."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from qpm_lab import providers
from qpm_lab.providers.interface import Task
from qpm_lab.runner.course import ROUNDS, Course, Item, course, parts


def _circuits(number: int) -> list[QuantumCircuit]:
    return [QuantumCircuit(1, 1, name=str(n)) for n in range(number)]


def _task(shots: int) -> Task:
    return Task(providers.backend("aer/noisy"), tuple(_circuits(1)), shots, seed=5)


def _histograms(run: Course, whole: Task) -> list[dict[str, int]]:
    return [{"0": item.shots} for _, items in run.tasks(whole) for item in items]


@given(shots=st.integers(1, 5000), number=st.integers(1, 60), companions=st.integers(0, 200))
def test_every_shot_and_every_companion_is_run_once(shots: int, number: int, companions: int) -> None:
    """Dividing and mixing loses nothing and repeats nothing."""
    own = parts(_circuits(1)[0], "form", shots, number)
    run = course(own, _circuits(companions), 7)
    gathered = run.gathered(_histograms(run, _task(shots)))
    assert gathered.own == ({"0": shots},)
    assert gathered.companions == ({"0": 7},) * companions
    assert min(item.shots for item in own) > 0


def test_companions_stand_between_the_parts_of_the_job() -> None:
    """A machine that drifts drifts for both: no part of the job's shots is far from some companions."""
    run = course(parts(_circuits(1)[0], "", 4000, ROUNDS), _circuits(90), 100)
    kinds = "".join("c" if item.is_companion else "o" for item in run.items)
    assert kinds.count("o") == ROUNDS
    assert "oo" not in kinds
    assert max(len(run_of) for run_of in kinds.split("o")) <= 5


def test_tasks_have_seeds_of_their_own_and_one_number_of_shots() -> None:
    """Neighbours with as many shots go together; what is repeated is drawn anew."""
    run = course(parts(_circuits(1)[0], "f", 1003, 4), _circuits(6), 10)
    tasks = [task for task, _ in run.tasks(_task(1003))]
    assert len({task.seed for task in tasks}) == len(tasks)
    assert sum(task.shots * task.executions for task in tasks) == 1003 + 60
    assert next(task.forms for task in tasks if task.shots > 100) == ("f",)


def test_the_same_job_is_cut_the_same_way() -> None:
    """Counts follow from circuit, shots and seed alone."""
    first, second = (course(parts(_circuits(1)[0], "", 100, 3), _circuits(5), 2) for _ in range(2))
    assert [task.seed for task, _ in first.tasks(_task(100))] == [task.seed for task, _ in second.tasks(_task(100))]


def test_blocks_are_the_parts_of_one_circuit_in_their_order() -> None:
    """They can show that shots depend on when they were taken."""
    run = course(parts(_circuits(1)[0], "", 30, 3), (), 0)
    gathered = run.gathered([{"0": 10}, {"1": 10}, {"0": 4, "1": 6}])
    assert gathered.blocks == ({"0": 10}, {"1": 10}, {"0": 4, "1": 6})
    assert gathered.own == ({"0": 14, "1": 16},)


def test_variants_give_no_blocks_and_their_flips_are_undone() -> None:
    """Variants may differ by more than chance, so their order says nothing; bit 0 is the rightmost."""
    items = [Item(circuit, 10, 0, pad=pad) for circuit, pad in zip(_circuits(2), ("01", "10"), strict=True)]
    gathered = course(items, (), 0).gathered([{"01": 10}, {"10": 9, "00": 1}])
    assert gathered.blocks == ()
    assert Counter(gathered.own[0]) == {"00": 19, "10": 1}


@pytest.mark.parametrize("shots", [1, 2, 19])
def test_fewer_shots_than_rounds_make_fewer_parts(shots: int) -> None:
    """No part is empty."""
    assert [item.shots for item in parts(_circuits(1)[0], "", shots, ROUNDS)] == [1] * shots
