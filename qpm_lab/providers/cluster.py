"""Long local simulations on a Dask cluster: `QPM_DASK` says where its scheduler is.

`QPM_DASK=tcp://host:8786`, or the path of a scheduler file, or with dask-gateway `gateway://host:8000/cluster`
(`gateway+https://…`), `gateway:cluster` and `gateway:` (the only cluster there is) with dask-gateway's own
configuration. Without it everything runs on this machine; the counts are the same either way.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import ProviderError, QpmError
from qpm_lab.providers import wire
from qpm_lab.providers.connection import ADDRESS, client_at
from qpm_lab.providers.gathering import Gathering
from qpm_lab.providers.on_worker import active, run_piece, versions
from qpm_lab.providers.simulator import Prepared

if TYPE_CHECKING:
    from distributed import Client, Future

POLL_SECONDS = 0.2
ENDING_SECONDS = 15.0
"""How long a cancel waits for the workers to fall silent."""
_PIECES_AHEAD = 4
"""Pieces for each thread of the cluster that are with the scheduler at a time."""
_LEAST_AHEAD = 32


def address() -> str | None:
    """Where the scheduler is; None when no cluster is configured."""
    return os.environ.get(ADDRESS, "").strip() or None


class Cluster:
    """Computes on the workers of a Dask cluster.

    A worker that dies costs its pieces a retry on another one; Dask gives up after its own
    `distributed.scheduler.allowed-failures`.
    """

    where = "dask"

    def __init__(self, where: str) -> None:
        self._address = where
        self._stopped = threading.Event()
        self._token = f"qpm-{secrets.token_hex(8)}"
        self._ended: queue.SimpleQueue[tuple[int, Future]] = queue.SimpleQueue()

    def work(self, prepared: Prepared, gathering: Gathering) -> None:
        client = client_at(self._address)
        futures: dict[int, Future] = {}
        try:
            self._all(client, prepared, gathering, futures)
        finally:
            if futures:
                self._silence(client, list(futures.values()))

    def stop(self) -> None:
        self._stopped.set()

    def _all(self, client: Client, prepared: Prepared, gathering: Gathering, futures: dict[int, Future]) -> None:
        """`futures` holds what is under way, also when this is left by an error."""
        pieces, following = gathering.pieces, 0
        share = 1 if len(pieces) > 1 else 0
        while not self._stopped.is_set() and not gathering.is_complete:
            ahead = max(_LEAST_AHEAD, _PIECES_AHEAD * _threads(client, gathering))
            while following < len(pieces) and len(futures) < ahead:
                payload = wire.packed_task(pieces[following].of(prepared.task), share)
                futures[following] = self._submitted(client, following, payload)
                following += 1
            for number, future in self._arrived(client):
                result = _result(future)
                gathering.used(result.cpu_seconds, result.peak_memory_bytes)
                gathering.put(number, result.counts)
                futures.pop(number).release()

    def _submitted(self, client: Client, number: int, payload: bytes) -> Future:
        future = client.submit(run_piece, payload, versions(), self._token, key=f"{self._token}-{number}", pure=False)
        future.add_done_callback(lambda done: self._ended.put((number, done)))
        return future

    def _arrived(self, client: Client) -> list[tuple[int, Future]]:
        """What has ended since; waits a moment for the first."""
        try:
            found = [self._ended.get(timeout=POLL_SECONDS)]
        except queue.Empty:
            if client.status != "running":
                raise _gone() from None
            return []
        while not self._ended.empty():
            found.append(self._ended.get())
        return found

    def _silence(self, client: Client, futures: list[Future]) -> None:
        """Takes back what is under way and waits until no worker computes it any more."""
        with contextlib.suppress(Exception):
            client.cancel(futures, force=True)
            until = time.monotonic() + ENDING_SECONDS
            while time.monotonic() < until and any(client.run(active, self._token, on_error="ignore").values()):
                time.sleep(0.05)


def _threads(client: Client, gathering: Gathering) -> int:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if workers:
        gathering.begin()
    else:
        gathering.say("waiting for a worker of the Dask cluster")
    return sum(worker["nthreads"] for worker in workers)


def _result(future: Future) -> Any:
    """The result of a piece that has ended.

    Raises:
        QpmError: it failed; `retryable` when its workers died.
    """
    if future.status == "finished":
        kind, payload = future.result()
        if kind == wire.ERROR:
            raise wire.error_from(payload)
        return wire.result_from(payload)
    if future.status != "error":
        raise _gone()
    raise _explained(future.exception())


def _gone() -> ProviderError:
    return ProviderError(
        "The connection to the Dask scheduler was lost.",
        f"Start the cluster again, or unset {ADDRESS} to simulate on this machine.",
        retryable=True,
    )


def _explained(error: BaseException) -> QpmError:
    """An exception that came from a worker, for a person."""
    from distributed import KilledWorker

    text = " ".join(str(error).split())[:300]
    if isinstance(error, KilledWorker):
        return ProviderError(
            f"Dask gave a part of the simulation up, because each worker that ran it died: {text}",
            "Most often memory ran out: use larger workers, or fewer qubits.",
            retryable=True,
            cause=error,
        )
    if _is_missing(error):
        return ProviderError(
            "The workers of the Dask cluster cannot import qpm_lab.",
            'Install the same version of qpm-lab there: pip install "qpm-lab[dask]".',
            cause=error,
        )
    return ProviderError(f"A Dask worker failed: {type(error).__name__}: {text}", retryable=True, cause=error)


def _is_missing(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ImportError) and (error.name or "").partition(".")[0] == "qpm_lab":
            return True
        error = error.__cause__ or error.__context__
    return False
