"""`qpm doctor`: is everything in place here, and if not, what to do."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterator
from typing import Any

from qpm_lab.cli.commands import add_command
from qpm_lab.cli.output import Output
from qpm_lab.errors import IntegrityError, QpmError

PACKAGES = (
    "qpm-lab",
    "qiskit",
    "qiskit-aer",
    "pennylane",
    "jupyterlab",
    "ipykernel",
    "cedarpy",
    "sqlalchemy",
)
MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}
Check = tuple[str, str, str, str]
"""Name, state (ok, warning, failed), what was found, what to do."""


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    add_command(commands, "doctor", "check this installation, its ledger and its policies", doctor)


def doctor(options: argparse.Namespace, output: Output) -> int:
    """Prints every check; exit code 5 when one failed, 8 when the ledger does not verify."""
    checks: list[Check] = []
    code = 0
    for examine in (_python, _packages, _policies, _ledger, _backends, _jupyter):
        try:
            checks.extend(examine())
        except QpmError as error:
            checks.append((examine.__name__.strip("_"), "failed", error.message, error.hint))
            code = max(code, error.exit_code if error.exit_code == 8 else 5)
    if any(state == "failed" for _, state, _, _ in checks):
        code = code or 5
    names = ("check", "state", "found", "fix")
    document = {"ok": code == 0, "checks": [dict(zip(names, c, strict=True)) for c in checks]}
    output.show(document, lambda _: "\n".join(_line(check) for check in checks))
    return code


def _line(check: Check) -> str:
    name, state, found, fix = check
    return f"{MARKS[state]} {name:16} {found}" + (f"\n{'':19}{fix}" if fix else "")


def _python() -> Iterator[Check]:
    yield "python", "ok", f"{platform.python_version()} at {sys.executable}", ""


def _packages() -> Iterator[Check]:
    for name in PACKAGES:
        try:
            yield name, "ok", importlib.metadata.version(name), ""
        except importlib.metadata.PackageNotFoundError:
            yield name, "failed", "not installed", f"Install it: pip install {name}"


def _policies() -> Iterator[Check]:
    from qpm_lab.lab import current_user
    from qpm_lab.policy import find_bundle

    bundle = find_bundle(os.environ.get("QPM_POLICIES") or None)
    if bundle.problems:
        found = f"{bundle.name} is broken and refuses everything: {bundle.problems[0]}"
        yield "policies", "failed", found, "Mend what `qpm policy check` lists."
        return
    yield "policies", "ok", f"{bundle.name} {bundle.version[:19]}…", ""
    user = current_user()
    if bundle.members(user).known:
        yield "user", "ok", user, ""
    else:
        yield "user", "failed", f"{bundle.name} does not know {user!r}", "Ask its owner to add you to entities.json."


def _ledger() -> Iterator[Check]:
    from qpm_lab.lab import default_home
    from qpm_lab.ledger import Ledger

    home, url = default_home(), os.environ.get("QPM_LEDGER_URL") or None
    report = Ledger.open(home, url).verify()
    yield "home", "ok", str(home), ""
    if not report.ok:
        raise IntegrityError(report.problems[0], "Restore the ledger from a copy; see `qpm ledger verify`.")
    yield "ledger", "ok", f"verifies up to entry {report.entries:,}", ""


def _backends() -> Iterator[Check]:
    from qpm_lab.providers import all_backends

    ready = [info.id for info in all_backends() if info.state == "ready"]
    yield "backends", "ok" if ready else "failed", ", ".join(ready) or "none is ready", ""


def _jupyter() -> Iterator[Check]:
    yield _found("kernel", _kernelspec, "Install the wheel into the environment that runs JupyterLab.")
    yield _found("labextension", _labextension, "Install the wheel, or build it with `make build`.")


def _found(name: str, find: Callable[[], str | None], fix: str) -> Check:
    where = find()
    return (name, "ok", where, "") if where else (name, "warning", "not found", fix)


def _kernelspec() -> str | None:
    from jupyter_client.kernelspec import KernelSpecManager

    return KernelSpecManager().find_kernel_specs().get("qpm")


def _labextension() -> str | None:
    from pathlib import Path

    from jupyter_core.paths import jupyter_path

    folders = (Path(path) / "qpm-lab" for path in jupyter_path("labextensions"))
    return next((str(f) for f in folders if (f / "package.json").is_file()), None)
