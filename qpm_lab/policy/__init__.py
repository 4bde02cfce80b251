"""The policy engine; the rules and amounts it applies are data in `policies/`, one folder per bundle.

Pure: a request and a quote go in, a decision with every reason and the holds on quotas come out.
"""

from qpm_lab.policy.bundle import Bundle
from qpm_lab.policy.directory import Membership
from qpm_lab.policy.finding import find_bundle, find_folder, shipped_names
from qpm_lab.policy.rehearsal import TestReport, TestRow, check, test

__all__ = [
    "Bundle",
    "Membership",
    "TestReport",
    "TestRow",
    "check",
    "find_bundle",
    "find_folder",
    "shipped_names",
    "test",
]
