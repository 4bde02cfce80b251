"""A Dask cluster on this machine, in the foreground: `python -m qpm_lab.providers.local_cluster [WORKERS]`."""

from __future__ import annotations

import signal
import sys
import threading

from qpm_lab.providers.connection import ADDRESS


def main() -> None:
    """Prints how to use the cluster and serves until it is interrupted."""
    from distributed import LocalCluster

    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
        print(f"export {ADDRESS}={cluster.scheduler_address}", flush=True)
        over.wait()


if __name__ == "__main__":
    main()
