"""`qpm provider`, `qpm jobs resume|resolve`, `qpm quote` over several backends: what a terminal does at vendors."""

from __future__ import annotations

import argparse
import time
from typing import Any

from qpm_lab.cli.commands import add_command, add_family, circuit_path, order_keywords, the_lab
from qpm_lab.cli.output import Output
from qpm_lab.errors import InputError, QpmError

ALL = "all"


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    family = add_family(commands, "provider", "vendors' clients: which are installed, and installing them")
    add_command(family, "list", "every vendor, with what it lacks", list_providers)
    for name, summary, run in (
        ("install", "install a vendor's client into an environment of its own", install),
        ("remove", "remove that environment", remove),
    ):
        add_command(family, name, summary, run).add_argument("names", nargs="+", metavar="NAME", help="e.g. iqm")


def add_job_actions(jobs: argparse.ArgumentParser) -> None:
    """Adds what `qpm jobs` does beyond listing."""
    actions = jobs.add_subparsers(title="actions", metavar="ACTION", required=False)
    resume_ = add_command(actions, "resume", "follow jobs at vendors that no process follows, until they end", resume)
    resume_.add_argument("job", nargs="?", metavar="ID", help="only this one")
    resolve_ = add_command(actions, "resolve", "say what became of a parked job", resolve)
    resolve_.add_argument("job", metavar="ID", help="its id or the beginning")
    seen = add_command(actions, "acknowledge", "say that you have looked at a job's overrun", acknowledge)
    seen.add_argument("job", metavar="ID", help="its id or the beginning")
    which = resolve_.add_mutually_exclusive_group(required=True)
    which.add_argument("--vendor-id", metavar="ID", help="the vendor has it, under this id")
    which.add_argument("--not-submitted", action="store_true", help="the vendor does not have it")
    which.add_argument("--give-up", action="store_true", help="the vendor has it, and its answer cannot be used")


def list_providers(options: argparse.Namespace, output: Output) -> int:
    """Prints every vendor."""
    rows = [row for row in the_lab().provider_rows() if row["lookup"] is not None]
    output.show({"providers": rows}, lambda told: "\n".join(map(_provider_line, told["providers"])))
    return 0


def _provider_line(row: dict[str, Any]) -> str:
    shown, more = row["backends"][-4:], len(row["backends"]) - 4  # the last are those that need no key
    told = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    return f"{row['name']:12} {row['state']:14} {row['note'] + ' · ' if row['note'] else ''}{told}"


def install(options: argparse.Namespace, output: Output) -> int:
    """Makes the environment of each vendor named."""
    from qpm_lab.providers.apart import environment

    made = []
    for vendor in [_vendor(name) for name in options.names]:
        made.append({"name": vendor.name, "folder": str(environment.install(vendor, output.progress))})
        output.progress("")
    output.show(
        {"installed": made}, lambda _: "\n".join(f"{each['name']} is ready in {each['folder']}." for each in made)
    )
    return 0


def remove(options: argparse.Namespace, output: Output) -> int:
    """Removes the environment of each vendor named."""
    from qpm_lab.providers.apart import environment

    gone = [vendor.name for vendor in [_vendor(name) for name in options.names] if environment.remove(vendor)]
    output.show({"removed": gone}, lambda _: f"Removed: {', '.join(gone)}." if gone else "There was nothing to remove.")
    return 0


def _vendor(name: str) -> Any:
    from qpm_lab import providers

    known = providers.vendors()
    if name not in known:
        raise InputError(f"There is no vendor {name[:80]!r}.", f"There are: {', '.join(sorted(known))}.")
    return known[name].vendor


def resume(options: argparse.Namespace, output: Output) -> int:
    """Follows what nobody follows, until it ends or the user has enough: the jobs go on all the same."""
    lab = the_lab()
    followed = lab.resume(options.job)
    jobs = [lab.job(each) for each in followed]
    try:
        while any(not job.wait(0.5) for job in jobs):
            output.progress(f"{sum(job.wait(0) for job in jobs)} of {len(jobs)} have ended, Ctrl-C leaves the others")
    except KeyboardInterrupt:
        output.progress("")
    output.progress("")
    rows = [{"job_id": job.id, "status": str(job.status)} for job in jobs]
    text = "\n".join(f"{row['job_id']} {row['status']}" for row in rows) or "No job at a vendor is without a process."
    output.show({"jobs": rows}, lambda _: text)
    return 0


def resolve(options: argparse.Namespace, output: Output) -> int:
    """Records what a person found out at the vendor."""
    from qpm_lab.display import to_text

    lab = the_lab()
    live = lab.resolve(options.job, options.vendor_id, give_up=options.give_up)
    if live is not None:
        live.ended.wait(10)
    document = lab.record(lab.job(options.job).id)
    output.show(document, to_text)
    return 0


def acknowledge(options: argparse.Namespace, output: Output) -> int:
    """Records that somebody has looked at what a job cost above its reservation."""
    from qpm_lab.display import to_text

    lab = the_lab()
    lab.acknowledge(options.job)
    document = lab.record(lab.job(options.job).id)
    output.show(document, to_text)
    return 0


def compare_quotes(options: argparse.Namespace, output: Output) -> int:
    """Prints what the file would cost on several backends."""
    from qpm_lab.display import quotes_text

    keywords = order_keywords(options)
    backends = (
        None
        if keywords["backend"] == ALL
        else [each.strip() for each in keywords["backend"].split(",") if each.strip()]
    )
    rows = the_lab().quotes(circuit_path(options.file), backends, **{**keywords, "backend": "aer/simulator"})
    output.show({"quotes": rows}, lambda told: quotes_text(told["quotes"]))
    return 0


def wait_until_sent(job: Any, output: Output) -> int:
    """Waits until the vendor has a job, or has refused it: then it no longer needs this process."""
    began = time.monotonic()
    while not job.wait(0.3) and not job.is_sent:
        output.progress(f"{job.status} {time.monotonic() - began:.0f} s, Ctrl-C leaves it")
    output.progress("")
    try:
        if job.wait(0):
            job.result()
    except QpmError as error:
        return error.exit_code
    return 0
