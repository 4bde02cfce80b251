"""dask-gateway with its real local backend: a cluster started by it is used by name and without."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.errors import InputError, ProviderError
from qpm_lab.providers import connection, provider_of
from qpm_lab.providers.cluster import Cluster
from qpm_lab.providers.running import PiecesRun, simulate
from tests.providers.making import dense, task

BIN = Path(sys.executable).parent
CONFIG = """
c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.address = "127.0.0.1:{private}"
c.Proxy.address = "127.0.0.1:{public}"
c.UnsafeLocalBackend.clusters_directory = "{folder}"
c.UnsafeLocalBackend.api_url = "http://127.0.0.1:{public}/api"
c.UnsafeLocalBackend.inherited_environment = {environment!r}
c.ClusterConfig.scheduler_cmd = ["{bin}/dask", "scheduler"]
c.ClusterConfig.worker_cmd = ["{bin}/dask", "worker"]
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway without clusters."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    folder = tmp_path_factory.mktemp("gateway")
    public, private = _free_port(), _free_port()
    # Numbers are rounded alike only where the same arithmetic libraries are chosen.
    settings = {"public": public, "private": private, "bin": BIN, "folder": folder, "environment": sorted(os.environ)}
    (folder / "config.py").write_text(CONFIG.format(**settings))
    command = [str(BIN / "dask-gateway-server"), "-f", str(folder / "config.py")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(public)
            yield f"127.0.0.1:{public}"
        finally:
            connection.close()
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    """Until the proxy knows the way to the gateway behind it."""
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the gateway never answered"
            time.sleep(0.1)


def _prepared() -> Any:
    provider: Any = provider_of("aer/noisy")
    return provider.prepared(task("aer/noisy", dense(13, 2), shots=60))


def test_a_cluster_of_a_gateway_runs_simulations(gateway: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, or as the only one there is, with the counts of this machine."""
    import dask
    from dask_gateway import Gateway

    with pytest.raises(InputError, match="runs 0 clusters"):
        connection.client_at(f"gateway://{gateway}/")
    mine = Gateway(f"http://{gateway}")
    name = mine.submit()
    try:
        while mine.get_cluster(name).scheduler_address is None:
            time.sleep(0.1)
        mine.scale_cluster(name, 2)
        expected = simulate(_prepared()).counts
        named = PiecesRun(_prepared(), Cluster(f"gateway://{gateway}/{name}"))
        assert named.result().counts == expected
        with dask.config.set({"gateway.address": f"http://{gateway}"}):
            found = PiecesRun(_prepared(), Cluster("gateway:"))
            assert found.result().counts == expected
        connection.close()
    finally:
        mine.stop_cluster(name)


def test_a_cluster_that_the_gateway_does_not_know_is_an_error(gateway: str) -> None:
    """The message has the address, the hint what to do."""
    with pytest.raises(ProviderError, match=r"No Dask scheduler answers at gateway://.*nothing"):
        connection.client_at(f"gateway://{gateway}/nothing")


def test_a_gateway_that_is_not_there_is_an_error() -> None:
    """Nobody listens: the error comes at once."""
    with pytest.raises(ProviderError, match="No Dask scheduler answers"):
        connection.client_at("gateway://127.0.0.1:1/any")
