"""The one connection of this process to its Dask scheduler."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qpm_lab.errors import InputError, ProviderError

if TYPE_CHECKING:
    from distributed import Client

ADDRESS = "QPM_DASK"
"""The environment variable."""
TIMEOUT_SECONDS = 5.0
_open: tuple[int, str, Client] | None = None
_lock = threading.Lock()


def client_at(address: str) -> Client:
    """A connected client; the same one as long as it works and neither address nor process changes.

    Raises:
        ProviderError: nobody answers there, or its versions do not go with ours.
        InputError: the address cannot be read, or a library is missing.
    """
    global _open
    with _lock:
        if _open is not None and _open[:2] == (os.getpid(), address) and _open[2].status == "running":
            return _open[2]
        # A client that was inherited by a fork belongs to the parent.
        if _open is not None and _open[0] == os.getpid():
            _closed(_open[2])
        client = _connected(address)
        _open = (os.getpid(), address, client)
        return client


@atexit.register
def close() -> None:
    """Closes the connection of this process, if there is one."""
    global _open
    with _lock:
        if _open is not None and _open[0] == os.getpid():
            _closed(_open[2])
        _open = None


def _closed(client: Client) -> None:
    with contextlib.suppress(Exception):
        client.close(timeout=2)


def _connected(address: str) -> Client:
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            f"{ADDRESS} is set, but dask.distributed is not installed.", 'pip install "qpm-lab[dask]"', cause=error
        ) from error
    options = {"timeout": TIMEOUT_SECONDS, "set_as_default": False, "asynchronous": False}
    try:
        client = distributed.Client(**_scheduler(address), **options)
    except (OSError, TimeoutError, ValueError) as error:
        raise _unreachable(address, error) from error
    try:
        _require_versions(client)
    except BaseException:
        _closed(client)
        raise
    return client


def _scheduler(address: str) -> dict[str, Any]:
    """Where it is, as arguments of a client."""
    if address.startswith("gateway"):
        return _by_gateway(address)
    if "://" in address:
        return {"address": address}
    if Path(address).is_file():
        return {"scheduler_file": address}
    raise InputError(
        f"{ADDRESS} is {address[:200]!r}: neither an address nor a scheduler file.",
        "Set it to tcp://host:8786, to the path of a scheduler file, or to gateway://host:8000/cluster.",
    )


def _by_gateway(address: str) -> dict[str, Any]:
    try:
        from dask_gateway import Gateway
    except ImportError as error:
        raise InputError(
            f"{ADDRESS} names a gateway, but dask-gateway is not installed.", 'pip install "qpm-lab[dask]"', cause=error
        ) from error
    where, name = _gateway_parts(address)
    try:
        # It is closed when it is collected, and complains then if it was closed before.
        gateway = Gateway(where) if where else Gateway()
        report = gateway.get_cluster(name or _only_cluster(gateway))
        return {"address": report.scheduler_address, "security": report.security}
    except (ProviderError, InputError):
        raise
    except Exception as error:
        raise _unreachable(address, error) from error


def _gateway_parts(address: str) -> tuple[str, str]:
    """Address of the gateway and name of the cluster; each may be empty.

    >>> _gateway_parts("gateway+https://hub:8000/services/dask/c1"), _gateway_parts("gateway:c1")
    (('https://hub:8000/services/dask', 'c1'), ('', 'c1'))
    """
    if "://" not in address:
        return "", address.partition(":")[2]
    parts = urlsplit(address)
    scheme = parts.scheme.partition("+")[2] or "http"
    path, _, name = parts.path.rstrip("/").rpartition("/")
    return f"{scheme}://{parts.netloc}{path}", name


def _only_cluster(gateway: Any) -> str:
    names = [report.name for report in gateway.list_clusters()]
    if len(names) != 1:
        raise InputError(
            f"The gateway runs {len(names)} clusters of yours.",
            f"Start one with dask_gateway.Gateway().new_cluster(), or name it: {ADDRESS}=gateway:NAME.",
        )
    return str(names[0])


def _unreachable(address: str, error: BaseException) -> ProviderError:
    said = " ".join(str(error).split())[:200]
    return ProviderError(
        f"No Dask scheduler answers at {address}: {type(error).__name__}: {said}",
        f"Start it (make cluster starts a local one), correct {ADDRESS}, or unset it to simulate on this machine.",
        cause=error,
    )


def _require_versions(client: Client) -> None:
    """Pickled work needs the same Python and the same protocol on both sides."""
    found = client.get_versions()
    sides = {"the scheduler": found["scheduler"], **found["workers"]}
    mine = _relevant(found["client"])
    for name, side in sides.items():
        if side and _relevant(side) != mine:
            raise ProviderError(
                f"The Dask cluster has other versions: {name} has {_text(_relevant(side))}, here is {_text(mine)}.",
                "Use the same Python and the same distributed on both sides.",
            )


def _relevant(side: Any) -> tuple[str, str]:
    python = ".".join(str(side["host"]["python"]).split(".")[:2])
    return python, str(side["packages"]["distributed"])


def _text(versions: tuple[str, str]) -> str:
    return f"Python {versions[0]} with distributed {versions[1]}"
