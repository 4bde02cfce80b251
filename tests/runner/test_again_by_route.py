"""A job that was sent by a route, once more: what was asked for is repeated, not what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qpm_lab import Lab
from qpm_lab.errors import InputError
from qpm_lab.runner.again import order_again
from tests.runner.routed import IDEAL, NOISY, bundle

BELL = "OPENQASM 3; include 'stdgates.inc'; qubit[2] q; h q[0]; cx q[0], q[1];"
MINE, OTHER = {"id": "mine", "by": "listed"}, {"id": "other", "by": "listed"}


@pytest.fixture
def with_routes(home: Path, tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Makes Labs of this home under a bundle that has these routes."""
    made: list[Lab] = []

    def make(*routes: dict[str, Any]) -> Lab:
        made.append(Lab(home, bundle(tmp_path / f"bundle-{len(made)}", *routes)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def ran(lab: Lab, backend: str) -> str:
    job = lab.submit(BELL, backend=backend, shots=10)
    job.result()
    return job.id


@pytest.mark.parametrize("asked", ["auto", "route:mine"])
def test_the_route_is_repeated_by_todays_rules(with_routes: Callable[..., Lab], asked: str) -> None:
    """Another backend ranks first by now, and the record says by which route it was chosen."""
    job_id = ran(with_routes(MINE | {"backends": [NOISY, IDEAL]}), asked)
    lab = with_routes(MINE | {"backends": [IDEAL, NOISY]})
    again = lab.again(job_id)
    again.result()
    assert lab.job(job_id).record()["backend"] == NOISY
    assert (again.record()["backend"], again.record()["route"]["name"]) == (IDEAL, "mine")
    assert order_again(lab.ledger, again.id, {}).backend == asked


def test_auto_is_whatever_route_is_the_first_today(with_routes: Callable[..., Lab]) -> None:
    """And not the one that it was then."""
    job_id = ran(with_routes(MINE | {"backends": [NOISY]}), "auto")
    again = with_routes(OTHER | {"backends": [IDEAL]}, MINE | {"backends": [NOISY]}).again(job_id)
    again.result()
    assert again.record()["route"]["name"] == "other"


def test_a_backend_that_is_named_wins(with_routes: Callable[..., Lab]) -> None:
    """No route chooses then."""
    lab = with_routes(MINE | {"backends": [NOISY]})
    again = lab.again(ran(lab, "auto"), backend=IDEAL)
    again.result()
    assert (again.record()["backend"], again.record()["route"]) == (IDEAL, None)


def test_a_route_that_is_no_more_is_named(with_routes: Callable[..., Lab]) -> None:
    """With the routes there are."""
    job_id = ran(with_routes(MINE | {"backends": [NOISY]}), "route:mine")
    with pytest.raises(InputError, match="no route 'mine'"):
        with_routes(OTHER | {"backends": [NOISY]}).again(job_id)


def test_a_ledger_that_does_not_say_what_was_asked_has_the_name_of_the_route() -> None:
    """As those of earlier versions."""
    from qpm_lab.runner.route_taken import Taken

    told = Taken("mine", "listed", "sha256:p", NOISY, ()).told()
    del told["asked"]
    taken = Taken.read(told)
    assert taken is not None
    assert taken.again == "route:mine"
