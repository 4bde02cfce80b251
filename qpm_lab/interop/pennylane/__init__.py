"""PennyLane's device `qpm.lab`, over a `Lab`.

tape → structure.py (template, numbers) → device.py (one job) → tally.py (counts as arrays) → reading.py (results)
"""

from qpm_lab.interop.pennylane.device import LabDevice

__all__ = ["LabDevice"]
