"""`%load_ext qpm_magics`: the governed cell and its line magics.

Loading this imports no quantum SDK; the Lab is made when the first magic needs it.
"""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Registers the magics, their completion and the way a Job is shown."""
    from qpm_magics.cards import register_job_formatter
    from qpm_magics.completion import register_completion
    from qpm_magics.magics import QpmMagics

    shell.register_magics(QpmMagics)
    register_completion(shell)
    register_job_formatter(shell)
    atexit.register(_close)


def _close() -> None:
    import sys

    lab = sys.modules.get("qpm_lab.lab")
    if lab is not None:
        lab.close_default_lab()
