"""`qpm run|quote|explain|jobs|show|usage|backends`: circuits and what became of them."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpm_lab.cli.commands import Run, add_command
from qpm_lab.cli.output import Output
from qpm_lab.errors import CancelledError, DeniedError, InputError, QpmError
from qpm_lab.options import (
    add_job_options,
    add_list_options,
    add_usage_options,
    job_arguments,
    list_filters,
    parameter_values,
)

if TYPE_CHECKING:
    from qpm_lab.job import Job
    from qpm_lab.lab import Lab

SUFFIXES = (".qasm", ".qasm2", ".qasm3", ".qpy")


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    run = _circuit_command(commands, "run", "run a circuit file as a governed job", run_file)
    run.add_argument("--no-wait", action="store_true", help="refused: a local job cannot outlive this command")
    run.add_argument("--dry-run", action="store_true", help="only explain: nothing is recorded or spent")
    _circuit_command(commands, "quote", "what a job would cost", quote_file)
    _circuit_command(commands, "explain", "whether a job may run now, and every reason why not", explain_file)
    jobs = add_command(commands, "jobs", "the newest jobs", list_jobs)
    add_list_options(jobs)
    jobs.add_argument("--before", metavar="ID", help="the page after the one that ended with this job")
    add_command(commands, "show", "one job", show_job).add_argument("job", metavar="ID", help="its id or the beginning")
    add_usage_options(add_command(commands, "usage", "who used what, and what is left", show_usage))
    add_command(commands, "backends", "where a job can run", list_backends)


def run_file(options: argparse.Namespace, output: Output) -> int:
    """Runs the file and prints the job's record."""
    if options.no_wait:
        raise InputError(
            "--no-wait has no use here: a local simulation ends with the command that runs it.",
            "Leave it out, or use %%qjob --no-wait in a notebook.",
        )
    lab = _lab()
    if options.dry_run:
        return explain_file(options, output)
    try:
        job = lab.submit(_source(options.file), **_keywords(options))
    except DeniedError as denied:
        _show_record(lab.record(denied.job_id or ""), output)
        return denied.exit_code
    return _wait(job, output)


def _wait(job: Job, output: Output) -> int:
    failure: QpmError | None = None
    try:
        _wait_with_progress(job)
        job.result()
    except KeyboardInterrupt:
        job.cancel()
        job.wait(10)
        Output.progress("")
        _show_record(job.record(), output)
        return CancelledError.exit_code
    except QpmError as error:
        failure = error
    _show_record(job.record(), output)
    return failure.exit_code if failure else 0


def _wait_with_progress(job: Job) -> None:
    began = time.monotonic()
    while not job.wait(1.0):
        progress = job.record()["progress"] or {}
        done = f"{progress['done']:,} of {progress['total']:,} {progress['unit']} " if progress.get("total") else ""
        Output.progress(f"{job.status} {done}{time.monotonic() - began:.0f} s, Ctrl-C cancels")
    Output.progress("")


def quote_file(options: argparse.Namespace, output: Output) -> int:
    """Prints the quote."""
    from qpm_lab.display import quote_text

    document = _lab().dry_run(_source(options.file), **_keywords(options))
    output.show({"quote": document["quote"]}, lambda: quote_text(document))
    return 0


def explain_file(options: argparse.Namespace, output: Output) -> int:
    """Prints the decision as it would be now; exits as the job would."""
    document = _lab().dry_run(_source(options.file), **_keywords(options))
    _show_record(document, output)
    return _decision_code(document["decision"])


def list_jobs(options: argparse.Namespace, output: Output) -> int:
    """Prints one page of jobs."""
    if options.cancel is not None:
        _show_record(_lab().cancel(options.cancel), output)
        return 0
    filters = list_filters(options)
    page = _lab().page(limit=options.limit, before=options.before, **filters)
    output.show(page, lambda: _jobs_told(page, filtered=any(filters.values())))
    return 0


def _jobs_told(page: dict[str, Any], *, filtered: bool) -> str:
    from qpm_lab.display import jobs_text

    text = jobs_text(page["jobs"], filtered=filtered, more=page["more"])
    return f"{text}\nOlder ones: --before {page['jobs'][-1]['job_id']}" if page["more"] else text


def show_job(options: argparse.Namespace, output: Output) -> int:
    """Prints one job's record."""
    _show_record(_lab().job(options.job).record(), output)
    return 0


def show_usage(options: argparse.Namespace, output: Output) -> int:
    """Prints usage and quotas."""
    from qpm_lab.display import budgets_text, usage_text

    lab = _lab()
    document = {"by": options.by, "usage": lab.usage_rows(by=options.by), "quota": lab.budgets()}
    output.show(document, lambda: f"{usage_text(document['usage'], options.by)}\n\n{budgets_text(document['quota'])}")
    return 0


def list_backends(options: argparse.Namespace, output: Output) -> int:
    """Prints every backend with its state."""
    from qpm_lab.display import backends_text

    rows = _lab().backend_rows()
    output.show({"backends": rows}, lambda: backends_text(rows))
    return 0


def _circuit_command(commands: Any, name: str, summary: str, run: Run) -> argparse.ArgumentParser:
    parser = add_command(commands, name, summary, run)
    parser.add_argument("file", metavar="FILE", help="OpenQASM 2 or 3 (.qasm) or QPY (.qpy)")
    add_job_options(parser)
    return parser


def _keywords(options: argparse.Namespace) -> dict[str, Any]:
    parameters = parameter_values(options)
    stem = Path(options.file).stem[:120]
    name = options.name or (stem if stem.isprintable() else None)
    return {**job_arguments(options), "name": name, "parameters": parameters or None}


def _source(name: str) -> Path:
    path = Path(name)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{name}: not a circuit file.", f"Give a file ending in {', '.join(SUFFIXES)}.")
    if path.is_dir():
        raise InputError(f"{name}: this is a folder.", "Give one circuit file.")
    if not path.is_file():
        raise InputError(f"{name}: no such file.", "Check the path.")
    return path


def _show_record(document: dict[str, Any], output: Output) -> None:
    from qpm_lab.display import to_text

    output.show(document, lambda: to_text(document))


def _decision_code(decision: dict[str, Any]) -> int:
    if decision["effect"] == "allow":
        return 0
    if decision["effect"] == "needs-approval":
        return 7
    return 4 if all(r["kind"] == "quota" for r in decision["reasons"]) else 3


def _lab() -> Lab:
    from qpm_lab.lab import default_lab

    return default_lab(notebook_run="")
