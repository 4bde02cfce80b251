"""Fields of Nexus' answers, which nobody publishes: those that its client 0.51 reads or sends, or has in its tests.

The one whole answer among them is a job that was done on 27 July 2026, in the client's test of runtime traces. Besides
them what JSON:API has around everything, a time for each state of a job, and what Nexus' other resources have in
common. Not looked into are what is ours and comes back (`properties`, `backend_config`), `links`, and what is
`included`: the project, and a description of the machine.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qpm_lab.providers.answers import Known, nothing_else
from qpm_lab.providers.quantinuum_errors import TITLE

if TYPE_CHECKING:
    import httpx

_DOCUMENT = ("data", "included", "links", "meta", "jsonapi")
"""What JSON:API has around everything."""
_RESOURCE = ("id", "type", "attributes", "relationships", "links", "meta")
_ANNOTATIONS = ("name", "description", "properties", "timestamps")
_STATES = ("submitted", "queued", "running", "retrying", "cancelling")
_ENDS = ("completed", "cancelled", "error", "terminated", "depleted")
_TIMES = tuple(f"{state}_time" for state in (*_STATES, *_ENDS))
_STATUS: Known = dict.fromkeys(
    ("status", "message", "error_detail", "queue_position", "cost", "cost_confidence", "n_shots_completed", *_TIMES)
)
_ASKED = ("job_definition_type", "backend_config", "user_group", "target_region", "valid_check", "language")
_USED = ("wasm_module_id", "gpu_decoder_config_id", "credential_name", "batch_id", "is_local", "total_items")
_PROGRAM = ("program_id", "n_shots", "n_qubits", "max_cost", "item_id", "item_uuid", "external_handle")
_ITEM: Known = {
    **dict.fromkeys((*_PROGRAM, "result_id", "result_type", "has_runtime_traces")),
    "status": _STATUS,
}
_JOB: Known = {
    **dict.fromkeys((*_ANNOTATIONS, "job_type")),
    "status": _STATUS,
    "definition": {**dict.fromkeys((*_ASKED, *_USED)), "items": _ITEM},
}
_RESULT: Known = dict.fromkeys(
    (*_ANNOTATIONS, "qubits", "bits", "counts", "shots", "state", "unitary", "density_matrix")
)


def _around(attributes: Known, *relationships: str) -> Known:
    resource = {**dict.fromkeys(_RESOURCE), "attributes": attributes, "relationships": dict.fromkeys(relationships)}
    return {**dict.fromkeys(_DOCUMENT), "data": resource}


_ANSWERS: tuple[tuple[str, str, Known], ...] = (
    ("/api/jobs/v1beta3", "", dict.fromkeys(_DOCUMENT)),
    ("/api/jobs/v1beta3", "/ID", _around(_JOB, "project", "programs", "system", "creator")),
    ("/api/results/v1beta3", "/ID", _around(_RESULT, "project", "program", "job", "creator")),
)


class Look:
    """Called by Nexus' client with each answer as it came: it passes over what it does not read.

    Args:
        strict: Whether fields that nobody has read about are refused.
    """

    def __init__(self, strict: bool) -> None:
        self._strict = strict
        self.on = False
        """Whether what is asked now is read for what it says."""

    def __call__(self, response: httpx.Response) -> None:
        if not (self.on and self._strict and response.request.method == "GET" and response.status_code == 200):
            return
        for start, end, known in _ANSWERS:
            if re.fullmatch(start + end.replace("ID", "[^/]+") + "/?", response.request.url.path):
                response.read()
                with suppress(ValueError, RecursionError):  # What is no JSON, the client finds.
                    nothing_else(_filled(json.loads(response.content)), known, vendor=TITLE, what=f"GET {start}{end}")


def _filled(document: Any) -> Any:
    """A result without the forms in which it does not come: to the client too, empty ones are not there."""
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or data.get("type") != "result" or not isinstance(data.get("attributes"), dict):
        return document
    there = {name: value for name, value in data["attributes"].items() if value is not None and value != []}
    return {**document, "data": {**data, "attributes": there}}
