"""Pulling the plug while jobs are at vendors: none is lost, none is sent twice, and nothing stays reserved.

Vendors' own clients speak to doubles in processes of their own. At half of the vendors a new job is invisible for a
while, and a submission is carried out late, also when whoever sent it is dead by then.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.errors import QuotaError
from qpm_lab.runner import clock
from tests.runner import vendor_victims as victims
from tests.runner.nothing_lost import SECONDS, assert_nothing_lost, opened, recorded, taking_over, until_settled
from tests.runner.vendor_places import BACKENDS, DELAYS, MODES, Place, bundle, running
from tests.runner.victims import fork_server

SOAK = bool(os.environ.get("QPM_SOAK"))
KILLS_AT_EACH = 10 if SOAK else 1
"""In each of the two modes."""
RANDOM_KILLS = 500 if SOAK else 12
BATCH = 48
"""Kills between two looks at what became of the jobs."""
AT_ONCE = 3
"""Victims that live at the same time."""
TURNS = ("ionq", "aqt", "braket", "ionq", "ibm") if SOAK else ("ionq", "aqt", "ionq", "braket")
"""The quickest has two."""
VENDORS = tuple(dict.fromkeys(TURNS))
LOST = "chaos/lost_answer=1"
BOUNDARIES = (
    "before-reserve",
    "after-reserve",
    "before-send",
    "after-send",
    "after-accept",
    "before-answer",
    "after-answer",
    "before-outcome",
    "after-outcome",
)
COMMITS = tuple(f"{when}-commit {n}" for n in range(1, 6) for when in ("before", "after"))
CALLS = tuple(f"{when}-call-{name}" for name in ("send", "standing", "answer") for when in ("before", "in", "after"))
LOOK_UPS = tuple(f"{when}-call-find" for when in ("before", "in", "after"))
CANCELS = tuple(f"{when}-call-cancel" for when in ("before", "in", "after"))
OPENINGS = tuple(
    f"{when}-{what} {n}"
    for what, most in (("rename", 3), ("commit", 3))
    for n in range(1, most + 1)
    for when in ("before", "after")
)
KILLED = frozenset((-signal.SIGKILL, 255))
"""How a victim of ours ends: 255 is what multiprocessing says of a child that was gone before its server could tell."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    with running(VENDORS, tmp_path_factory.mktemp) as found:
        yield found


@pytest.fixture(params=MODES)
def place(request: pytest.FixtureRequest, places: dict[str, Place], monkeypatch: pytest.MonkeyPatch) -> Place:
    return used(places[request.param], monkeypatch)


