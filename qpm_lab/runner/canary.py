"""A known circuit run again and again on one backend: its history, its baseline, and the alarm when it drifts.

A series is a backend, a circuit and a number of shots. Its first canaries are the baseline; from then on a
sequential test watches the share of successes (`fidelity.DriftDetector`). Nothing but the history is kept: the state
is worked out from it anew each time, so it is the same for everybody who looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qpm_lab import circuits, providers
from qpm_lab.errors import InputError, QpmError
from qpm_lab.fidelity.heavy import SMALLEST_CONTRAST
from qpm_lab.fidelity.histogram import Table, heavy_limit, read_counts, read_ideal
from qpm_lab.ledger import Ledger
from qpm_lab.runner.canary_record import (
    ALARM,
    CHECKED,
    Series,
    Watch,
    judged,
    replayed,
    same_simulation,
    shown,
    unrecorded_alarm,
)
from qpm_lab.runner.order import Order, whole
from qpm_lab.runner.plan import Plan, find_backend

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.circuits import Prepared
    from qpm_lab.runner.attempt import LiveJob
    from qpm_lab.runner.estimating import Ideals
    from qpm_lab.runner.runner import Runner

OPTIONS = ("experiment", "project", "cost_center", "classification", "max_cost", "name", "seed")
NOT_COUNTED = "This canary is not part of the history."


def known_circuit() -> QuantumCircuit:
    """Four qubits entangled and disentangled again: on a perfect machine every shot gives 0000.

    Barriers keep a compiler from cancelling the two halves.
    """
    from qiskit import QuantumCircuit

    ghz = QuantumCircuit(4)
    ghz.h(0)
    for qubit in range(3):
        ghz.cx(qubit, qubit + 1)
    circuit = QuantumCircuit(4, name="canary-ghz4")
    circuit.compose(ghz, inplace=True)
    circuit.barrier()
    circuit.compose(ghz.inverse(), inplace=True)
    circuit.measure_all()
    return circuit


def successes(plan: Plan, counts: Mapping[str, int], ideals: Ideals) -> int | None:
    """How many shots of a canary gave an outcome that a perfect machine favours; None for any other job."""
    if plan.canary is None:
        return None
    favoured, limit = _favoured(plan.prepared[0], ideals)
    return int(read_counts(counts)[0].items_where(favoured, limit))


def find(ledger: Ledger, prepared: Prepared, backend: str, shots: Any) -> Series:
    """The present series of a circuit on a backend; the first one when there was none yet.

    Raises:
        InputError: there is no such backend, or the shots cannot be used.
    """
    first = Series(find_backend(backend).id, prepared.facts, whole(shots, "shots", 1, 2**53))
    while ledger.canaries(first.next().name, 1):
        first = first.next()
    return first


def one_circuit(source: Any, ideals: Ideals) -> Prepared:
    """The circuit of a canary, prepared; the known one when `source` is None.

    Raises:
        InputError: it is not one bound circuit, or a perfect machine favours no outcome of it.
    """
    prepared = circuits.prepare(known_circuit() if source is None else source)
    if len(prepared) != 1 or prepared[0].bindings is not None:
        raise InputError("A canary is one circuit without a sweep.", "Give one circuit with all values in place.")
    favoured, limit = _favoured(prepared[0], ideals)
    share = float(favoured.items_where(favoured, limit))
    if share - favoured.number_above(limit) * limit < SMALLEST_CONTRAST:
        raise InputError(
            "This circuit cannot be a canary: a perfect machine gives all its outcomes (nearly) equally often.",
            "Take one that favours few outcomes, or leave out --circuit for the known one.",
        )
    return prepared[0]


def run(runner: Runner, series: Series, prepared: Prepared, watch: Watch, options: Mapping[str, Any]) -> dict[str, Any]:
    """Runs one canary as a governed job, judges it and records the verdict.

    A simulation with the seed of an earlier canary is that canary again. It runs, and is left out of the history.

    Returns:
        The document of `state`, with the job's id.

    Raises:
        QpmError: it was refused, failed or was cancelled; it is not part of the history then.
    """
    for name in options:
        if name not in OPTIONS:
            raise InputError(f"A canary has no option {name!r}.", f"It has: {', '.join(OPTIONS)}.")
    earlier = _copied(runner.ledger, series, options.get("seed"))
    counts = series.name if earlier is None else None
    live = _ended(runner, Order(prepared, series.backend, series.shots, canary=counts, **options))
    document = replayed(runner.ledger, series, watch)
    if earlier is None:
        runner.ledger.note(CHECKED, judged(document, live.job_id), job_id=live.job_id)
    raised = unrecorded_alarm(runner.ledger, document)
    if raised is not None:
        runner.ledger.note(ALARM, judged(document, raised), job_id=raised)
    return shown(document) | {"job_id": live.job_id, "warning": earlier}


def _copied(ledger: Ledger, series: Series, seed: int | None) -> str | None:
    """A sentence when this seed makes a simulation that the history has already; None otherwise."""
    known = same_simulation(ledger, series, seed) if find_backend(series.backend).kind == "simulator" else None
    if known is None:
        return None
    return f"The same simulation as canary {known} (seed {seed}): it shows nothing new. {NOT_COUNTED} Leave out --seed."


def _ended(runner: Runner, order: Order) -> LiveJob:
    """The job of a canary, once it has completed."""
    try:
        live = runner.submit(order)
        _wait(runner, live)
        if live.error is not None:
            raise live.error
    except QpmError as error:
        error.hint = f"{error.hint} {NOT_COUNTED}".strip()
        raise
    return live


def _wait(runner: Runner, live: LiveJob) -> None:
    try:
        live.ended.wait()
    except KeyboardInterrupt:
        runner.cancel(live, "it was interrupted")
        raise


def _favoured(prepared: Prepared, ideals: Ideals) -> tuple[Table, float]:
    """What a perfect machine gives, and the probability above which it favours an outcome.

    Raises:
        InputError: that cannot be computed.
    """
    found = ideals.of(prepared.circuit, prepared.facts.fingerprint)
    if found.probabilities is None:
        raise InputError(f"This circuit cannot be a canary. {found.reason}", "Leave out --circuit for the known one.")
    return read_ideal(found.probabilities), heavy_limit(providers.measured_bits(prepared.circuit))
