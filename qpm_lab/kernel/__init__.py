"""The governed kernel: an ordinary ipykernel that loads the magics by name."""

from __future__ import annotations

from typing import Any

from ipykernel.ipkernel import IPythonKernel

from qpm_lab import __version__


class GovernedKernel(IPythonKernel):
    """`IPythonKernel` under its own name; everything an ordinary notebook does still works."""

    implementation = "qpm"
    implementation_version = __version__

    @property
    def banner(self) -> str:
        ours = "Governed Quantum: begin a cell with %%qjob, or read %%qjob?\n"
        return str(self.shell.banner) + ours

    def do_history(self, hist_access_type: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """History as ipykernel gives it, with the running session under its own number also for ranges."""
        reply: dict[str, Any] = super().do_history(hist_access_type, *args, **kwargs)
        if hist_access_type == "range":
            running = self.shell.history_manager.session_number
            reply["history"] = [(session or running, *rest) for session, *rest in reply["history"]]
        return reply
