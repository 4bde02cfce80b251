"""`python -m qpm_lab.doubles ionq --port 8701`: a double in a process of its own, until it is interrupted.

Prints one JSON line with `url` and `access` once it listens.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading

from qpm_lab.doubles.running import DOUBLES, make
from qpm_lab.doubles.serving import Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m qpm_lab.doubles", description=__doc__)
    parser.add_argument("name", choices=sorted(DOUBLES))
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    double = make(options.name)
    server = Server(double, options.port)
    server.start()
    print(json.dumps({"url": double.url, "access": double.access()}), flush=True)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
    server.stop()


if __name__ == "__main__":
    main()
