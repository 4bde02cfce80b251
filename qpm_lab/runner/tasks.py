"""From a judged plan to what is handed to a backend."""

from __future__ import annotations

import secrets

from qpm_lab import providers
from qpm_lab.circuits import Bindings
from qpm_lab.errors import ProviderError
from qpm_lab.providers.interface import Task
from qpm_lab.runner.plan import Plan

QUICK_SECONDS = 0.05
QUICK_QUBITS = 12
"""A job that should take no longer runs in the caller's thread; wider circuits may need long for their fidelity."""


def task_of(plan: Plan) -> Task:
    """The user's circuits and all their shots, under a token drawn for this attempt.

    Raises:
        ProviderError: the backend is not ready.
    """
    info = plan.request.backend
    if info.state != "ready":
        raise ProviderError(f"Backend {info.id} is not ready. {info.note}", "See %qbackends.")
    return Task(
        backend=info,
        circuits=tuple(p.circuit for p in plan.prepared),
        shots=plan.request.shots,
        seed=plan.drawn_seed,
        token=secrets.token_hex(16),
        bindings=_bindings(plan),
        forms=tuple(p.form for p in plan.prepared),
    )


def _bindings(plan: Plan) -> tuple[Bindings | None, ...]:
    bindings = tuple(p.bindings for p in plan.prepared)
    return bindings if any(bindings) else ()


def is_quick(task: Task) -> bool:
    """True when it should be done at once."""
    if any(circuit.num_qubits > QUICK_QUBITS for circuit in task.circuits):
        return False
    return providers.provider_of(task.backend.id).expected_seconds(task) <= QUICK_SECONDS
