"""`qpm run|quote|explain|jobs|show|usage|backends`: circuits and what became of them."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from qpm_lab.cli.commands import Run, add_command, circuit_path, order_keywords, the_lab
from qpm_lab.cli.output import Output
from qpm_lab.cli.vendors import ALL, add_job_actions, compare_quotes, wait_until_sent
from qpm_lab.errors import CancelledError, DeniedError, InputError, QpmError
from qpm_lab.options import (
    add_job_options,
    add_list_options,
    add_usage_options,
    list_filters,
    parameter_values,
)
from qpm_lab.options.studies import add_again_option, changes

if TYPE_CHECKING:
    from qpm_lab.job import Job
    from qpm_lab.lab import Lab

CIRCUIT = "OpenQASM 2 or 3 (.qasm) or QPY (.qpy)"
BACKEND, SHOTS = "aer/simulator", 1024
"""What a job runs on, and how often, unless an option says otherwise."""


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    run = _circuit_or_job_command(commands, "run", "run a circuit file as a governed job", run_file)
    run.add_argument("--no-wait", action="store_true", help="end once a vendor has the job; it goes on there")
    run.add_argument("--dry-run", action="store_true", help="only explain: nothing is recorded or spent")
    _circuit_command(commands, "quote", "what a job would cost", quote_file)
    explain = _circuit_or_job_command(
        commands, "explain", "whether a job may run now, and every reason why not", explain_file
    )
    explain.add_argument("--route", action="store_true", help="compare the backends of a route: auto or route:NAME")
    jobs = add_command(commands, "jobs", "the newest jobs", list_jobs)
    add_list_options(jobs)
    add_job_actions(jobs)
    jobs.add_argument("--before", metavar="ID", help="the page after the one that ended with this job")
    add_command(commands, "show", "one job", show_job).add_argument("job", metavar="ID", help="its id or the beginning")
    add_usage_options(add_command(commands, "usage", "who used what, and what is left", show_usage))
    backends = add_command(commands, "backends", "where a job can run", list_backends)
    backends.add_argument("--live", action="store_true", help="ask the vendors: availability, queue, calibration")


def run_file(options: argparse.Namespace, output: Output) -> int:
    """Runs the file and prints the job's record."""
    if options.dry_run:
        return explain_file(options, output)
    _settle(options)
    lab = the_lab()
    if options.no_wait and options.again is None:
        _require_vendor(options.backend)
    try:
        with output.busy("preparing; a vendor's client may take some seconds to start"):
            job = _submitted(lab, options)
    except DeniedError as denied:
        _show_record(lab.record(denied.job_id or ""), output)
        return denied.exit_code
    if options.no_wait:
        code = wait_until_sent(job, output)
        _show_record(job.record(), output)
        return code
    return _wait(job, output)


def _require_vendor(backend_id: str) -> None:
    from qpm_lab import providers
    from qpm_lab.runner.route_taken import is_route

    if not is_route(backend_id) and providers.backend(backend_id).local:
        raise InputError(
            "--no-wait has no use here: a local simulation ends with the command that runs it.",
            "Leave it out; in a notebook a cell need not wait for it.",
        )


def _settle(options: argparse.Namespace) -> None:
    """Where a file runs unless an option says otherwise; a repeated job keeps what was recorded.

    Raises:
        InputError: there is neither a file nor a job, or both.
    """
    if options.file is None and options.again is None:
        raise InputError("There is no circuit.", "Give a circuit file, or --again ID to repeat a job.")
    if options.file is not None and options.again is not None:
        raise InputError(
            f"--again repeats the circuit of a recorded job, and {options.file} is another.", "Leave out one of them."
        )
    if options.again is None:
        options.backend, options.shots = options.backend or BACKEND, SHOTS if options.shots is None else options.shots


def _submitted(lab: Lab, options: argparse.Namespace) -> Job:
    if options.again:
        return _again(lab, options)
    return lab.submit(circuit_path(options.file), **order_keywords(options))


def _again(lab: Lab, options: argparse.Namespace) -> Job:
    return lab.again(options.again, **changes(options, parameter_values(options)))


def _wait(job: Job, output: Output) -> int:
    failure: QpmError | None = None
    try:
        _wait_with_progress(job)
        job.result()
        job.require_validation()
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

    if "," in options.backend or options.backend == ALL:
        return compare_quotes(options, output)
    document = the_lab().dry_run(circuit_path(options.file), **order_keywords(options))
    output.show({"quote": document["quote"]}, lambda told: quote_text({**document, **told}))
    return 0


