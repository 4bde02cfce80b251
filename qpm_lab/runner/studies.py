"""What `Lab` says about fidelity beyond one job: how many shots, are the runs the same, does the machine drift."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.runner import broker, canary
from qpm_lab.runner.canary_record import Series, Watch, state
from qpm_lab.runner.compared_runs import latest_runs
from qpm_lab.runner.comparing import compare
from qpm_lab.runner.order import Order
from qpm_lab.runner.route_taken import AUTO
from qpm_lab.runner.shot_plan import Precision, as_typed, shot_plan

if TYPE_CHECKING:
    from qpm_lab.runner.runner import Runner

SHOTS, TOLERANCE, ARL = 1000, 0.01, 1000
"""Of a canary, and how closely it is watched, unless the caller says otherwise."""
CARRIED = ("experiment", "project", "cost_center", "max_cost")
"""Labels of a canary that the next one is given as well."""


def order_from(circuit: Any, options: Mapping[str, Any]) -> Order:
    """An order with the options of `Lab.submit`.

    Raises:
        InputError: there is no such option.
    """
    known = [field.name for field in dataclasses.fields(Order)][1:]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise InputError(f"There is no option {unknown[0]!r}.", f"There are: {', '.join(known)}.")
    return Order(circuit, **options)


class Studies:
    """The part of `Lab` that answers with documents of plain values; see docs/fidelity.md."""

    runner: Runner

    def plan_shots(
        self,
        circuit: Any,
        half_width: float,
        backends: str | Sequence[str] | None = None,
        *,
        level: float = 0.95,
        prefix: str = "%%qjob",
        **options: Any,
    ) -> dict[str, Any]:
        """How many shots make the fidelity so exact, and what that would cost; nothing is recorded or held.

        Args:
            circuit: As for `submit`.
            half_width: Half the width of the fidelity's interval, for example 0.02.
            backends: An id or several; every backend that can run or be quoted when None.
            level: Confidence of the interval.
            prefix: What stands before the options in the command of each row.
            **options: As for `submit`, except `backend`.

        Returns:
            `reason` is None or says why no number of shots would do; `rows` has for each backend `measured`
            (`histogram`, `mirror`, `proxy` or `none`), `shots` (whatever the machine does), `shots_expected` (if
            `predicted_fidelity` is right), `companions`, `quote`, `decision`, `reason`, `command`,
            `reachable` (None where there is nothing to plan) and `half_width_expected`.

        Raises:
            InputError: a circuit, option or backend cannot be used.
        """
        order = order_from(circuit, options)
        return shot_plan(self.runner, order, Precision(half_width, level), backends, prefix)

    def explain_route(self, circuit: Any, **options: Any) -> dict[str, Any]:
        """Which backend of a route a job would get now, and why not the others; nothing is recorded, held or spent.

        Args:
            circuit: As for `submit`.
            **options: As for `submit`; `backend` is `auto` (the default) or `route:NAME`.

        Returns:
            `route`, `by`, `chosen` (None when no backend would take it) and `rows`, one per backend, the best first:
            `rank` (None for one that is left out), `why`, `price`, `decision`, `available`, `queue`, `queue_seconds`
            and `expected_fidelity`.

        Raises:
            InputError: there is no such route, or the circuit or an option cannot be used.
        """
        return broker.explained(self.runner, order_from(circuit, {"backend": AUTO, **options}))

    def compare(
        self,
        jobs: Sequence[Any] = (),
        delta: float = 0.1,
        alpha: float = 0.05,
        *,
        experiment: str | None = None,
        last: int | None = None,
    ) -> dict[str, Any]:
        """Whether completed jobs gave the same outcomes, within a distance that matters.

        Args:
            jobs: Two or more: `Job`s, ids, or unique beginnings of ids.
            delta: Distance from which on runs count as different, between 0 and 1.
            alpha: How often a verdict may be wrong.
            experiment: Instead of `jobs`, the latest completed jobs of this experiment.
            last: How many of them; default 5.

        Returns:
            `verdict` is `equivalent`, `different` or `inconclusive`; `shots_needed` and `rerun` say what would
            settle the latter; `warnings` what a reader should know; `circuits` has every pair's distance.

        Raises:
            InputError: a job is not there or not completed, or the jobs cannot be compared.
        """
        if (experiment is None) == (not jobs) or (experiment is None and last is not None):
            raise InputError(
                "A comparison takes either jobs or an experiment.",
                "Write two or more job ids, or --experiment NAME, with --last N if you like.",
            )
        ids = _ids(jobs) if experiment is None else latest_runs(self.runner.ledger, experiment, last)
        return compare(self.runner, ids, delta, alpha)

    def canary(
        self,
        backend: str,
        circuit: Any = None,
        shots: int = SHOTS,
        *,
        tolerance: float = TOLERANCE,
        arl: int = ARL,
        history: bool = False,
        reset: bool = False,
        prefix: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Runs a known circuit on a backend as a governed job and says whether the machine has drifted.

        Args:
            backend: Which machine or simulator.
            circuit: One whose ideal outcomes can be computed; a GHZ state undone again when None.
            shots: Of each canary. Backend, circuit and shots make the series.
            tolerance: How far the share of successes may fall below that of the first five canaries.
            arl: At most one false alarm in so many canaries on average, while it falls no further.
            history: Only tell; nothing is run.
            reset: Begin a new baseline with this canary. The earlier history is kept.
            prefix: What the `command` for the next canary begins with, how the circuit is written included.
            **options: `experiment`, `project`, `cost_center`, `classification`, `max_cost`, `name`, `seed`. A seed
                that the series has already gives the same simulation: it runs, and does not count.

        Returns:
            `alarm`, `evidence`, `threshold`, `floor`, `baseline`, the `history` with an interval for each canary,
            `text`, `promise` and `warning` in words, `job_id` of the one just run, and the `command` for the next.

        Raises:
            QpmError: the job was refused or failed; it is not part of the history then.
        """
        if history and reset:
            raise InputError("A history is only looked at.", "Leave out --history or --reset.")
        watch = Watch(tolerance, arl)
        prepared = canary.one_circuit(circuit, self.runner.ideals)
        series = canary.find(self.runner.ledger, prepared, backend, shots)
        if history:
            document = state(self.runner.ledger, series, watch)
        else:
            document = canary.run(self.runner, series.next() if reset else series, prepared, watch, options)
        begun = prefix or f"%qcanary {backend}{as_typed([('circuit', None if circuit is None else 'CIRCUIT')])}"
        return document | {"command": f"{begun}{_next_options(series, watch, options)}"}


def _ids(jobs: Any) -> list[str]:
    """The ids of jobs that are named in any way; one by itself is a list of one.

    Raises:
        InputError: there is something else among them.
    """
    alone = isinstance(jobs, str) or not isinstance(jobs, Sequence)
    ids: list[Any] = [getattr(job, "id", job) for job in ([jobs] if alone else jobs)]
    for each in ids:
        if not isinstance(each, str):
            raise InputError(f"{str(each)[:80]!r} is no job.", "Give Jobs, or the ids of jobs. %qjobs lists them.")
    return ids


def _next_options(series: Series, watch: Watch, options: Mapping[str, Any]) -> str:
    """What has to be typed for another canary of the same series, watched alike."""
    usual = {"shots": SHOTS, "tolerance": TOLERANCE, "arl": ARL}
    present = {"shots": series.shots, "tolerance": watch.tolerance, "arl": watch.arl}
    pairs = [(name, value) for name, value in present.items() if value != usual[name]]
    return as_typed([*pairs, *((name, options.get(name)) for name in CARRIED)])
