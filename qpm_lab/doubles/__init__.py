"""Vendor doubles: loopback servers that speak a vendor's HTTP API and run the circuits they get.

They are test tools, shipped so that users can test their own code without a vendor, a key or a cost. A double proves
that our client and the vendor's get on with the API as it is documented; it proves nothing about the vendor.

    with doubles.started("ionq") as double:
        ...  # double.url, double.faults(outage=0.5), double.submissions()

or, in a process of its own, `python -m qpm_lab.doubles ionq --port 8701`.
"""

from __future__ import annotations

from qpm_lab.doubles.faults import Faults
from qpm_lab.doubles.running import DOUBLES, RunningDouble, started

__all__ = ["DOUBLES", "Faults", "RunningDouble", "started"]
