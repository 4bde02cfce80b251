"""`%qplan`, `%qcompare`, `%qcanary` and jobs repeated: what they ask of the Lab and how the answer is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import DeniedError, InputError
from qpm_lab.options.studies import canary_arguments, canary_prefix, compare_arguments, several
from qpm_magics import lines
from qpm_magics.cards import display_both, show, told_when_slow

if TYPE_CHECKING:
    import argparse

    from IPython.core.interactiveshell import InteractiveShell

    from qpm_lab.lab import Lab


def show_plan(lab: Lab, value: Any, expression: str, options: argparse.Namespace, keywords: Mapping[str, Any]) -> None:
    """Shows how many shots a fidelity needs, and their price."""
    from qpm_lab.display import plan_html, plan_text

    given = {name: known for name, known in keywords.items() if name != "backend"}
    backends = several(options.backends) or several(options.backend)
    prefix = f"%qjob {expression}"
    document = lab.plan_shots(value, options.half_width, backends, level=options.level, prefix=prefix, **given)
    display_both(plan_html(document), plan_text(document))


def show_comparison(lab: Lab, shell: InteractiveShell, options: argparse.Namespace) -> None:
    """Shows whether runs are the same."""
    from qpm_lab.display import comparison_html, comparison_text

    jobs = [job for word in options.jobs for job in named(shell, word)]
    document = lab.compare(jobs, **compare_arguments(options))
    display_both(comparison_html(document), comparison_text(document))


def named(shell: InteractiveShell, word: str) -> list[Any]:
    """The Job or Jobs of a variable; else the word itself, which is an id.

    Raises:
        InputError: a variable holds something else.
    """
    from qpm_lab.job import Job

    if word not in shell.user_ns:
        return [word]
    value = shell.user_ns[word]
    jobs = list(value) if isinstance(value, list | tuple) else [value]
    if jobs and all(isinstance(job, Job) for job in jobs):
        return jobs
    raise InputError(
        f"{word} is a {type(value).__name__}, not a Job.", "Give Jobs, for example from %%qjob -o NAME, or their ids."
    )


def show_canary(lab: Lab, shell: InteractiveShell, options: argparse.Namespace) -> None:
    """Runs a canary, or looks at its history, and shows that."""
    from qpm_lab.display import canary_html, canary_text

    circuit = None if options.circuit is None else lines.evaluate(shell, options.circuit, "%qcanary --circuit")
    prefix = canary_prefix("%qcanary", options)
    with refusal_shown(lab):
        document = lab.canary(options.backend, circuit, prefix=prefix, **canary_arguments(options))
    display_both(canary_html(document), canary_text(document))


def show_dry_run_again(lab: Lab, job_id: str, changes: Mapping[str, Any]) -> None:
    """Explains what repeating a job would mean; nothing is recorded."""
    from qpm_lab.runner.again import options_of, order_again

    order = order_again(lab.ledger, job_id, changes)
    show(lab.dry_run(order.source, **options_of(order)))


@contextmanager
def refusal_shown(lab: Lab) -> Iterator[None]:
    """Shows the card of a job that is refused within, before its error goes on."""
    try:
        with told_when_slow("Preparing the job; a vendor's client may take some seconds to start …"):
            yield
    except DeniedError as denied:
        if denied.job_id:
            show(lab.record(denied.job_id))
        raise
