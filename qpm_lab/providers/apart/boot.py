"""Starts the process apart: run by path, in whatever environment has the vendor's client.

Only this package is taken from where qpm_lab is installed; nothing beside it, so that no library of the main
environment comes along.
"""

import importlib.util
import sys
from pathlib import Path


def _load() -> None:
    folder = Path(__file__).resolve().parents[2]
    spec = importlib.util.spec_from_file_location(
        "qpm_lab", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["qpm_lab"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    _load()
    from qpm_lab.providers.apart.server import main

    main()
