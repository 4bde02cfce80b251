"""Governed quantum experiments: policy, quotas, cost, honest error bars and a tamper-evident ledger.

Importing this loads no quantum SDK; `Lab` and the others are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qpm_lab.errors import (
        ApprovalNeededError as ApprovalNeededError,
    )
    from qpm_lab.errors import (
        DeniedError as DeniedError,
    )
    from qpm_lab.errors import (
        QpmError as QpmError,
    )
    from qpm_lab.errors import (
        QuotaError as QuotaError,
    )
    from qpm_lab.job import Job as Job
    from qpm_lab.lab import Lab as Lab
    from qpm_lab.result import Result as Result

__version__ = "0.1.0"
_HOMES = {
    "ApprovalNeededError": "qpm_lab.errors",
    "DeniedError": "qpm_lab.errors",
    "Job": "qpm_lab.job",
    "Lab": "qpm_lab.lab",
    "QpmError": "qpm_lab.errors",
    "QuotaError": "qpm_lab.errors",
    "Result": "qpm_lab.result",
}
__all__ = ["ApprovalNeededError", "DeniedError", "Job", "Lab", "QpmError", "QuotaError", "Result"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'qpm_lab' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
