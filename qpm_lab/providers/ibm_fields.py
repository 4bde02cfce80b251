"""Fields of IBM's answers: of its OpenAPI description whose usage has the form of API version 2026-04-15.

Besides them those that its client reads, some of earlier descriptions (2025-05-01) that do no harm, and `value`, `unit`
and `details` of the usage, which no description has: metrics recorded on ibm_kingston on 28 September 2026 hold them
(BuildersArk/qobserva at 2961891, tests/agent/test_execution_details.py); others of those days, of an open plan, do not
(SSIT-Q/gradvar-phoenix at 8f5cc28, data/runs). They repeat the charged seconds in units of the account. Results are by
the schema of `executor` programs, v2.0, that the client brings along.

Not looked into are a job's `params`, `tags` and `remote_storage` and a result's `passthrough_data`, which are ours and
come back, and `metadata`, which says how long things took. A machine's configuration and properties grow all the time,
and its client takes them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from qpm_lab.providers.answers import Known

_USAGE: Known = {
    **dict.fromkeys(("qpu_charge_time_seconds", "status", "value", "unit")),
    "details": {"value": None, "unit": None, "metric": {"id": None, "value": None}},
}
_STATE: Known = dict.fromkeys(("status", "reason", "reason_code", "reasonCode", "reason_solution"))
_PLAIN = ("id", "backend", "status", "params", "created", "runtime", "cost", "tags", "remote_storage", "session_id")
_ESTIMATES = ("estimated_running_time_seconds", "estimated_max_running_time_seconds")
JOB: Known = {
    **dict.fromkeys((*_PLAIN, "user_id", "private", "calibration_id", *_ESTIMATES)),
    "state": _STATE,
    "program": {"id": None},
    "usage": _USAGE,
}
JOBS: Known = dict.fromkeys(("jobs", "count", "offset", "limit"))
METRICS: Known = {
    **dict.fromkeys(("caller", "circuits_execution_time_ns", "qiskit_version", "position_in_queue")),
    # Of earlier descriptions, for jobs that wait.
    **dict.fromkeys(("position_in_provider", "estimated_start_time", "estimated_completion_time")),
    "timestamps": dict.fromkeys(("created", "running", "finished")),
    "usage": _USAGE,
}
STATUS: Known = dict.fromkeys(("state", "status", "message", "length_queue", "backend_version"))
_REGISTERS: Mapping[str, Known] = {"c": dict.fromkeys(("data", "shape", "dtype"))}
"""A further array would say how these bits are to be read: which of them were flipped, which shots count."""
RESULTS: Known = {
    **dict.fromkeys(("schema_version", "metadata", "passthrough_data", "semantic_role")),
    "data": {"results": _REGISTERS, "metadata": None},
}
