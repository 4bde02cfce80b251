"""`python -m qpm_lab.kernel -f CONNECTION_FILE` starts the governed kernel."""

from __future__ import annotations

from ipykernel.kernelapp import IPKernelApp

from qpm_lab.kernel import GovernedKernel


class GovernedKernelApp(IPKernelApp):
    """Loads the magics beside whatever the user's profile loads."""

    kernel_class = GovernedKernel

    def init_extensions(self) -> None:
        super().init_extensions()
        self.shell.extension_manager.load_extension("qpm_magics")


if __name__ == "__main__":
    GovernedKernelApp.launch_instance()
