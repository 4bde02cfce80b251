"""IQM's client, made so that it refuses answers with fields which nobody here has read about.

Known are those of the client's own models, and those of Resonance's API v1 that it passes over. Of a job these are
`qc`, which its models name in a remark, and `runtime_ms` of one that has ended: no recorded job is public, but the
Rust client of Arvak, which is written after Resonance's answers, reads both.
"""

from __future__ import annotations

from typing import Any

from qpm_lab.providers.answers import no_others

_ALSO_SENT = frozenset({"qc", "runtime_ms", "move_validation_mode", "move_gate_frame_tracking_mode"})
"""Fields of API v1 that the client knows of but does not read."""


def connected(url: str, machine: str, token: str | None, *, unknown_fields: bool) -> Any:
    """IQM's client for one machine; it asks the server for it by name.

    Args:
        url: Of the IQM Server.
        machine: Its alias there.
        token: The key.
        unknown_fields: Whether answers may have some. The answer to a submission always may: it names the job.
    """
    from iqm.iqm_client import IQMClient
    from iqm.iqm_server_client.iqm_server_client import IQMServerClient
    from iqm.iqm_server_client.iqm_server_executor import IQMServerExecutor
    from iqm.iqm_server_client.iqm_server_storage import IQMServerStorage

    server: Any = IQMServerClient(iqm_server_url=url, quantum_computer=machine, token=token)
    read = server.deserialize_response

    def strictly(response: Any, model: Any, **options: Any) -> Any:
        document = response.json() if response.request.method == "GET" else None
        if isinstance(document, dict):
            no_others(document, _ALSO_SENT | set(model.model_fields), vendor="IQM", what=f"GET {model.__name__}")
        return read(response, model, **options)

    if not unknown_fields:
        server.deserialize_response = strictly
    return IQMClient(executor=IQMServerExecutor(client=server), storage=IQMServerStorage(client=server))
