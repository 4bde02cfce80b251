"""The governed kernel: an ordinary ipykernel that loads the magics by name."""

from __future__ import annotations

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