def explain_file(options: argparse.Namespace, output: Output) -> int:
    """Prints the decision as it would be now; exits as the job would."""
    if getattr(options, "route", False):
        return _explain_route(options, output)
    _settle(options)
    document = _explained(the_lab(), options)
    _show_record(document, output)
    return _decision_code(document["decision"])


def _explain_route(options: argparse.Namespace, output: Output) -> int:
    """Prints every backend of a route; exits with 5 when none would take the job."""
    from qpm_lab.display import route_text

    if options.again is not None:
        raise InputError("--route and --again do not go together.", "Give the circuit's file.")
    options.backend = options.backend or "auto"
    _settle(options)
    document = the_lab().explain_route(circuit_path(options.file), **order_keywords(options))
    output.show(document, route_text)
    return 0 if document["chosen"] else 5


def _explained(lab: Lab, options: argparse.Namespace) -> dict[str, Any]:
    if options.again is None:
        return lab.dry_run(circuit_path(options.file), **order_keywords(options))
    from qpm_lab.runner.again import options_of, order_again

    order = order_again(lab.ledger, options.again, changes(options, parameter_values(options)))
    return lab.dry_run(order.source, **options_of(order))


def list_jobs(options: argparse.Namespace, output: Output) -> int:
    """Prints one page of jobs."""
    if options.cancel is not None:
        _show_record(the_lab().cancel(options.cancel), output)
        return 0
    filters = list_filters(options)
    page = the_lab().page(limit=options.limit, before=options.before, **filters)
    output.show(page, lambda told: _jobs_told(told, filtered=any(filters.values())))
    return 0


def _jobs_told(page: dict[str, Any], *, filtered: bool) -> str:
    from qpm_lab.display import jobs_text

    text = jobs_text(page["jobs"], filtered=filtered, more=page["more"])
    return f"{text}\nOlder ones: --before {page['jobs'][-1]['job_id']}" if page["more"] else text


def show_job(options: argparse.Namespace, output: Output) -> int:
    """Prints one job's record."""
    _show_record(the_lab().job(options.job).record(), output)
    return 0


def show_usage(options: argparse.Namespace, output: Output) -> int:
    """Prints usage and quotas."""
    from qpm_lab.display import budgets_text, usage_text

    lab = the_lab()
    document = {"by": options.by, "usage": lab.usage_rows(by=options.by), "quota": lab.budgets()}
    output.show(document, lambda told: f"{usage_text(told['usage'], options.by)}\n\n{budgets_text(told['quota'])}")
    return 0


def list_backends(options: argparse.Namespace, output: Output) -> int:
    """Prints every backend with its state."""
    from qpm_lab.display import backends_text
    from qpm_lab.providers.chaos import FORM

    with output.busy("asking the vendors"):
        rows = the_lab().backend_rows(live=options.live)
    document = {"providers": the_lab().provider_rows(), "backends": rows, "faults_on_demand": FORM}
    output.show(document, lambda told: f"{backends_text(told['backends'])}\n\nFaults on demand, for tests: {FORM}")
    return 0


def _circuit_command(commands: Any, name: str, summary: str, run: Run) -> argparse.ArgumentParser:
    parser = add_command(commands, name, summary, run)
    parser.add_argument("file", metavar="FILE", help=CIRCUIT)
    add_job_options(parser)
    return parser


def _circuit_or_job_command(commands: Any, name: str, summary: str, run: Run) -> argparse.ArgumentParser:
    """The same for a command that also takes a job to repeat, whose own backend and shots then hold."""
    parser = add_command(commands, name, summary, run)
    parser.add_argument("file", nargs="?", metavar="FILE", help=CIRCUIT)
    add_job_options(parser)
    add_again_option(parser)
    parser.set_defaults(backend=None, shots=None)
    return parser


def _show_record(document: dict[str, Any], output: Output) -> None:
    from qpm_lab.display import to_text

    output.show(document, to_text)


def _decision_code(decision: dict[str, Any]) -> int:
    if decision["effect"] == "allow":
        return 0
    if decision["effect"] == "needs-approval":
        return 7
    return 4 if all(r["kind"] == "quota" for r in decision["reasons"]) else 3
