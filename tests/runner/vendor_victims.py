"""What the kill tests of jobs at vendors run in processes of their own, and where these are killed.

A point is the name of an effect, and which occurrence of it: `before-commit 2`. Commits, calls to the vendor and
renames are watched from outside, by wrapping what carries them out, so that nothing in the product knows of it.
"""

from __future__ import annotations

import os
import pathlib
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.runner.victims import ghz

Hook = Callable[[str], None]
MOST_LIVE = 3
"""Jobs that a victim has under way at a time."""


class Plug:
    """Is pulled at one point; until it is armed nothing counts."""

    def __init__(self, point: str, span: float = 0.0) -> None:
        name, _, occurrence = point.rpartition(" ")
        self._name = name if occurrence.isdigit() else point
        self._occurrence = int(occurrence) if occurrence.isdigit() else 1
        self._span = span
        self._seen: Counter[str] = Counter()
        self._guard = threading.Lock()
        self.armed = False

    def reached(self, name: str) -> None:
        """Kills this process if this is the point: at once, or during a call after a part of its time."""
        if not self.armed:
            return
        with self._guard:
            self._seen[name] += 1
            here = name == self._name and self._seen[name] == self._occurrence
        if here and name.startswith("in-"):
            threading.Timer(random.uniform(0.0, self._span), pull).start()
        elif here:
            pull()


def pull() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def watch(hook: Hook) -> None:
    """Tells of every commit, call to a vendor, rename and link of this process."""
    from sqlalchemy.engine.default import DefaultDialect

    from qpm_lab.providers.remote import RemoteProvider

    _wrap(DefaultDialect, "do_commit", hook, lambda *_: "commit")
    _wrap(RemoteProvider, "_call", hook, lambda _, name, *rest: f"call-{name}")
    _wrap(pathlib.Path, "rename", hook, lambda *_: "rename")
    _wrap(os, "link", hook, lambda *_: "rename")


def _wrap(owner: Any, name: str, hook: Hook, what: Callable[..., str]) -> None:
    original = getattr(owner, name)

    def watched(*arguments: Any, **options: Any) -> Any:
        effect = what(*arguments)
        hook(f"before-{effect}")
        hook(f"in-{effect}")
        found = original(*arguments, **options)
        hook(f"after-{effect}")
        return found

    setattr(owner, name, watched)


def _settle_in(environment: Mapping[str, str], home: Path) -> None:
    """The fork server has the environment of whoever started it first."""
    os.environ.update(environment)
    tempfile.tempdir = str(home)


def die_at(home: Path, policies: Path, environment: Mapping[str, str], point: str, asked: Mapping[str, Any]) -> None:
    """Submits one job to a vendor and is killed at the point; says on disk which job it was promised.

    Args:
        home: Its `QPM_HOME`.
        policies: Its bundle.
        environment: Variables to set.
        point: Where.
        asked: `backend`, `qubits` of each circuit, `cancel`, and `span` in seconds of a call during which it dies.
    """
    _settle_in(environment, home)
    plug = Plug(point, asked["span"])
    watch(plug.reached)
    from qpm_lab.lab import Lab

    lab = Lab(home, policies, follow=False)
    lab.runner.boundary = plug.reached
    _warm_up(asked["backend"])
    plug.armed = True
    job = lab.submit([ghz(each) for each in asked["qubits"]], backend=asked["backend"], shots=20, fidelity="none")
    promise(home, job.id)
    if asked["cancel"]:
        live = lab.runner.live[job.id]
        while not (live.delivery and live.delivery.vendor_ids):
            time.sleep(0.01)
        job.cancel()
    job.wait(60)
    time.sleep(2 * asked["span"])  # a call may be shorter than what it is given to die in


def _warm_up(backend: str) -> None:
    """On a busy machine a vendor's client may need longer to be imported than one of its calls may take."""
    from qpm_lab import providers
    from qpm_lab.errors import ProviderError

    for _ in range(10):
        with suppress(ProviderError):
            providers.target(backend)
            return


def die_opening(
    home: Path, policies: Path, environment: Mapping[str, str], point: str, asked: Mapping[str, Any]
) -> None:
    """Opens a home and submits a local job, and is killed at the point, which may lie before the home is there."""
    _settle_in(environment, home.parent)
    plug = Plug(point)
    watch(plug.reached)
    from qpm_lab.lab import Lab

    plug.armed = True
    lab = Lab(home, policies)
    lab.submit(ghz(2), shots=20).wait(60)


def work_until_killed(
    home: Path, policies: Path, environment: Mapping[str, str], backends: list[str], seed: int
) -> None:
    """Follows what others left, and submits jobs until a quota is full, a few at a time."""
    _settle_in(environment, home)
    from qpm_lab.errors import ProviderError, QuotaError
    from qpm_lab.lab import Lab

    chance = random.Random(seed)
    lab = Lab(home, policies)
    while True:
        if len(lab.runner.live) < MOST_LIVE:
            circuits = [ghz(2)] if chance.random() < 0.5 else [ghz(2), ghz(3)]
            try:
                job = lab.submit(circuits, backend=chance.choice(backends), shots=20, fidelity="none")
            except QuotaError:
                return
            except ProviderError:
                continue  # a busy machine: its client was not imported in time
            promise(home, job.id)
            (home / f"began-{os.getpid()}").touch()
        time.sleep(chance.uniform(0, 0.05))


def has_begun(home: Path, pid: int | None) -> bool:
    """Whether the victim of that number has submitted a job."""
    return (home / f"began-{pid}").exists()


def promise(home: Path, job_id: str) -> None:
    """What a user was told of is not lost."""
    with (home / "promised").open("a") as file:
        file.write(job_id + "\n")