def used(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The place, its keys in the environment of this process."""
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    return place


Plan = tuple[str, dict[str, Any]]


def plans(points: Sequence[str], backends: Sequence[str], place: Place, **told: Any) -> list[Plan]:
    """Every point as often as it is to be killed there, the vendors in turn, jobs of one and of two parts."""
    made = []
    for n, (turn, point) in enumerate(itertools.product(range(KILLS_AT_EACH), points)):
        qubits = (2,) if (n + turn) % 2 else (2, 3)
        backend = backends[(n + turn) % len(backends)]
        made.append((point, {"backend": backend, "qubits": qubits, "cancel": False, "span": place.span, **told}))
    return made


def kill_at(place: Place, wanted: Sequence[Plan]) -> None:
    """Victims that die where they are to, another process taking over at once, and nothing lost after each batch."""
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        with opened(place) as lab:
            with taking_over(lab), ThreadPoolExecutor(AT_ONCE) as pool:
                ended = list(pool.map(lambda plan: _victim(place, place.home, victims.die_at, *plan), batch))
            assert_nothing_lost(place, lab)
        survivors = [(code, *plan) for plan, code in zip(batch, ended, strict=True) if code not in KILLED]
        assert not survivors


def _victim(place: Place, home: Path, work: Callable[..., None], point: str, asked: dict[str, Any]) -> int | None:
    process = fork_server().Process(target=work, args=(home, place.policies, place.environment, point, asked))
    process.start()
    process.join(SECONDS)
    process.kill()
    process.join()
    return process.exitcode


def test_a_kill_at_any_effect_loses_nothing_and_sends_nothing_twice(place: Place) -> None:
    """Before and after every step of a job, every commit and every call to the vendor, and during the calls.

    Also while a job of which nobody could tell is looked for, after it was parked, and while one is cancelled.
    """
    # In `make test` the two modes share the finer points.
    share = slice(None) if SOAK else slice(place.span > DELAYS["late_seconds"], None, 2)
    wanted = [
        *plans((*BOUNDARIES, *COMMITS[share], *CALLS[share]), [BACKENDS[name] for name in TURNS], place),
        *plans(LOOK_UPS[share], [f"{LOST}@{BACKENDS[name]}" for name in TURNS if name in ("ionq", "ibm")], place),
        *plans(["after-park"], [f"{LOST}@aqt/ibex"], place),
        *plans(CANCELS[share], [BACKENDS[name] for name in TURNS if name != "aqt"], place, cancel=True),
    ]
    kill_at(place, wanted)


def test_a_kill_while_a_home_is_opened_leaves_one_that_opens(places: dict[str, Place], tmp_path: Path) -> None:
    """Before and after every rename and commit by which a home, its key and its owner's lock are made."""
    place = places["prompt"]
    homes = {}
    for n, point in enumerate(OPENINGS * KILLS_AT_EACH * (2 if SOAK else 1)):
        homes[tmp_path / f"{n}" / "home"] = point
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for home in homes:
            home.mkdir(parents=True)
        ended = list(pool.map(lambda item: _victim(place, item[0], victims.die_opening, item[1], {}), homes.items()))
    assert set(ended) <= KILLED
    for home in homes:
        with opened(replace(place, home=home)) as lab:
            assert lab.submit(victims.ghz(2), shots=20).wait(SECONDS)
            assert lab.ledger.open_jobs() == []
            assert lab.ledger.verify().ok


def test_a_kill_at_a_random_moment_loses_nothing_and_sends_nothing_twice(place: Place) -> None:
    """Processes that follow the jobs of the dead, and submit their own without end, die at random moments."""
    chance = random.Random(20261122)
    backends, before = [BACKENDS[name] for name in TURNS], len(place.checked)
    for start in range(0, RANDOM_KILLS // len(MODES), BATCH):
        number = min(BATCH, RANDOM_KILLS // len(MODES) - start)
        lives = [(start + n, chance.uniform(0.0, 2.0)) for n in range(number)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ended = list(pool.map(lambda life: _short_life(place, backends, *life), lives))
        assert set(ended) <= KILLED
        with opened(place) as lab:
            assert_nothing_lost(place, lab)
    assert len(place.checked) > before


def _short_life(place: Place, backends: list[str], seed: int, seconds: float) -> int | None:
    """Every other life is counted from its beginning, the others from their first job on."""
    told = (place.home, place.policies, place.environment, backends, seed)
    process = fork_server().Process(target=victims.work_until_killed, args=told)
    process.start()
    while seed % 2 and process.is_alive() and not victims.has_begun(place.home, process.pid):
        time.sleep(0.01)
    process.join(seconds)
    process.kill()
    process.join()
    return process.exitcode


def test_a_quota_is_filled_exactly_whatever_was_killed_before(
    places: dict[str, Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reservation of the dead is left, and none was given twice: as many jobs are completed as are allowed."""
    limit, home, source = 60 if SOAK else 12, tmp_path / "home", used(places["delayed"], monkeypatch)
    home.mkdir()
    for name in ("settings.yaml", "prices.yaml"):
        shutil.copy(source.home / name, home)
    place = replace(source, home=home, policies=bundle(tmp_path / "bundle", limit), checked=set())
    chance = random.Random(7)
    for turn in range(limit // 4):
        code = _short_life(place, ["ionq/simulator"], 2 * turn + 1, chance.uniform(0.0, 1.0))
        assert code in (-signal.SIGKILL, 0)
    with opened(place) as lab:
        for _ in range(limit):
            with suppress(QuotaError):
                lab.submit(victims.ghz(2), backend="ionq/simulator", shots=20, fidelity="none")
        until_settled(lab)
        assert [row.status for row in recorded(lab)].count("completed") == limit
        (counter,) = [each for each in lab.ledger.all_counters(at=clock.now()) if each.measure == "jobs"]
        assert (counter.settled, counter.reserved, lab.ledger.verify().ok) == (limit, 0, True)
