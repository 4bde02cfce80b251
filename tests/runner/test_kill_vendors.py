"""Pulling the plug while jobs are at vendors: none is lost, none is sent twice, and nothing stays reserved.

Vendors' own clients speak to doubles in processes of their own. At half of the vendors a new job is invisible for a
while, and a submission is carried out late, also when whoever sent it is dead by then.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import QuotaError
from qpm_lab.experiment import ruled_as
from qpm_lab.lab import Lab
from qpm_lab.ledger import JobRow
from qpm_lab.providers import vendors
from qpm_lab.runner import clock
from tests.conftest import ROOT
from tests.runner import vendor_victims as victims
from tests.runner.victims import fork_server

SOAK = bool(os.environ.get("QPM_SOAK"))
KILLS_AT_EACH = 10 if SOAK else 1
"""In each of the two modes."""
RANDOM_KILLS = 500 if SOAK else 12
BATCH = 48
"""Kills between two looks at what became of the jobs."""
AT_ONCE = 3
"""Victims that live at the same time."""
BACKENDS = {"ionq": "ionq/simulator", "braket": "braket/iqm_garnet", "aqt": "aqt/ibex", "ibm": "ibm/ibm_torino"}
"""Looked up by name, sent again under the same key, cannot be asked, looked up by tag."""
TURNS = ("ionq", "aqt", "braket", "ionq", "ibm") if SOAK else ("ionq", "aqt", "ionq", "braket")
"""The quickest has two."""
VENDORS = tuple(dict.fromkeys(TURNS))
LOST = "chaos/lost_answer=1"
MODES = ("prompt", "delayed")
DELAYS = {"visibility_seconds": 0.6, "late_seconds": 0.25}
STATED = {"poll_seconds": 0.15, "timeout_seconds": 6, "visibility_seconds": 1}
"""What a site states of each vendor; longer than what the doubles do."""
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
SECONDS = 120.0
KILLED = frozenset((-signal.SIGKILL, 255))
"""How a victim of ours ends: 255 is what multiprocessing says of a child that was gone before its server could tell."""


@dataclass
class Place:
    """One home, its bundle and its vendors."""

    home: Path
    policies: Path
    doubles: dict[str, RunningDouble]
    environment: dict[str, str]
    span: float
    """How long a submission takes at most."""
    checked: set[str] = field(default_factory=set)
    """Jobs whose end is known."""
    tokens: set[str] = field(default_factory=set)
    """Of every parcel that the ledger knows of."""

    def submissions(self) -> list[dict[str, Any]]:
        return [each for double in self.doubles.values() for each in double.submissions()]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    """A home for each way in which vendors behave, with doubles of its own."""
    wanted = list(itertools.product(MODES, VENDORS))
    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        started = dict(zip(wanted, pool.map(_started, [name for _, name in wanted]), strict=True))
        for process, _ in started.values():
            stack.callback(_end, process)
        made = {}
        for mode in MODES:
            found = {name: started[mode, name][1] for name in VENDORS}
            for double in found.values():
                double.faults(queue_polls=1, run_polls=1, **(DELAYS if mode == "delayed" else {}))
            made[mode] = _place(tmp_path_factory.mktemp(mode), found, delayed=mode == "delayed")
        yield made


def _started(name: str) -> tuple[subprocess.Popen[str], RunningDouble]:
    command = [sys.executable, "-m", "qpm_lab.doubles", name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    return process, RunningDouble(told["url"], told["access"])


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _place(folder: Path, doubles: dict[str, RunningDouble], *, delayed: bool) -> Place:
    home = folder / "home"
    home.mkdir()
    accesses = {name: double.access for name, double in doubles.items()}
    told = {name: {"url": each["url"], **each["options"], **STATED} for name, each in accesses.items()}
    (home / "settings.yaml").write_text(yaml.safe_dump({"providers": told}))
    (home / "prices.yaml").write_text(yaml.safe_dump({"prices": [_price(name) for name in BACKENDS.values()]}))
    environment = {"LOGNAME": "ada", "QPM_PROVIDERS": str(Path(sys.prefix) / "providers")}
    for name, access in accesses.items():
        for key, value in access["secrets"].items():
            environment[f"QPM_SECRET_{name if key == 'token' else f'{name}_{key}'}".upper()] = value
    return Place(
        home, _bundle(folder / "bundle"), doubles, environment, DELAYS["late_seconds"] + 0.1 if delayed else 0.02
    )


def _price(backend: str) -> dict[str, Any]:
    return {
        "id": backend,
        "backends": [backend],
        "formula": "task-and-shot",
        "rates": {"per_task": "0.01", "per_shot": "0.0001"},
        "currency": "USD",
        "unit": "task and shot",
        "source": "a contract",
        "seen_on": clock.now().date(),
        "confidence": "A",
        "region": "us",
        "channel": "tests",
    }


def _bundle(folder: Path, jobs: int = 100_000) -> Path:
    shutil.copytree(ROOT / "policies" / "personal", folder)
    document = yaml.safe_load((folder / "quotas.yaml").read_text())
    limits = {"jobs": jobs, "shots": 100_000_000, "cost": "100000 USD"}
    document["quotas"] = [
        {"id": name, "measure": name, "scope": "user", "window": "month", "limit": limit, "owner": "tests"}
        for name, limit in limits.items()
    ]
    (folder / "quotas.yaml").write_text(yaml.safe_dump(document))
    return folder


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
        survivors = [(code, *plan) for plan, code in zip(batch, ended, strict=True) if code != -signal.SIGKILL]
        assert not survivors


@contextmanager
def opened(place: Place) -> Iterator[Lab]:
    """A start that follows what others have left."""
    lab = Lab(place.home, place.policies)
    try:
        yield lab
    finally:
        lab.close()


@contextmanager
def taking_over(lab: Lab) -> Iterator[None]:
    """Looks for jobs of the dead all the time, so that it asks for them while the vendor does not show them yet."""
    stopped = threading.Event()

    def look() -> None:
        while not stopped.wait(0.05):
            lab.runner.recover()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _victim(place: Place, home: Path, work: Callable[..., None], point: str, asked: dict[str, Any]) -> int | None:
    process = fork_server().Process(target=work, args=(home, place.policies, place.environment, point, asked))
    process.start()
    process.join(SECONDS)
    process.kill()
    process.join()
    return process.exitcode


def assert_nothing_lost(place: Place, lab: Lab) -> None:
    """Every job comes to an end; then all is accounted for."""
    assert_within_limits(lab)
    until_settled(lab)
    sent = Counter(each["token"] for each in place.submissions())
    assert [token for token, number in sent.items() if number > 1] == []
    rows = {row.job_id: row for row in recorded(lab)}
    assert promised(place) <= rows.keys()
    for job_id in rows.keys() - place.checked:
        assert_accounted_for(lab, place, rows[job_id], sent)
    assert sent.keys() <= place.tokens
    until_settled(lab)
    place.checked |= rows.keys()
    assert_within_limits(lab)
    assert [counter for counter in lab.ledger.all_counters(at=clock.now()) if counter.reserved] == []
    report = lab.ledger.verify()
    assert report.ok, report.problems


def assert_within_limits(lab: Lab) -> None:
    """Whatever has been killed, no more is held than may be."""
    counters = lab.ledger.all_counters(at=clock.now())
    assert [each for each in counters if each.settled + each.reserved > each.limit] == []


def until_settled(lab: Lab) -> None:
    """Waits until every job has ended or waits for a person."""
    until = time.monotonic() + SECONDS
    while going := [row for row in lab.ledger.open_jobs() if row.status != "parked"]:
        assert time.monotonic() < until, [story(lab, row.job_id) for row in going]
        lab.runner.recover()
        time.sleep(0.05)


def recorded(lab: Lab) -> list[JobRow]:
    """Every job, newest first."""
    rows: list[JobRow] = []
    while page := lab.ledger.jobs(before=rows[-1].job_id if rows else None, limit=1000):
        rows += page
    return rows


def promised(place: Place) -> set[str]:
    """Jobs that a user was told of."""
    file = place.home / "promised"
    return set(file.read_text().split()) if file.exists() else set()


def assert_accounted_for(lab: Lab, place: Place, row: JobRow, sent: Counter[str]) -> None:
    """A job has its result, sent once; or it waits for a person, at a vendor that cannot be asked, who settles it."""
    entries = lab.ledger.entries(row.job_id)
    attempts = [[each["token"] for each in e.payload["parcels"]] for e in entries if "parcels" in e.payload]
    place.tokens |= {token for tokens in attempts for token in tokens}
    assert row.status in ("completed", "parked", "cancelled"), story(lab, row.job_id)
    if row.status == "completed":
        assert [sent[token] for token in attempts[-1]] == [1] * len(attempts[-1]), story(lab, row.job_id)
    elif row.status == "cancelled":
        assert any(entry.event == "job.cancel_requested" or row.cancel_requested for entry in entries)
    else:
        assert vendors()[ruled_as(row.backend).partition("/")[0]].vendor.durability.lookup == "none"
        settle_by_hand(lab, place, row.job_id, attempts[-1])


def settle_by_hand(lab: Lab, place: Place, job_id: str, tokens: Sequence[str]) -> None:
    """What a person does: looks at the vendor for each part that nobody could tell of."""
    there = {each["token"]: each["id"] for each in place.submissions()}
    while lab.ledger.job(job_id).status == "parked":
        known = {e.payload["token"] for e in lab.ledger.entries(job_id) if e.event == "job.accepted"}
        unclear = next(token for token in tokens if token not in known)
        lab.resolve(job_id, there.get(unclear))
        until_settled(lab)


def story(lab: Lab, job_id: str) -> list[Any]:
    """What the ledger has of a job, for whoever reads a failure."""
    return [
        (e.event, e.epoch, e.payload.get("error") or e.payload.get("vendor_id")) for e in lab.ledger.entries(job_id)
    ]


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
    assert ended == [-signal.SIGKILL] * len(homes)
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
    place = replace(source, home=home, policies=_bundle(tmp_path / "bundle", limit), checked=set())
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
