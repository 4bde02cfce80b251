"""The magics: each parses its line, calls the Lab and shows what came back."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from traitlets import Int, Unicode

from qpm_lab.circuits.names import circuit_names
from qpm_lab.errors import CancelledError, InputError
from qpm_lab.experiment import OPEN
from qpm_lab.options import list_filters, session_arguments
from qpm_lab.runner.naming import own_name
from qpm_magics import lines, pages, secrets, sessions, studies, vendors
from qpm_magics.body import run_body
from qpm_magics.cards import display_both

if TYPE_CHECKING:
    import argparse

    from qpm_lab.job import Job
    from qpm_lab.lab import Lab
    from qpm_lab.options import OptionParser


@magics_class
class QpmMagics(Magics):
    """Governed quantum jobs in a cell; defaults come from config, e.g. `c.QpmMagics.backend = "aer/noisy"`."""

    backend = Unicode("aer/simulator", help="Where jobs run unless --backend says otherwise.").tag(config=True)
    shots = Int(1024, help="Shots unless --shots says otherwise.").tag(config=True)

    @no_var_expand
    @line_cell_magic
    def qjob(self, line: str, cell: str | None = None) -> Job | None:
        __tracebackhide__ = True
        if cell is None:
            expression, rest = lines.split_expression(line)
            options = self._parse(lines.job_parser("%qjob"), rest)
            self._check_output_name(options)
            if options.again:
                return self._again(expression, options)
            return self._run(lines.evaluate(self.shell, expression, "%qjob"), options)
        options = self._parse(lines.job_parser(), line)
        self._check_output_name(options)
        if options.again:
            raise InputError("--again needs no cell.", f"Write %qjob --again {options.again} on a line of its own.")
        return self._run(run_body(self.shell, cell), options)

    @no_var_expand
    @line_magic
    def qquote(self, line: str) -> None:
        value, keywords = self._look("%qquote", line)
        if "," in keywords["backend"] or keywords["backend"] == "all":
            vendors.show_quotes(self._lab, value, keywords)
            return
        from qpm_lab.display import quote_html, quote_text

        document = self._lab.dry_run(value, **keywords)
        display_both(quote_html(document), quote_text(document))

    @no_var_expand
    @line_magic
    def qexplain(self, line: str) -> None:
        from qpm_magics.cards import show

        expression, rest = lines.split_expression(line)
        options = self._parse(lines.explain_parser(), rest)
        value, keywords = self._looked_at("%qexplain", expression, options)
        if options.route:
            vendors.show_route(self._lab, value, keywords)
        else:
            show(self._lab.dry_run(value, **keywords))

    @line_magic
    def qjobs(self, line: str) -> None:
        from qpm_lab.display import jobs_html, jobs_text
        from qpm_magics.cards import show

        options = lines.parse(lines.jobs_parser(), line)
        if options.cancel is not None:
            show(self._lab.cancel(options.cancel))
        elif options.job:
            show(self._lab.job(options.job).record())
        else:
            filters = list_filters(options)
            page = self._lab.page(limit=options.limit, **filters)
            rows, how = page["jobs"], {"filtered": any(filters.values()), "more": page["more"]}
            display_both(jobs_html(rows, **how), jobs_text(rows, **how))

    @line_magic
    def qusage(self, line: str) -> None:
        from qpm_lab.display import budgets_html, budgets_text, usage_html, usage_text

        options = lines.parse(lines.usage_parser(), line)
        rows, quota = self._lab.usage_rows(by=options.by), self._lab.budgets()
        html = usage_html(rows, options.by) + budgets_html(quota)
        display_both(html, usage_text(rows, options.by) + "\n\n" + budgets_text(quota))

    @line_magic
    def qbackends(self, line: str) -> None:
        from qpm_lab.display import backends_html, backends_text

        if line.split() not in ([], ["--live"]):
            raise InputError("%qbackends takes only --live.", "Write %qbackends, or %qbackends --live.")
        rows = self._lab.backend_rows(live=bool(line.strip()))
        display_both(backends_html(rows), backends_text(rows))

    @no_var_expand
    @line_magic
    def qsession(self, line: str) -> None:
        options = lines.parse(lines.session_parser(), line)
        keywords = session_arguments(options)
        if options.close:
            sessions.show_closed(self._lab, keywords)
        elif keywords:
            sessions.show_opened(self._lab, {"backend": self.backend, **keywords})
        else:
            sessions.show_open(self._lab)

    @no_var_expand
    @line_magic
    def qplan(self, line: str) -> None:
        expression, rest = lines.split_expression(line)
        parser = lines.plan_parser()
        parser.set_defaults(backend=None, shots=self.shots)
        options = lines.parse(parser, rest)
        value = lines.evaluate(self.shell, expression, "%qplan")
        keywords = lines.order_options(self.shell, options)
        keywords["name"] = options.name or self._name(value)
        studies.show_plan(self._lab, value, expression, options, keywords)

    @no_var_expand
    @line_magic
    def qcompare(self, line: str) -> None:
        studies.show_comparison(self._lab, self.shell, lines.parse(lines.compare_parser(), line))

    @no_var_expand
    @line_magic
    def qcanary(self, line: str) -> None:
        studies.show_canary(self._lab, self.shell, lines.parse(lines.canary_parser(), line))

    @no_var_expand
    @line_magic
    def qsecret(self, line: str) -> None:
        secrets.run(line)

    @line_magic
    def qform(self, line: str) -> Any:
        from qpm_lab.display.widget import JobForm

        name = line.strip()
        if name and name not in circuit_names(self.shell.user_ns):
            raise InputError(f"There is no circuit named {name!r}.", "Define it in a cell, then run %qform again.")
        form = JobForm(self._lab, self.shell.user_ns)
        if name:
            form.choose(name)
        return form.widget

    qjob.__doc__ = pages.QJOB + "\n" + lines.job_parser().format_help()
    qquote.__doc__ = pages.QQUOTE + "\n" + lines.circuit_parser("%qquote EXPR").format_help()
    qexplain.__doc__ = pages.QEXPLAIN + "\n" + lines.explain_parser().format_help()
    qjobs.__doc__ = pages.QJOBS + "\n" + lines.jobs_parser().format_help()
    qusage.__doc__ = pages.QUSAGE + "\n" + lines.usage_parser().format_help()
    qbackends.__doc__ = pages.QBACKENDS
    qsession.__doc__ = pages.QSESSION + "\n" + lines.session_parser().format_help()
    qform.__doc__ = pages.QFORM
    qplan.__doc__ = pages.QPLAN + "\n" + lines.plan_parser().format_help()
    qcompare.__doc__ = pages.QCOMPARE + "\n" + lines.compare_parser().format_help()
    qsecret.__doc__ = pages.QSECRET
    qcanary.__doc__ = pages.QCANARY + "\n" + lines.canary_parser().format_help()

    @property
    def _lab(self) -> Lab:
        from qpm_lab.lab import default_lab

        return default_lab()

    def _parse(self, parser: OptionParser, line: str) -> argparse.Namespace:
        parser.set_defaults(backend=None, shots=None)
        options = lines.parse(parser, line)
        if not getattr(options, "again", None):
            usual = "auto" if getattr(options, "route", False) else self.backend
            options.backend = options.backend or usual
            options.shots = self.shots if options.shots is None else options.shots
        return options

    def _look(self, magic: str, line: str) -> tuple[Any, dict[str, Any]]:
        expression, rest = lines.split_expression(line)
        return self._looked_at(magic, expression, self._parse(lines.circuit_parser(magic), rest))

    def _looked_at(self, magic: str, expression: str, options: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
        value = lines.evaluate(self.shell, expression, magic)
        keywords = lines.order_options(self.shell, options)
        keywords["name"] = options.name or self._name(value)
        return value, keywords

    def _run(self, value: Any, options: argparse.Namespace) -> Job | None:
        from qpm_magics.cards import show

        keywords = lines.order_options(self.shell, options)
        keywords["name"] = options.name or options.output or self._name(value)
        if options.dry_run:
            show(self._lab.dry_run(value, **keywords))
            return None
        return self._finish(self._submit(value, keywords), options)

    def _again(self, expression: str, options: argparse.Namespace) -> Job | None:
        changes = lines.again_changes(expression, options)
        (earlier, *_) = studies.named(self.shell, options.again)
        job_id = getattr(earlier, "id", earlier)
        if options.dry_run:
            studies.show_dry_run_again(self._lab, job_id, changes)
            return None
        with studies.refusal_shown(self._lab):
            job = self._lab.again(job_id, **changes)
        return self._finish(job, options)

    def _finish(self, job: Job, options: argparse.Namespace) -> Job | None:
        if options.output:  # at once: a job that fails or misses its conditions can be looked at too
            self.shell.user_ns[options.output] = job
        # What is at a vendor may take hours: the cell returns, and the card fills in.
        self._show(job, wait=options.wait or not (options.no_wait or job.is_remote))
        return None if options.output else job

    def _submit(self, value: Any, keywords: dict[str, Any]) -> Job:
        with studies.refusal_shown(self._lab):
            return self._lab.submit(value, **keywords)

    def _show(self, job: Job, *, wait: bool) -> None:
        """Leaves the job's card; ends the cell with an error unless it completed and met its conditions."""
        from qpm_magics.cards import follow, wait_with_card

        if not wait:
            follow(self.shell, job)
            return
        try:
            wait_with_card(self.shell, job)
        except KeyboardInterrupt:
            if job.status in OPEN:
                raise CancelledError(
                    "The cell was interrupted and the job asked to stop.", "%qjobs shows when it has."
                ) from None
        job.result()
        job.require_validation()

    def _name(self, value: Any) -> str | None:
        """None leaves the name to a circuit that has one of its own; else the variable's name."""
        if own_name(str(getattr(value, "name", "") or "")):
            return None
        names: Sequence[str] = circuit_names(self.shell.user_ns)
        return next((n for n in names if self.shell.user_ns[n] is value), None)

    def _check_output_name(self, options: argparse.Namespace) -> None:
        name = options.output
        if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
            raise InputError(f"-o {name!r} is not a Python name.", "Write -o job, for example.")
        if name is not None and options.dry_run:
            raise InputError("A dry run has no Job to assign.", "Leave out -o or --dry-run.")
